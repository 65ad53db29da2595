// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/record"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
)

// TestSessions holds whole ceremonies, up to what goes to the machine that imports,
// and sees to it that KMS would get what the custodians can bring back.
func TestSessions(t *testing.T) {
	for name, s := range map[string]sketch{
		"AES-256, 3 of 5":       {spec: material.SymmetricDefault, threshold: 3, count: 5},
		"AES-256, two days":     {spec: material.SymmetricDefault, threshold: 2, count: 3, changes: []string{"session: same-day", "session: two-day"}},
		"AES-256, plain Shamir": {spec: material.SymmetricDefault, threshold: 2, count: 2, changes: []string{"scheme: slip39", "scheme: shamir"}},
		"AES-256, two Regions":  {spec: material.SymmetricDefault, threshold: 2, count: 3, arns: []string{primaryARN, replicaARN}},
		"AES-256, dice":         {spec: material.SymmetricDefault, threshold: 2, count: 3, changes: []string{"dice: none", "dice: required"}},
		"AES-256, components": {spec: material.SymmetricDefault, threshold: 2, count: 3, changes: []string{
			"source: drbg", "source: components", "# components: [custodian-1, custodian-2] ", "components: [custodian-1, custodian-2] "}},
		"HMAC_512, rehearsal": {spec: material.HMAC512, threshold: 2, count: 3, changes: []string{"rehearsal: false", "rehearsal: true"}},
		"RSA_2048, two days":  {spec: material.RSA2048, threshold: 2, count: 3, changes: []string{"session: same-day", "session: two-day"}},
		"ECC_NIST_P256, files": {spec: material.ECCNISTP256, threshold: 2, count: 3, changes: []string{
			"custodian: custodian-2, mode: form", "custodian: custodian-2, mode: file", "custodian: custodian-3, mode: form", "custodian: custodian-3, mode: print"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCeremony(t, s)
			c.mirrors = []string{c.media("mirror")}
			p := c.room()
			m := c.machine()
			c.mustHold(m, p, "")
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
			c.holds(p)
			c.checkMirror()
		})
	}
}

// holds sees to it that a ceremony whose offline part is over has brought what it
// should.
func (c *ceremony) holds(p *people) {
	c.t.Helper()
	s := c.state()
	if s.Phase() != phase.Closed {
		c.t.Fatalf("the ceremony is %s", s.Progress())
	}
	want := c.recovered(p)
	out := c.lastOut()
	numbers, err := evidence.Folder(out).Packages()
	if err != nil || len(numbers) == 0 {
		c.t.Fatalf("packages %v on the medium, error %v", numbers, err)
	}
	number := numbers[len(numbers)-1]
	pack, content, err := evidence.Folder(out).Package(number)
	if err != nil {
		c.t.Fatal(err)
	}
	for i, w := range pack.Wrapped {
		got := c.unwrapped(out, w.Target, number, len(c.keys)-len(pack.Wrapped)+i)
		if !got.Equal(want.Secret()) {
			c.t.Errorf("%s gets other material than the shares bring back", w.Target)
		}
		c.checkAnswers(want, w)
	}
	if !p.told(strings.Join(gap.Words(content)[:8], " ")) {
		c.t.Error("nobody heard the digest of the package")
	}
	c.checkSigned(out, evidence.PackageFile(number), gap.NamespacePackage)
	c.checkSigned(out, evidence.SealFile(pack.Escrow.String()), gap.NamespaceSeal)
	c.checkHeads(out)
}

// checkAnswers holds the known answers of HMAC material against it.
func (c *ceremony) checkAnswers(made *material.Material, w gap.Wrapped) {
	c.t.Helper()
	want := 0
	if made.Spec().Kind() == material.HMAC {
		want = 2
	}
	if len(w.KnownAnswers) != want {
		c.t.Errorf("%d known answers, want %d", len(w.KnownAnswers), want)
	}
	for _, answer := range w.KnownAnswers {
		if mac, err := made.MAC([]byte(answer.Message)); err != nil || !bytes.Equal(mac, answer.MAC) {
			c.t.Errorf("the answer to %q is another", answer.Message)
		}
	}
}

