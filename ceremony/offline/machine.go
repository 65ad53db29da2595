// SPDX-License-Identifier: Apache-2.0

// Package offline is the machine of a key ceremony on which the material is: it
// makes the material or opens its escrow, deals shares and has them read back,
// seals, takes in what was fetched, wraps, and forgets.
//
// A Machine does one task of the agenda at a time, with the people of a
// [room.Room], and records it. Nothing is kept beside the records and the files
// that they name, so that a machine that was switched off at any moment, and is
// opened again, knows what is to be done. Material, key and shares are in its
// memory alone.
//
// Each file is written in one step, flushed, read back from its medium and checked
// before the line that tells of it is added (rule N4 of package phase), and a line
// is added only after the rules were asked whether it may be, before anything was
// made. A step that fails changes no state, and can be tried again.
package offline

import (
	"context"
	"crypto/rsa"
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

// A Machine is the offline machine of one ceremony. It is not for use by several
// goroutines.
type Machine struct {
	folder  evidence.Folder   // its own
	folders []evidence.Folder // with those that mirror it
	now     func() time.Time
	tool    transcript.Tool
	plan    *plan.Plan

	record  *record.Record // nil before the first; closed between two
	records []*transcript.Transcript
	entries []transcript.Entry // of all records, in their order
	state   *phase.State

	memory   memory
	token    Token           // nil where this program reaches none
	trial    *rsa.PrivateKey // to wrap for and unwrap with, once it was needed
	offset   time.Duration   // of the wall clock from this machine's
	leaving  bool            // people want to end the session before everything is wrapped
	unbagged bool            // nobody has the seal record that says which bags shares went into
	without  bool            // people go on without what was not fetched, where they may
	refused  []string        // targets of a bundle that is not the one that was read aloud
}

// Open takes up a ceremony where its records end, if there are any. dir holds the
// plan, its signatures and what there is of the ceremony; each of the mirrors, which
// are on other media, gets the same. tool is what the first line of a record says of
// this program. now is the machine's clock, which is no authority: see
// [Machine.Perform].
//
// If the records say that material was in memory, or the token unlocked, that was by
// another process: Open records that it is lost, or locked. Errors: those of reading the plan, [record.Open] and
// [phase.Fold].
func Open(dir string, mirrors []string, now func() time.Time, tool transcript.Tool) (*Machine, error) {
	m := &Machine{folder: evidence.Folder(dir), now: now, tool: tool}
	for _, folder := range append([]string{dir}, mirrors...) {
		m.folders = append(m.folders, evidence.Folder(folder))
	}
	var err error
	if m.plan, err = m.folder.Plan(); err != nil {
		return nil, err
	}
	if err := m.takeUp(); err != nil {
		return nil, m.giveUp(err)
	}
	if m.state.InMemory() {
		var lost transcript.Event = transcript.Interrupted{Reason: "the program ended, or the machine was switched off, with the material in memory"}
		if m.plan.KeptInToken() {
			lost = transcript.Locked{Reason: "the program ended, or the machine was switched off, with the token unlocked"}
		}
		if err := m.append(lost, transcript.Context{}); err != nil {
			return nil, m.giveUp(err)
		}
	}
	if err := m.mirror(); err != nil {
		return nil, m.giveUp(err)
	}
	return m, nil
}

// takeUp reads the records, and opens the latest.
func (m *Machine) takeUp() error {
	begun := slices.ContainsFunc(m.folders, func(f evidence.Folder) bool { return f.Has(evidence.RecordFile(1)) })
	if begun {
		r, err := record.Open(m.paths(), m.now)
		if err != nil {
			return err
		}
		m.record = r
	}
	if err := m.letGo(); err != nil {
		return err
	}
	return m.refold()
}

// letGo lets other programs have the folders once the record is closed.
func (m *Machine) letGo() error {
	if m.record == nil || !m.record.Closed() {
		return nil
	}
	return m.record.Release()
}

// refold reads the state from the records anew.
func (m *Machine) refold() (err error) {
	if m.records, err = m.folder.Records(); err != nil {
		return err
	}
	if m.state, err = phase.Fold(m.plan, m.records...); err != nil {
		return err
	}
	m.entries = nil
	for _, t := range m.records {
		m.entries = append(m.entries, t.Entries...)
	}
	m.offset = m.witnessed()
	return nil
}

func (m *Machine) paths() (all []string) {
	for _, f := range m.folders {
		all = append(all, string(f))
	}
	return all
}

func (m *Machine) giveUp(err error) error {
	if closing := m.Close(); closing != nil {
		return fmt.Errorf("%w; and then %w", err, closing)
	}
	return err
}

// Close forgets all that is secret, leaves the token, and lets other programs use the folder. A
// ceremony that has material in memory loses it: the next Open records so.
func (m *Machine) Close() error {
	m.memory.forget()
	var left error
	if m.token != nil {
		left = m.token.Logout()
	}
	if m.record == nil {
		return left
	}
	return errors.Join(left, m.record.Release())
}

// Plan is the plan of the ceremony.
func (m *Machine) Plan() *plan.Plan { return m.plan }

// Agenda is what is to be done now, see [phase.Next].
func (m *Machine) Agenda() phase.Agenda {
	a := m.state.Next(transcript.OfflineMachine)
	switch {
	case m.unfinished():
		a.Here = []phase.Task{m.crew(phase.End)}
	case m.left() && m.open():
		a.Here = []phase.Task{m.ending()}
	case m.refused != nil:
		a.Here = []phase.Task{m.again()}
	case m.without && len(a.Here) > 1:
		a.Here = slices.DeleteFunc(a.Here, func(t phase.Task) bool { return t.Step == phase.Accept })
	}
	return a
}

// again is the task to take in another bundle for what the refused one was for.
func (m *Machine) again() phase.Task {
	t := m.crew(phase.Accept)
	t.Targets = slices.Clone(m.refused)
	return t
}

// left reports whether people leave the offline machine before everything is
// wrapped: they want to, or the plan allows no longer session. What is neither
// sealed nor void they cannot leave.
func (m *Machine) left() bool {
	if m.state.Phase() < phase.Sealed || m.state.Phase() == phase.Void {
		return false
	}
	return m.leaving || m.sessionLeft() <= 0
}

// ending is what is still to be done before people leave.
func (m *Machine) ending() phase.Task {
	passed := m.entries[len(m.entries)-1].Event
	confirmed, ok := passed.(transcript.Confirmed)
	switch {
	case m.state.InMemory() && m.plan.KeptInToken():
		return m.crew(phase.Lock)
	case m.state.InMemory():
		return m.crew(phase.Destroy)
	case !ok || confirmed.Gate != plan.GateClose:
		return phase.Task{Step: phase.Confirm, Gate: plan.GateClose, Machine: transcript.OfflineMachine, People: slices.Clone(m.plan.Gates[plan.GateClose])}
	}
	return m.crew(phase.End)
}

// crew is a task of the operators, before a witness.
func (m *Machine) crew(s phase.Step) phase.Task {
	return phase.Task{Step: s, Machine: transcript.OfflineMachine, People: m.with(plan.Operator, plan.Witness)}
}

// with are those who have one of some roles.
func (m *Machine) with(roles ...plan.Role) (ids []string) {
	for _, p := range m.plan.People {
		if slices.ContainsFunc(roles, p.Has) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// Perform does one task of the agenda with the people in the room, and records it.
// What time it is, for the deadlines of import tokens, is what a witness read off
// the wall clock at the gate open, plus what passed since by the machine's.
//
// An error says why the task was not done: those of [phase.State.Check], of the
// room, of the media, or one of this package. The state is then as it was.
func (m *Machine) Perform(ctx context.Context, r room.Room, t phase.Task) error {
	step, ok := map[phase.Step]func(context.Context, room.Room, phase.Task) error{
		phase.Begin: m.begin, phase.Confirm: m.confirm, phase.Generate: m.generate, phase.MakeEscrow: m.makeEscrow, phase.CopyOut: m.copyOut,
		phase.Issue: m.issue, phase.ReadShare: m.readShare, phase.SealSet: m.sealSet, phase.VoidLost: m.voidLost, phase.Recover: m.recover,
		phase.Accept: m.accept, phase.Wrap: m.wrap, phase.Destroy: m.destroy, phase.End: m.end,
		phase.Unlock: m.unlock, phase.BackUp: m.backUp, phase.Entrust: m.entrust, phase.Lock: m.lock,
		phase.Retire: m.retire, phase.Discard: m.discard, phase.Attest: m.attest,
	}[t.Step]
	if !ok {
		return &phase.MachineError{Event: string(t.Step), Got: transcript.OfflineMachine, Want: t.Machine}
	}
	if err := m.checkSession(t.Step); err != nil {
		return err
	}
	if left := m.sessionLeft(); left <= 0 {
		r.Tell("the session has lasted %s longer than the plan allows: bring what has been begun to its end", (-left).Round(time.Minute))
	}
	if err := step(ctx, r, t); err != nil {
		return fmt.Errorf("%s: %w", t.Step, err)
	}
	return nil
}
