// SPDX-License-Identifier: Apache-2.0

package online

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/record"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
)

// A Machine imports what was wrapped offline. It is not for use by several
// goroutines.
type Machine struct {
	folders []evidence.Folder // the first is read, all are written
	plan    *plan.Plan
	now     func() time.Time
	tool    transcript.Tool
	service Service

	state   *phase.State
	records int            // in the folder
	closed  bool           // the latest of them is ours, and closed
	record  *record.Record // nil while none of ours is open
	ended   bool           // one was brought to its end since Open
}

// Open takes up a ceremony in a folder that has the plan and its approvals, where
// the records end. What is written goes to the mirrors, too. now is the time at
// KMS. Errors: [*PlanError], [*ServiceError], [*phase.LineError],
// [*transcript.FaultError], those of [record.Open], or those of reading.
func Open(dir string, mirrors []string, now func() time.Time, tool transcript.Tool, s Service) (*Machine, error) {
	m := &Machine{now: now, tool: tool, service: s}
	for _, folder := range append([]string{dir}, mirrors...) {
		m.folders = append(m.folders, evidence.Folder(folder))
	}
	var err error
	if m.plan, err = approvedPlan(m.folders[0]); err != nil {
		return nil, err
	}
	if err := s.Check(m.plan); err != nil {
		return nil, err
	}
	if err := m.takeUp(); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// takeUp opens the last record, if it is ours and open, and reads the state.
func (m *Machine) takeUp() error {
	records, err := m.folders[0].Records()
	if err != nil {
		return err
	}
	var last transcript.Transcript
	if n := len(records); n > 0 {
		last = *records[n-1]
	}
	ours := last.Opened.Part.Writer() == transcript.ImportMachine
	if ours && !last.Closed { // opening it tells of a line that was cut off
		if m.record, err = record.Open(m.paths(), m.now); err != nil {
			return err
		}
	}
	return m.read()
}

// read folds the records of the folder into the state.
func (m *Machine) read() error {
	records, err := m.folders[0].Records()
	if err != nil {
		return err
	}
	m.records, m.closed = len(records), false
	if n := len(records); n > 0 {
		m.closed = records[n-1].Closed && records[n-1].Opened.Part.Writer() == transcript.ImportMachine
	}
	m.state, err = phase.Fold(m.plan, records...)
	return err
}

func (m *Machine) paths() (paths []string) {
	for _, folder := range m.folders {
		paths = append(paths, string(folder))
	}
	return paths
}

// Agenda says what is to be done now. A machine that has no record open, and has
// not closed one, takes what a medium brings: what happened on the offline
// machine since, it cannot know.
func (m *Machine) Agenda() phase.Agenda {
	a := m.state.Next(transcript.ImportMachine)
	if m.unfinished() { // the power was cut after the last line
		a.Here = []phase.Task{{Step: phase.End, Machine: transcript.ImportMachine, People: m.people()}}
	}
	if m.record == nil && !m.ended && len(a.Here) == 0 && len(a.Elsewhere) > 0 {
		a.Here = append(a.Here, phase.Task{Step: phase.Begin, Machine: transcript.ImportMachine, People: m.people()})
	}
	return a
}

// people are those who import together.
func (m *Machine) people() []string { return slices.Clone(m.plan.Gates[plan.GateImport]) }

// Perform does one task, and records it. An error leaves the state as it was,
// unless it is a [*RefusedError] or [*DifferentError], which are recorded.
// Errors: [*phase.MachineError] for a task of another machine, those of
// [phase.State.Check], and those told at each step.
func (m *Machine) Perform(ctx context.Context, r room.Room, t phase.Task) error {
	if t.Machine != transcript.ImportMachine {
		return &phase.MachineError{Event: string(t.Step), Got: transcript.ImportMachine, Want: t.Machine}
	}
	switch t.Step {
	case phase.Begin:
		return m.begin(ctx, r)
	case phase.Confirm:
		return m.confirm(ctx, r, t.Gate)
	case phase.Submit:
		return m.each(t.Targets, func(id string) error { return m.submit(ctx, r, id) })
	case phase.Verify:
		return m.each(t.Targets, func(id string) error { return m.verify(ctx, r, id) })
	case phase.End:
		return m.end(ctx, r)
	case phase.Investigate:
		return m.investigate(ctx, r)
	}
	return fmt.Errorf("the import machine knows no step %q", t.Step)
}

func (m *Machine) each(ids []string, do func(id string) error) error {
	for _, id := range ids {
		if err := do(id); err != nil {
			return err
		}
	}
	return nil
}

// add records something that the state lets happen.
func (m *Machine) add(e transcript.Event, actors []string) error {
	if err := m.state.Check(e, actors); err != nil {
		return err
	}
	if err := m.record.Append(e, transcript.Context{Actors: actors}); err != nil {
		return err
	}
	return m.state.Apply(e, actors)
}

// note records something worth telling, and tells it.
func (m *Machine) note(r room.Room, format string, args ...any) error {
	r.Tell(format, args...)
	return m.add(transcript.Noted{Text: fmt.Sprintf(format, args...), Files: []transcript.File{}}, m.people())
}

// Close ends the use of the folder. The ceremony may go on later.
func (m *Machine) Close() error {
	if m.record == nil {
		return nil
	}
	err := m.record.Release()
	m.record = nil
	return err
}

// target is how far a target of the plan has come.
func (m *Machine) target(id string) (phase.Target, error) {
	all := m.state.Targets()
	i := slices.IndexFunc(all, func(t phase.Target) bool { return t.ID == id })
	if i < 0 {
		return phase.Target{}, errors.New("the plan has no target " + id)
	}
	return all[i], nil
}
