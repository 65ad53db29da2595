// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/record"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/sshsig"
)

// What the room is asked for. A medium that holds a copy of the escrow, or somebody's
// share, is called what the plan calls it.
const (
	MediumIn  = "the medium that came from the other machine"
	MediumOut = "an empty medium, to go to the other machines"
	MediumEnd = "an empty medium, for the evidence of the ceremony" // where no other machine takes part
)

// begin begins a record: the first, or the next on another day.
func (m *Machine) begin(ctx context.Context, r room.Room, t phase.Task) error {
	if findings := m.plan.Lint(); plan.HasErrors(findings) {
		return &FaultyPlanError{findings}
	}
	if m.plan.KeptInToken() && m.token == nil {
		return &SourceError{m.plan.Material.Source}
	}
	signatures, err := m.folder.Signatures(evidence.PlanFile)
	if err != nil {
		return err
	}
	if approvals := m.plan.CheckApprovals(signatures); !plan.Approved(approvals) {
		return &SignatureError{evidence.PlanFile, approvals}
	}
	if err := m.ask(ctx, r); err != nil {
		return err
	}
	there, err := present(ctx, r, t.People, t.String())
	if err != nil {
		return err
	}
	opened := transcript.Opened{
		Ceremony: m.plan.ID, PlanSHA256: m.plan.Digest(), Approvers: m.plan.Gates[plan.GatePlan], Rehearsal: m.plan.Rehearsal, Tool: m.tool,
	}
	if n := len(m.records); n > 0 {
		opened.Part = transcript.Part{Number: n, Machine: transcript.OfflineMachine, After: m.records[n-1].Head().SHA256}
	}
	if err := m.state.Check(opened, there); err != nil {
		return err
	}
	if err := m.mirror(); err != nil {
		return err
	}
	m.leaving, m.without, m.refused = false, false, nil
	if m.record, err = record.Begin(m.paths(), m.now, opened, transcript.Context{Actors: there}); err != nil {
		return err
	}
	r.Tell("the digest of the plan, to be compared with the one that was agreed on:")
	say(r, m.plan.Message())
	return m.refold()
}

// say says the digest of a file in words.
func say(r room.Room, content []byte) {
	r.Tell("SHA-256 %s", fileOf("", content).SHA256)
	words := gap.Words(content)
	for i := 0; i < len(words); i += 8 {
		r.Tell("  %s", strings.Join(words[i:min(i+8, len(words))], " "))
	}
}

// ask takes in what the machine that imports has written since, if it can have.
func (m *Machine) ask(ctx context.Context, r room.Room) error {
	packages, err := m.folder.Packages()
	if err != nil || len(packages) == 0 {
		return err
	}
	chosen, err := r.Decide(ctx, "Has the machine that imports written a record since?", []string{"no", "yes"})
	if err != nil || chosen != 1 {
		return err
	}
	return m.Receive(ctx, r)
}

// Receive takes in, from a medium, the records that the machine that imports has
// written since: a ceremony comes back to the offline machine when an import token
// expired, and the agenda knows that only then. No record may be open here. Errors:
// those of [gap.Manifest.Check] and [phase.Fold], [*gap.AlteredError] for a record
// that is not the one that is here, [*MissingError] if there is nothing new.
func (m *Machine) Receive(ctx context.Context, r room.Room) error {
	if m.open() {
		return fmt.Errorf("%s: %w", evidence.RecordFile(len(m.records)), errOpen)
	}
	medium, _, err := m.arrived(ctx, r)
	if err != nil {
		return err
	}
	theirs, err := medium.Records()
	if err != nil {
		return err
	}
	if len(theirs) <= len(m.records) {
		return &MissingError{evidence.RecordFile(len(m.records) + 1), string(medium)}
	}
	if _, err := phase.Fold(m.plan, theirs...); err != nil {
		return fmt.Errorf("the records on the medium: %w", err)
	}
	for n := range theirs {
		if err := m.receiveRecord(medium, n+1, n < len(m.records)); err != nil {
			return err
		}
	}
	r.Tell("%d records have come", len(theirs)-len(m.records))
	return m.refold()
}

// receiveRecord takes one of the records in, with its head and signatures. One that
// is here already has to be the same.
func (m *Machine) receiveRecord(medium evidence.Folder, n int, here bool) error {
	name := evidence.RecordFile(n)
	content, err := medium.Read(name, transcript.MaxFile)
	if err != nil {
		return err
	}
	if here {
		own, err := m.folder.Read(name, transcript.MaxFile)
		if err == nil && !bytes.Equal(own, content) {
			err = &gap.AlteredError{Name: name}
		}
		return err
	}
	if !transcript.Verify(content).Closed {
		return &record.OpenError{Name: name}
	}
	signed, err := withSignatures(medium, evidence.HeadFile(n))
	if err != nil {
		return err
	}
	for _, name := range signed {
		content, err := medium.Read(name, gap.MaxArtefact)
		if err != nil {
			return err
		}
		if _, err := m.keep(name, content); err != nil {
			return err
		}
	}
	_, err = m.keep(name, content)
	return err
}

// withSignatures are the names of a file and of its signatures.
func withSignatures(f evidence.Folder, name string) ([]string, error) {
	all := []string{name}
	signatures, err := f.Signatures(name)
	for _, s := range signatures {
		all = append(all, evidence.SignatureFile(name, s.Signer))
	}
	return all, err
}

// arrived asks for a medium from another machine, and refuses one that is not just
// what its manifest says.
func (m *Machine) arrived(ctx context.Context, r room.Room) (evidence.Folder, *gap.Manifest, error) {
	path, err := r.Medium(ctx, MediumIn)
	if err != nil {
		return "", nil, err
	}
	medium := evidence.Folder(path)
	manifest, err := medium.Manifest()
	if err != nil {
		return "", nil, err
	}
	if err := manifest.CheckPlan(m.plan); err != nil {
		return "", nil, err
	}
	return medium, manifest, manifest.Check(medium.FS())
}

// signatures has people sign a file that is about to be written. Those who will
// sign later are left out.
func (m *Machine) signatures(ctx context.Context, r room.Room, namespace string, ids []string, content []byte) (all []plan.Signature, err error) {
	for _, id := range ids {
		who, _ := m.plan.Person(id)
		if who.Key == nil {
			continue
		}
		armoured, err := r.Sign(ctx, who, namespace, content)
		if err != nil {
			return nil, err
		}
		if armoured == nil {
			r.Tell("%s signs later", id)
			continue
		}
		if err := sshsig.Verify(content, armoured, namespace, who.Key); err != nil {
			return nil, fmt.Errorf("the signature of %s: %w", id, err)
		}
		all = append(all, plan.Signature{Signer: id, Armoured: armoured})
	}
	return all, nil
}

// keepSigned writes the signatures of a file, and the file.
func (m *Machine) keepSigned(name string, content []byte, signatures []plan.Signature) (transcript.File, error) {
	if _, err := m.keepSignatures(name, signatures); err != nil {
		return transcript.File{}, err
	}
	return m.keep(name, content)
}

// keepSignatures writes the signatures of a file that is not written yet, and
// returns their names. Those of an earlier attempt are replaced: a hardware key does
// not sign the same way twice.
func (m *Machine) keepSignatures(name string, signatures []plan.Signature) (names []string, err error) {
	for _, s := range signatures {
		signature := evidence.SignatureFile(name, s.Signer)
		for _, f := range m.folders {
			if err := files.WritePublic(f.Path(signature), s.Armoured, files.ReplaceExisting); err != nil {
				return nil, err
			}
		}
		names = append(names, signature)
	}
	return names, nil
}
