// SPDX-License-Identifier: Apache-2.0

package evidencetest

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
)

// minutes is a file that people noted.
const minutes = "minutes.txt"

const (
	room   = "operator-1 witness"
	office = "importer witness"
)

// Whole plays a ceremony in which nothing goes wrong, on one day.
func Whole(t testing.TB, folder string, replacements ...string) *Ceremony {
	t.Helper()
	c := New(t, folder, replacements...)
	c.HoldOffline()
	c.Open(transcript.ImportMachine)
	c.Pass(plan.GateImport)
	for _, target := range c.Plan.Targets {
		c.Import(target.ID)
	}
	c.Close()
	return c
}

// HoldOffline plays the part of the offline machine, of one day, in which nothing goes
// wrong.
func (c *Ceremony) HoldOffline() {
	c.t.Helper()
	c.Open(transcript.OfflineMachine)
	c.Pass(plan.GateOpen)
	c.Make()
	c.Seal()
	c.Fetch()
	c.Wrap()
	c.Leave()
}

// Make generates material, and escrows it.
func (c *Ceremony) Make() {
	c.t.Helper()
	m, err := material.Generate(c.Plan.Material.Spec)
	if err != nil {
		c.t.Fatal(err)
	}
	defer m.Destroy()
	c.Add(room, transcript.Generated{KeySpec: m.Spec(), Source: plan.FromDRBG, Fingerprint: m.Fingerprint().String()})
	c.Pass(plan.GateIdentity)
	c.escrow(m, m.Fingerprint().String())
}

// escrow puts material into a new escrow, which says that it has a fingerprint.
func (c *Ceremony) escrow(m *material.Material, fingerprint string) {
	c.t.Helper()
	f, _, err := escrow.SealQuorum(m, c.now, escrow.Plan{Profile: c.Plan.Escrow.Profile, Scheme: c.Plan.Escrow.Scheme, Threshold: c.Plan.Shares.Threshold, Count: c.Plan.Shares.Count})
	if err != nil {
		c.t.Fatal(err)
	}
	f.Fingerprint = fingerprint
	c.sealed = f
	content := c.stamped(escrow.Kind, func(b *bytes.Buffer) error { return f.Encode(b) })
	c.Add(room, transcript.Escrowed{Escrow: f.ID.String(), Fingerprint: f.Fingerprint, File: c.file(evidence.EscrowFile(f.ID.String()), content)})
}

// Deal copies the escrow, and has each custodian take a share and show it.
func (c *Ceremony) Deal() (copies []string, shares []gap.SealedShare) {
	c.t.Helper()
	id, digest := c.sealed.ID.String(), c.escrowDigest()
	for _, to := range c.Plan.Escrow.Copies {
		c.Add(room, transcript.Copied{Escrow: id, Copy: to.ID, SHA256: digest})
		copies = append(copies, to.ID)
	}
	for n := 1; n <= c.Plan.Shares.Count; n++ {
		bag := fmt.Sprintf("B-%d", 100+n)
		c.Add("operator-1 "+custodian(n), transcript.Issued{Escrow: id, Share: n}, transcript.ReadBack{Escrow: id, Share: n, Bag: bag})
		shares = append(shares, gap.SealedShare{Share: n, Bag: strings.Replace(bag, "B-", or(c.Bags, "B-"), 1)})
	}
	return copies, shares
}

func (c *Ceremony) escrowDigest() transcript.Digest {
	c.t.Helper()
	content, err := c.Folder.Read(evidence.EscrowFile(c.sealed.ID.String()), escrow.MaxFile)
	if err != nil {
		c.t.Fatal(err)
	}
	return sha256.Sum256(content)
}

// Seal deals the shares, and seals the set.
func (c *Ceremony) Seal() {
	c.t.Helper()
	c.sealWith(c.Deal())
}

func (c *Ceremony) sealWith(copies []string, shares []gap.SealedShare) {
	c.t.Helper()
	c.Pass(plan.GateSealed)
	seal := gap.Seal{
		Origin: gap.OriginOf(c.Plan), At: c.now, Escrow: c.sealed.ID, EscrowSHA256: token.Digest(c.escrowDigest()), KeySpec: c.sealed.KeySpec,
		Fingerprint: c.sealed.Fingerprint, Transcript: token.Digest(or(c.Binds, c.recorder.Head().SHA256)), Copies: copies, Shares: shares,
	}
	id := c.sealed.ID.String()
	record := c.signed(evidence.SealFile(id), gap.NamespaceSeal, seal.Encode)
	c.seal = record.SHA256
	c.Add(room, transcript.Sealed{Escrow: id, SHA256: c.escrowDigest(), Record: record})
}

// signed writes what package gap encodes, signed by whom it asks for.
func (c *Ceremony) signed(name, namespace string, encode func() ([]byte, error)) transcript.File {
	c.t.Helper()
	content, err := encode()
	if err != nil {
		c.t.Fatal(err)
	}
	c.Sign(name, namespace, content, gap.Signers(c.Plan, namespace))
	return c.file(name, content)
}

