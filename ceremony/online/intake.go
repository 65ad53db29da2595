// SPDX-License-Identifier: Apache-2.0

package online

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/record"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/files"
)

// begin takes over what the medium from the offline machine holds, and begins a
// record. Errors: [*phase.PeopleError], [*gap.MediumError], [*NotReadyError],
// [*SignatureError], [*evidence.FileError] around a [*gap.AlteredError] for a
// file that is not the one known here, or those of the room, reading and writing.
func (m *Machine) begin(ctx context.Context, r room.Room) error {
	if err := present(ctx, r, string(phase.Begin), m.people(), "to import what was wrapped"); err != nil {
		return err
	}
	name, err := r.Medium(ctx, MediumIn)
	if err != nil {
		return err
	}
	medium := evidence.Folder(name)
	load, err := m.load(medium)
	if err != nil {
		return err
	}
	opened, err := m.opening(r, medium)
	if err != nil {
		return err
	}
	if err := m.keep(load); err != nil {
		return err
	}
	if err := m.read(); err != nil {
		return err
	}
	if err := m.state.Check(opened, m.people()); err != nil {
		return err
	}
	if m.record, err = record.Begin(m.paths(), m.now, opened, transcript.Context{Actors: m.people()}); err != nil {
		return err
	}
	r.Tell("took over what came from the offline machine; the record begins in %s", m.folders[0].Path(evidence.RecordFile(opened.Part.Number+1)))
	if m.service.local() && !m.plan.Rehearsal {
		r.Tell("this real ceremony imports into what is at %s, on this very machine: that is a test, and not AWS", m.service.Endpoint)
	}
	return m.read()
}

// load reads all that is on a medium, which has to be just what its manifest
// says, and to fit what is in the folder.
func (m *Machine) load(medium evidence.Folder) (map[string][]byte, error) {
	manifest, err := medium.Manifest()
	if err != nil {
		return nil, err
	}
	if err := manifest.CheckPlan(m.plan); err != nil {
		return nil, &evidence.FileError{Name: medium.Path(gap.ManifestFile), Err: err}
	}
	if manifest.Direction != gap.Out {
		return nil, &gap.MismatchError{Field: "direction", Got: string(manifest.Direction), Want: string(gap.Out)}
	}
	if err := manifest.Check(medium.FS()); err != nil {
		return nil, err
	}
	load := map[string][]byte{}
	for _, f := range manifest.Files {
		content, err := medium.Read(f.Name, gap.MaxFile)
		if err != nil {
			return nil, err
		}
		if gap.FileOf(f.Name, content) != f {
			return nil, &gap.MediumError{Altered: []string{f.Name}}
		}
		if err := m.same(f.Name, content); err != nil {
			return nil, err
		}
		load[f.Name] = content
	}
	return load, nil
}

// same demands that the folder has no other file of a name.
func (m *Machine) same(name string, content []byte) error {
	for _, folder := range m.folders {
		known, err := folder.Read(name, gap.MaxFile)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if !bytes.Equal(known, content) {
			return &evidence.FileError{Name: folder.Path(name), Err: &gap.AlteredError{Name: name}}
		}
	}
	return nil
}

// opening is how the next record begins, by the records on a medium, after which
// there has to be something to import.
func (m *Machine) opening(r room.Room, medium evidence.Folder) (o transcript.Opened, err error) {
	records, err := medium.Records()
	if err != nil {
		return o, err
	}
	state, err := phase.Fold(m.plan, records...)
	if err != nil {
		return o, &evidence.FileError{Name: string(medium), Err: err}
	}
	known, err := m.folders[0].Records()
	if err != nil {
		return o, err
	}
	importable := slices.ContainsFunc(state.Next(transcript.ImportMachine).Here, func(t phase.Task) bool { return t.Step == phase.Begin })
	if !importable || len(records) < len(known) {
		return o, &NotReadyError{state.Progress()}
	}
	if err := m.packages(r, medium, state); err != nil {
		return o, err
	}
	return transcript.Opened{
		Ceremony: m.plan.ID, PlanSHA256: m.plan.Digest(), Approvers: m.plan.Gates[plan.GatePlan], Rehearsal: m.plan.Rehearsal, Tool: m.tool,
		Part: transcript.Part{Number: len(records), Machine: transcript.ImportMachine, After: records[len(records)-1].Head().SHA256},
	}, nil
}

// packages reads all that is to be submitted, so that what is wrong with it shows
// before anything is. A package may still lack signatures, whose place the digest
// takes that is read aloud; but one that is there has to be good.
func (m *Machine) packages(r room.Room, medium evidence.Folder, s *phase.State) error {
	for _, t := range s.Targets() {
		if t.Held || t.Package == (transcript.Digest{}) {
			continue
		}
		c, err := cargoOf(m.plan, medium, t)
		if err != nil {
			return err
		}
		if err := c.checkMaterial(s.Fingerprint()); err != nil {
			return &evidence.FileError{Name: medium.Path(c.name), Err: err}
		}
		signatures, err := medium.Signatures(c.name)
		if err != nil {
			return err
		}
		for _, a := range gap.CheckSigners(m.plan, gap.NamespacePackage, c.content, signatures) {
			switch signed := slices.ContainsFunc(signatures, func(s plan.Signature) bool { return s.Signer == a.Person }); {
			case signed && a.Problem != "":
				return &SignatureError{Name: medium.Path(c.name), People: []string{a.Person}, Problem: a.Problem}
			case !signed:
				r.Tell("%s has not signed %s so far", a.Person, c.name)
			}
		}
	}
	return nil
}

// keep writes to all folders what they lack.
func (m *Machine) keep(load map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(load)) {
		if err := m.write(name, load[name]); err != nil {
			return err
		}
	}
	return nil
}

// write writes a file to all folders but those that have it.
func (m *Machine) write(name string, content []byte) error {
	for _, folder := range m.folders {
		if folder.Has(name) {
			continue
		}
		if err := files.WritePublic(folder.Path(name), content, files.KeepExisting); err != nil {
			return err
		}
	}
	return m.same(name, content)
}

// confirm passes the gate import: the digest of each package that is waiting was
// read out at the offline machine, and is typed here. Errors: those of
// [gap.CheckHeard], or those of the room and of reading.
func (m *Machine) confirm(ctx context.Context, r room.Room, g plan.Gate) error {
	var seen []string
	for _, t := range m.state.Targets() {
		if t.Held || t.Package == (transcript.Digest{}) {
			continue
		}
		c, err := cargoOf(m.plan, m.folders[0], t)
		if err != nil {
			return err
		}
		line := fmt.Sprintf("%s has the SHA-256 %x that was read aloud from the offline machine", c.name, sha256.Sum256(c.content))
		if slices.Contains(seen, line) {
			continue
		}
		heard, err := r.Heard(ctx, "the SHA-256 of "+c.name+", as it was read aloud from the offline machine")
		if err != nil {
			return err
		}
		if err := gap.CheckHeard(c.content, heard); err != nil {
			return &evidence.FileError{Name: c.name, Err: err}
		}
		seen = append(seen, line)
	}
	text, err := r.Confirm(ctx, g, m.people(), strings.Join(seen, "\n"))
	if err != nil {
		return err
	}
	return m.add(transcript.Confirmed{Gate: g, Text: text}, m.people())
}
