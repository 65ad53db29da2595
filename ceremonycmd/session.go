// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"context"
	"errors"
	"io"

	"github.com/keymat/keymat/ceremony/console"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/term"
)

// A session is a machine and the people around it, until there is nothing left to
// do here.
type session struct {
	console  *console.Console
	machine  Machine
	name     transcript.Machine
	targets  []string // to fetch for; none for all
	explain  func(error) []string
	observed string // of this machine, and not recorded yet
	received bool   // records of another machine, which there is no more of
}

// hold does task after task, and gives what is then to be done, here or elsewhere.
func (s *session) hold(ctx context.Context) (phase.Agenda, error) {
	for {
		agenda := s.agenda()
		if err := s.observe(ctx); err != nil {
			return agenda, err
		}
		if len(agenda.Here) == 0 {
			came, err := s.receive(ctx, agenda)
			if err != nil || !came {
				return agenda, err
			}
			continue
		}
		done, err := s.do(ctx, agenda.Here)
		if errors.Is(err, errTurned) {
			continue
		}
		if err != nil {
			return agenda, err
		}
		if done.Step == phase.End { // the next record is another session's
			return s.agenda(), nil
		}
	}
}

// agenda is that of the machine; what is fetched may be for some targets only.
func (s *session) agenda() phase.Agenda {
	a := s.machine.Agenda()
	s.console.Progress = a.Progress
	for i := range a.Here {
		if a.Here[i].Step == phase.Fetch && len(s.targets) > 0 {
			a.Here[i].Targets = s.targets
		}
	}
	return a
}

// do does the first of some tasks, or that which the lead prefers once the first
// did not work. It returns the one that was done.
func (s *session) do(ctx context.Context, tasks []phase.Task) (phase.Task, error) {
	t := tasks[0]
	for {
		s.console.Announce(t)
		err := s.machine.Perform(ctx, s.console, t)
		if err == nil {
			return t, nil
		}
		if ctx.Err() != nil || nobody(err) {
			return t, err
		}
		if t, err = s.next(ctx, tasks, t, err); err != nil {
			return t, err
		}
	}
}

// nobody reports whether there is nobody left to ask.
func nobody(err error) bool {
	_, gone := errors.AsType[*term.NoTerminalError](err)
	return gone || errors.Is(err, io.ErrUnexpectedEOF)
}

// next tells why a task was not done, and has the lead say what to do about it.
func (s *session) next(ctx context.Context, tasks []phase.Task, failed phase.Task, cause error) (phase.Task, error) {
	s.tell(cause)
	choices, labels := []phase.Task{failed}, []string{"try again"}
	for _, other := range tasks {
		if other.String() != failed.String() {
			choices, labels = append(choices, other), append(labels, "first: "+console.Title(s.console.Plan, other))
		}
	}
	departures := s.departures()
	for _, d := range departures {
		labels = append(labels, d.label)
	}
	labels = append(labels, s.stopping())
	for {
		n, err := s.console.Decide(ctx, "it was not done. What now?", labels)
		switch {
		case errors.Is(err, term.ErrInterrupted), errors.Is(err, io.EOF), err == nil && n == len(labels)-1:
			return failed, &stoppedError{console.Title(s.console.Plan, failed), cause}
		case err != nil:
			return failed, err
		case n < len(choices):
			return choices[n], nil
		}
		if err := departures[n-len(choices)].take(ctx); err != nil {
			s.tell(err)
		} else if departures[n-len(choices)].turns {
			return failed, errTurned
		}
	}
}

// errTurned says that what is to be done has changed.
var errTurned = errors.New("the ceremony goes on elsewhere")

func (s *session) stopping() string {
	if s.name == transcript.OfflineMachine {
		return "stop, which empties the machine's memory"
	}
	return "stop"
}

// tell says what did not work, and what may help.
func (s *session) tell(err error) {
	if errors.Is(err, term.ErrInterrupted) {
		s.console.Tell("interrupted")
		return
	}
	s.console.Tell("NOT DONE: %v", err)
	for _, hint := range s.explain(err) {
		s.console.Tell("hint: %s", hint)
	}
}
