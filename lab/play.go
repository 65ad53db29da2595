// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/keymat/keymat/internal/experiment"
)

// A Stage is where lessons are played.
type Stage struct {
	Bench experiment.Bench
	Tools Tools
	Dir   string // for files that a lesson makes; an empty folder

	// Busy tells a student who waits what for, until done is called; may be nil.
	Busy func(what string) (done func())
}

// A Guide takes a student through a lesson.
type Guide interface {
	// Before is called before the step at a position in the lesson is done. It
	// returns the student's prediction, a position in the choices of the step's
	// question, or [NoPrediction]. ErrQuit ends the lesson.
	Before(ctx context.Context, at int) (prediction int, err error)
	// After is called when it has been done.
	After(Played) error
}

// NoPrediction stands for a question that nobody answered.
const NoPrediction = -1

// ErrQuit says that the student wants to stop here.
var ErrQuit = errors.New("the lesson was left")

// Played is a step that was done.
type Played struct {
	At         int // position in the lesson
	Lines      []Line
	Prediction int // position in the choices, or [NoPrediction]
}

// A Transcript is a lesson as it was played.
type Transcript struct {
	Lesson  Lesson
	Steps   []Played
	Leaving []experiment.Leaving // the keys it made, and when they go
	Ended   time.Time            // UTC
}

// Finished reports whether every step was played.
func (t Transcript) Finished() bool { return len(t.Steps) == len(t.Lesson.Steps) }

// A StepError says in which step of a lesson something went wrong.
type StepError struct {
	At    int // from 1
	Title string
	Err   error
}

func (e *StepError) Error() string {
	return fmt.Sprintf("step %d of the lesson (%s): %v", e.At, e.Title, e.Err)
}

func (e *StepError) Unwrap() error { return e.Err }

// Play plays a lesson and cleans up after it, whatever happened: its keys are
// scheduled for deletion, also when ctx was cancelled. The transcript holds
// what was played until then. Errors: ErrQuit, a *StepError, an error of the
// guide, an [experiment.LeftError] for each key that stays.
func Play(ctx context.Context, l Lesson, stage Stage, guide Guide) (t Transcript, err error) {
	r := &Run{stage: stage, ctx: ctx}
	bench := stage.Bench
	bench.Observe = r.observe
	r.Trial = bench.Start(ctx, "lab "+l.Name)
	t.Lesson = l
	defer func() {
		leaving, undone := r.Finish(context.WithoutCancel(ctx))
		t.Leaving, t.Ended = leaving, time.Now().UTC()
		err = errors.Join(err, undone)
	}()
	for at, step := range l.Steps {
		p := Played{At: at}
		if p.Prediction, err = guide.Before(ctx, at); err != nil {
			return t, err
		}
		r.lines = nil
		step.Do(r)
		if err := r.Err(); err != nil {
			return t, &StepError{at + 1, step.Title, err}
		}
		p.Lines = r.lines
		t.Steps = append(t.Steps, p)
		if err := guide.After(p); err != nil {
			return t, err
		}
	}
	return t, nil
}
