// SPDX-License-Identifier: Apache-2.0

package escrow_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/agessh"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/escrow/internal/subset"
	"github.com/keymat/keymat/material"
)

func golden(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "v1", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func readGolden(t testing.TB, name string) *escrow.File {
	t.Helper()
	f, err := escrow.Read(bytes.NewReader(golden(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func goldenShares(t testing.TB, name string) (shares []escrow.Share) {
	t.Helper()
	for line := range strings.Lines(string(golden(t, name))) {
		s, err := escrow.ParseShare([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		shares = append(shares, s)
	}
	return shares
}

func openWithAge(t *testing.T, identity age.Identity, err error) func(*escrow.File) (*material.Material, error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return func(f *escrow.File) (*material.Material, error) { return f.Open(identity) }
}

func openWithKey(key []byte) func(*escrow.File) (*material.Material, error) {
	return func(f *escrow.File) (*material.Material, error) {
		return f.OpenKey(material.NewSecret(bytes.Clone(key)))
	}
}

// TestGolden opens what the first version wrote, and finds that it would be
// written the same today.
func TestGolden(t *testing.T) {
	checkGolden(t, []goldenEscrow{{"fips-key.escrow", "p256.der", openWithKey(golden(t, "symmetric.key"))}})
}

type goldenEscrow struct {
	escrow, material string
	open             func(*escrow.File) (*material.Material, error)
}

func checkGolden(t *testing.T, escrows []goldenEscrow) {
	t.Helper()
	for _, tt := range escrows {
		t.Run(tt.escrow, func(t *testing.T) {
			f := readGolden(t, tt.escrow)
			m, err := tt.open(f)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(reveal(m.Secret()), golden(t, tt.material)) {
				t.Error("it holds something else")
			}
			var again bytes.Buffer
			if err := f.Encode(&again); err != nil || !bytes.Equal(again.Bytes(), golden(t, tt.escrow)) {
				t.Errorf("it would be written differently: %v", err)
			}
		})
	}
}

// TestAgeGolden is TestGolden in every way that age has.
func TestAgeGolden(t *testing.T) {
	line := func(name string) string { return strings.TrimSpace(string(golden(t, name))) }
	x25519, err := age.ParseX25519Identity(line("x25519.identity"))
	withX25519 := openWithAge(t, x25519, err)
	hybrid, err := age.ParseHybridIdentity(line("hybrid.identity"))
	withHybrid := openWithAge(t, hybrid, err)
	ssh, err := agessh.ParseIdentity(golden(t, "ssh.identity"))
	withSSH := openWithAge(t, ssh, err)
	checkGolden(t, []goldenEscrow{
		{"recipients.escrow", "symmetric.key", withX25519},
		{"recipients.escrow", "symmetric.key", withSSH},
		{"hybrid.escrow", "symmetric.key", withHybrid},
		{"passphrase.escrow", "symmetric.key", func(f *escrow.File) (*material.Material, error) {
			return f.OpenPassphrase(material.NewSecret([]byte("correct horse battery staple")))
		}},
	})
}

// TestGoldenQuorums opens each with every subset of enough shares.
func TestGoldenQuorums(t *testing.T) {
	checkGoldenQuorums(t, []goldenQuorum{{"fips-quorum", "symmetric.key"}})
}

func TestAgeGoldenQuorums(t *testing.T) {
	checkGoldenQuorums(t, []goldenQuorum{{"quorum-words", "symmetric.key"}, {"quorum-shamir", "p256.der"}})
}

type goldenQuorum struct{ name, material string }

func checkGoldenQuorums(t *testing.T, escrows []goldenQuorum) {
	t.Helper()
	for _, tt := range escrows {
		t.Run(tt.name, func(t *testing.T) {
			f := readGolden(t, tt.name+".escrow")
			for chosen := range subset.All(goldenShares(t, tt.name+".shares"), f.Shares.Threshold) {
				key, err := f.Combine(chosen)
				if err != nil {
					t.Fatal(err)
				}
				m, err := f.OpenKey(key)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(reveal(m.Secret()), golden(t, tt.material)) {
					t.Error("it holds something else")
				}
			}
			var again bytes.Buffer
			if err := f.Encode(&again); err != nil || !bytes.Equal(again.Bytes(), golden(t, tt.name+".escrow")) {
				t.Errorf("it would be written differently: %v", err)
			}
		})
	}
}
