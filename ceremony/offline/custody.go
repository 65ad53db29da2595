// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/token"
)

// makeEscrow seals the material under a fresh key, and shares that among the
// custodians of the plan. The shares stay in memory.
func (m *Machine) makeEscrow(ctx context.Context, r room.Room, t phase.Task) error {
	will := transcript.Escrowed{Escrow: escrow.ID{}.String(), Fingerprint: m.state.Fingerprint()}
	actors, err := m.crewOf(ctx, r, t, will)
	if err != nil {
		return err
	}
	f, shares, err := escrow.SealQuorum(m.memory.material, m.time(), escrow.Plan{
		Profile: m.plan.Escrow.Profile, Scheme: m.plan.Escrow.Scheme, Threshold: m.plan.Shares.Threshold, Count: m.plan.Shares.Count,
	})
	if err != nil {
		return err
	}
	made := memory{file: f, shares: shares, tried: map[string]int{}}
	if err := m.keepEscrow(ctx, r, &made, actors); err != nil {
		made.forgetShares()
		return err
	}
	made.material = m.memory.material
	m.memory = made
	r.Tell("the escrow is %s; any %d of %d shares open it", f.ID, f.Shares.Threshold, f.Shares.Count)
	return nil
}

func (m *Machine) keepEscrow(ctx context.Context, r room.Room, made *memory, actors []string) error {
	var plain bytes.Buffer
	if err := made.file.Encode(&plain); err != nil {
		return err
	}
	var err error
	if made.encoded, err = gap.Stamp(escrow.Kind, plain.Bytes(), m.plan.Rehearsal); err != nil {
		return err
	}
	id := made.file.ID.String()
	file, err := m.keep(evidence.EscrowFile(id), made.encoded)
	if err != nil {
		return err
	}
	return m.add(ctx, r, transcript.Escrowed{Escrow: id, Fingerprint: made.file.Fingerprint, File: file}, actors)
}

// copyOut puts the escrow on a medium of the plan, has that taken out and put in
// again, and opens what it then holds.
func (m *Machine) copyOut(ctx context.Context, r room.Room, t phase.Task) error {
	will := transcript.Copied{Escrow: t.Escrow, Copy: t.Copy, SHA256: m.working().SHA256}
	actors, err := m.crewOf(ctx, r, t, will)
	if err != nil {
		return err
	}
	what := m.nameOf(t.Copy)
	path, err := r.Medium(ctx, what)
	if err != nil {
		return err
	}
	medium, name := evidence.Folder(path), evidence.EscrowFile(t.Escrow)
	if medium.Has(name) && m.memory.tried[t.Copy] == 0 {
		return &SameMediumError{t.Copy}
	}
	if e := m.plan.Expected; e != nil && medium.Has(evidence.EscrowFile(e.Escrow.String())) {
		return &OldMediumError{t.Copy, e.Escrow.String()}
	}
	m.memory.tried[t.Copy]++
	approved, err := withSignatures(m.folder, evidence.PlanFile)
	if err != nil {
		return err
	}
	if err := m.copyFiles(medium, append(approved, name)); err != nil {
		return err
	}
	if err := r.Remount(ctx, what, path); err != nil {
		return err
	}
	if err := m.openCopy(medium, name); err != nil {
		return err
	}
	if err := m.add(ctx, r, will, actors); err != nil {
		return err
	}
	r.Tell("%s was read back, and opens", what)
	return nil
}

// nameOf is what people call the medium of a copy.
func (m *Machine) nameOf(id string) string {
	for _, c := range m.plan.Escrow.Copies {
		if c.ID == id {
			return fmt.Sprintf("%s (%s)", id, c.Medium)
		}
	}
	return id
}

// copyFiles copies files of the ceremony to a medium.
func (m *Machine) copyFiles(medium evidence.Folder, names []string) error {
	for _, name := range names {
		content, err := m.folder.Read(name, transcript.MaxFile)
		if err != nil {
			return err
		}
		if err := place(medium, name, content); err != nil {
			return err
		}
	}
	return nil
}

// openCopy opens what a medium holds, with the key that the shares give.
func (m *Machine) openCopy(medium evidence.Folder, name string) error {
	if err := readBack(medium, name, m.memory.encoded); err != nil {
		return err
	}
	key, err := m.memory.key()
	if err != nil {
		return err
	}
	defer key.Destroy()
	opened, err := m.memory.file.OpenKey(key)
	if err != nil {
		return err
	}
	defer opened.Destroy()
	if !opened.Secret().Equal(m.memory.material.Secret()) {
		return &DiffersError{"what the copy opens to"}
	}
	return nil
}

