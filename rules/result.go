// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"errors"
	"fmt"
	"time"

	"github.com/keymat/keymat/internal/experiment"
)

// Verdict says what an experiment showed of a rule.
type Verdict string

// The verdicts.
const (
	Holds   Verdict = "holds"
	Broken  Verdict = "broken"  // KMS answered otherwise than the rule says
	Skipped Verdict = "skipped" // this KMS, or what is known of it, does not allow the experiment
	Failed  Verdict = "failed"  // the experiment was not made or did not end, and shows nothing
)

// Verdicts lists the verdicts, the best first.
func Verdicts() []Verdict { return []Verdict{Holds, Broken, Skipped, Failed} }

// A Result is what became of one rule.
type Result struct {
	Rule    Rule
	Verdict Verdict
	Reason  string // in one sentence, without a full stop; "" for Holds
	Err     error  // what ended the experiment early; nil for Holds

	Steps   []experiment.Observation
	Keys    []experiment.Key     // made, replicas included
	Leaving []experiment.Leaving // those that KMS will delete
	Left    error                // those that stay, an experiment.LeftError each; nil for none

	Started time.Time // UTC; zero where nothing was begun
	Seconds float64   // until the keys were gone
}

// judge turns what ended an experiment, nil for its end, into a verdict.
func (r *Result) judge(err error) {
	r.Err = err
	switch err := err.(type) {
	case nil:
		r.Verdict = Holds
	case *experiment.SurpriseError:
		r.Verdict, r.Reason = Broken, err.Error()
		if r.Rule.Promise == Observed {
			r.Reason += "; KMS was only seen to keep this rule, and never promised it"
		}
	case *experiment.ImpossibleError:
		r.Verdict, r.Reason = Skipped, err.Error()
	default:
		r.Verdict, r.Reason = Failed, err.Error()
	}
}

// EndsRun reports whether the experiment failed by an error that would meet
// every other one, or was cut off by such an error or an interrupt.
func (r *Result) EndsRun() bool {
	_, mistake := errors.AsType[*PanicError](r.Err)
	return r.Verdict == Failed && !mistake && !experiment.Passing(r.Err)
}

// A StoppedError is why an experiment was not made or ended early: another one
// had met an error that all would meet.
type StoppedError struct {
	Rule string // ID of that other one
	Err  error
}

func (e *StoppedError) Error() string { return fmt.Sprintf("testing %s: %v", e.Rule, e.Err) }
func (e *StoppedError) Unwrap() error { return e.Err }

// A PanicError is a mistake in an experiment.
type PanicError struct {
	Rule  string // its ID
	Value any
	Stack string // of the goroutine
}

func (e *PanicError) Error() string { return fmt.Sprintf("the experiment panicked: %v", e.Value) }
