// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
)

// recover has a quorum open the escrow: that of this ceremony, or one of an earlier
// ceremony that the plan expects.
func (m *Machine) recover(ctx context.Context, r room.Room, t phase.Task) error {
	f, err := m.findEscrow(ctx, r, t.Escrow)
	if err != nil {
		return err
	}
	r.Tell("it takes %d shares of the escrow %s; a share of another does not open it", f.Shares.Threshold, f.ID)
	t.People = append(slices.Clone(t.People), m.with(plan.Operator, plan.Witness)...)
	actors, err := present(ctx, r, t.People, fmt.Sprintf("To open the escrow, %d of the custodians, and who sees to it:", f.Shares.Threshold))
	if err != nil {
		return err
	}
	will := transcript.Recovered{Escrow: t.Escrow, Shares: m.within(f, actors), Fingerprint: f.Fingerprint}
	if len(will.Shares) < f.Shares.Threshold {
		return &escrow.MissingSharesError{Have: will.Shares, Need: f.Shares.Threshold}
	}
	if err := m.state.Check(will, actors); err != nil {
		return err
	}
	shares, err := m.gather(ctx, r, f, actors)
	defer func() {
		for _, s := range shares {
			s.Destroy()
		}
	}()
	if err != nil {
		return err
	}
	key, err := f.Combine(shares)
	if err != nil {
		return err
	}
	defer key.Destroy()
	opened, err := f.OpenKey(key)
	if err != nil {
		return err
	}
	will.Shares = indices(shares)
	if err := m.add(ctx, r, will, actors); err != nil {
		opened.Destroy()
		return err
	}
	m.memory.material = opened
	r.Tell("the escrow opened; the fingerprint of the material is %s", opened.Fingerprint())
	return nil
}

// within are the shares that some of the people could bring, as many as it takes.
func (m *Machine) within(f *escrow.File, people []string) (shares []int) {
	for _, h := range m.plan.Opening(f.ID.String()).Holders {
		if slices.Contains(people, h.Custodian) && len(shares) < f.Shares.Threshold {
			shares = append(shares, h.Share)
		}
	}
	return shares
}

func indices(shares []escrow.Share) []int {
	all := []int{}
	for _, s := range shares {
		all = append(all, s.Index)
	}
	return all
}

// gather reads shares until there are enough. One that is wrong is told, and
// another custodian asked: what it should be is for nobody to guess.
func (m *Machine) gather(ctx context.Context, r room.Room, f *escrow.File, actors []string) (shares []escrow.Share, err error) {
	bags := m.sealedBags(f.ID.String())
	for _, h := range m.plan.Opening(f.ID.String()).Holders {
		if len(shares) == f.Shares.Threshold {
			break
		}
		if !slices.Contains(actors, h.Custodian) {
			continue
		}
		if err := m.openBag(ctx, r, h, bags[h.Share], actors); err != nil {
			return shares, err
		}
		s, err := r.ReadShare(ctx, h, f)
		if err != nil {
			return shares, err
		}
		if wrong := checkShare(f, s, h.Share); wrong != nil {
			s.Destroy()
			e := transcript.Exception{Expected: cardOf(h) + ", as it was dealt", Happened: wrong.Error(), Decided: "another custodian is asked"}
			if err := m.exception(ctx, r, actors, e); err != nil {
				return shares, err
			}
			continue
		}
		shares = append(shares, s)
		r.Tell("%s is right: %d of %d", cardOf(h), len(shares), f.Shares.Threshold)
	}
	if len(shares) < f.Shares.Threshold {
		err = &escrow.MissingSharesError{Have: indices(shares), Need: f.Shares.Threshold}
	}
	return shares, err
}

// sealedBags are the serial numbers of the bags, as the seal record of the escrow
// has them.
func (m *Machine) sealedBags(id string) map[int]string {
	bags := map[int]string{}
	if seal, _, err := m.folder.Seal(id); err == nil {
		for _, s := range seal.Shares {
			bags[s.Share] = s.Bag
		}
	}
	return bags
}