// Fetch brings a bundle for all targets, and accepts it.
func (c *Ceremony) Fetch() {
	c.t.Helper()
	c.bundles++
	c.params = map[string]*token.Parameters{}
	b := gap.Bundle{Origin: gap.OriginOf(c.Plan)}
	var targets []string
	for _, target := range c.Plan.Targets {
		name := evidence.ParametersFile(c.bundles, target.ID)
		params := c.parameters(target)
		content := c.stamped(token.KindParameters, func(b *bytes.Buffer) error { return params.Encode(b) })
		c.Write(name, content)
		c.params[target.ID] = params
		targets = append(targets, target.ID)
		b.Fetched = append(b.Fetched, gap.Fetched{
			Target: target.ID, At: c.now, Caller: "arn:aws:sts::111122223333:assumed-role/fetch/fetcher-1", RequestID: "f0e1d2c3-0000-4000-8000-000000000001",
			Key:  gap.Key{State: "PendingImport", Spec: string(c.Plan.Material.Spec), Usage: string(c.Plan.Material.Usage), Origin: "EXTERNAL", MultiRegion: true},
			File: gap.FileOf(name, content),
		})
	}
	f := c.signed(evidence.BundleFile(c.bundles), gap.NamespaceBundle, b.Encode)
	c.bundle = f.SHA256
	c.Add(room, transcript.Bundled{File: f, Targets: targets, ValidTo: or(c.Deadline, c.params[targets[0]].ValidTo.Format(time.RFC3339))})
	c.Pass(plan.GateBundle)
}

// parameters are import parameters of a public key that nobody has the other
// half of.
func (c *Ceremony) parameters(target plan.Target) *token.Parameters {
	c.t.Helper()
	n := new(big.Int).Lsh(big.NewInt(1), uint(target.Wrapping.KeySpec.Bits()-1))
	n.Add(n, big.NewInt(int64(2*c.bundles+1)))
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n, E: 65537})
	if err != nil {
		c.t.Fatal(err)
	}
	return &token.Parameters{
		KeyARN: target.Key, KeySpec: c.Plan.Material.Spec, Algorithm: target.Wrapping.Algorithm, WrappingKeySpec: target.Wrapping.KeySpec,
		PublicKey: der, ImportToken: fmt.Appendf(nil, "token %d for %s", c.bundles, target.ID), ValidTo: c.now.Truncate(time.Hour).Add(24*time.Hour + 250*time.Millisecond), // KMS tells parts of a second
	}
}

// Wrap makes a package for all targets of the latest bundle.
func (c *Ceremony) Wrap() {
	c.t.Helper()
	c.packages++
	k := gap.Package{
		Origin: gap.OriginOf(c.Plan), Bundle: token.Digest(c.bundle), Seal: token.Digest(or(c.Sealed, c.seal)), Transcript: token.Digest(c.recorder.Head().SHA256),
		Escrow: c.sealed.ID, Fingerprint: or(c.Print, c.sealed.Fingerprint),
	}
	var targets []string
	for _, target := range c.Plan.Targets {
		params := *c.params[target.ID]
		params.ImportToken = []byte(or(c.Token, string(params.ImportToken)))
		w, err := token.Attach(&params, bytes.Repeat([]byte{byte(c.packages)}, target.Wrapping.KeySpec.Bits()/8))
		if err != nil {
			c.t.Fatal(err)
		}
		name := evidence.WrappedFile(c.packages, target.ID)
		content := c.stamped(token.KindWrapped, func(b *bytes.Buffer) error { return w.Encode(b) })
		c.Write(name, content)
		targets = append(targets, target.ID)
		k.Wrapped = append(k.Wrapped, gap.Wrapped{Target: target.ID, File: gap.FileOf(name, content), Import: target.Import, ValidTo: target.ValidTo, Description: target.Description})
	}
	f := c.signed(evidence.PackageFile(c.packages), gap.NamespacePackage, k.Encode)
	c.Add(room, transcript.Wrapped{Bundle: c.bundle, Escrow: c.sealed.ID.String(), Package: f, Targets: targets})
}

// Leave ends the offline session.
func (c *Ceremony) Leave() {
	c.t.Helper()
	c.Add(room, transcript.Destroyed{})
	c.Pass(plan.GateClose)
	c.Close()
}

// Recover opens the escrow with the first and the last share.
func (c *Ceremony) Recover() {
	c.t.Helper()
	last := c.Plan.Shares.Count
	c.Add(strings.Join([]string{"operator-1", custodian(1), custodian(last)}, " "),
		transcript.Recovered{Escrow: c.sealed.ID.String(), Shares: []int{1, last}, Fingerprint: c.sealed.Fingerprint})
}

