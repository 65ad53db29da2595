// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"fmt"
	"time"

	"github.com/keymat/keymat/fleet/journal"
)

// memory is what the journal tells of the changes of a plan.
type memory struct {
	plan    string
	changes map[string][]pastStep // by change; those that were begun
	made    map[string][]making   // by change: keys that other plans may have made for it
}

// pastStep is what earlier runs on the plan did about a step.
type pastStep struct {
	begun time.Time // of the last intent, by this machine's clock
	open  int       // intents that may have had their effect
	over  bool      // it has its effect
	key   string    // ARN, as far as it is known
}

// making is a key that may have been made for a change.
type making struct {
	plan  string // that it was made for
	begun time.Time
	key   string // ARN, as far as it is known
}

// remember reads the journal.
func remember(j *journal.Journal, p Plan) (memory, error) {
	m := memory{plan: p.ID, changes: make(map[string][]pastStep), made: make(map[string][]making)}
	if j == nil {
		return m, nil
	}
	steps := make(map[string]int, len(p.Changes))
	for _, c := range p.Changes {
		steps[c.Name] = len(c.Steps)
	}
	running := ""
	err := j.Replay(func(e journal.Entry) error {
		switch {
		case e.Run != nil:
			running = e.Run.Plan
		case e.Change == "" || running == "":
		case running != p.ID:
			m.followOther(running, e)
		case e.Step < 0 || e.Step >= steps[e.Change]:
			return fmt.Errorf("%s tells of step %d of %s, which plan %s does not have", j.Path(), e.Step, e.Change, p.ID)
		default:
			m.follow(e, steps[e.Change])
		}
		return nil
	})
	return m, err
}

func (m *memory) follow(e journal.Entry, steps int) {
	past := m.changes[e.Change]
	if past == nil {
		past = make([]pastStep, steps)
		m.changes[e.Change] = past
	}
	s := &past[e.Step]
	switch e.Outcome {
	case journal.Intent:
		s.begun = e.At
		s.open++
	case journal.Failed:
		s.open--
	case journal.Done, journal.Unchanged:
		s.over = true
	}
	if e.Key != "" {
		s.key = e.Key
	}
}

// followOther keeps in mind what another plan was about to make: its run may
// have died before it could say that it had.
func (m *memory) followOther(plan string, e journal.Entry) {
	if Do(e.Do) != DoCreate {
		return
	}
	all := m.made[e.Change]
	switch e.Outcome {
	case journal.Intent:
		all = append(all, making{plan: plan, begun: e.At})
	case journal.Failed:
		all = all[:max(len(all)-1, 0)]
	case journal.Done, journal.Unchanged:
		all = nil
	default:
		if len(all) > 0 && e.Key != "" {
			all[len(all)-1].key = e.Key
		}
	}
	m.made[e.Change] = all
}

// step is what is known of a step; the zero value when nothing is.
func (m *memory) step(change string, n int) pastStep {
	if past := m.changes[change]; past != nil {
		return past[n]
	}
	return pastStep{}
}

// begun reports whether an earlier run on the plan touched the keys of a change.
func (m *memory) begun(change string) bool { return m.changes[change] != nil }

// mayHaveMade reports whether a key may be there that was made for a change by
// a run that did not live to say so.
func (m *memory) mayHaveMade(c Change) bool { return len(m.makings(c)) > 0 }

// makings are the keys that may have been made for a change.
func (m *memory) makings(c Change) []making {
	all := m.made[c.Name]
	for n, s := range c.Steps {
		past := m.step(c.Name, n)
		if s.Do == DoCreate && past.open > 0 && !past.over {
			all = append(all[:len(all):len(all)], making{plan: m.plan, begun: past.begun, key: past.key})
		}
	}
	return all
}
