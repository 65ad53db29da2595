// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/report"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/material/entropy"
)

const keyARN = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"

var begin = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

// newPlan is the draft, with a key for each.
func newPlan(t *testing.T, title string) *plan.Plan {
	t.Helper()
	drafted, err := plan.Draft(plan.Sketch{
		File: "plan.yaml", ID: "payments-2026", Title: title, Date: begin.Truncate(24 * time.Hour),
		Spec: material.SymmetricDefault, Threshold: 3, Count: 5, Keys: []string{keyARN},
	})
	if err != nil {
		t.Fatal(err)
	}
	var filled strings.Builder
	for line := range strings.Lines(string(drafted)) {
		if strings.HasPrefix(line, "    # key: ") {
			line = "    key: " + publicKey(t, filled.Len())
		}
		filled.WriteString(line)
	}
	p, err := plan.Read(strings.NewReader(filled.String()))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// publicKey is a key that belongs to a number.
func publicKey(t *testing.T, n int) string {
	t.Helper()
	seed := sha256.Sum256([]byte{byte(n >> 8), byte(n)})
	key, err := ssh.NewPublicKey(ed25519.NewKeyFromSeed(seed[:]).Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(ssh.MarshalAuthorizedKey(key))
}

// memory is a medium.
type memory struct{ bytes.Buffer }

func (*memory) Sync() error { return nil }

// A doing is an event with those whose doing it is.
type doing struct {
	event  transcript.Event
	actors string // IDs, with spaces between
}

// newEvidence is of a ceremony that verifies, in which these things were done, a
// minute each.
func newEvidence(t *testing.T, title string, all ...doing) *report.Evidence {
	t.Helper()
	e := &report.Evidence{Findings: &evidence.Findings{Plan: newPlan(t, title)}}
	m := &memory{}
	now := begin
	clock := func() time.Time {
		now = now.Add(time.Minute)
		return now
	}
	by := func(ids string) transcript.Context { return transcript.Context{Actors: strings.Fields(ids)} }
	opened := transcript.Opened{
		Ceremony: e.Plan.ID, PlanSHA256: e.Plan.Digest(), Approvers: e.Plan.Gates[plan.GatePlan],
		Tool: transcript.Tool{Version: "v1", Go: "go1.26", Platform: "linux/amd64", FIPSModule: "v1.0.0", FIPS: true, SHA256: transcript.Digest{7}},
	}
	r, err := transcript.Begin([]transcript.Medium{m}, clock, opened, by("lead"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if err := r.Append(d.event, by(d.actors)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.End(e.Plan.Gates[plan.GateClose], by("lead")); err != nil {
		t.Fatal(err)
	}
	for _, id := range e.Plan.Gates[plan.GatePlan] {
		e.Approvals = append(e.Approvals, plan.Approval{Person: id, Required: true})
	}
	first := evidence.Record{Name: evidence.RecordFile(1), Transcript: transcript.Verify(m.Bytes())}
	for _, id := range e.Plan.Gates[plan.GateClose] {
		first.Signers = append(first.Signers, plan.Approval{Person: id})
	}
	e.Records = []evidence.Record{first}
	return e
}

// entries are those of the first record.
func entries(e *report.Evidence) []transcript.Entry { return e.Records[0].Transcript.Entries }

// problems are findings of these words.
func problems(texts ...string) (all []evidence.Finding) {
	for _, text := range texts {
		all = append(all, evidence.Finding{What: text})
	}
	return all
}

// noting records files.
func noting(files ...report.File) transcript.Event {
	n := transcript.Noted{Text: "read back"}
	for _, f := range files {
		n.Files = append(n.Files, transcript.File{Name: f.Name, Size: f.Size, SHA256: f.SHA256})
	}
	return n
}

// made is the escrow and the record of randomness of one piece of material.
func made(t *testing.T) (sealed, random report.File) {
	t.Helper()
	m, err := material.Generate(material.SymmetricDefault)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Destroy()
	f, _, err := escrow.SealQuorum(m, begin, escrow.Plan{Profile: escrow.FIPSQuorum, Scheme: escrow.SLIP39, Threshold: 3, Count: 5})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Encode(&b); err != nil {
		t.Fatal(err)
	}
	sealed = report.Recognise("payments.escrow", b.Bytes())
	rng := entropy.ObserveRNG()
	sample, err := entropy.TakeSample()
	if err != nil {
		t.Fatal(err)
	}
	b.Reset()
	record := entropy.Record{At: begin, Tool: "keymat v1", Spec: m.Spec(), Fingerprint: m.Fingerprint().String(), Method: entropy.Generator, RNG: &rng, Sample: &sample}
	if err := record.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return sealed, report.Recognise("payments.randomness", b.Bytes())
}

// write is the page.
func write(t *testing.T, e *report.Evidence) string {
	t.Helper()
	var b strings.Builder
	if err := report.Write(&b, e, begin, "keymat v1"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
