// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"github.com/keymat/keymat/internal/experiment"
)

// DefaultParallel is how many experiments a [Runner] makes at the same time.
// Many of them wait: at AWS for their turn, as it allows one GetParametersForImport
// a second, and everywhere for the end of a rotation.
const DefaultParallel = 8

// cleanUpTime is how long the clean-up of one experiment may take, also when
// the run was interrupted.
const cleanUpTime = 2 * time.Minute

// A Runner tests rules on a bench.
type Runner struct {
	Bench    *experiment.Bench // its own Observe is not called
	Parallel int               // experiments at the same time; 0 for DefaultParallel

	// Private makes a bench on a KMS that nobody else uses, for a rule that moves
	// the clock; nil where there is but one KMS, in which such rules are tested
	// after the others, one by one.
	Private func() *experiment.Bench

	// Observe is told what happens, one event at a time; may be nil.
	Observe func(Event)
}

// An Event is something that happened in a run: a [Began], a [Stepped] or an
// [Ended].
type Event interface{ event() }

// Began says that the experiment of a rule begins.
type Began struct{ Rule Rule }

// Stepped says what one of its steps showed.
type Stepped struct {
	RuleID string
	Step   experiment.Observation
}

// Ended says what became of a rule, keys and clock included.
type Ended struct{ Result Result }

func (Began) event()   {}
func (Stepped) event() {}
func (Ended) event()   {}

// run is one run of a Runner.
type run struct {
	*Runner
	mu      sync.Mutex // of Observe
	cancel  context.CancelCauseFunc
	results []Result
}

// Run tests rules: first those that leave the clock alone, or have one to
// themselves, some of them at a time; then one by one those that move it. Results are in the order of the
// rules. Each experiment cleans up after itself, whatever ends it, in a time of
// its own; when Run returns, all have, and the clock is where it was.
//
// An error that would meet every experiment, such as a denied permission, a
// quota or a broken connection, ends the run, and so does a key that cannot be
// scheduled for deletion: experiments under way end after what is in flight,
// those that follow are not begun, and Run returns the error as a
// *[StoppedError]. If ctx ends it returns its cause.
func (r *Runner) Run(ctx context.Context, selection []Rule) ([]Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	run := &run{Runner: r, cancel: cancel, results: make([]Result, len(selection))}
	var still, moving []int
	for i, rule := range selection {
		run.results[i].Rule = rule
		if rule.MovesClock && r.Private == nil {
			moving = append(moving, i)
		} else {
			still = append(still, i)
		}
	}
	parallel := r.Parallel
	if parallel <= 0 {
		parallel = DefaultParallel
	}
	run.all(ctx, still, parallel)
	run.all(ctx, moving, 1)
	return run.results, context.Cause(ctx)
}

// all tests the rules at these places, some of them at a time.
func (r *run) all(ctx context.Context, places []int, parallel int) {
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(parallel, len(places)) {
		workers.Go(func() {
			for i := range next {
				r.one(ctx, &r.results[i])
			}
		})
	}
	for _, i := range places {
		next <- i
	}
	close(next)
	workers.Wait()
}

// one tests one rule, and stops the run if that makes no sense any more.
func (r *run) one(ctx context.Context, result *Result) {
	rule := result.Rule
	switch {
	case ctx.Err() != nil:
		result.judge(context.Cause(ctx))
		return // nobody needs to be told of each
	case rule.MovesClock && r.Bench.Clock == nil && r.Private == nil:
		result.judge(&experiment.ImpossibleError{Reason: "the clock of this KMS cannot be moved, and nobody waits that long"})
	case rule.TwoRegions && r.Bench.Second == "":
		result.judge(&experiment.ImpossibleError{Reason: "it needs a second Region, and none is given"})
	default:
		r.test(ctx, result)
	}
	switch {
	case ctx.Err() != nil:
	case result.Left != nil: // or one key after the other would stay
		r.cancel(&StoppedError{rule.ID, result.Left})
	case result.EndsRun():
		r.cancel(&StoppedError{rule.ID, result.Err})
	}
	r.tell(Ended{*result})
}

// test makes the experiment of a rule, and cleans up.
func (r *run) test(ctx context.Context, result *Result) {
	rule := result.Rule
	result.Started = time.Now().UTC()
	r.tell(Began{rule})
	bench := r.bench(rule)
	trial := bench.Start(ctx, rule.ID)
	if clock, ok := bench.Clock.(*countingClock); ok {
		trial.Defer(clock.setBack)
	}
	mistake := guard(rule.ID, func() { rule.Experiment(trial) })
	err := trial.Err() // which comes first: after it an experiment goes on with empty answers
	if err == nil {
		err = mistake
	}
	result.judge(err)
	result.Steps, result.Keys = trial.Steps(), trial.Keys()

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpTime)
	defer cancel()
	mistake = guard(rule.ID, func() { result.Leaving, result.Left = trial.Finish(ctx) })
	result.Left = errors.Join(result.Left, mistake)
	result.Seconds = time.Since(result.Started).Seconds()
}

// guard calls f and turns a panic into an error, so that other experiments can
// clean up.
func guard(id string, f func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{id, v, string(debug.Stack())}
		}
	}()
	f()
	return nil
}

// bench is that of one rule.
func (r *run) bench(rule Rule) *experiment.Bench {
	b := *r.Bench
	if rule.MovesClock && r.Private != nil {
		b = *r.Private()
	}
	b.Observe = func(t *experiment.Trial, o experiment.Observation) { r.tell(Stepped{t.Name, o}) }
	switch {
	case b.Clock == nil:
	case rule.MovesClock:
		b.Clock = &countingClock{Clock: b.Clock}
	default:
		b.Clock = fixedClock{b.Clock}
	}
	return &b
}

func (r *run) tell(e Event) {
	if r.Observe == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Observe(e)
}
