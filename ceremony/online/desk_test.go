// SPDX-License-Identifier: Apache-2.0

package online_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/sshsig"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
)

// A desk stands for the offline machine: it records what that would, and wraps.
type desk struct {
	folder   string
	plan     *plan.Plan
	material *material.Material
	records  int
	packages int
	last     transcript.Digest

	change func(*token.Parameters) // what an attacker on the way does
	packs  func(*gap.Package)      // and what one on the machine does
	signs  bool                    // the packages
}

var (
	crew     = []string{"operator-1", "witness"}
	escrowID = escrow.ID{4}
)

func newDesk(t *testing.T, p *plan.Plan, m *material.Material) *desk {
	return &desk{folder: quickFolder(t), plan: p, material: m, signs: true}
}

// session is one on the offline machine: it takes the bundle from a medium, wraps,
// and gives the medium that goes out. The first one makes and seals the material.
func (d *desk) session(t *testing.T, medium string) (out string) {
	t.Helper()
	o := transcript.Opened{Ceremony: d.plan.ID, PlanSHA256: d.plan.Digest(), Approvers: d.plan.Gates[plan.GatePlan], Rehearsal: d.plan.Rehearsal}
	if d.records > 0 {
		o.Part = transcript.Part{Number: d.records, Machine: transcript.OfflineMachine, After: d.last}
	}
	var written memory // no disk, which would take its time over each line
	r, err := transcript.Begin([]transcript.Medium{&written}, time.Now, o, transcript.Context{Actors: []string{"lead"}})
	if err != nil {
		t.Fatal(err)
	}
	d.passes(t, r, plan.GateOpen)
	if d.records == 0 {
		d.seals(t, r)
	} else {
		d.adds(t, r, []string{"operator-1", "custodian-1", "custodian-3"}, transcript.Recovered{Escrow: escrowID.String(), Shares: []int{1, 3}, Fingerprint: d.material.Fingerprint().String()})
	}
	d.wraps(t, r, evidence.Folder(medium))
	d.adds(t, r, crew, transcript.Destroyed{})
	d.passes(t, r, plan.GateClose)
	if err := r.End(d.plan.Gates[plan.GateClose], transcript.Context{Actors: crew}); err != nil {
		t.Fatal(err)
	}
	d.closes(t, r, written.Bytes())
	return d.leaves(t)
}

// memory is where records are written.
type memory struct{ bytes.Buffer }

func (*memory) Sync() error { return nil }

func (d *desk) adds(t *testing.T, r *transcript.Recorder, actors []string, events ...transcript.Event) {
	t.Helper()
	for _, e := range events {
		if err := r.Append(e, transcript.Context{Actors: actors}); err != nil {
			t.Fatal(err)
		}
	}
}

func (d *desk) passes(t *testing.T, r *transcript.Recorder, g plan.Gate) {
	t.Helper()
	d.adds(t, r, d.plan.Gates[g], transcript.Confirmed{Gate: g, Text: "seen"})
}

func (d *desk) seals(t *testing.T, r *transcript.Recorder) {
	t.Helper()
	id, fingerprint := escrowID.String(), d.material.Fingerprint().String()
	d.adds(t, r, crew, transcript.Generated{KeySpec: d.plan.Material.Spec, Source: plan.FromDRBG, Fingerprint: fingerprint})
	d.passes(t, r, plan.GateIdentity)
	d.adds(t, r, crew, transcript.Escrowed{Escrow: id, Fingerprint: fingerprint}, transcript.Copied{Escrow: id, Copy: "copy-1"}, transcript.Copied{Escrow: id, Copy: "copy-2"})
	for n := 1; n <= 3; n++ {
		d.adds(t, r, []string{"operator-1", fmt.Sprintf("custodian-%d", n)}, transcript.Issued{Escrow: id, Share: n}, transcript.ReadBack{Escrow: id, Share: n})
	}
	d.passes(t, r, plan.GateSealed)
	d.adds(t, r, crew, transcript.Sealed{Escrow: id})
}

