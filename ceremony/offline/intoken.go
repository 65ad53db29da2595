// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
)

// keyLabel is the label of the key in the token.
func (m *Machine) keyLabel() string {
	if m.plan.Rehearsal {
		return "REHEARSAL " + m.plan.ID
	}
	return m.plan.ID
}

// generateInToken has the token make the material, once it has shown that it can
// wrap such material as the plan wants it.
func (m *Machine) generateInToken(ctx context.Context, r room.Room, t phase.Task) error {
	label := transcript.Token{Label: m.plan.Token.Label}
	e := transcript.Generated{
		KeySpec: m.plan.Material.Spec, Source: m.plan.Material.Source, Fingerprint: "not made yet",
		Token: transcript.TokenKey{ID: escrow.ID{}.String(), Token: label},
	}
	actors, err := m.crewOf(ctx, r, t, e)
	if err != nil {
		return err
	}
	if e.Token.Token, err = m.login(ctx, r); err != nil {
		return err
	}
	key, err := m.makeKey(ctx, r, actors)
	if err != nil {
		return m.logout(err)
	}
	e.Fingerprint = key.Fingerprint
	e.Token.ID, e.Token.Label, e.Token.Attributes = key.ID, key.Label, key.Attributes
	if err := m.add(ctx, r, e, actors); err != nil {
		return m.logout(errors.Join(err, m.token.Destroy(key.ID)))
	}
	r.Tell("there is %s material in the token %s, as the key %q; its fingerprint is %s", e.KeySpec, e.Token.Token, key.Label, e.Fingerprint)
	return nil
}

// makeKey makes the key, under a label that is free.
func (m *Machine) makeKey(ctx context.Context, r room.Room, actors []string) (KeyInToken, error) {
	r.Tell("the token is tried with throwaway keys")
	for _, target := range m.plan.Targets {
		if err := m.token.Able(m.plan.Material.Spec, target.Wrapping.Algorithm); err != nil {
			return KeyInToken{}, fmt.Errorf("%s: %w", target.ID, err)
		}
	}
	if err := m.freeLabel(ctx, r, actors); err != nil {
		return KeyInToken{}, err
	}
	return m.token.Generate(m.plan.Material.Spec, m.keyLabel())
}

// freeLabel has the lead decide about keys of the label that are in the token: one is
// left there when the machine is switched off before the line about it is written,
// and a void one when nobody could reach the token. Neither is ever used.
func (m *Machine) freeLabel(ctx context.Context, r room.Room, actors []string) error {
	keys, err := m.token.Labelled(m.keyLabel())
	if err != nil {
		return err
	}
	for _, key := range keys {
		known := "no line of the records tells of it"
		if m.born(key.ID) != (transcript.Token{}) {
			known = "it is void"
		}
		what := fmt.Sprintf("the key %s in the token, %q, with the fingerprint %s", key.ID, key.Label, key.Fingerprint)
		chosen, err := r.Decide(ctx, fmt.Sprintf("There is %s, and %s. Is it destroyed for good?", what, known), []string{"no, look into it", "destroy it"})
		if err != nil {
			return err
		}
		if chosen != 1 {
			return &OrphanError{key.Label}
		}
		if _, err := r.Confirm(ctx, noGate, actors, what+", is destroyed now"); err != nil {
			return err
		}
		if err := m.token.Destroy(key.ID); err != nil {
			return err
		}
		happened := transcript.Exception{Expected: fmt.Sprintf("no key %q in the token", key.Label), Happened: "there is " + what + "; " + known, Decided: "it was destroyed in the token"}
		if err := m.exception(ctx, r, actors, happened); err != nil {
			return err
		}
	}
	return nil
}

// backUp takes down who attests that a backup of the token was made. No program
// here sees it.
func (m *Machine) backUp(ctx context.Context, r room.Room, t phase.Task) error {
	b, _ := m.plan.TokenBackup(t.Copy)
	e := transcript.BackedUp{Key: t.Escrow, Backup: b.ID, Serial: b.Serial, Text: later}
	actors, err := m.crewOf(ctx, r, t, e)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%s (%s)", b.ID, b.Label)
	r.Tell("make %s now, with the means of the token's maker, and read its serial number off it; nothing of it can be seen here", what)
	chosen, err := r.Decide(ctx, what+": was it made?", []string{"yes, and each of us has seen it", later})
	if err != nil {
		return err
	}
	if chosen != 0 {
		return &PostponedError{what}
	}
	attested := fmt.Sprintf("%s, with the serial number %s, was made a backup of the token %s, with the key %q in it; %s keeps it at %s", what, b.Serial, m.plan.Token.Label, m.keyLabel(), b.Holder, b.Site)
	if e.Text, err = r.Confirm(ctx, noGate, actors, attested); err != nil {
		return err
	}
	return m.add(ctx, r, e, actors)
}

// entrust says that the token and its backups keep the material.
func (m *Machine) entrust(ctx context.Context, r room.Room, t phase.Task) error {
	e := transcript.Entrusted{Key: t.Escrow, Backups: append([]string{}, m.working().Copies...)}
	actors, err := m.crewOf(ctx, r, t, e)
	if err != nil {
		return err
	}
	if err := m.add(ctx, r, e, actors); err != nil {
		return err
	}
	r.Tell("the token keeps the material, with %d backups that people attest; nothing else brings it back", len(e.Backups))
	return nil
}

// voidKey destroys the key in the token, if that can be reached, and says whether it
// was.
func (m *Machine) voidKey(ctx context.Context, r room.Room, id string) (what string, err error) {
	for reached := m.state.InMemory(); ; reached = false {
		if !reached {
			chosen, err := r.Decide(ctx, "Can the token be reached, so that the key is destroyed in it?", []string{"yes", "no"})
			if err != nil || chosen != 0 {
				return "the key was not destroyed: the token could not be reached", err
			}
			_, err = m.login(ctx, r)
			if err != nil {
				return "", err
			}
		}
		err := m.token.Destroy(id)
		if left := m.token.Logout(); left != nil {
			r.Tell("leaving the token: %v", left)
		}
		if err == nil {
			return "the key was destroyed in the token", nil
		}
		r.Tell("destroying the key: %v", err)
	}
}

// attestedBackups is what people confirm at the gate sealed.
func (m *Machine) attestedBackups() string {
	w := m.working()
	if len(w.Copies) == 0 {
		return fmt.Sprintf("the key %s is in the token; there is no backup of it: %s", w.ID, m.plan.Token.WithoutBackup)
	}
	var all []string
	for _, b := range m.plan.Token.Backups {
		if slices.Contains(w.Copies, b.ID) {
			all = append(all, fmt.Sprintf("%s (serial number %s)", b.ID, b.Serial))
		}
	}
	return fmt.Sprintf("the key %s is in the token, and people attest that it is in %s", w.ID, strings.Join(all, ", "))
}
