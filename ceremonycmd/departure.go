// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"context"
	"slices"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
)

// A recorder is a machine whose record takes what happens beside the steps.
type recorder interface {
	Recording() bool
	Note(ctx context.Context, r room.Room, text string) error
	Except(ctx context.Context, r room.Room, actors []string, e transcript.Exception) error
	Void(ctx context.Context, r room.Room, reason string) error
}

// observe writes what was observed of this machine down once there is a record.
func (s *session) observe(ctx context.Context) error {
	m, ok := s.machine.(recorder)
	if s.observed == "" || !ok || !m.Recording() {
		return nil
	}
	text := s.observed
	s.observed = ""
	return m.Note(ctx, s.console, text)
}

// A departure is something that people do when a step does not go as planned.
type departure struct {
	label string
	turns bool // something else is to be done after it
	take  func(context.Context) error
}

// departures are those that this machine can take now.
func (s *session) departures() []departure {
	m, ok := s.machine.(recorder)
	if !ok || !m.Recording() {
		return nil
	}
	all := []departure{{"record an exception", false, func(ctx context.Context) error { return s.except(ctx, m) }}}
	if s.voidable() {
		all = append(all, departure{"void what is not sealed, and make it anew", true, func(ctx context.Context) error { return s.void(ctx, m) }})
	}
	return all
}

// voidable reports whether there is something that is not sealed.
func (s *session) voidable() bool {
	progress := s.machine.Agenda().Progress
	return slices.ContainsFunc([]phase.Phase{phase.Generated, phase.Escrowed, phase.SharesIssued, phase.SharesConfirmed}, func(p phase.Phase) bool {
		return p.String() == progress
	})
}

func (s *session) void(ctx context.Context, m recorder) error {
	reason, err := s.console.Ask(ctx, s.console.Having(plan.Lead), "why? No secret belongs here")
	if err != nil {
		return err
	}
	return m.Void(ctx, s.console, reason)
}

// A carrier is a machine that takes in records which another has written since, and
// writes once more what that one needs.
type carrier interface {
	Receive(ctx context.Context, r room.Room) error
	Export(ctx context.Context, r room.Room) error
}

// receive takes in what another machine has done, if people have a medium from
// there. Without it the offline machine knows of nothing that follows an import.
// A medium that was lost on the way there is written again.
func (s *session) receive(ctx context.Context, agenda phase.Agenda) (came bool, err error) {
	m, ok := s.machine.(carrier)
	if !ok || s.received || len(agenda.Elsewhere) == 0 || agenda.Elsewhere[0].Machine != transcript.ImportMachine {
		return false, nil
	}
	n, err := s.console.Decide(ctx, "There is nothing to do here. Has a medium come from the machine that imports?",
		[]string{"no", "yes", "no, and the one that goes there was lost: write it again"})
	switch {
	case err != nil || n == 0:
		return false, err
	case n == 1:
		s.received = true
		return true, m.Receive(ctx, s.console)
	}
	return false, m.Export(ctx, s.console)
}

// except records a departure from the plan, in the words of the lead.
func (s *session) except(ctx context.Context, m recorder) error {
	lead := s.console.Having(plan.Lead)
	var e transcript.Exception
	for _, part := range []struct {
		prompt string
		into   *string
	}{{"what was expected?", &e.Expected}, {"what happened? No secret belongs here", &e.Happened}, {"what was decided?", &e.Decided}} {
		var err error
		if *part.into, err = s.console.Ask(ctx, lead, part.prompt); err != nil {
			return err
		}
	}
	return m.Except(ctx, s.console, lead, e)
}
