// SPDX-License-Identifier: Apache-2.0

package escrow_test

import (
	"bytes"
	"crypto/fips140"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
)

var created = time.Date(2026, 11, 22, 7, 30, 15, 999, time.FixedZone("CET", 3600))

func reveal(s material.Secret) (plain []byte) {
	s.Expose(func(b []byte) error { plain = bytes.Clone(b); return nil })
	return plain
}

func generate(t testing.TB, spec material.Spec) *material.Material {
	t.Helper()
	m, err := material.Generate(spec)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// materialOf is material of a spec. The RSA keys were made before: making them takes
// a second, and package material tests it.
func materialOf(t *testing.T, spec material.Spec) *material.Material {
	t.Helper()
	if spec.Kind() != material.RSA {
		return generate(t, spec)
	}
	size := strings.TrimPrefix(string(spec), "RSA_")
	der, err := os.ReadFile(filepath.Join("..", "material", "testdata", "rsa"+size+".p8.der"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := material.New(spec, der)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newKey() material.Secret { return material.NewSecret(bytes.Repeat([]byte{7}, 32)) }

func newIdentity(t testing.TB) (*age.X25519Identity, escrow.Recipient) {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	recipient, err := escrow.ParseRecipient(identity.Recipient().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return identity, recipient
}

func sealKey(t testing.TB, m *material.Material) *escrow.File {
	t.Helper()
	f, err := escrow.SealKey(m, created, newKey())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func sealQuorum(t testing.TB, m *material.Material, p escrow.Plan) (*escrow.File, []escrow.Share) {
	t.Helper()
	f, shares, err := escrow.SealQuorum(m, created, p)
	if err != nil {
		t.Fatal(err)
	}
	return f, shares
}

func encode(t testing.TB, f *escrow.File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestEverySpec seals material of every spec and opens what was written.
func TestEverySpec(t *testing.T) {
	for _, spec := range material.Specs() {
		m := materialOf(t, spec)
		checkWritten(t, m, sealKey(t, m), func(f *escrow.File) (*material.Material, error) { return f.OpenKey(newKey()) })
	}
}

func TestAgeEverySpec(t *testing.T) {
	identity, recipient := newIdentity(t)
	for _, spec := range material.Specs() {
		m := materialOf(t, spec)
		f, _, err := escrow.SealTo(m, created, []escrow.Recipient{recipient})
		if err != nil {
			t.Fatal(err)
		}
		checkWritten(t, m, f, func(f *escrow.File) (*material.Material, error) { return f.Open(identity) })
	}
}

// checkWritten opens what was written of an escrow of m.
func checkWritten(t *testing.T, m *material.Material, f *escrow.File, open func(*escrow.File) (*material.Material, error)) {
	t.Helper()
	written := encode(t, f)
	read, err := escrow.Read(bytes.NewReader(written))
	if err != nil {
		t.Fatal(err)
	}
	opened, err := open(read)
	if err != nil || !opened.Secret().Equal(m.Secret()) || opened.Spec() != m.Spec() {
		t.Errorf("%s, %s: other material, error %v", m.Spec(), f.Profile, err)
	}
	if want := time.Date(2026, 11, 22, 6, 30, 15, 0, time.UTC); read.Created != want || read.Fingerprint != m.Fingerprint().String() {
		t.Errorf("%s: created %v, fingerprint %s", m.Spec(), read.Created, read.Fingerprint)
	}
	if len(written) > 10<<10 {
		t.Errorf("%s: %d bytes", m.Spec(), len(written))
	}
}

// TestQuorums: the shares of both schemes open the escrow, whichever form they
// are read from.
func TestQuorums(t *testing.T)    { checkQuorums(t, escrow.FIPSQuorum) }
func TestAgeQuorums(t *testing.T) { checkQuorums(t, escrow.Quorum) }

func checkQuorums(t *testing.T, profile escrow.Profile) {
	t.Helper()
	m := generate(t, material.SymmetricDefault)
	for _, scheme := range escrow.Schemes() {
		f, dealt := sealQuorum(t, m, escrow.Plan{Profile: profile, Scheme: scheme, Threshold: 2, Count: 3})
		var shares []escrow.Share
		for i, d := range dealt {
			text := reveal(d.Text())
			if i%2 == 1 {
				text = reveal(d.Line())
			}
			s, err := escrow.ParseShare(text)
			if err != nil {
				t.Fatal(err)
			}
			if s.Index != i+1 || s.Threshold != 2 || s.Scheme != scheme {
				t.Errorf("share %d reads as %d, threshold %d, scheme %s", i+1, s.Index, s.Threshold, s.Scheme)
			}
			shares = append(shares, s)
		}
		key, err := f.Combine(shares[1:])
		if err != nil {
			t.Fatal(err)
		}
		alone, err := escrow.Combine(shares[:2])
		if err != nil || !alone.Equal(key) {
			t.Errorf("without the escrow: another key, error %v", err)
		}
		opened, err := f.OpenKey(key)
		if err != nil || !opened.Secret().Equal(m.Secret()) {
			t.Errorf("%s, %s: other material, error %v", profile, scheme, err)
		}
	}
}

func TestSealQuorumRefuses(t *testing.T) {
	m := generate(t, material.SymmetricDefault)
	for _, p := range []escrow.Plan{
		{Profile: escrow.Quorum, Scheme: escrow.SLIP39, Threshold: 1, Count: 2},
		{Profile: escrow.Quorum, Scheme: escrow.SLIP39, Threshold: 3, Count: 2},
		{Profile: escrow.Quorum, Scheme: escrow.Shamir, Threshold: 2, Count: 17},
		{Profile: escrow.Quorum, Threshold: 2, Count: 3},
		{Profile: escrow.Recipients, Scheme: escrow.SLIP39, Threshold: 2, Count: 3},
	} {
		if f, shares, err := escrow.SealQuorum(m, created, p); err == nil || f != nil || shares != nil {
			t.Errorf("%+v: %v, %d shares, error %v", p, f, len(shares), err)
		}
	}
}

// A try is of something that does not open an escrow.
type try struct {
	name string
	open func() (*material.Material, error)
	want string
}

func checkLocked(t *testing.T, tries []try) {
	t.Helper()
	for _, tt := range tries {
		t.Run(tt.name, func(t *testing.T) {
			m, err := tt.open()
			if m != nil || err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("material %v, error %v, want %s", m, err, tt.want)
			}
		})
	}
}

func TestLocked(t *testing.T) {
	m := generate(t, material.SymmetricDefault)
	gcm := sealKey(t, m)
	quorum, _ := sealQuorum(t, m, escrow.Plan{Profile: escrow.FIPSQuorum, Scheme: escrow.SLIP39, Threshold: 2, Count: 2})
	other := material.NewSecret(make([]byte, 32))
	checkLocked(t, []try{
		{"a passphrase for a key", func() (*material.Material, error) { return gcm.OpenPassphrase(newKey()) }, "the escrow opens with the key it was sealed under"},
		{"another key", func() (*material.Material, error) { return gcm.OpenKey(other) }, "the key does not open the escrow, or the header is not the one"},
		{"another key of a quorum", func() (*material.Material, error) { return quorum.OpenKey(other) }, "the key does not open the escrow"},
		{"an empty key", func() (*material.Material, error) { return quorum.OpenKey(material.Secret{}) }, "the key does not open the escrow"},
	})
}

func TestAgeLocked(t *testing.T) {
	m := generate(t, material.SymmetricDefault)
	identity, recipient := newIdentity(t)
	stranger, _ := newIdentity(t)
	to, _, err := escrow.SealTo(m, created, []escrow.Recipient{recipient})
	if err != nil {
		t.Fatal(err)
	}
	quorum, _ := sealQuorum(t, m, escrow.Plan{Profile: escrow.Quorum, Scheme: escrow.SLIP39, Threshold: 2, Count: 2})
	other := material.NewSecret(make([]byte, 32))
	checkLocked(t, []try{
		{"a stranger", func() (*material.Material, error) { return to.Open(stranger) }, "none of the identities opens the escrow: "},
		{"nobody", func() (*material.Material, error) { return to.Open() }, "none of the identities opens the escrow: "},
		{"an identity for a quorum", func() (*material.Material, error) { return quorum.Open(identity) }, "the escrow opens with shares, or the key they give"},
		{"a key for recipients", func() (*material.Material, error) { return to.OpenKey(newKey()) }, "the escrow opens with the identity of a recipient"},
		{"another key of a quorum", func() (*material.Material, error) { return quorum.OpenKey(other) }, "the key does not open the escrow"},
		{"an empty key", func() (*material.Material, error) { return quorum.OpenKey(material.Secret{}) }, "the key does not open the escrow"},
	})
}

// TestAgePassphrase seals, and opens with another passphrase; TestAgeGolden opens
// with the right one. Each takes the better part of a second, as it should.
func TestAgePassphrase(t *testing.T) {
	m := generate(t, material.HMAC256)
	f, err := escrow.SealPassphrase(m, created, material.NewSecret([]byte("right")))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(f.Ciphertext, []byte(" 18\n")) { // age's default work factor
		t.Errorf("the passphrase is not stretched as age does: %q", f.Ciphertext[:80])
	}
	var locked *escrow.LockedError
	if _, err := f.OpenPassphrase(material.NewSecret([]byte("wrong"))); !errors.As(err, &locked) || err.Error() != "the passphrase does not open the escrow" {
		t.Errorf("wrong passphrase: %v", err)
	}
	if _, err := escrow.SealPassphrase(m, created, material.Secret{}); err == nil {
		t.Error("an empty passphrase is taken")
	}
}

// TestExchangedHeader: whoever may write to an escrow cannot make it say
// anything else of what is in it.
func TestExchangedHeader(t *testing.T) {
	m, other := generate(t, material.SymmetricDefault), generate(t, material.SymmetricDefault)
	for _, exchange := range exchanges(other) {
		f := *sealKey(t, m)
		exchange(&f)
		var locked *escrow.LockedError
		if m, err := f.OpenKey(newKey()); m != nil || !errors.As(err, &locked) {
			t.Errorf("%+v: material %v, error %v", f, m, err)
		}
	}
}

// exchanges make a header that of an escrow of other material.
func exchanges(other *material.Material) []func(*escrow.File) {
	return []func(*escrow.File){
		func(f *escrow.File) { f.ID[0] ^= 1 },
		func(f *escrow.File) { f.Created = f.Created.Add(time.Second) },
		func(f *escrow.File) { f.Fingerprint = other.Fingerprint().String() },
		func(f *escrow.File) { f.KeySpec, f.Fingerprint = material.HMAC256, "hmac:0011223344" },
		func(f *escrow.File) { f.Recipients = []string{"age1other"} },
	}
}

func TestAgeExchangedHeader(t *testing.T) {
	m, other := generate(t, material.SymmetricDefault), generate(t, material.SymmetricDefault)
	identity, recipient := newIdentity(t)
	to, _, err := escrow.SealTo(m, created, []escrow.Recipient{recipient})
	if err != nil {
		t.Fatal(err)
	}
	for _, exchange := range exchanges(other) {
		f := *to
		exchange(&f)
		var header *escrow.HeaderError
		if m, err := f.Open(identity); m != nil || !errors.As(err, &header) {
			t.Errorf("%+v: material %v, error %v", f, m, err)
		}
	}
}

// TestAgeForeignPayload: an age file for the right recipient need not be one of ours.
func TestAgeForeignPayload(t *testing.T) {
	m := generate(t, material.SymmetricDefault)
	identity, recipient := newIdentity(t)
	f, _, err := escrow.SealTo(m, created, []escrow.Recipient{recipient})
	if err != nil {
		t.Fatal(err)
	}
	digest, err := f.HeaderSHA256()
	if err != nil {
		t.Fatal(err)
	}
	begin := `{"kind":"keymat/escrowed","version":1,"header_sha256":"` + digest.String() + `","key_spec":"SYMMETRIC_DEFAULT","material":"`
	for _, tt := range []struct{ payload, want string }{
		{"", "what is sealed is not from an escrow"},
		{"AAAA", "what is sealed is not from an escrow"},
		{begin, "the sealed line does not end as it should"},
		{begin + "AAAA\"}", "the sealed line does not end as it should"},
		{begin + "AAAA!\"}\n", "the material is not in base64"},
		{begin + "AAAB\"}\n", "opening the escrow: found 3 bytes"},
		{begin + strings.Repeat("A", 43) + "=\"}\n", "the material has the fingerprint cmac:"},
		{strings.Replace(begin, digest.String()[:8], "00000000", 1), "its digest is another"},
	} {
		f.Ciphertext, err = escrow.EncryptTo([]byte(tt.payload), recipient)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := f.Open(identity); m != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: material %v, error %v, want %s", tt.payload, m, err, tt.want)
		}
	}
}

func TestAgeParseRecipient(t *testing.T) {
	identity, want := newIdentity(t)
	got, err := escrow.ParseRecipient(" "+want.Text+"\n", nil)
	if err != nil || got.Text != want.Text {
		t.Errorf("got %q, error %v", got.Text, err)
	}
	const ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMW79w/4LuoZERRZ31Ie4o05SiGoxDztyy/tcwCk8vfK"
	if got, err := escrow.ParseRecipient(ssh+" alice@example.com", nil); err != nil || got.Text != ssh {
		t.Errorf("got %q, error %v", got.Text, err)
	}
	for _, tt := range []struct{ text, want string }{
		{identity.String(), "an identity, which is secret, where its recipient was expected"},
		{"AGE-PLUGIN-X-1AAAA", "an identity, which is secret, where its recipient was expected"},
		{"alice", "neither an age recipient (age1…) nor an ssh public key"},
		{"", "neither an age recipient (age1…) nor an ssh public key"},
		{want.Text[:len(want.Text)-1], "not a recipient that age takes"},
		{"ssh-dss AAAA", "not a recipient that age takes"},
	} {
		if _, err := escrow.ParseRecipient(tt.text, nil); err == nil || err.Error() != tt.want {
			t.Errorf("%q: error %v, want %s", tt.text, err, tt.want)
		}
	}
}

// TestAgeMixedRecipients: a post-quantum recipient beside a classical one would
// promise what the file does not keep.
func TestAgeMixedRecipients(t *testing.T) {
	_, classical := newIdentity(t)
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	quantum, err := escrow.ParseRecipient(hybrid.Recipient().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	m := generate(t, material.SymmetricDefault)
	if _, _, err := escrow.SealTo(m, created, []escrow.Recipient{classical, quantum}); err == nil {
		t.Error("both in one escrow")
	}
	f, _, err := escrow.SealTo(m, created, []escrow.Recipient{quantum})
	if err != nil {
		t.Fatal(err)
	}
	if opened, err := f.Open(hybrid); err != nil || !opened.Secret().Equal(m.Secret()) {
		t.Errorf("error %v", err)
	}
}

const fipsChild = "KEYMAT_TEST_ESCROW_FIPS"

// TestFIPSOnly seals and opens where Go refuses all but FIPS 140-3: in a
// process of its own, since that is settled when one starts.
func TestFIPSOnly(t *testing.T) {
	if os.Getenv(fipsChild) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFIPSOnly$", "-test.v")
		cmd.Env = append(os.Environ(), "GODEBUG=fips140=only", fipsChild+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: TestFIPSOnly")) {
			t.Fatalf("under fips140=only: %v\n%s", err, out)
		}
		return
	}
	if !fips140.Enforced() {
		t.Fatal("FIPS 140-3 is not enforced")
	}
	m := generate(t, material.SymmetricDefault)
	if opened, err := sealKey(t, m).OpenKey(newKey()); err != nil || !opened.Secret().Equal(m.Secret()) {
		t.Errorf("a key: %v", err)
	}
	for _, scheme := range escrow.Schemes() {
		f, shares := sealQuorum(t, m, escrow.Plan{Profile: escrow.FIPSQuorum, Scheme: scheme, Threshold: 2, Count: 3})
		key, err := f.Combine(shares)
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := f.OpenKey(key); err != nil || !opened.Secret().Equal(m.Secret()) {
			t.Errorf("shares: %v", err)
		}
	}
	var fips *escrow.FIPSError
	if _, err := readGolden(t, "recipients.escrow").Open(); !errors.As(err, &fips) {
		t.Errorf("opening an age file: %v", err)
	}
	if _, err := readGolden(t, "quorum-words.escrow").OpenKey(newKey()); !errors.As(err, &fips) {
		t.Errorf("opening a quorum: %v", err)
	}
	if _, err := escrow.SealPassphrase(m, created, newKey()); !errors.As(err, &fips) {
		t.Errorf("sealing with a passphrase: %v", err)
	}
	if _, _, err := escrow.SealQuorum(m, created, escrow.Plan{Profile: escrow.Quorum, Scheme: escrow.SLIP39, Threshold: 2, Count: 2}); !errors.As(err, &fips) {
		t.Errorf("sealing for a quorum: %v", err)
	}
	if _, err := escrow.ParseRecipient("age1pq1x", nil); !errors.As(err, &fips) {
		t.Errorf("a recipient: %v", err)
	}
	if _, err := escrow.EncryptTo(nil); !errors.As(err, &fips) {
		t.Errorf("encrypting: %v", err)
	}
}
