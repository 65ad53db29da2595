// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
)

// noGate is for what people confirm beside the gates.
const noGate plan.Gate = ""

// retire gives up the old escrow and its shares for the new ones.
func (m *Machine) retire(ctx context.Context, r room.Room, t phase.Task) error {
	e := transcript.Retired{Escrow: t.Escrow, By: m.kept().ID}
	actors, err := m.crewOf(ctx, r, t, e)
	if err != nil {
		return err
	}
	seen := fmt.Sprintf("the escrow %s takes the place of %s, whose shares are not used any more", e.By, e.Escrow)
	if _, err := r.Confirm(ctx, noGate, actors, seen); err != nil {
		return err
	}
	if err := m.add(ctx, r, e, actors); err != nil {
		return err
	}
	r.Tell("the escrow %s is retired; as long as anybody has a copy of it and enough of its shares, they open it: have a ceremony destroy them", e.Escrow)
	return nil
}

// A fate is what may have become of a share or a copy.
type fate struct {
	option string // as the lead chooses it
	how    transcript.Disposal
	text   string // as it is recorded, after the name of the thing
}

// fates are all; whatever else is chosen leaves the thing for later.
func fates() []fate {
	return []fate{
		{"it is here, and is destroyed now", transcript.Returned, "was brought back, and destroyed before all of us"},
		{"it was destroyed before, or elsewhere", transcript.Elsewhere, "was destroyed before, or elsewhere; we have seen it, or what shows it, and attest it"},
		{"it is lost", transcript.Elsewhere, "is lost; we have asked all who had it, and attest it"},
	}
}

const later = "later"

// discard has a share or a copy destroyed before everybody's eyes, or takes down
// who attests that it is gone.
func (m *Machine) discard(ctx context.Context, r room.Room, t phase.Task) error {
	e := transcript.Discarded{Escrow: t.Escrow, Share: t.Share, Copy: t.Copy, How: transcript.Returned, Text: later}
	actors, err := m.crewOf(ctx, r, t, e)
	if err != nil {
		return err
	}
	what := m.nameOf(t.Copy)
	if t.Share != 0 {
		what = cardOf(m.holder(t.Share)) + ","
		if err := m.bringSeal(ctx, r, t.Escrow); err != nil {
			return err
		}
	}
	thing := strings.TrimSuffix(what, ",")
	var options []string
	for _, f := range fates() {
		options = append(options, f.option)
	}
	chosen, err := r.Decide(ctx, thing+": what has become of it?", append(options, later))
	if err != nil {
		return err
	}
	if chosen < 0 || chosen >= len(options) {
		return &PostponedError{thing}
	}
	f := fates()[chosen]
	e.How = f.how
	if e.How == transcript.Returned {
		if e.Bag, err = m.returned(ctx, r, t, thing, actors); err != nil {
			return err
		}
		r.Tell("now destroy %s so that nothing of it can be read or put together again", what)
	}
	if e.Text, err = r.Confirm(ctx, noGate, actors, what+" "+f.text); err != nil {
		return err
	}
	return m.add(ctx, r, e, actors)
}

// returned is the bag that something came back in. Another than it went into is an
// exception.
func (m *Machine) returned(ctx context.Context, r room.Room, t phase.Task, what string, actors []string) (string, error) {
	bag, err := r.Bag(ctx, what+", before it is opened")
	if err != nil {
		return "", err
	}
	if want := m.sealedBags(t.Escrow)[t.Share]; want != "" && bag != want {
		return bag, m.exception(ctx, r, actors, transcript.Exception{
			Expected: fmt.Sprintf("%s in the bag %q", what, want), Happened: foundIn(bag),
			Decided: "it is destroyed, and to be assessed whether somebody has seen it",
		})
	}
	return bag, nil
}

// foundIn says in which bag something is.
func foundIn(bag string) string {
	if bag == "" {
		return "it is in no bag"
	}
	return fmt.Sprintf("it is in the bag %q", bag)
}

// bringSeal takes the seal record on an escrow, which says into which bags its shares
// went, from one of its copies, before the first of them is gone. Where nobody has
// it, nobody is asked again.
func (m *Machine) bringSeal(ctx context.Context, r room.Room, id string) error {
	if m.unbagged || m.folder.Has(evidence.SealFile(id)) {
		return nil
	}
	chosen, err := r.Decide(ctx, "The seal record on the escrow, which says into which bags the shares went, is on each of its copies. Is there one?", []string{"a copy is here", "nobody has one"})
	if err != nil {
		return err
	}
	if chosen != 0 {
		m.unbagged = true
		return nil
	}
	path, err := r.Medium(ctx, mediumWith(id))
	if err != nil {
		return err
	}
	return m.takeSeal(r, evidence.Folder(path), id)
}

// keyStates are what KMS may say of a key, and what that means here.
func keyStates() (states []transcript.KeyState, told []string) {
	for _, s := range []struct {
		state transcript.KeyState
		means string
	}{
		{transcript.KeyPendingDeletion, "KMS deletes it"},
		{transcript.KeyPendingImport, "it holds no material"},
		{transcript.KeyNotFound, "KMS has deleted it"},
		{transcript.KeyDisabled, "it still holds the material"},
		{transcript.KeyEnabled, "it is still used"},
	} {
		states, told = append(states, s.state), append(told, fmt.Sprintf("%s: %s", s.state, s.means))
	}
	return states, told
}

// attest takes down what people found out about a KMS key. This machine reaches
// none.
func (m *Machine) attest(ctx context.Context, r room.Room, t phase.Task) error {
	target := m.plan.Targets[slices.IndexFunc(m.plan.Targets, func(target plan.Target) bool { return slices.Contains(t.Targets, target.ID) })]
	states, told := keyStates()
	e := transcript.Attested{Target: target.ID, State: states[0], Text: later}
	actors, err := m.crewOf(ctx, r, t, e)
	if err != nil {
		return err
	}
	r.Tell("somebody looks the KMS key up on a machine that is online: %s in %s, account %s; nothing is done to it here", target.Key, target.Region, target.Account)
	chosen, err := r.Decide(ctx, target.ID+": which state is it in?", append(told, later))
	if err != nil {
		return err
	}
	if chosen < 0 || chosen >= len(states) {
		return &PostponedError{target.ID}
	}
	e.State = states[chosen]
	if e.Text, err = r.Confirm(ctx, noGate, actors, fmt.Sprintf("%s in %s was looked up, and is %s", target.Key, target.Region, told[chosen])); err != nil {
		return err
	}
	return m.add(ctx, r, e, actors)
}