// recovered is the material that custodians bring back with their cards, and the
// escrow of any copy.
func (c *ceremony) recovered(p *people) *material.Material {
	c.t.Helper()
	var shares []escrow.Share
	for _, card := range p.cards {
		s, err := escrow.ParseShare([]byte(card))
		if err != nil {
			c.t.Fatal(err)
		}
		shares = append(shares, s)
	}
	var kept string
	for _, e := range c.state().Escrows() {
		if e.Condition == phase.Kept {
			kept = e.ID
		}
	}
	content, err := os.ReadFile(filepath.Join(c.media("copy-2"), evidence.EscrowFile(kept)))
	if err != nil {
		c.t.Fatal(err)
	}
	plain, err := gap.Unstamp(escrow.Kind, content, c.plan.Rehearsal)
	if err != nil {
		c.t.Fatal(err)
	}
	f, err := escrow.Read(bytes.NewReader(plain))
	if err != nil {
		c.t.Fatal(err)
	}
	key, err := f.Combine(shares[:f.Shares.Threshold])
	if err != nil {
		c.t.Fatal(err)
	}
	made, err := f.OpenKey(key)
	if err != nil {
		c.t.Fatal(err)
	}
	return made
}

// lastOut is the medium that went out last.
func (c *ceremony) lastOut() string {
	c.t.Helper()
	all, err := filepath.Glob(filepath.Join(c.base, "out-*"))
	if err != nil || len(all) == 0 {
		c.t.Fatalf("no medium went out, error %v", err)
	}
	slices.Sort(all)
	manifest, err := evidence.Folder(all[len(all)-1]).Manifest()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := manifest.Check(os.DirFS(all[len(all)-1])); err != nil || manifest.Direction != gap.Out {
		c.t.Errorf("the medium that went %s: %v", manifest.Direction, err)
	}
	return all[len(all)-1]
}

func (c *ceremony) checkSigned(folder, name, namespace string) {
	c.t.Helper()
	f := evidence.Folder(folder)
	content, err := f.Read(name, gap.MaxArtefact)
	if err != nil {
		c.t.Fatal(err)
	}
	signatures, err := f.Signatures(name)
	if err != nil {
		c.t.Fatal(err)
	}
	if approvals := gap.CheckSigners(c.plan, namespace, content, signatures); !plan.Approved(approvals) {
		c.t.Errorf("signatures of %s: %+v", name, approvals)
	}
}

// checkHeads sees to it that each record is closed, and its head signed.
func (c *ceremony) checkHeads(folder string) {
	c.t.Helper()
	f := evidence.Folder(folder)
	records, err := f.Records()
	if err != nil {
		c.t.Fatal(err)
	}
	for i, record := range records {
		statement, err := f.Read(evidence.HeadFile(i+1), transcript.MaxHead)
		if err != nil {
			c.t.Fatal(err)
		}
		head, err := transcript.ReadHead(statement)
		if err != nil {
			c.t.Fatal(err)
		}
		if faults := append(record.Faults, record.CheckHead(head)...); len(faults) > 0 {
			c.t.Errorf("record %d: %v", i+1, faults)
		}
		c.checkSigned(folder, evidence.HeadFile(i+1), transcript.Namespace)
	}
}

// checkMirror compares the mirror with the folder.
func (c *ceremony) checkMirror() {
	c.t.Helper()
	entries, err := os.ReadDir(string(c.folder))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, e := range entries {
		want, err := os.ReadFile(filepath.Join(string(c.folder), e.Name()))
		if err != nil {
			c.t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(c.mirrors[0], e.Name())); err != nil || !bytes.Equal(got, want) {
			c.t.Errorf("the mirror of %s differs: %v", e.Name(), err)
		}
	}
}

// TestSourceEscrow brings material of an earlier ceremony into another key: RSA_4096,
// which is wrapped by RSA_AES_KEY_WRAP.
func TestSourceEscrow(t *testing.T) {
	content, err := os.ReadFile("../../material/testdata/rsa4096.p8.der")
	if err != nil {
		t.Fatal(err)
	}
	made, err := material.New(material.RSA4096, bytes.Clone(content))
	if err != nil {
		t.Fatal(err)
	}
	f, shares, err := escrow.SealQuorum(made, morning, escrow.Plan{Profile: escrow.FIPSQuorum, Scheme: escrow.SLIP39, Threshold: 2, Count: 3})
	if err != nil {
		t.Fatal(err)
	}
	expected := sketch{spec: material.RSA4096, threshold: 2, count: 3, changes: []string{
		"source: drbg", "source: escrow", "# expected:\n#   escrow: 32 hexadecimal digits\n#   fingerprint: cmac:0a1b2c3d4e\n#   material_id: 64 hexadecimal digits",
		"expected:\n  escrow: " + f.ID.String() + "\n  fingerprint: " + f.Fingerprint,
	}}
	c := newCeremony(t, expected)
	m, p := c.machine(), c.room()
	task := c.upTo(m, p, phase.Recover)
	for _, s := range shares {
		s.Text().Expose(func(text []byte) error { p.cards[s.Index] = string(text); return nil })
	}
	archive := c.media("a-medium-with-the-escrow-" + f.ID.String())
	other, _, err := escrow.SealQuorum(made, morning, escrow.Plan{Profile: escrow.FIPSQuorum, Scheme: escrow.SLIP39, Threshold: 2, Count: 3})
	if err != nil {
		t.Fatal(err)
	}
	c.writeEscrow(archive, f.ID, other)
	if e := want[*gap.MismatchError](c, m, p, task); e.Field != "escrow" {
		t.Errorf("error %v", e)
	}
	c.writeEscrow(archive, f.ID, f)
	c.mustHold(m, p, "")
	if got := c.unwrapped(c.lastOut(), "primary", 1, 0); !got.Equal(made.Secret()) {
		t.Error("KMS gets other material than the escrow holds")
	}
}

