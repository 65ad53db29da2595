// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
)

// holder is who keeps a share, and how.
func (m *Machine) holder(share int) plan.Holder {
	for _, h := range m.plan.Shares.Holders {
		if h.Share == share {
			return h
		}
	}
	return plan.Holder{}
}

// cardOf is what people call a share.
func cardOf(h plan.Holder) string { return fmt.Sprintf("share %d, of %s", h.Share, h.Custodian) }

// issue gives a share to its custodian, or, where nobody needs to see it, into a
// sealed bag for one who is absent.
func (m *Machine) issue(ctx context.Context, r room.Room, t phase.Task) error {
	h := m.holder(t.Share)
	share, ok := m.memory.share(t.Share)
	if !ok {
		return &DiffersError{"the number of the share"}
	}
	actors, err := present(ctx, r, t.People, t.String())
	if err != nil {
		return err
	}
	e := transcript.Issued{Escrow: t.Escrow, Share: t.Share}
	absent := !slices.Contains(actors, h.Custodian)
	if absent {
		if err := m.unseen(ctx, r, h); err != nil {
			return err
		}
		e.Bag = "to be sealed"
	}
	if err := m.state.Check(e, actors); err != nil {
		return err
	}
	if err := m.handOut(ctx, r, h, share); err != nil {
		return err
	}
	if absent {
		if e.Bag, err = m.bag(ctx, r, h, ", who is absent"); err != nil {
			return err
		}
		if e.Bag == "" {
			return &AbsentError{h.Custodian}
		}
	}
	return m.add(ctx, r, e, actors)
}

// unseen asks whether a share goes into a bag for a custodian who is absent. One
// that is copied by hand cannot.
func (m *Machine) unseen(ctx context.Context, r room.Room, h plan.Holder) error {
	if h.Mode == plan.OnForm {
		return &AbsentError{h.Custodian}
	}
	chosen, err := r.Decide(ctx, fmt.Sprintf("%s is absent. Put share %d, unseen, into a sealed bag?", h.Custodian, h.Share), []string{"postpone", "bag"})
	if err == nil && chosen != 1 {
		err = &AbsentError{h.Custodian}
	}
	return err
}

// handOut lets the custodian, and nobody else, have a share.
func (m *Machine) handOut(ctx context.Context, r room.Room, h plan.Holder, s escrow.Share) error {
	if h.Mode == plan.InFile {
		return m.encryptTo(ctx, r, h, s)
	}
	f := m.memory.file
	title := fmt.Sprintf("Share %d of %d of the escrow %s. Any %d open it.", h.Share, f.Shares.Count, f.ID, f.Shares.Threshold)
	if m.plan.Rehearsal {
		title = "REHEARSAL. " + title
	}
	return r.ShowShare(ctx, h, s, title)
}

// encryptTo writes a share to the custodian's medium, encrypted to their ssh key.
func (m *Machine) encryptTo(ctx context.Context, r room.Room, h plan.Holder, s escrow.Share) error {
	who, _ := m.plan.Person(h.Custodian)
	if who.Key == nil {
		return &AbsentError{h.Custodian}
	}
	to, err := escrow.ParseRecipient(string(ssh.MarshalAuthorizedKey(who.Key)), nil)
	if err != nil {
		return err
	}
	var encrypted []byte
	line := s.Line()
	defer line.Destroy()
	err = line.Expose(func(text []byte) (err error) {
		content := append(bytes.Clone(text), '\n')
		defer clear(content)
		encrypted, err = escrow.EncryptTo(content, to)
		return err
	})
	if err != nil {
		return err
	}
	path, err := r.Medium(ctx, "the medium for "+cardOf(h))
	if err != nil {
		return err
	}
	name := m.freeOn(evidence.Folder(path), m.memory.file.ID.String(), h.Share)
	if err := place(evidence.Folder(path), name, encrypted); err != nil {
		return err
	}
	if err := r.Remount(ctx, "the medium for "+cardOf(h), path); err != nil {
		return err
	}
	return readBack(evidence.Folder(path), name, encrypted)
}