// sealSet writes down that the material is recoverable. The shares are no longer
// needed here after that.
func (m *Machine) sealSet(ctx context.Context, r room.Room, t phase.Task) error {
	w := m.working()
	actors, err := m.crewOf(ctx, r, t, transcript.Sealed{Escrow: w.ID, SHA256: w.SHA256})
	if err != nil {
		return err
	}
	if m.memory.seal == nil { // made once, so that a second attempt does not leave two of them
		if m.memory.seal, err = m.sealRecord(w); err != nil {
			return err
		}
	}
	signatures, err := m.signatures(ctx, r, gap.NamespaceSeal, gap.Signers(m.plan, gap.NamespaceSeal), m.memory.seal)
	if err != nil {
		return err
	}
	file, err := m.keepSigned(evidence.SealFile(w.ID), m.memory.seal, signatures)
	if err != nil {
		return err
	}
	if err := m.checkSeal(w); err != nil {
		return err
	}
	if err := m.add(ctx, r, transcript.Sealed{Escrow: w.ID, SHA256: w.SHA256, Record: file}, actors); err != nil {
		return err
	}
	m.memory.forgetShares()
	r.Tell("the material is sealed: %d shares of the escrow %s bring it back", m.plan.Shares.Threshold, w.ID)
	m.completeCopies(ctx, r, w)
	return nil
}

func (m *Machine) sealRecord(w phase.Escrow) ([]byte, error) {
	seal := gap.Seal{
		Origin: gap.OriginOf(m.plan), At: m.time().Truncate(time.Second), Escrow: m.memory.file.ID, EscrowSHA256: token.Digest(w.SHA256),
		KeySpec: m.plan.Material.Spec, Fingerprint: w.Fingerprint, Transcript: token.Digest(m.record.Last()), Copies: w.Copies,
	}
	bags := m.bags(w.ID)
	for n := 1; n <= m.plan.Shares.Count; n++ {
		seal.Shares = append(seal.Shares, gap.SealedShare{Share: n, Bag: bags[n]})
	}
	return seal.Encode()
}

// bags are the serial numbers of the bags that the shares are in.
func (m *Machine) bags(id string) map[int]string {
	bags := map[int]string{}
	for _, e := range m.entries {
		if back, ok := e.Event.(transcript.ReadBack); ok && back.Escrow == id {
			bags[back.Share] = back.Bag
		}
	}
	return bags
}

// checkSeal reads seal record and escrow as whoever needs them will.
func (m *Machine) checkSeal(w phase.Escrow) error {
	seal, _, err := m.folder.Seal(w.ID)
	if err != nil {
		return err
	}
	content, err := m.folder.Read(evidence.EscrowFile(w.ID), escrow.MaxFile)
	if err != nil {
		return err
	}
	_, err = seal.CheckEscrow(m.plan, evidence.EscrowFile(w.ID), content)
	return err
}

// completeCopies adds the seal record, and the records so far, to the media with
// copies of the escrow. Those bring the material back without, so that one that
// takes no more is no reason to stop.
func (m *Machine) completeCopies(ctx context.Context, r room.Room, w phase.Escrow) {
	for _, id := range w.Copies {
		what := m.nameOf(id)
		path, err := r.Medium(ctx, what+", to add the seal record")
		if err == nil {
			err = m.completeCopy(evidence.Folder(path), w)
		}
		if err != nil {
			r.Tell("%s stays without the seal record: %v", what, err)
		}
	}
}

func (m *Machine) completeCopy(medium evidence.Folder, w phase.Escrow) error {
	names, err := withSignatures(m.folder, evidence.SealFile(w.ID))
	if err != nil {
		return err
	}
	return m.copyFiles(medium, append(names, evidence.RecordFile(len(m.records))))
}

// unsealed reads an escrow from its file.
func unsealed(content []byte, rehearsal bool) (*escrow.File, error) {
	plain, err := gap.Unstamp(escrow.Kind, content, rehearsal)
	if err != nil {
		return nil, err
	}
	return escrow.Read(bytes.NewReader(plain))
}