// writeEscrow writes an escrow under the name of one with an ID.
func (c *ceremony) writeEscrow(folder string, id escrow.ID, f *escrow.File) {
	c.t.Helper()
	var b bytes.Buffer
	if err := f.Encode(&b); err != nil {
		c.t.Fatal(err)
	}
	c.write(folder, evidence.EscrowFile(id.String()), b.Bytes())
}

// TestTokenRenewed: when a token expired before the import, the ceremony comes back
// to the offline machine with the record of the one that imports.
func TestTokenRenewed(t *testing.T) {
	c := newCeremony(t, small)
	p := c.room()
	c.mustHold(c.machine(), p, "")
	c.in = c.imports(transcript.Submitted{Target: "primary", Package: c.packageOf("primary"), Wrapped: transcript.Digest{1}},
		transcript.Refused{Target: "primary", Code: "ExpiredImportTokenException", Remedy: transcript.WrapAgain})
	m := c.machine()
	if here := m.Agenda().Here; len(here) != 0 {
		t.Fatalf("the agenda is %v before their record came", here)
	}
	if err := m.Receive(context.Background(), p); err != nil {
		t.Fatal(err)
	}
	if err := m.Receive(context.Background(), p); err == nil {
		t.Error("the same records came twice")
	}
	if task := m.Agenda().Here[0]; task.Step != phase.Begin {
		t.Fatalf("the next step is %s", task)
	}
	c.fetch(2, 24*time.Hour, "primary")
	p.wall = c.clock.Format(time.RFC3339)
	c.mustHold(m, p, "")
	c.holds(p)
	if records, err := c.folder.Records(); err != nil || len(records) != 3 {
		t.Errorf("%d records, error %v", len(records), err)
	}
}

// packageOf is the package that may be submitted for a target.
func (c *ceremony) packageOf(target string) transcript.Digest {
	for _, t := range c.state().Targets() {
		if t.ID == target {
			return t.Package
		}
	}
	return transcript.Digest{}
}

// imports has the machine that imports write a record of some events, and gives the
// medium that comes back.
func (c *ceremony) imports(events ...transcript.Event) string {
	c.t.Helper()
	folder := evidence.Folder(c.media("back"))
	if err := os.CopyFS(string(folder), os.DirFS(c.lastOut())); err != nil {
		c.t.Fatal(err)
	}
	records, err := folder.Records()
	if err != nil {
		c.t.Fatal(err)
	}
	n := len(records)
	office := transcript.Context{Actors: []string{"importer", "witness"}}
	r, err := record.Begin([]string{string(folder)}, c.now, transcript.Opened{
		Ceremony: c.plan.ID, PlanSHA256: c.plan.Digest(), Rehearsal: c.plan.Rehearsal,
		Part: transcript.Part{Number: n, Machine: transcript.ImportMachine, After: records[n-1].Head().SHA256},
	}, office)
	if err != nil {
		c.t.Fatal(err)
	}
	for _, e := range append([]transcript.Event{transcript.Confirmed{Gate: plan.GateImport, Text: "seen"}}, events...) {
		if err := r.Append(e, office); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := errors.Join(r.End(nil, office), r.Release()); err != nil {
		c.t.Fatal(err)
	}
	statement, err := r.Head().Statement()
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(string(folder), evidence.HeadFile(n+1), statement)
	for _, id := range c.plan.Gates[plan.GateClose] {
		c.sign(string(folder), evidence.HeadFile(n+1), transcript.Namespace, id)
	}
	if err := os.Remove(folder.Path(gap.ManifestFile)); err != nil {
		c.t.Fatal(err)
	}
	c.finish(string(folder), gap.In)
	return string(folder)
}
