// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tink-crypto/tink-go/v2/kwp/subtle"
	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/sshsig"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
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
	fetched []byte            // the bundle on it
	keys    []*rsa.PrivateKey // of KMS, by the wrapping keys it gave out so far
}

// sketch is what most tests differ in.
type sketch struct {
	spec             material.Spec
	threshold, count int
	arns             []string
	changes          []string // of the drafted plan: old, new, …
	age              bool     // whose scrypt takes its time
}

func newCeremony(t *testing.T, s sketch) *ceremony {
	t.Helper()
	c := &ceremony{t: t, base: quickFolder(t), clock: morning}
	c.folder = evidence.Folder(c.media("own"))
	if s.arns == nil {
		s.arns = []string{primaryARN}
	}
	drafted, err := plan.Draft(plan.Sketch{
		File: "plan.yaml", ID: "payments-2026", Title: "Payments: the root key", Date: morning.Truncate(24 * time.Hour),
		Spec: s.spec, Threshold: s.threshold, Count: s.count, Keys: s.arns,
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
	if !s.age {
		text = strings.ReplaceAll(text, "profile: quorum ", "profile: fips-quorum ")
	}
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

// pool makes the wrapping keys of KMS once for all tests: which is which does not
// matter, as long as no ceremony meets one twice.
var pool = sync.OnceValue(func() (keys []*rsa.PrivateKey) {
	for range 4 {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys = append(keys, key)
	}
	return keys
})

// wrappingKey is the next that KMS gives out.
func (c *ceremony) wrappingKey() *rsa.PrivateKey {
	key := pool()[len(c.keys)%len(pool())]
	c.keys = append(c.keys, key)
	return key
}

// fetch has the fetchers bring a medium with a bundle of a number for targets, whose
// tokens are valid for so long.
func (c *ceremony) fetch(number int, valid time.Duration, targets ...string) {
	c.t.Helper()
	c.in = c.newMedium("in")
	b := &gap.Bundle{Origin: gap.OriginOf(c.plan)}
	for _, target := range c.plan.Targets {
		if !slices.Contains(targets, target.ID) {
			continue
		}
		name := evidence.ParametersFile(number, target.ID)
		content := c.parameters(target, valid)
		c.write(c.in, name, content)
		b.Fetched = append(b.Fetched, gap.Fetched{
			Target: target.ID, At: c.clock, Caller: "arn:aws:sts::111122223333:assumed-role/fetch/fetcher-1", RequestID: "f0e1d2c3-0000-4000-8000-000000000001",
			Key:  gap.Key{State: "PendingImport", Spec: string(c.plan.Material.Spec), Usage: string(c.plan.Material.Usage), Origin: "EXTERNAL"},
			File: gap.FileOf(name, content),
		})
	}
	var err error
	if c.fetched, err = b.Encode(); err != nil {
		c.t.Fatal(err)
	}
	c.write(c.in, evidence.BundleFile(number), c.fetched)
	for _, id := range gap.Signers(c.plan, gap.NamespaceBundle) {
		c.sign(c.in, evidence.BundleFile(number), gap.NamespaceBundle, id)
	}
	c.finish(c.in, gap.In)
}

func (c *ceremony) parameters(target plan.Target, valid time.Duration) []byte {
	c.t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&c.wrappingKey().PublicKey)
	if err != nil {
		c.t.Fatal(err)
	}
	params := &token.Parameters{
		KeyARN: target.Key, KeySpec: c.plan.Material.Spec, Algorithm: target.Wrapping.Algorithm, WrappingKeySpec: target.Wrapping.KeySpec,
		PublicKey: der, ImportToken: fmt.Appendf(nil, "token %d", len(c.keys)), ValidTo: c.clock.Add(valid),
	}
	var b bytes.Buffer
	if err := params.Encode(&b); err != nil {
		c.t.Fatal(err)
	}
	content, err := gap.Stamp(token.KindParameters, b.Bytes(), c.plan.Rehearsal)
	if err != nil {
		c.t.Fatal(err)
	}
	return content
}

// finish writes the manifest of a medium.
func (c *ceremony) finish(folder string, d gap.Direction) {
	c.t.Helper()
	manifest, err := gap.Collect(os.DirFS(folder), gap.OriginOf(c.plan), d)
	if err != nil {
		c.t.Fatal(err)
	}
	content, err := manifest.Encode()
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(folder, gap.ManifestFile, content)
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

// unwrapped is what KMS gets of a target's material, by the wrapping key that was
// given out as the n-th, from 0.
func (c *ceremony) unwrapped(folder, target string, number, n int) material.Secret {
	c.t.Helper()
	pack, _, err := evidence.Folder(folder).Package(number)
	if err != nil {
		c.t.Fatal(err)
	}
	content, err := evidence.Folder(folder).Read(evidence.WrappedFile(number, target), token.MaxFile)
	if err != nil {
		c.t.Fatal(err)
	}
	wrapped, err := pack.Material(c.plan, target, content)
	if err != nil {
		c.t.Fatal(err)
	}
	plain, err := unwrap(c.keys[n], wrapped.Algorithm, wrapped.EncryptedKeyMaterial)
	if err != nil {
		c.t.Fatal(err)
	}
	return material.NewSecret(plain)
}

// unwrap is what KMS does.
func unwrap(key *rsa.PrivateKey, a wrap.Algorithm, encrypted []byte) ([]byte, error) {
	if !a.Hybrid() {
		return rsa.DecryptOAEP(sha256.New(), nil, key, encrypted, nil)
	}
	aesKey, err := rsa.DecryptOAEP(sha256.New(), nil, key, encrypted[:key.Size()], nil)
	if err != nil {
		return nil, err
	}
	kek, err := subtle.NewKWP(aesKey)
	if err != nil {
		return nil, err
	}
	return kek.Unwrap(encrypted[key.Size():])
}
