// SPDX-License-Identifier: Apache-2.0

// Package rehearsal plays a whole key ceremony by somebody's plan, with the
// machines of the real one (packages offline and online), simulated people, and a
// mock of KMS in a file.
//
// The plan for practice is the real one, to the letter, but that it says that it
// is a rehearsal, that people have other keys, and that targets are keys in the
// mock. So nothing that comes of it can be taken for real: every file says so, and
// what was wrapped is wrapped for a key that AWS does not have.
//
// A [Scenario] is something that goes wrong, or a later ceremony with the key, by the
// same people. Each says what should come of it, and a rehearsal fails if that did not.
package rehearsal

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// An Event is what happens in a rehearsal, as it does: [Prepared], [Shown],
// [Played], [Cut].
type Event interface{ event() }

// Prepared says what the plan for practice says differently.
type Prepared struct{ Changes []plan.Change }

// Shown is a line that a machine shows to the people around it.
type Shown struct {
	Machine transcript.Machine
	Text    string
}

// Played is a task that was tried.
type Played struct {
	Machine transcript.Machine `json:"machine"`
	Task    string             `json:"task"`
	People  []string           `json:"people"` // IDs of those it takes
	At      time.Time          `json:"at"`     // by the clock of the rehearsal, UTC
	Failed  string             `json:"failed,omitempty"`
}

// Cut says that a machine was switched off in the middle of a task.
type Cut struct {
	Machine transcript.Machine
	Task    phase.Task
}

func (Prepared) event() {}
func (Shown) event()    {}
func (Played) event()   {}
func (Cut) event()      {}

// A Rehearsal is how a ceremony by a plan is rehearsed.
type Rehearsal struct {
	Plan    *plan.Plan
	Dir     string          // gets a folder for each scenario
	Tool    transcript.Tool // this program
	Observe func(Event)     // may be nil
}

// Play plays one scenario, or goes on with one that was interrupted if that is
// [ByPlan]. The outcome says whether everything came as it should; it is complete
// also where it did not. Errors: [*UnfitError], [*TakenError], the context's, or
// those of files and machines that no scenario expects.
func (r Rehearsal) Play(ctx context.Context, scenario Scenario) (o Outcome, err error) {
	s := newStage(filepath.Join(r.Dir, scenario.Name), r.Tool, r.Observe)
	if s.observe == nil {
		s.observe = func(Event) {}
	}
	began := time.Now()
	if err := s.prepare(ctx, r.Plan, scenario); err != nil {
		return o, fmt.Errorf("preparing the rehearsal %s: %w", scenario.Name, err)
	}
	s.observe(Prepared{s.changes})
	if scenario.disturb != nil {
		s.disturbed = scenario.disturb(s)
	}
	if err = s.play(ctx); err == nil {
		o, err = s.playLater(ctx, scenario, s.outcome(scenario))
	}
	if err = closing(err, s.world.close); err != nil {
		return Outcome{}, fmt.Errorf("rehearsing %s: %w", scenario.Name, err)
	}
	o.Took = time.Since(began)
	return o, nil
}
