// SPDX-License-Identifier: Apache-2.0

package phase

import (
	"fmt"
	"slices"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// Fold reads the state from the records of a ceremony, in their order, of which
// the last may still be open. With an error comes the state before the line that
// is wrong. Errors: [*LineError], around any that [State.Check] gives; or a
// [*transcript.FaultError].
func Fold(p *plan.Plan, records ...*transcript.Transcript) (*State, error) {
	s := Start(p)
	for i, t := range records {
		if faults := damage(t); len(faults) > 0 {
			return s, fmt.Errorf("record %d: %w", i+1, &transcript.FaultError{Faults: faults})
		}
		for _, e := range t.Entries {
			if err := s.Apply(e.Event, e.Actors); err != nil {
				return s, &LineError{i + 1, e.Seq + 1, err}
			}
		}
		if t.Closed {
			s.end = t.Head().SHA256
		}
	}
	return s, nil
}

// damage is what is wrong with a record, other than that it goes on.
func damage(t *transcript.Transcript) []transcript.Fault {
	return slices.DeleteFunc(slices.Clone(t.Faults), func(f transcript.Fault) bool { return f.Line == 0 && !t.Closed })
}

// Apply is Check, and then what the line means. How a record ends, which the
// next one binds, only Fold knows.
func (s *State) Apply(e transcript.Event, actors []string) error {
	if err := s.Check(e, actors); err != nil {
		return err
	}
	switch e := e.(type) {
	case transcript.Opened:
		s.records, s.open, s.part, s.worked = s.records+1, true, e.Part, false
		clear(s.passed)
	case transcript.Confirmed:
		s.passed[e.Gate] = true
	case transcript.Closed:
		s.open = false
	case transcript.Noted, transcript.Exception, transcript.Resumed:
	default:
		s.worked = true
		s.applyStep(e)
	}
	return nil
}

// Check reports whether the line of an event could come next. Errors:
// [*RuleError], [*OrderError], [*GateError], [*PeopleError], [*MachineError],
// [*PlanError], [*IncidentError].
func (s *State) Check(e transcript.Event, actors []string) error {
	name := transcript.Name(e)
	for _, id := range actors {
		if _, ok := s.plan.Person(id); !ok {
			return &PlanError{name, "actors", id, "somebody of the plan"}
		}
	}
	if o, ok := e.(transcript.Opened); ok {
		return s.checkOpened(name, o)
	}
	if !s.open {
		return s.order(name, "no record is open")
	}
	switch e := e.(type) {
	case transcript.Noted, transcript.Exception, transcript.Resumed:
		return nil
	case transcript.Confirmed:
		return s.checkConfirmed(name, e.Gate, actors)
	case transcript.Closed:
		return s.checkClosed(name)
	}
	if err := s.checkMachine(name, e); err != nil {
		return err
	}
	if err := s.checkCrew(name, e, actors); err != nil {
		return err
	}
	return s.checkStep(name, e)
}

func (s *State) order(event, want string) error { return &OrderError{event, s.Phase(), want} }

func (s *State) gate(event string, g plan.Gate) error {
	if s.passed[g] {
		return nil
	}
	return &GateError{event, g, slices.Clone(s.plan.Gates[g])}
}

func (s *State) checkOpened(name string, o transcript.Opened) error {
	switch {
	case o.Ceremony != s.plan.ID:
		return &PlanError{name, "ceremony", o.Ceremony, s.plan.ID}
	case o.PlanSHA256 != s.plan.Digest():
		return &PlanError{name, "plan_sha256", o.PlanSHA256.String(), transcript.Digest(s.plan.Digest()).String()}
	case o.Rehearsal != s.plan.Rehearsal:
		return &PlanError{name, "rehearsal", fmt.Sprint(o.Rehearsal), fmt.Sprint(s.plan.Rehearsal)}
	case s.open:
		return s.order(name, "the record before is not closed")
	case o.Part.Number != s.records:
		return &PlanError{name, "part.number", fmt.Sprint(o.Part.Number), fmt.Sprint(s.records)}
	case o.Part.After != s.end:
		return &PlanError{name, "part.after", o.Part.After.String(), s.end.String()}
	}
	switch o.Part.Writer() {
	case offlineMachine:
		return nil
	case importMachine:
		if s.plan.Purpose != plan.ForImport {
			return s.order(name, "the ceremony is not held to import anything")
		}
		if !s.sealed() {
			return &RuleError{N2, name, []string{s.recoverable()}}
		}
		return nil
	}
	return &MachineError{name, o.Part.Machine, offlineMachine}
}

func (s *State) checkConfirmed(name string, g plan.Gate, actors []string) error {
	people, ok := s.plan.Gates[g]
	if !ok || g == plan.GatePlan {
		return s.order(name, "the gate "+string(g)+" is not one to confirm")
	}
	machine := offlineMachine
	if g == plan.GateImport {
		machine = importMachine
	}
	if got := s.part.Writer(); got != machine {
		return &MachineError{name, got, machine}
	}
	if missing := without(people, actors); len(missing) > 0 {
		return &GateError{name, g, missing}
	}
	switch {
	case g == plan.GateIdentity && (!s.inMemory || s.made == ""):
		return s.order(name, "there is no material to compare")
	case g == plan.GateSealed && s.working() == nil:
		return s.order(name, "there are no shares")
	case g == plan.GateSealed && len(s.unproven()) > 0:
		return &RuleError{N4, name, s.unproven()}
	case g == plan.GateBundle && len(s.bundles) == 0:
		return s.order(name, "no bundle has come")
	case g == plan.GateClose && s.inMemory && s.plan.KeptInToken():
		return s.order(name, "the token is still unlocked")
	case g == plan.GateClose && s.inMemory:
		return s.order(name, "the material is still in memory")
	}
	return nil
}

// checkClosed lets a record end at any time, unless it would leave something
// that is neither kept nor void, or that nobody has let go.
func (s *State) checkClosed(name string) error {
	switch {
	case s.working() != nil || s.made != "" && !s.sealed():
		return &RuleError{N1, name, []string{"a seal, or that it is void"}}
	case s.inMemory && s.plan.KeptInToken():
		return s.order(name, "the token is still unlocked")
	case s.inMemory:
		return s.order(name, "the material is still in memory")
	case s.worked && s.part.Writer() == offlineMachine:
		return s.gate(name, plan.GateClose)
	}
	return nil
}

// without gives those of a list that are not in another.
func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(id string) bool { return slices.Contains(some, id) })
}
