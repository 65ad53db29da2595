// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"time"

	"github.com/keymat/keymat/fleet/journal"
	"github.com/keymat/keymat/importer"
)

// doing is a change on its way.
type doing struct {
	*run
	site   *site
	change Change
	keys   map[string]string // ARNs of what the change made, by Region
	result Result
}

// change takes the steps of a change that are not taken yet. ctx ends when no
// step may begin any more, flight when none may go on.
func (r *run) change(ctx, flight context.Context, s *site, c Change) Result {
	d := &doing{run: r, site: s, change: c, keys: make(map[string]string), result: idle(c)}
	d.result.Steps, d.result.Status = len(c.Steps), StatusUnchanged
	for n, step := range c.Steps {
		past := r.memory.step(c.Name, n)
		if past.over {
			d.took(step, outcome{key: past.key})
			continue
		}
		if err := r.mayBegin(ctx, s); err != nil {
			return d.ends(err)
		}
		out, err := d.take(ctx, flight, n, step, past)
		if err != nil {
			return d.ends(err)
		}
		d.took(step, out)
	}
	return d.result
}

// mayBegin is why no step begins any more; nil if one may.
func (r *run) mayBegin(ctx context.Context, s *site) error {
	if err := s.standing(); err != nil {
		return err
	}
	return errors.Join(ctx.Err(), r.going.Err())
}

// took counts a step.
func (d *doing) took(step Step, out outcome) {
	if out.key != "" && step.KeyARN == "" {
		d.keys[step.Region] = out.key
	}
	if d.result.KeyARN == "" {
		d.result.KeyARN = out.key
	}
	if out.material != "" {
		d.result.MaterialID, d.result.Expiry = out.material, out.expiry
	}
	if !out.expiry.IsZero() {
		d.result.Expiry = out.expiry
	}
	if !out.unchanged {
		d.result.Status = StatusDone
	}
	d.result.Taken++
}

// ends is the result of a change that did not get to its end.
func (d *doing) ends(err error) Result {
	result := d.site.resultOf(d.change, err)
	if _, stopped := errors.AsType[*StoppedError](err); stopped {
		result.Status = StatusLeft
	}
	result.KeyARN, result.Taken = d.result.KeyARN, d.result.Taken
	return result
}

// outcome is what a step did.
type outcome struct {
	key       string // ARN
	material  string // KeyMaterialId
	expiry    importer.Expiry
	unchanged bool // it had been done
}

// A step that ended in something that passes is tried again: after so long the
// first time, and twice as long each further time.
const (
	firstPause = 500 * time.Millisecond
	tries      = 6
)

// take takes a step: its intent is on the disk before it begins, and each try
// but a very first one looks for what earlier ones did.
func (d *doing) take(ctx, flight context.Context, n int, step Step, past pastStep) (outcome, error) {
	t := taking{doing: d, n: n, step: step, arn: step.KeyARN, look: past.open > 0, past: past}
	if t.arn == "" {
		t.arn = d.keys[step.Region]
	}
	if err := d.note(t.entry(journal.Intent)); err != nil {
		return outcome{}, err
	}
	unsure := false
	for try, pause := 1, firstPause; ; try, pause = try+1, 2*pause {
		out, err := t.do(flight)
		if err == nil {
			out.unchanged = out.unchanged && !t.look // or an earlier try did it
			t.tell(out)
			return out, nil
		}
		unsure = unsure || d.unsure(err)
		if try < tries && passes(err) && rest(ctx, pause) {
			t.look = true
			continue
		}
		t.tellError(err, unsure)
		return outcome{}, err
	}
}

// unsure reports that a step that ended in err may have had its effect.
func (d *doing) unsure(err error) bool {
	_, unfinished := errors.AsType[*importer.UnfinishedError](err)
	_, rotating := errors.AsType[*importer.UnfinishedRotationError](err)
	return unfinished || rotating || importer.MayHaveHappened(err) || wasStopped(err)
}

// rest waits, unless no step may begin any more.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// taking is a step on its way.
type taking struct {
	*doing
	n    int
	step Step
	arn  string // of the key; empty where it has to be made
	look bool   // it may have had its effect
	past pastStep
	made *importer.Key // by an earlier try
}

func (t *taking) entry(o journal.Outcome) journal.Entry {
	return journal.Entry{Change: t.change.Name, Step: t.n, Do: string(t.step.Do), Outcome: o, Key: t.arn}
}

func (t *taking) tell(out outcome) {
	e := t.entry(journal.Done)
	if out.unchanged {
		e.Outcome = journal.Unchanged
	}
	e.Key, e.Material = out.key, out.material
	t.remark(e)
}

func (t *taking) tellError(err error, unsure bool) {
	e := t.entry(journal.Failed)
	if unsure {
		e.Outcome = journal.Unknown
	}
	e.Error = err.Error()
	const long = 1000
	e.Error = e.Error[:min(len(e.Error), long)]
	t.remark(e)
}

// describe looks at a key. One that this plan made may be new to KMS.
func (t *taking) describe(ctx context.Context, i *importer.Importer, arn string) (importer.Key, error) {
	if t.step.KeyARN != "" {
		return i.Describe(ctx, arn)
	}
	return i.DescribeNew(ctx, arn, time.Now())
}

// do does what the step says, once.
func (t *taking) do(ctx context.Context) (outcome, error) {
	i, err := t.site.importer(t.region())
	if err != nil {
		return outcome{}, err
	}
	if !t.look {
		i.Parameters = t.ahead
	}
	switch t.step.Do {
	case DoCreate:
		return t.create(ctx, i)
	case DoReplicate:
		return t.replicate(ctx)
	case DoImport:
		return t.importMaterial(ctx, i)
	case DoRotate:
		return t.rotate(ctx, i)
	case DoDelete:
		return t.deleteMaterial(ctx, i)
	}
	return outcome{}, &unknownStepError{t.step.Do}
}

// region is where the step is done: where its key is, or where the plan says.
func (t *taking) region() string {
	if region := importer.RegionOf(t.arn); region != "" {
		return region
	}
	return t.step.Region
}

// unknownStepError says that the plan asks for something that does not exist.
type unknownStepError struct{ do Do }

func (e *unknownStepError) Error() string { return "there is no step " + string(e.do) }
