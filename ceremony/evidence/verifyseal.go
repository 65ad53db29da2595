// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"crypto/sha256"
	"maps"
	"slices"

	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
)

// checkSeal holds a seal record against its line, the escrow, and what was read
// back.
func (v *verification) checkSeal(e transcript.Sealed, at naming, m *made) error {
	name := SealFile(e.Escrow)
	m.seals[e.Escrow] = e.Record.SHA256
	if v.gone(e.Escrow, name, at) {
		return nil
	}
	content, err := v.named(e.Record, name, "seal record", at)
	if err != nil || content == nil {
		return err
	}
	if err := v.signed(gap.NamespaceSeal, content); err != nil {
		return err
	}
	s, err := gap.ReadSeal(content)
	if err != nil {
		v.problem(name, 0, "%v", err)
		return nil
	}
	bags := m.bags[e.Escrow]
	for _, share := range slices.Sorted(maps.Keys(bags)) {
		if !slices.Contains(s.Shares, gap.SealedShare{Share: share, Bag: bags[share]}) {
			v.problem(name, 0, "share %d was not read back into the bag that it names", share)
		}
	}
	switch {
	case s.Escrow.String() != e.Escrow || transcript.Digest(s.EscrowSHA256) != e.SHA256:
		v.problem(name, 0, "on another escrow than the one of its line")
	case !at.before[transcript.Digest(s.Transcript)]:
		v.problem(name, 0, "it binds no line of the record before its own")
	case len(s.Copies) != len(v.Plan.Escrow.Copies):
		v.problem(name, 0, "it names %d copies, and the plan %d", len(s.Copies), len(v.Plan.Escrow.Copies))
	}
	return v.checkEscrow(s, name)
}

// checkEscrow holds the escrow that a seal is on against it, and the plan. That
// it is missing or changed was told when its line was looked at.
func (v *verification) checkEscrow(s *gap.Seal, seal string) error {
	name := EscrowFile(s.Escrow.String())
	content, err := v.folder.Read(name, escrow.MaxFile)
	if err != nil || sha256.Sum256(content) != s.EscrowSHA256 {
		return nil
	}
	if _, err := s.CheckEscrow(v.Plan, name, content); err != nil {
		v.problem(seal, 0, "%v", err)
	}
	return nil
}

// earlier checks the seal record and the escrow of an earlier ceremony, from
// which the material comes: no line of this one names them, but a package does.
func (v *verification) earlier(k *gap.Package, at naming, name string) error {
	seal, sealed := SealFile(k.Escrow.String()), EscrowFile(k.Escrow.String())
	if !v.folder.Has(seal) {
		v.remark(name, 0, "the seal record of the earlier ceremony is not in the folder")
		return nil
	}
	content, err := v.read(seal, gap.MaxArtefact)
	if err != nil || content == nil {
		return err
	}
	if sha256.Sum256(content) != k.Seal {
		v.problem(seal, 0, "not the one that %s names", name)
		return nil
	}
	s, err := gap.ReadSeal(content)
	if err != nil {
		v.problem(seal, 0, "%v", err)
		return nil
	}
	v.Artefacts = append(v.Artefacts, Artefact{File: transcript.File{Name: seal, Size: int64(len(content)), SHA256: transcript.Digest(k.Seal)}, What: "seal record of an earlier ceremony", Record: at.record, Line: at.line})
	if s.Fingerprint != k.Fingerprint {
		v.problem(seal, 0, "on other material than that of %s", name)
	}
	if !v.folder.Has(sealed) {
		return nil
	}
	content, err = v.read(sealed, escrow.MaxFile)
	if err == nil && content != nil && sha256.Sum256(content) != s.EscrowSHA256 {
		v.problem(sealed, 0, "not the one that %s names", seal)
	}
	return err
}
