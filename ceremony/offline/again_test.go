// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"bytes"
	"context"
	"errors"
	"os"
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
		Ceremony: c.plan.ID, PlanSHA256: c.plan.Digest(), Approvers: c.plan.Gates[plan.GatePlan], Rehearsal: c.plan.Rehearsal,
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
	if err := errors.Join(r.End(c.plan.Gates[plan.GateClose], office), r.Release()); err != nil {
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
