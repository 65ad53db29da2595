// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
)

// A machine is one of the three, see packages offline and online.
type machine interface {
	Agenda() phase.Agenda
	Perform(ctx context.Context, r room.Room, t phase.Task) error
	Close() error
}

// A rehearsal gives up once a task has failed so often in a row, or so many tasks
// were done that it cannot come to an end.
const (
	mostFailures = 8
	mostTasks    = 5000
)

// errPower is what comes of a question during which the power fails.
var errPower = errors.New("the power is cut")

// play goes from machine to machine as long as there is something to do.
func (s *stage) play(ctx context.Context) (err error) {
	defer func() {
		for at := range s.on {
			err = closing(err, func() error { return s.switchOff(at) })
		}
	}()
	idle, done := 0, 0 // how often people changed places without doing anything
	for at := transcript.OfflineMachine; at != ""; {
		if err := s.switchOn(at); err != nil {
			return fmt.Errorf("starting the %s machine: %w", at, err)
		}
		p := &players{stage: s, machine: at}
		next, err := p.work(ctx, s.on[at])
		if err != nil {
			return err
		}
		if !p.stays(next) {
			if err := s.switchOff(at); err != nil {
				return err
			}
		}
		if idle++; len(s.played) > done {
			idle, done = 0, len(s.played)
		}
		if idle > 2*len(machines) {
			return &StuckError{at}
		}
		at = next
	}
	return s.fault
}

// A StuckError says that each machine waits for another.
type StuckError struct{ Machine transcript.Machine } // where it was noticed

func (e *StuckError) Error() string {
	return fmt.Sprintf("nothing goes on: the %s machine waits for the others, and they for it", e.Machine)
}

// stays reports whether people leave a machine on when they go to another: the
// offline one while its session goes on.
func (p *players) stays(next transcript.Machine) bool {
	return p.machine == transcript.OfflineMachine && next == transcript.FetchMachine && p.task.Step != phase.End
}

func (s *stage) switchOn(at transcript.Machine) error {
	if _, on := s.on[at]; on {
		return nil
	}
	m, err := s.open(at)
	if err == nil {
		s.on[at] = m
	}
	return err
}

func (s *stage) switchOff(at transcript.Machine) error {
	m := s.on[at]
	delete(s.on, at)
	return m.Close()
}

// open starts the program of a machine.
func (s *stage) open(m transcript.Machine) (machine, error) {
	dir, service := string(s.folder(m)), s.world.service()
	switch m {
	case transcript.OfflineMachine:
		return offline.Open(dir, nil, s.world.now, s.tool)
	case transcript.FetchMachine:
		if s.disturbed.fetching != nil {
			service = s.disturbed.fetching(service)
		}
		return online.OpenFetcher(dir, s.world.now, service)
	}
	return online.Open(dir, nil, s.world.now, s.tool, service)
}

// work does what there is to do on a machine, and says where it goes on: on the
// same machine if the power was cut, nowhere when all is done.
func (p *players) work(ctx context.Context, m machine) (next transcript.Machine, err error) {
	for failures := 0; ; {
		t, next := p.choose(m.Agenda())
		if next != p.machine {
			return next, nil
		}
		err := p.perform(ctx, m, t)
		switch {
		case errors.Is(err, errPower):
			p.observe(Cut{p.machine, t})
			return p.machine, nil
		case err == nil && len(p.played) > mostTasks:
			return "", &StuckError{p.machine}
		case err == nil:
			failures = 0
		case ctx.Err() != nil:
			return "", ctx.Err()
		case t.Step == phase.Investigate:
			return "", nil
		default:
			if failures++; failures == mostFailures {
				return "", fmt.Errorf("%s failed %d times: %w", t, failures, err)
			}
			if p.disturbed.failed == nil || !p.disturbed.failed(t, err) {
				return "", fmt.Errorf("%s: %w", t, err)
			}
		}
	}
}

// perform has one task done.
func (p *players) perform(ctx context.Context, m machine, t phase.Task) (err error) {
	p.Announce(t)
	if t.Step == phase.Fetch {
		err = p.administer(ctx, t.Targets)
	}
	if err == nil && p.disturbed.before != nil {
		err = p.disturbed.before(t)
	}
	if err == nil {
		err = m.Perform(ctx, p, t)
	}
	done := Played{Machine: p.machine, Task: t.String(), People: t.People, At: p.world.now()}
	if err != nil {
		done.Failed = err.Error()
	}
	p.played = append(p.played, done)
	p.observe(done)
	if err == nil && p.disturbed.after != nil {
		err = p.disturbed.after(t)
	}
	return err
}

