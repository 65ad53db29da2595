// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"context"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
)

// destroy overwrites what is secret.
func (m *Machine) destroy(ctx context.Context, r room.Room, t phase.Task) error {
	actors, err := m.crewOf(ctx, r, t, transcript.Destroyed{})
	if err != nil {
		return err
	}
	m.memory.forget()
	if err := m.add(ctx, r, transcript.Destroyed{}, actors); err != nil {
		return err
	}
	r.Tell("nothing of the material is left in memory; switch the machine off at the end, and do not suspend it")
	return nil
}

// voidLost says that what was lost will not be used.
func (m *Machine) voidLost(ctx context.Context, r room.Room, t phase.Task) error {
	e := transcript.Voided{Escrow: t.Escrow, Material: m.state.Fingerprint() != "" && m.kept().ID == "", Reason: "what was in memory was lost before it was sealed"}
	actors, err := m.crewOf(ctx, r, t, e)
	if err != nil {
		return err
	}
	m.tellIssued(r)
	return m.add(ctx, r, e, actors)
}

// Void gives up what is not sealed, because of something that people have seen: the
// escrow with its shares, which is then made anew, or the material as well; or the key
// in the token, which is destroyed there if that can be reached. What is sealed is
// never given up this way. The lead and an operator have to be there. Errors: those of [phase.State.Check] and of the room.
func (m *Machine) Void(ctx context.Context, r room.Room, reason string) error {
	e := transcript.Voided{Escrow: m.working().ID, Material: m.working().ID == "", Reason: reason}
	actors, err := present(ctx, r, m.with(plan.Lead, plan.Operator), "void what is not sealed: "+reason)
	if err != nil {
		return err
	}
	e.Material = e.Material || m.plan.KeptInToken()
	if err := m.state.Check(e, actors); err != nil {
		return err
	}
	switch {
	case e.Escrow == "":
	case m.plan.KeptInToken():
		done, err := m.voidKey(ctx, r, e.Escrow)
		if err != nil {
			return err
		}
		e.Reason += "; " + done
	default:
		chosen, err := r.Decide(ctx, "What is void?", []string{"the escrow and its shares", "the material as well"})
		if err != nil {
			return err
		}
		e.Material = chosen == 1
	}
	m.tellIssued(r)
	if err := m.add(ctx, r, e, actors); err != nil {
		return err
	}
	m.memory.forgetShares()
	return nil
}

// tellIssued says which cards have to be destroyed.
func (m *Machine) tellIssued(r room.Room) {
	if w := m.working(); len(w.Issued) > 0 {
		r.Tell("shares %s of the escrow %s were issued: collect them, and destroy them before everybody's eyes", numbers(w.Issued), w.ID)
	}
}

// Except records a departure from the plan or the script. Errors: a
// [*transcript.SecretError] for what looks like a secret, or those of
// [phase.State.Check] and of the room.
func (m *Machine) Except(ctx context.Context, r room.Room, actors []string, e transcript.Exception) error {
	return m.exception(ctx, r, actors, e)
}
