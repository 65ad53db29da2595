// SPDX-License-Identifier: Apache-2.0

// Package evidencetest plays key ceremonies without people, for the tests of what
// reads their folders: lines and files are those that the machines of a ceremony
// leave, but for what is wrapped, which nobody can open.
package evidencetest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/sshsig"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
)

// ARNs of the KMS keys, a multi-Region key with one replica.
const (
	PrimaryARN = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
	ReplicaARN = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
)

// Begin is when ceremonies begin; each line comes a minute after the one before.
var Begin = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

// A Ceremony is being played.
type Ceremony struct {
	Folder evidence.Folder
	Plan   *plan.Plan
	Lies

	t        testing.TB
	now      time.Time
	recorder *transcript.Recorder
	medium   medium
	records  int
	bundles  int
	packages int

	sealed *escrow.File // the latest escrow
	seal   transcript.Digest
	bundle transcript.Digest
	params map[string]*token.Parameters // by target
}

// Lies are what files or lines say instead of the truth; each zero for the truth.
type Lies struct {
	Bags     string            // in the seal record, how serial numbers begin
	Binds    transcript.Digest // in the seal record, the line before
	Deadline string            // in the line of a bundle, the end of its tokens
	Token    string            // in what was wrapped, the import token
	Sealed   transcript.Digest // in a package, the seal record
	Print    string            // in a package, the fingerprint of the material
	Bytes    string            // what is sent to KMS
}

// or is what is said: a lie, if there is one.
func or[T comparable](lie, truth T) T {
	var none T
	if lie != none {
		return lie
	}
	return truth
}

// medium is a record in its file.
type medium struct {
	t    testing.TB
	path string
}

func (m *medium) Write(b []byte) (int, error) {
	f, err := os.OpenFile(m.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return 0, err
	}
	n, err := f.Write(b)
	return n, errors.Join(err, f.Close())
}

func (*medium) Sync() error { return nil }

// New puts an approved plan of 2 of 3 shares into an empty folder. replacements
// are of texts in the plan, old and new.
func New(t testing.TB, folder string, replacements ...string) *Ceremony {
	t.Helper()
	return approved(t, folder, plan.Sketch{Threshold: 2, Count: 3, Keys: []string{PrimaryARN, ReplicaARN}},
		append([]string{"profile: quorum ", "profile: fips-quorum "}, replacements...))
}

// NewInToken is New for a plan whose material is made in the token "ceremony", of
// which there is one backup, and that is for the primary alone.
func NewInToken(t testing.TB, folder string, replacements ...string) *Ceremony {
	t.Helper()
	return approved(t, folder, plan.Sketch{Token: "ceremony", Keys: []string{PrimaryARN}}, replacements)
}

func approved(t testing.TB, folder string, s plan.Sketch, replacements []string) *Ceremony {
	t.Helper()
	s.File, s.ID, s.Title, s.Date, s.Spec = "plan.yaml", "payments-2026", "Payments: the root key", Begin.Truncate(24*time.Hour), material.SymmetricDefault
	drafted, err := plan.Draft(s)
	if err != nil {
		t.Fatal(err)
	}
	text := withKeys(t, string(drafted))
	for pair := range slices.Chunk(replacements, 2) {
		if !strings.Contains(text, pair[0]) {
			t.Fatalf("the plan has no %q", pair[0])
		}
		text = strings.Replace(text, pair[0], pair[1], 1)
	}
	p, err := plan.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := &Ceremony{Folder: evidence.Folder(folder), Plan: p, t: t, now: Begin}
	c.Write(evidence.PlanFile, []byte(text))
	c.Sign(evidence.PlanFile, plan.Namespace, []byte(text), p.Gates[plan.GatePlan])
	return c
}

// withKeys gives everybody in a plan the key that belongs to their ID.
func withKeys(t testing.TB, text string) string {
	var filled strings.Builder
	id := ""
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "  - id: "); ok {
			id = strings.TrimSpace(rest)
		}
		if strings.HasPrefix(line, "    # key: ") {
			line = "    key: " + string(ssh.MarshalAuthorizedKey(Signer(t, id).PublicKey()))
		}
		filled.WriteString(line)
	}
	return filled.String()
}

