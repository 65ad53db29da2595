// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"errors"
	"regexp"
	"slices"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// checkRecords checks the records one by one, and then what they add up to.
func (v *verification) checkRecords() error {
	records, err := v.folder.Records()
	if err != nil {
		return err
	}
	if len(records) == 0 {
		v.problem(RecordFile(1), 0, "missing")
		return nil
	}
	for i, t := range records {
		name := RecordFile(i + 1)
		v.known[name] = true
		v.Records = append(v.Records, Record{Name: name, Transcript: t})
		last := i == len(records)-1
		v.checkLines(name, t, last)
		if err := v.checkHead(i, last); err != nil {
			return err
		}
	}
	v.fold(records)
	return nil
}

// checkLines checks what a record says of itself. The last may be open.
func (v *verification) checkLines(name string, t *transcript.Transcript, last bool) {
	for _, fault := range t.Faults {
		if last && !t.Closed && fault.Line == 0 && t.Opened.Kind != "" {
			v.remark(name, 0, "%s", fault.What)
			continue
		}
		v.problem(name, fault.Line, "%s", fault.What)
	}
	switch opened := t.Opened; {
	case opened.Kind == "": // told already
	case opened.Ceremony != v.Plan.ID || opened.PlanSHA256 != v.Plan.Digest() || opened.Rehearsal != v.Plan.Rehearsal || !slices.Equal(opened.Approvers, v.Plan.Gates[plan.GatePlan]):
		v.problem(name, 1, "it is the record of another plan")
	}
	if closed, ok := lastEvent(t).(transcript.Closed); ok && !slices.Equal(closed.Signers, v.Plan.Gates[plan.GateClose]) {
		v.problem(name, t.Lines, "it does not ask for the signatures that the plan asks for")
	}
}

func lastEvent(t *transcript.Transcript) transcript.Event {
	if len(t.Entries) == 0 {
		return nil
	}
	return t.Entries[len(t.Entries)-1].Event
}

// checkHead checks what was signed of a record. One that is open has no head.
func (v *verification) checkHead(i int, last bool) error {
	name, t := HeadFile(i+1), v.Records[i].Transcript
	if last && !t.Closed && !v.folder.Has(name) {
		return nil
	}
	statement, err := v.read(name, transcript.MaxHead)
	if err != nil || statement == nil {
		return err
	}
	head, err := transcript.ReadHead(statement)
	if err != nil {
		v.problem(name, 0, "%v", err)
		return nil
	}
	for _, fault := range t.CheckHead(head) {
		v.problem(name, 0, "%s", fault.What)
	}
	v.Records[i].Signers, err = v.signatures(name, v.Plan.Gates[plan.GateClose], transcript.Namespace, statement)
	return err
}

// fold holds the lines against the rules, if every one of them can be believed.
// A record that people keep by hand has no steps that could break one.
func (v *verification) fold(records []*transcript.Transcript) {
	if len(v.Problems) > 0 && v.damaged() {
		return
	}
	if len(records) == 1 && !slices.ContainsFunc(records[0].Entries, func(e transcript.Entry) bool { return isStep(e.Event) }) {
		v.remark(RecordFile(1), 0, "no machine has recorded a step: that is a record kept by hand, and there is nothing to hold against the rules")
		return
	}
	s, err := phase.Fold(v.Plan, records...)
	v.State = s
	if e, ok := errors.AsType[*phase.LineError](err); ok {
		v.problem(RecordFile(e.Record), e.Line, "%v", e.Err)
		return
	}
	if err != nil {
		v.problem("", 0, "%v", err)
	}
	if id := s.Incident(); id != "" {
		v.remark("", 0, "KMS could not open what was wrapped for %s: the material has to be treated as exposed", id)
	}
}

// damaged reports whether a line of a record is not what was written.
func (v *verification) damaged() bool {
	return slices.ContainsFunc(v.Problems, func(f Finding) bool {
		return numbered("transcript", ".jsonl", f.File) || f.File == RecordFile(1)
	})
}

// isStep tells what machines record from what people add.
func isStep(e transcript.Event) bool {
	switch e.(type) {
	case transcript.Opened, transcript.Confirmed, transcript.Noted, transcript.Exception, transcript.Resumed, transcript.Closed:
		return false
	}
	return true
}

// numbered reports whether a name is that of a further record, or of its head.
func numbered(kind, suffix, name string) bool {
	return regexp.MustCompile(`^` + kind + `(-[1-9][0-9]*)?` + regexp.QuoteMeta(suffix) + `$`).MatchString(name)
}
