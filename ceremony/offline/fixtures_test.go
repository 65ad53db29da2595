// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/sshsig"
	"github.com/keymat/keymat/material"
)

const (
	primaryARN = "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
	replicaARN = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab"
)

var morning = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

// A ceremony is the folders and media of one, and the KMS keys at its end.
type ceremony struct {
	t       *testing.T
	plan    *plan.Plan
	folder  evidence.Folder
	mirrors []string
	base    string // where the media are
	clock   time.Time

	in      string            // the medium that came last
	fetched map[string][]byte // bundles, as the fetchers have them, by name
	keys    []*rsa.PrivateKey // of KMS, by the wrapping keys it gave out so far
}

// sketch is what most tests differ in.
type sketch struct {
	spec             material.Spec
	threshold, count int
	token            string // label, in place of shares
	arns             []string
	changes          []string // of the drafted plan: old, new, …
}

func newCeremony(t *testing.T, s sketch) *ceremony {
	t.Helper()
	c := &ceremony{t: t, base: quickFolder(t), clock: morning, fetched: map[string][]byte{}}
	c.folder = evidence.Folder(c.media("own"))
	if s.arns == nil {
		s.arns = []string{primaryARN}
	}
	drafted, err := plan.Draft(plan.Sketch{
		File: "plan.yaml", ID: "payments-2026", Title: "Payments: the root key", Date: morning.Truncate(24 * time.Hour),
		Spec: s.spec, Threshold: s.threshold, Count: s.count, Token: s.token, Keys: s.arns,
	})
	if err != nil {
		t.Fatal(err)
	}
	text := string(drafted)
	id := ""
	var filled strings.Builder
	for line := range strings.Lines(text) { // a key of their own for each
		if after, ok := strings.CutPrefix(line, "  - id: "); ok {
			id = strings.TrimSpace(after)
		}
		if strings.HasPrefix(line, "    # key: ") {
			line = "    key: " + string(ssh.MarshalAuthorizedKey(signerOf(t, id).PublicKey()))
		}
		filled.WriteString(line)
	}
	text = filled.String()
	for i := 0; i < len(s.changes); i += 2 {
		if !strings.Contains(text, s.changes[i]) {
			t.Fatalf("the plan has no %q", s.changes[i])
		}
		text = strings.Replace(text, s.changes[i], s.changes[i+1], 1)
	}
	text = strings.ReplaceAll(text, "profile: quorum ", "profile: fips-quorum ") // age's scrypt takes its time
	text = strings.ReplaceAll(text, "key_spec: RSA_4096", "key_spec: RSA_2048")
	c.write(string(c.folder), evidence.PlanFile, []byte(text))
	if c.plan, err = c.folder.Plan(); err != nil {
		t.Fatal(err)
	}
	for _, id := range c.plan.Gates[plan.GatePlan] {
		c.sign(string(c.folder), evidence.PlanFile, plan.Namespace, id)
	}
	return c
}

// quickFolder is in memory where the system has such a place: what a flush is worth
// is shown elsewhere, and takes its time.
func quickFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "keymat-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

func keyOf(id string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(id))
	return ed25519.NewKeyFromSeed(seed[:])
}

func signerOf(t *testing.T, id string) ssh.Signer {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(keyOf(id))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// media is the medium of a name, made when it is first put in.
func (c *ceremony) media(name string) string {
	c.t.Helper()
	folder := filepath.Join(c.base, name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		c.t.Fatal(err)
	}
	return folder
}

// newMedium is an empty one.
func (c *ceremony) newMedium(name string) string {
	for n := 1; ; n++ {
		if _, err := os.Stat(filepath.Join(c.base, fmt.Sprintf("%s-%d", name, n))); err != nil {
			return c.media(fmt.Sprintf("%s-%d", name, n))
		}
	}
}

func (c *ceremony) write(folder, name string, content []byte) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
		c.t.Fatal(err)
	}
}

func (c *ceremony) sign(folder, name, namespace, id string) {
	c.t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		c.t.Fatal(err)
	}
	signature, err := sshsig.Sign(content, namespace, signerOf(c.t, id))
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(folder, evidence.SignatureFile(name, id), signature)
}

func (c *ceremony) now() time.Time { return c.clock }

// tool is the program that holds ceremonies in tests.
var tool = transcript.Tool{Version: "v0.0.0-test"}

// machine opens the offline machine.
func (c *ceremony) machine() *offline.Machine {
	c.t.Helper()
	m, err := offline.Open(string(c.folder), c.mirrors, c.now, tool)
	if err != nil {
		c.t.Fatal(err)
	}
	m.UseTrialKey(pool()[0])
	c.t.Cleanup(func() { m.Close() })
	return m
}

// room is one with people who do as they are told.
func (c *ceremony) room() *people {
	return &people{t: c.t, c: c, cards: map[int]string{}, wall: c.clock.Format(time.RFC3339)}
}

// allTargets are the IDs of the targets of the plan.
func (c *ceremony) allTargets() (ids []string) {
	for _, t := range c.plan.Targets {
		ids = append(ids, t.ID)
	}
	return ids
}

// most is more tasks than any ceremony here has.
const most = 100

// hold goes on until nothing is left to do here, or up to a step, and returns the
// error of the step that failed. What is to be fetched comes.
func (c *ceremony) hold(m *offline.Machine, p *people, until phase.Step) error {
	c.t.Helper()
	for range most {
		a := m.Agenda()
		if len(a.Here) == 0 || a.Here[0].Step == until {
			return nil
		}
		if a.Here[0].Step == phase.Accept && c.in == "" {
			c.fetch(1, 24*time.Hour, c.allTargets()...)
		}
		p.Announce(a.Here[0])
		if err := m.Perform(context.Background(), p, a.Here[0]); err != nil {
			return err
		}
		c.clock = c.clock.Add(time.Minute)
	}
	c.t.Fatalf("no end after %d steps: %v", most, m.Agenda())
	return nil
}

// mustHold is hold without an error.
func (c *ceremony) mustHold(m *offline.Machine, p *people, until phase.Step) {
	c.t.Helper()
	if err := c.hold(m, p, until); err != nil {
		c.t.Fatal(err)
	}
}

// state is what the records say.
func (c *ceremony) state() *phase.State {
	c.t.Helper()
	records, err := c.folder.Records()
	if err != nil {
		c.t.Fatal(err)
	}
	s, err := phase.Fold(c.plan, records...)
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}
