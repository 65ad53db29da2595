// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/rules"
)

// verify tests the rules and tells what became of them.
func (a *app) verify(ctx context.Context, selection []rules.Rule, o verifyOptions) error {
	if !o.dryRun {
		if err := a.offerCleanUp(ctx); err != nil {
			return err
		}
	}
	t, err := a.target(ctx, o.targetOptions)
	if err != nil {
		return err
	}
	plan := planOf(t, selection)
	if o.limited && plan.Cost > o.maxCost {
		return &costError{plan.Cost, o.maxCost}
	}
	if o.dryRun {
		return a.print(plan)
	}
	if err := a.agree(ctx, t, plan); err != nil {
		return err
	}
	run, err := a.beginRun(t, "verify")
	if err != nil {
		return err
	}
	v, stopped := a.test(ctx, run, selection, o.parallel)
	switch {
	case stopped == nil:
		return errors.Join(v.problem(), o.reports.write(v), a.print(v))
	case len(v.Rules) > 0: // why it ended early matters more than what it showed until then
		return errors.Join(stopped, o.reports.write(v), a.print(v))
	}
	if left := v.describeLeaving(); left != "" {
		a.say("%s", left)
	}
	return stopped
}

// agree says what will happen to a KMS that is there afterwards, and asks where
// it costs money.
func (a *app) agree(ctx context.Context, t *target, p verifyPlan) error {
	if !t.lasting {
		return nil
	}
	a.say("testing %s on %s", count(len(p.Rules), "rule"), t.name)
	if p.MovesClock {
		a.say("its clock will be moved, for everybody who uses it, and set back at the end")
	}
	if !t.billed {
		return nil
	}
	a.say("this makes %s", p.describeKeys())
	a.say("%s", p.describeCost())
	for _, effect := range p.Effects {
		a.say("a rule also %s", effect)
	}
	a.say("the keys carry the tag %s; deletion is scheduled as soon as each rule is done, with the shortest window: %d days", experiment.Tag, experiment.Window)
	return a.confirm(ctx, fmt.Sprintf("Make %s at %s", count(p.Keys, "key"), t.name))
}

// test runs the rules, and ends the run. stopped is why it did not come to all of
// them; the verification is of the others.
func (a *app) test(ctx context.Context, run *experimentRun, selection []rules.Rule, parallel int) (v verification, stopped error) {
	t := run.target
	progress := a.newVerifyProgress(len(selection))
	runner := &rules.Runner{Bench: run.bench, Parallel: parallel, Observe: progress.observe}
	if t.wrappingKeys != nil {
		runner.Private = func() *experiment.Bench { return run.privateBench(ctx) }
	}
	began := time.Now()
	results, stopped := runner.Run(ctx, selection)
	progress.done()

	v = verificationOf(t, run.bench.Run, results, stopped)
	v.Started, v.Seconds = began.UTC().Truncate(time.Second), time.Since(began).Seconds()
	a.tellLeft(t, results)
	cleanUp, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
	defer cancel()
	if err := run.end(cleanUp); err != nil {
		v.Unfinished = describeError(err)
		a.warn("%s", v.Unfinished)
	}
	if stopped != nil {
		a.say("the run has ended early")
	}
	return v, stopped
}

// cleanUpTime is how long going after keys that nobody heard of may take, also
// when the run was interrupted.
const cleanUpTime = 2 * time.Minute

// tellLeft warns of keys that could not be scheduled for deletion.
func (a *app) tellLeft(t *target, results []rules.Result) {
	if !t.lasting {
		return
	}
	for _, r := range results {
		if r.Left != nil {
			a.warn("%s left something behind: %v", r.Rule.ID, describeError(r.Left))
		}
	}
}

// A brokenRulesError says that rules do not hold: exit code 3.
type brokenRulesError struct{ broken, tested int }

func (e *brokenRulesError) Error() string {
	return fmt.Sprintf("of %s %d do not hold", count(e.tested, "rule"), e.broken)
}

// An untestedError says that experiments could not be made, and none of the
// others was broken.
type untestedError struct{ failed int }

func (e *untestedError) Error() string {
	return count(e.failed, "rule") + " could not be tested"
}

// errUnfinished is that a run left something, which a warning told of.
var errUnfinished = errors.New("the run did not clean up all that it made")

// problem is what is wrong with the verdicts, or nil.
func (v verification) problem() error {
	switch s := v.Summary; {
	case s[rules.Broken] > 0:
		return &brokenRulesError{s[rules.Broken], len(v.Rules)}
	case s[rules.Failed] > 0:
		return &untestedError{s[rules.Failed]}
	case v.Unfinished != "":
		return errUnfinished
	}
	return nil
}
