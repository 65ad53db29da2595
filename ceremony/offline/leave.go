// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
)

// unfinished reports whether the latest record was closed here, and its head not
// written: that comes last of all.
func (m *Machine) unfinished() bool {
	n := len(m.records)
	return n > 0 && m.records[n-1].Closed && m.records[n-1].Opened.Part.Writer() == transcript.OfflineMachine && !m.folder.Has(evidence.HeadFile(n))
}

// end closes the record, has its head signed, and puts on a medium what the other
// machines need. Where that was broken off after the record was closed, it goes on
// there.
func (m *Machine) end(ctx context.Context, r room.Room, t phase.Task) error {
	if !m.unfinished() {
		signers := m.plan.Gates[plan.GateClose]
		e := transcript.Closed{Lines: m.record.Head().Lines + 1, Signers: signers}
		actors, err := m.crewOf(ctx, r, t, e)
		if err != nil {
			return err
		}
		if err := m.add(ctx, r, e, actors); err != nil {
			return err
		}
		if err := errors.Join(m.letGo(), m.refold()); err != nil {
			return err
		}
	}
	n := len(m.records)
	statement, err := m.records[n-1].Head().Statement()
	if err != nil {
		return err
	}
	if _, err := m.keep(evidence.SignersFile, m.plan.AllowedSigners(evidence.Namespaces()...)); err != nil {
		return err
	}
	r.Tell("the record is closed, with %d lines; the digest of the last, to be written down:", m.records[n-1].Lines)
	r.Tell("SHA-256 %s", m.records[n-1].Head().SHA256)
	if err := m.tellPackages(r); err != nil {
		return err
	}
	signatures, err := m.signatures(ctx, r, transcript.Namespace, m.plan.Gates[plan.GateClose], statement)
	if err != nil {
		return err
	}
	signed, err := m.keepSignatures(evidence.HeadFile(n), signatures)
	if err != nil {
		return err
	}
	if err := m.export(ctx, r, map[string][]byte{evidence.HeadFile(n): statement}, signed); err != nil {
		return err
	}
	_, err = m.keep(evidence.HeadFile(n), statement)
	return err
}

// Export puts on an empty medium what the other machines need: plan, records,
// escrow, bundles, packages, and what goes with them, and the manifest of all last.
// Perform does so at the end of a record; this is for a medium that was lost since.
// Nothing on it is secret. An error is a [*gap.MediumError] if there is something
// else on the medium, or those of the room and the media.
func (m *Machine) Export(ctx context.Context, r room.Room) error { return m.export(ctx, r, nil, nil) }

// export puts the files of the ceremony on a medium, with some that are not in the
// folder yet.
func (m *Machine) export(ctx context.Context, r room.Room, with map[string][]byte, names []string) error {
	all := map[string][]byte{}
	conveyed, err := m.conveyed()
	if err != nil {
		return err
	}
	for _, name := range append(conveyed, names...) {
		content, err := m.folder.Read(name, transcript.MaxFile)
		if err != nil {
			return err
		}
		all[name] = content
	}
	for name, content := range with {
		all[name] = content
	}
	what, goes := MediumOut, "for the other machines"
	if m.plan.Purpose != plan.ForImport {
		what, goes = MediumEnd, "which are the evidence of the ceremony"
	}
	path, err := r.Medium(ctx, what)
	if err != nil {
		return err
	}
	medium := evidence.Folder(path)
	manifest, encoded, err := m.manifest(all)
	if err != nil {
		return err
	}
	if err := onlyOurs(medium, manifest); err != nil {
		return err
	}
	for _, f := range manifest.Files {
		if err := place(medium, f.Name, all[f.Name]); err != nil {
			return err
		}
	}
	if err := place(medium, gap.ManifestFile, encoded); err != nil {
		return err
	}
	if err := r.Remount(ctx, what, path); err != nil {
		return err
	}
	if err := manifest.Check(medium.FS()); err != nil {
		return err
	}
	r.Tell("%d files are on the medium, %s", len(manifest.Files)+1, goes)
	return nil
}

// manifest is that of the files.
func (m *Machine) manifest(all map[string][]byte) (*gap.Manifest, []byte, error) {
	manifest := &gap.Manifest{Origin: gap.OriginOf(m.plan), Direction: gap.Out}
	for name, content := range all {
		manifest.Files = append(manifest.Files, gap.FileOf(name, content))
	}
	slices.SortFunc(manifest.Files, func(a, b gap.File) int { return strings.Compare(a.Name, b.Name) })
	encoded, err := manifest.Encode()
	return manifest, encoded, err
}

// onlyOurs demands that a medium is empty, or was begun to be written with the same.
func onlyOurs(medium evidence.Folder, manifest *gap.Manifest) error {
	err := manifest.Check(medium.FS())
	if e, ok := errors.AsType[*gap.MediumError](err); ok && len(e.Extra)+len(e.Altered) == 0 {
		return nil // what is missing will be written
	}
	return err
}

// conveyed are the names of all files that go to the other machines: those that the
// records name, and those that go with them. Errors are those of reading: a medium
// that lacks a file which could not be read would pass for whole.
func (m *Machine) conveyed() (names []string, err error) {
	for _, name := range m.signedFiles() {
		signed, err := withSignatures(m.folder, name)
		if err != nil {
			return nil, err
		}
		names = append(names, signed...)
	}
	names = append(names, evidence.SignersFile)
	for n := range m.records {
		names = append(names, evidence.RecordFile(n+1))
	}
	for _, e := range m.state.Escrows() {
		if m.goesAlong(e) {
			names = append(names, evidence.EscrowFile(e.ID))
		}
	}
	for _, e := range m.entries {
		beside, err := m.beside(e.Event)
		if err != nil {
			return nil, err
		}
		names = append(names, beside...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// goesAlong reports whether an escrow goes to the other machines: one that brings
// the material back, and is here.
func (m *Machine) goesAlong(e phase.Escrow) bool {
	return e.Condition == phase.Kept && m.folder.Has(evidence.EscrowFile(e.ID))
}

// signedFiles are the names of those that go to the other machines with signatures.
func (m *Machine) signedFiles() []string {
	names := []string{evidence.PlanFile}
	for n := range m.records {
		if m.folder.Has(evidence.HeadFile(n + 1)) {
			names = append(names, evidence.HeadFile(n+1))
		}
	}
	for _, e := range m.state.Escrows() {
		if m.goesAlong(e) && m.folder.Has(evidence.SealFile(e.ID)) {
			names = append(names, evidence.SealFile(e.ID))
		}
	}
	for _, e := range m.entries {
		switch e := e.Event.(type) {
		case transcript.Bundled:
			names = append(names, e.File.Name)
		case transcript.Wrapped:
			names = append(names, e.Package.Name)
		}
	}
	return names
}

// beside are the files that a line is about, and those that the bundle or package of
// it names.
func (m *Machine) beside(e transcript.Event) (names []string, err error) {
	switch e := e.(type) {
	case transcript.Bundled:
		b, _, err := m.accepted(e)
		if err != nil {
			return nil, err
		}
		for _, fetched := range b.Fetched {
			names = append(names, fetched.File.Name)
		}
	case transcript.Wrapped:
		content, err := m.read(e.Package)
		if err != nil {
			return nil, err
		}
		p, err := gap.ReadPackage(content)
		if err != nil {
			return nil, err
		}
		for _, w := range p.Wrapped {
			names = append(names, w.File.Name)
		}
	case transcript.Noted:
		for _, f := range e.Files {
			if m.folder.Has(f.Name) {
				names = append(names, f.Name)
			}
		}
	}
	return names, nil
}