// Submit sends what was wrapped for a target.
func (c *Ceremony) Submit(target string) {
	c.t.Helper()
	content, err := c.Folder.Read(evidence.PackageFile(c.packages), gap.MaxArtefact)
	if err != nil {
		c.t.Fatal(err)
	}
	wrapped := or(c.Bytes, strings.Repeat(string(rune(c.packages)), c.Plan.Targets[0].Wrapping.KeySpec.Bits()/8))
	c.Add(office, transcript.Submitted{Target: target, Package: sha256.Sum256(content), Wrapped: sha256.Sum256([]byte(wrapped))})
}

// Import submits, and finds that KMS has the material.
func (c *Ceremony) Import(target string) {
	c.t.Helper()
	c.Submit(target)
	c.Add(office, transcript.Imported{Target: target, MaterialID: strings.Repeat("0a", 32)},
		transcript.Verified{Target: target, Method: "KeyMaterialId recorded; encrypt and decrypt"})
}

// Eventful plays a ceremony on two days in which much goes wrong, and which comes
// to a good end: a share set that is void, a power cut, a line that was cut off,
// a share that is misread, somebody ill, an import token that ends too early, and
// KMS too busy.
func Eventful(t testing.TB, folder string, replacements ...string) *Ceremony {
	t.Helper()
	c := New(t, folder, append([]string{"session: same-day", "session: two-day"}, replacements...)...)
	c.Open(transcript.OfflineMachine)
	c.Pass(plan.GateOpen)
	c.Make()
	void := c.sealed.ID.String()
	c.Add("operator-1 witness", transcript.Copied{Escrow: void, Copy: "copy-1", SHA256: c.escrowDigest()})
	c.Cut()
	c.Add("", transcript.Interrupted{Reason: "the power was cut"})
	c.Add("lead operator-1", transcript.Voided{Escrow: void, Material: true, Reason: "it was in memory alone"})
	c.Add("lead", transcript.Exception{Expected: "power", Happened: "none for a minute", Decided: "begin again with new material"})
	c.Make()
	id := c.sealed.ID.String()
	copies, shares := c.Deal()
	c.Add("operator-1 custodian-2", transcript.Issued{Escrow: id, Share: 2}, transcript.ReadBack{Escrow: id, Share: 2, Bag: "B-202"})
	shares[1].Bag = "B-202"
	c.sealWith(copies, shares)
	file := c.file(minutes, []byte("the minutes of the first day\n"))
	c.Add("witness", transcript.Noted{Text: "minutes of the day", Files: []transcript.File{file, {Name: "left-at-home.txt", Size: 3}}})
	c.Leave()

	c.Wait(23 * time.Hour)
	c.Open(transcript.OfflineMachine)
	c.Pass(plan.GateOpen)
	c.Fetch()
	c.Recover()
	c.Wrap()
	c.Leave()

	c.Open(transcript.ImportMachine)
	c.Pass(plan.GateImport)
	primary, replica := c.Plan.Targets[0].ID, c.Plan.Targets[1].ID
	c.Submit(primary)
	c.Add(office, transcript.Refused{Target: primary, Code: "ThrottlingException", Remedy: transcript.SendAgain})
	c.Import(primary)
	c.Submit(replica)
	c.Add(office, transcript.Refused{Target: replica, Code: "ExpiredImportTokenException", Remedy: transcript.WrapAgain})
	c.Close()
	return c
}

// KeyInToken is the CKA_ID of the key that MakeInToken makes.
const KeyInToken = "0123456789abcdef0123456789abcdef"

// MakeInToken makes the material in a token, and entrusts it to that and to its
// backups: the first record, up to its end.
func (c *Ceremony) MakeInToken(device transcript.Token) {
	c.t.Helper()
	const pin = room + " custodian-1 custodian-2"
	c.Open(transcript.OfflineMachine)
	c.Pass(plan.GateOpen)
	c.Add(pin, transcript.Generated{
		KeySpec: c.Plan.Material.Spec, Source: plan.FromPKCS11, Fingerprint: "cmac:0a1b2c3d4e",
		Token: transcript.TokenKey{ID: KeyInToken, Label: c.Plan.ID, Attributes: []string{"CKA_LOCAL", "CKA_ALWAYS_SENSITIVE"}, Token: device},
	})
	c.Add("", transcript.Locked{Reason: "the power was cut"})
	c.Add(pin, transcript.Unlocked{Key: KeyInToken, Fingerprint: "cmac:0a1b2c3d4e", Token: device})
	c.Pass(plan.GateIdentity)
	for _, b := range c.Plan.Token.Backups {
		c.Add(room+" "+b.Holder, transcript.BackedUp{Key: KeyInToken, Backup: b.ID, Serial: b.Serial, Text: "we have seen it"})
	}
	c.Pass(plan.GateSealed)
	c.Add(room, transcript.Entrusted{Key: KeyInToken, Backups: c.Plan.Copies()}, transcript.Locked{})
	c.Pass(plan.GateClose)
	c.Close()
}