// openBag compares the bag that a share comes from with the one that it went into.
func (m *Machine) openBag(ctx context.Context, r room.Room, h plan.Holder, want string, actors []string) error {
	if want == "" {
		return nil
	}
	got, err := r.Bag(ctx, cardOf(h)+", before it is opened")
	if err != nil || got == want {
		return err
	}
	return m.exception(ctx, r, actors, transcript.Exception{
		Expected: fmt.Sprintf("%s in the bag %q", cardOf(h), want), Happened: foundIn(got),
		Decided: "it is used, and to be assessed whether somebody has seen it",
	})
}

// findEscrow reads an escrow from the folder, or from a medium where it is that of
// an earlier ceremony.
func (m *Machine) findEscrow(ctx context.Context, r room.Room, id string) (*escrow.File, error) {
	name := evidence.EscrowFile(id)
	if !m.folder.Has(name) {
		if err := m.bringEscrow(ctx, r, id); err != nil {
			return nil, err
		}
	}
	content, err := m.folder.Read(name, escrow.MaxFile)
	if err != nil {
		return nil, err
	}
	return m.readEscrow(id, content)
}

// readEscrow reads an escrow, which has to be the one that the records, or the plan,
// speak of.
func (m *Machine) readEscrow(id string, content []byte) (*escrow.File, error) {
	f, err := unsealed(content, m.plan.Rehearsal)
	if err != nil {
		return nil, err
	}
	for _, e := range m.state.Escrows() {
		if e.ID != id {
			continue
		}
		if e.SHA256 != (transcript.Digest{}) && fileOf("", content).SHA256 != e.SHA256 {
			return nil, &gap.AlteredError{Name: evidence.EscrowFile(id)}
		}
		for _, v := range []struct{ field, got, want string }{
			{"escrow", f.ID.String(), id},
			{"fingerprint", f.Fingerprint, e.Fingerprint},
			{"key_spec", string(f.KeySpec), string(m.plan.Material.Spec)},
		} {
			if v.got != v.want {
				return nil, &gap.MismatchError{Field: v.field, Got: v.got, Want: v.want}
			}
		}
	}
	if f.Shares == nil {
		return nil, &escrow.ProfileError{Profile: f.Profile}
	}
	return f, nil
}

// bringEscrow takes the escrow of an earlier ceremony, and the seal record on it if
// there is one, from a medium. Nothing else there is looked at.
func (m *Machine) bringEscrow(ctx context.Context, r room.Room, id string) error {
	path, err := r.Medium(ctx, mediumWith(id))
	if err != nil {
		return err
	}
	medium, name := evidence.Folder(path), evidence.EscrowFile(id)
	content, err := medium.Read(name, escrow.MaxFile)
	if err != nil {
		return err
	}
	if _, err := m.readEscrow(id, content); err != nil {
		return &evidence.FileError{Name: medium.Path(name), Err: err}
	}
	if err := m.takeSeal(r, medium, id); err != nil {
		return err
	}
	_, err = m.keep(name, content)
	return err
}

// mediumWith is what a copy of an earlier escrow is called, whose own name is in
// another plan.
func mediumWith(id string) string { return "a medium with the escrow " + id }

// takeSeal takes the seal record on an earlier escrow from a medium, if it is there.
func (m *Machine) takeSeal(r room.Room, medium evidence.Folder, id string) error {
	seal, err := medium.Read(evidence.SealFile(id), gap.MaxArtefact)
	if errors.Is(err, fs.ErrNotExist) {
		m.unbagged = true
		r.Tell("the medium has no seal record on the escrow: nobody can say which bags its shares went into")
		return nil
	}
	if err != nil {
		return err
	}
	if err := checkOldSeal(seal, id); err != nil {
		return &evidence.FileError{Name: medium.Path(evidence.SealFile(id)), Err: err}
	}
	_, err = m.keep(evidence.SealFile(id), seal)
	return err
}

// checkOldSeal demands the seal record on an escrow. It is by another plan.
func checkOldSeal(content []byte, id string) error {
	seal, err := gap.ReadSeal(content)
	if err == nil && seal.Escrow.String() != id {
		err = &gap.MismatchError{Field: "escrow", Got: seal.Escrow.String(), Want: id}
	}
	return err
}