// freeOn is the name of a share on a custodian's medium. One that is issued anew
// does not take the place of the first.
func (m *Machine) freeOn(medium evidence.Folder, id string, share int) string {
	for n := 1; ; n++ {
		if name := evidence.ShareFile(id, share, n); !medium.Has(name) {
			return name
		}
	}
}

// readShare has a custodian show that what they keep is the share that was dealt.
// One that was misread is shown once more, and then issued anew.
func (m *Machine) readShare(ctx context.Context, r room.Room, t phase.Task) error {
	h := m.holder(t.Share)
	e := transcript.ReadBack{Escrow: t.Escrow, Share: t.Share}
	actors, err := present(ctx, r, t.People, t.String())
	if err != nil {
		return err
	}
	if !slices.Contains(actors, h.Custodian) {
		return &AbsentError{h.Custodian}
	}
	if err := m.state.Check(e, actors); err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		wrong, err := m.tryShare(ctx, r, h)
		if err != nil {
			return err
		}
		if wrong == nil {
			break
		}
		if err := m.misread(ctx, r, h, wrong, attempt, actors); err != nil {
			return err
		}
	}
	if e.Bag, err = m.bag(ctx, r, h, ""); err != nil {
		return err
	}
	if err := m.add(ctx, r, e, actors); err != nil {
		return err
	}
	r.Tell("%s is the one that was dealt", cardOf(h))
	return nil
}

// bag asks into which bag a share went, until no other share is in that.
func (m *Machine) bag(ctx context.Context, r room.Room, h plan.Holder, why string) (string, error) {
	for {
		serial, err := r.Bag(ctx, cardOf(h)+why)
		if err != nil {
			return "", err
		}
		other := m.state.ShareIn(serial)
		if other == 0 || other == h.Share {
			return serial, nil
		}
		r.Tell("share %d is in the bag %s: each share goes into a bag of its own", other, serial)
	}
}

// tryShare reads a share and compares it with the one that was dealt. wrong says
// what is the matter with it.
func (m *Machine) tryShare(ctx context.Context, r room.Room, h plan.Holder) (wrong, err error) {
	s, err := r.ReadShare(ctx, h, m.memory.file)
	if err != nil {
		return nil, err
	}
	defer s.Destroy()
	return checkShare(m.memory.file, s, h.Share), nil
}

// checkShare says what is the matter with a share that should be the one of a
// number, or nil.
func checkShare(f *escrow.File, s escrow.Share, number int) error {
	if err := f.CheckShare(s); err != nil {
		return err
	}
	if s.Index != number {
		return &OtherShareError{Got: s.Index, Want: number}
	}
	return nil
}

// mostAttempts is how often a share may be read wrong: from the first card, from
// that after it was looked through again, and from the second card.
const mostAttempts = 3

// misread is what follows when a custodian reads something else than was dealt.
func (m *Machine) misread(ctx context.Context, r room.Room, h plan.Holder, wrong error, attempt int, actors []string) error {
	s, _ := m.memory.share(h.Share)
	e := transcript.Exception{Expected: cardOf(h) + ", read back as it was dealt", Happened: wrong.Error()}
	switch {
	case attempt >= mostAttempts:
		e.Decided = "to be read again later"
		if err := m.exception(ctx, r, actors, e); err != nil {
			return err
		}
		return &MisreadError{h.Share, wrong}
	case attempt == 1 && h.Mode != plan.InFile:
		e.Decided = "it is shown once more, to be compared with the card"
		if err := m.exception(ctx, r, actors, e); err != nil {
			return err
		}
		return m.handOut(ctx, r, h, s)
	}
	e.Decided = "it is issued anew, and what was issued before destroyed"
	if err := m.exception(ctx, r, actors, e); err != nil {
		return err
	}
	if err := m.handOut(ctx, r, h, s); err != nil {
		return err
	}
	return m.add(ctx, r, transcript.Issued{Escrow: m.memory.file.ID.String(), Share: h.Share}, actors)
}
