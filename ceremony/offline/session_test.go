// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
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
		"HMAC_512, rehearsal":    {spec: material.HMAC512, threshold: 2, count: 3, changes: []string{"rehearsal: false", "rehearsal: true"}},
		"RSA_2048, two days":     {spec: material.RSA2048, threshold: 2, count: 3, changes: []string{"session: same-day", "session: two-day"}},
		"ECC_NIST_P256, printed": {spec: material.ECCNISTP256, threshold: 2, count: 3, changes: []string{"custodian: custodian-3, mode: form", "custodian: custodian-3, mode: print"}},
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
			for _, folder := range append([]string{string(c.folder), c.lastOut()}, c.mirrors...) {
				c.verified(folder)
			}
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
	out, pack, content := c.deliversFrom(want)
	if !p.told(strings.Join(gap.Words(content)[:8], " ")) {
		c.t.Error("nobody heard the digest of the package")
	}
	c.checkSigned(out, evidence.SealFile(pack.Escrow.String()), gap.NamespaceSeal)
}

// deliversFrom demands that the latest package brings KMS this material. It gives the
// medium that it is on.
func (c *ceremony) deliversFrom(want *material.Material) (out string, pack *gap.Package, content []byte) {
	c.t.Helper()
	out = c.lastOut()
	numbers, err := evidence.Folder(out).Packages()
	if err != nil || len(numbers) == 0 {
		c.t.Fatalf("packages %v on the medium, error %v", numbers, err)
	}
	number := numbers[len(numbers)-1]
	pack, content, err = evidence.Folder(out).Package(number)
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
	c.checkSigned(out, evidence.PackageFile(number), gap.NamespacePackage)
	c.checkHeads(out)
	return out, pack, content
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