// Signer is the ssh key that belongs to an ID.
func Signer(t testing.TB, id string) ssh.Signer {
	t.Helper()
	seed := sha256.Sum256([]byte(id))
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// Write puts a file into the folder.
func (c *Ceremony) Write(name string, content []byte) {
	c.t.Helper()
	if err := os.WriteFile(c.Folder.Path(name), content, 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// Sign has people sign a file.
func (c *Ceremony) Sign(name, namespace string, content []byte, people []string) {
	c.t.Helper()
	for _, id := range people {
		armoured, err := sshsig.Sign(content, namespace, Signer(c.t, id))
		if err != nil {
			c.t.Fatal(err)
		}
		c.Write(evidence.SignatureFile(name, id), armoured)
	}
}

// Open begins the next record, on a machine.
func (c *Ceremony) Open(m transcript.Machine) {
	c.t.Helper()
	o := transcript.Opened{
		Ceremony: c.Plan.ID, PlanSHA256: c.Plan.Digest(), Approvers: c.Plan.Gates[plan.GatePlan], Rehearsal: c.Plan.Rehearsal,
		Tool: transcript.Tool{Version: "v1.0.0", Revision: "0a1b2c3d", Go: "go1.26.8", Platform: "linux/amd64", FIPSModule: "v1.0.0", FIPS: true, SHA256: sha256.Sum256([]byte(m))},
	}
	if c.records > 0 {
		o.Part = transcript.Part{Number: c.records, Machine: m, After: c.recorder.Head().SHA256}
	}
	c.records++
	c.medium = medium{c.t, c.Folder.Path(evidence.RecordFile(c.records))}
	r, err := transcript.Begin([]transcript.Medium{&c.medium}, c.clock, o, transcript.Context{Wall: c.now.Format("15:04"), Actors: c.Plan.Gates[plan.GateOpen]})
	if err != nil {
		c.t.Fatal(err)
	}
	c.recorder = r
}

func (c *Ceremony) clock() time.Time {
	c.now = c.now.Add(time.Minute)
	return c.now
}

// Wait lets time pass before the next line.
func (c *Ceremony) Wait(d time.Duration) { c.now = c.now.Add(d) }

// Add records what people have done; who is their IDs, with spaces between.
func (c *Ceremony) Add(who string, events ...transcript.Event) {
	c.t.Helper()
	for _, e := range events {
		if err := c.recorder.Append(e, transcript.Context{Actors: strings.Fields(who)}); err != nil {
			c.t.Fatal(err)
		}
	}
}

// Pass records that everybody confirmed a gate.
func (c *Ceremony) Pass(g plan.Gate) {
	c.t.Helper()
	c.Add(strings.Join(c.Plan.Gates[g], " "), transcript.Confirmed{Gate: g, Text: "seen and compared"})
}

// Cut cuts the power in the middle of a line, and goes on.
func (c *Ceremony) Cut() {
	c.t.Helper()
	if _, err := c.medium.Write([]byte(`{"seq":3,"pr`)); err != nil {
		c.t.Fatal(err)
	}
	content, err := os.ReadFile(c.medium.path)
	if err != nil {
		c.t.Fatal(err)
	}
	if c.recorder, err = transcript.Resume([]transcript.Medium{&c.medium}, [][]byte{content}, c.clock); err != nil {
		c.t.Fatal(err)
	}
}

// Close ends the record, and has it signed.
func (c *Ceremony) Close() {
	c.t.Helper()
	signers := c.Plan.Gates[plan.GateClose]
	if err := c.recorder.End(signers, transcript.Context{Actors: signers}); err != nil {
		c.t.Fatal(err)
	}
	statement, err := c.recorder.Head().Statement()
	if err != nil {
		c.t.Fatal(err)
	}
	name := evidence.HeadFile(c.records)
	c.Write(name, statement)
	c.Sign(name, transcript.Namespace, statement, signers)
	c.Write(evidence.SignersFile, c.Plan.AllowedSigners(evidence.Namespaces()...))
}

// file writes a file of the folder, and is what a line says of it.
func (c *Ceremony) file(name string, content []byte) transcript.File {
	c.t.Helper()
	c.Write(name, content)
	return transcript.File{Name: name, Size: int64(len(content)), SHA256: sha256.Sum256(content)}
}

// stamped is a file of another package, marked if this is a rehearsal.
func (c *Ceremony) stamped(kind string, encode func(*bytes.Buffer) error) []byte {
	c.t.Helper()
	var b bytes.Buffer
	if err := encode(&b); err != nil {
		c.t.Fatal(err)
	}
	content, err := gap.Stamp(kind, b.Bytes(), c.Plan.Rehearsal)
	if err != nil {
		c.t.Fatal(err)
	}
	return content
}

func custodian(n int) string { return fmt.Sprintf("custodian-%d", n) }