// administer has the keys of targets be there, as somebody outside of the ceremony
// has to see to.
func (s *stage) administer(ctx context.Context, targets []string) error {
	for _, t := range s.plan.Targets {
		if slices.Contains(targets, t.ID) {
			if _, err := s.world.key(ctx, s.plan, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// choose picks what is to be done on this machine now, or the machine to go to.
func (p *players) choose(a phase.Agenda) (t phase.Task, next transcript.Machine) {
	if p.machine == transcript.OfflineMachine {
		p.lookAround(&a)
	}
	if len(a.Here) > 0 {
		t = p.firstOf(a.Here)
		switch {
		case p.machine == transcript.FetchMachine && p.bundleAwaits():
			return t, transcript.OfflineMachine
		case p.machine == transcript.FetchMachine:
			t.Targets = p.fetchable()
			return t, p.machine
		case p.machine == transcript.ImportMachine && t.Step == phase.Begin && !p.packageAwaits():
		case p.machine == transcript.OfflineMachine && p.waits(t, a) && !p.bundleAwaits() && len(p.fetchable()) > 0:
			return t, transcript.FetchMachine
		default:
			return t, p.machine
		}
	}
	for _, other := range a.Elsewhere {
		if other.Machine != p.machine {
			return other, other.Machine
		}
	}
	if p.machine == transcript.FetchMachine {
		return phase.Task{}, transcript.OfflineMachine
	}
	return phase.Task{}, ""
}

// lookAround adds to the agenda of the offline machine what people know and it does
// not, and notes what it waits for.
func (p *players) lookAround(a *phase.Agenda) {
	if len(a.Here) == 0 && p.returned() {
		a.Here = p.resuming()
	}
	p.awaited = nil
	if len(a.Here) > 0 && a.Here[0].Step == phase.Accept {
		p.awaited = a.Here[0].Targets
	}
}

// firstOf is what people do first: what comes first, but for a bundle that nobody
// can fetch yet.
func (p *players) firstOf(here []phase.Task) phase.Task {
	if here[0].Step == phase.Accept && len(here) > 1 && !p.bundleAwaits() && len(p.fetchable()) == 0 {
		return here[1]
	}
	return here[0]
}

// waits reports whether a task of the offline machine is one for which somebody
// has to fetch first.
func (p *players) waits(t phase.Task, a phase.Agenda) bool {
	fetches := false
	for _, other := range a.Elsewhere {
		fetches = fetches || other.Step == phase.Fetch
	}
	return t.Step == phase.Accept || t.Step == phase.Begin && fetches
}

// resuming is what the offline machine, which cannot know, has to do by the records
// that came back to it.
func (s *stage) resuming() []phase.Task {
	records, err := s.sticks(gap.In, s.hasNewRecord)[0].Records()
	if err != nil {
		return nil
	}
	a, err := phase.Next(s.plan, transcript.OfflineMachine, records...)
	if err != nil {
		return nil
	}
	return a.Here
}

func (s *stage) bundleAwaits() bool { return len(s.sticks(gap.In, s.hasNewBundle)) > 0 }

// packageAwaits reports whether there is a stick for the machine that imports: one
// with more records than it has, or, where it took them over and got no further, the
// same ones.
func (s *stage) packageAwaits() bool {
	had := s.records(transcript.ImportMachine)
	least := len(had) + 1
	if n := len(had); n > 0 && had[n-1].Opened.Part.Writer() == transcript.OfflineMachine {
		least = n
	}
	return len(s.sticks(gap.Out, func(f evidence.Folder) bool {
		theirs, err := f.Records()
		return err == nil && len(theirs) >= least
	})) > 0
}

// fetchable are the targets that need a bundle, as those at the offline machine say,
// and whose keys can be there: a replica comes once its primary has the material.
func (s *stage) fetchable() (ids []string) {
	records := s.records(s.latest())
	state, err := phase.Fold(s.plan, records...)
	if err != nil {
		return nil
	}
	had := map[string]bool{"": true} // the key has material, or has had
	for i, t := range state.Targets() {
		had[t.ID] = t.Held || s.plan.Targets[i].Import == plan.ImportExisting && s.plan.Targets[i].ReplicaOf == ""
	}
	wanted := s.wanted(state)
	for _, t := range s.plan.Targets {
		if slices.Contains(wanted, t.ID) && had[t.ReplicaOf] {
			ids = append(ids, t.ID)
		}
	}
	return ids
}

// wanted are the targets that somebody has to fetch for: those that nobody has, and
// those whose bundle people at the offline machine have refused.
func (s *stage) wanted(state *phase.State) []string {
	for _, t := range state.Next(transcript.FetchMachine).Here {
		if t.Step == phase.Fetch {
			return slices.Concat(t.Targets, s.awaited)
		}
	}
	return s.awaited
}