// wraps accepts the bundle on a medium and writes a package.
func (d *desk) wraps(t *testing.T, r *transcript.Recorder, medium evidence.Folder) {
	t.Helper()
	numbers, err := medium.Bundles()
	if err != nil || len(numbers) != 1 {
		t.Fatalf("bundles %v, error %v", numbers, err)
	}
	bundle, content, err := medium.Bundle(numbers[0])
	if err != nil {
		t.Fatal(err)
	}
	d.packages++
	pack := &gap.Package{
		Origin: gap.OriginOf(d.plan), Bundle: gap.FileOf("", content).SHA256, Seal: token.Digest{2}, Transcript: token.Digest{3},
		Escrow: escrowID, Fingerprint: d.material.Fingerprint().String(),
	}
	for _, target := range bundle.Targets() {
		pack.Wrapped = append(pack.Wrapped, d.wrap(t, bundle, medium, target))
	}
	if d.packs != nil {
		d.packs(pack)
	}
	encoded, err := pack.Encode()
	if err != nil {
		t.Fatal(err)
	}
	name := evidence.PackageFile(d.packages)
	write(t, d.folder, name, encoded)
	for _, id := range gap.Signers(d.plan, gap.NamespacePackage) {
		signature, err := sshsig.Sign(encoded, gap.NamespacePackage, signerOf(id))
		if err != nil {
			t.Fatal(err)
		}
		if d.signs {
			write(t, d.folder, evidence.SignatureFile(name, id), signature)
		}
	}
	d.adds(t, r, crew, transcript.Bundled{File: transcript.File{SHA256: transcript.Digest(pack.Bundle)}, Targets: bundle.Targets(), ValidTo: "2026-12-02T09:00:00Z"})
	d.passes(t, r, plan.GateBundle)
	d.adds(t, r, crew, transcript.Wrapped{
		Bundle: transcript.Digest(pack.Bundle), Escrow: escrowID.String(), Targets: bundle.Targets(),
		Package: transcript.File{Name: name, Size: int64(len(encoded)), SHA256: transcript.Digest(gap.FileOf("", encoded).SHA256)},
	})
}

func (d *desk) wrap(t *testing.T, b *gap.Bundle, medium evidence.Folder, id string) gap.Wrapped {
	t.Helper()
	var target plan.Target
	for _, candidate := range d.plan.Targets {
		if candidate.ID == id {
			target = candidate
		}
	}
	var name string
	for _, f := range b.Fetched {
		if f.Target == id {
			name = f.File.Name
		}
	}
	params, err := b.Parameters(d.plan, id, readFile(t, string(medium), name))
	if err != nil {
		t.Fatal(err)
	}
	if d.change != nil {
		d.change(params)
	}
	w, err := token.Wrap(params, d.material)
	if err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	if err := w.Encode(&plain); err != nil {
		t.Fatal(err)
	}
	content, err := gap.Stamp(token.KindWrapped, plain.Bytes(), d.plan.Rehearsal)
	if err != nil {
		t.Fatal(err)
	}
	wrapped := gap.Wrapped{Target: id, File: gap.FileOf(evidence.WrappedFile(d.packages, id), content), Import: target.Import, ValidTo: target.ValidTo, Description: target.Description}
	write(t, d.folder, wrapped.File.Name, content)
	if d.material.Spec().Kind() == material.HMAC {
		for i := range 2 {
			message := fmt.Sprintf("keymat-verify/v1 %s %d", id, i)
			mac, err := d.material.MAC([]byte(message))
			if err != nil {
				t.Fatal(err)
			}
			wrapped.KnownAnswers = append(wrapped.KnownAnswers, gap.KnownAnswer{Message: message, MAC: mac})
		}
	}
	return wrapped
}

// closes writes the record and its head.
func (d *desk) closes(t *testing.T, r *transcript.Recorder, content []byte) {
	t.Helper()
	statement, err := r.Head().Statement()
	if err != nil {
		t.Fatal(err)
	}
	d.records++
	d.last = r.Last()
	write(t, d.folder, evidence.RecordFile(d.records), content)
	write(t, d.folder, evidence.HeadFile(d.records), statement)
}

// leaves puts all there is on a medium.
func (d *desk) leaves(t *testing.T) (out string) {
	t.Helper()
	out = quickFolder(t)
	if err := os.CopyFS(out, os.DirFS(d.folder)); err != nil {
		t.Fatal(err)
	}
	d.lists(t, out)
	return out
}

// lists writes the manifest of a medium.
func (d *desk) lists(t *testing.T, medium string) {
	t.Helper()
	m, err := gap.Collect(os.DirFS(medium), gap.OriginOf(d.plan), gap.Out)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	write(t, medium, gap.ManifestFile, encoded)
}

// takes brings the records from a medium of the machine that imports.
func (d *desk) takes(t *testing.T, medium string) {
	t.Helper()
	d.records++
	for _, name := range []string{evidence.RecordFile(d.records), evidence.HeadFile(d.records)} {
		write(t, d.folder, name, readFile(t, medium, name))
	}
	d.last = transcript.Verify(readFile(t, d.folder, evidence.RecordFile(d.records))).Head().SHA256
	if _, err := os.Stat(filepath.Join(medium, gap.ManifestFile)); err != nil {
		t.Error(err)
	}
}
