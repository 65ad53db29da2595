// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
)

// A sequel is a later ceremony with the key of the one before it, by the same
// people, in the same world.
type sequel struct {
	purpose plan.Purpose
	since   func(ctx context.Context, s *stage) error      // what has happened meanwhile; may be nil
	correct func(s *stage, drafted []byte) ([]byte, error) // what people change in the draft of its plan; nil for nothing
	joining func(s *stage) ([]plan.Person, error)          // people who are new; may be nil
	disturb func(s *stage) *disturbance                    // s.before is the ceremony before; nil for none
}

// untilThen passes between two ceremonies.
const untilThen = 365 * 24 * time.Hour

// playLater plays one ceremony after the other, each with what the one before has
// left, and adds what came of them.
func (s *stage) playLater(ctx context.Context, scenario Scenario, o Outcome) (Outcome, error) {
	for i, q := range scenario.sequels {
		next, err := s.reopen(ctx, fmt.Sprintf("%d-%s", i+2, q.purpose), q)
		if err != nil {
			return o, fmt.Errorf("preparing the ceremony to %s: %w", q.purpose, err)
		}
		if q.disturb != nil {
			next.disturbed = q.disturb(next)
		}
		if err := next.play(ctx); err != nil {
			return o, fmt.Errorf("the ceremony to %s: %w", q.purpose, err)
		}
		o = o.and(q.purpose, next.outcome(scenario))
		s = next
	}
	return o, nil
}

// reopen makes the plan of a later ceremony from what this one has left, approved,
// in folders of its own within those of this one.
func (s *stage) reopen(ctx context.Context, name string, q sequel) (*stage, error) {
	if err := s.world.wait(untilThen); err != nil {
		return nil, err
	}
	if q.since != nil {
		if err := q.since(ctx, s); err != nil {
			return nil, err
		}
	}
	next := newStage(filepath.Join(s.first().dir, name), s.tool, s.observe)
	next.before, next.cast, next.world = s, s.cast, s.world
	if err := next.makeFolders(); err != nil {
		return nil, err
	}
	var err error
	if next.plan, err = s.draft(name, q); err != nil {
		return nil, err
	}
	for _, m := range machines {
		if err := next.approve(next.plan, next.folder(m)); err != nil {
			return nil, err
		}
	}
	return next, nil
}

// first is the ceremony that made the key.
func (s *stage) first() *stage {
	for s.before != nil {
		s = s.before
	}
	return s
}

// keyed is the latest ceremony, up to this one, that names KMS keys: one for new
// shares does not.
func (s *stage) keyed() *stage {
	for s.before != nil && len(s.plan.Targets) == 0 {
		s = s.before
	}
	return s
}

// draft is the plan of a later ceremony, as people have corrected it.
func (s *stage) draft(name string, q sequel) (*plan.Plan, error) {
	state, err := phase.Fold(s.plan, s.records(s.latest())...)
	if err != nil {
		return nil, err
	}
	expected, ok := state.Expected()
	if !ok {
		return nil, fmt.Errorf("nothing is kept of %s", s.plan.ID)
	}
	before := *s.plan
	if q.joining != nil {
		people, err := q.joining(s)
		if err != nil {
			return nil, err
		}
		before.People = append(before.People[:len(before.People):len(before.People)], people...)
	}
	text, err := before.Reopen(plan.Reopening{
		File: evidence.PlanFile, ID: fmt.Sprintf("%.40s-%s", s.first().plan.ID, name), Title: s.plan.Title, Date: s.world.now().Truncate(24 * time.Hour), Purpose: q.purpose,
		Expected: expected, KeysOf: s.keyed().plan,
	})
	if err == nil && q.correct != nil {
		text, err = q.correct(s, text)
	}
	if err != nil {
		return nil, err
	}
	p, err := plan.Read(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	if findings := p.Lint(); plan.HasErrors(findings) {
		return nil, &UnfitError{findings}
	}
	return p, nil
}

// and is what came of a ceremony and of a later one.
func (o Outcome) and(purpose plan.Purpose, later Outcome) Outcome {
	for _, problem := range later.Problems {
		o.Problems = append(o.Problems, fmt.Sprintf("the ceremony to %s: %s", purpose, problem))
	}
	o.Steps, o.Exceptions = append(o.Steps, later.Steps...), append(o.Exceptions, later.Exceptions...)
	o.Records, o.Lines = o.Records+later.Records, o.Lines+later.Lines
	o.Progress, o.People, o.Evidence, o.Good = later.Progress, later.People, later.Evidence, o.Good && later.Good
	return o
}
