// SPDX-License-Identifier: Apache-2.0

package gap_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

var day = time.Date(2026, 12, 1, 9, 30, 0, 0, time.UTC)

func golden(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "v1", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// agreed is the plan of the golden files, with replacements.
func agreed(t *testing.T, oldAndNew ...string) *plan.Plan {
	t.Helper()
	text := string(golden(t, "plan.yaml"))
	for i := 0; i < len(oldAndNew); i += 2 {
		if !strings.Contains(text, oldAndNew[i]) {
			t.Fatalf("the plan has no %q", oldAndNew[i])
		}
		text = strings.Replace(text, oldAndNew[i], oldAndNew[i+1], 1)
	}
	p, err := plan.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// signerOf is the ssh key of a person in tests.
func signerOf(t *testing.T, id string) ssh.Signer {
	t.Helper()
	seed := sha256.Sum256([]byte(id))
	signer, err := ssh.NewSignerFromKey(ed25519.NewKeyFromSeed(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// parameters are import parameters of a key of so many bits that nobody has.
func parameters(t *testing.T, arn string, pair wrap.Pair) *token.Parameters {
	t.Helper()
	n := new(big.Int).Lsh(big.NewInt(1), uint(pair.KeySpec.Bits()-1))
	der, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n.SetBit(n, 0, 1), E: 65537})
	if err != nil {
		t.Fatal(err)
	}
	return &token.Parameters{
		KeyARN: arn, KeySpec: material.SymmetricDefault, Algorithm: pair.Algorithm, WrappingKeySpec: pair.KeySpec,
		PublicKey: der, ImportToken: []byte("opaque"), ValidTo: day.Add(24 * time.Hour),
	}
}

// paramsFile is the file of import parameters for the plan's target.
func paramsFile(t *testing.T, p *plan.Plan) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := parameters(t, p.Targets[0].Key, p.Targets[0].Wrapping).Encode(&b); err != nil {
		t.Fatal(err)
	}
	return stamped(t, token.KindParameters, b.Bytes(), p.Rehearsal)
}

// wrappedFile is the file of what was wrapped with them.
func wrappedFile(t *testing.T, p *plan.Plan) []byte {
	t.Helper()
	pair := p.Targets[0].Wrapping
	w, err := token.Attach(parameters(t, p.Targets[0].Key, pair), bytes.Repeat([]byte{0x5a}, pair.KeySpec.Bits()/8))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := w.Encode(&b); err != nil {
		t.Fatal(err)
	}
	return stamped(t, token.KindWrapped, b.Bytes(), p.Rehearsal)
}

func stamped(t *testing.T, kind string, content []byte, rehearsal bool) []byte {
	t.Helper()
	content, err := gap.Stamp(kind, content, rehearsal)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// escrowFile is an escrow of version 1, which 2 of 3 shares open.
func escrowFile(t *testing.T, rehearsal bool) []byte {
	t.Helper()
	content, err := os.ReadFile("../../escrow/testdata/v1/quorum-words.escrow")
	if err != nil {
		t.Fatal(err)
	}
	return stamped(t, escrow.Kind, content, rehearsal)
}

func bundle(t *testing.T, p *plan.Plan) *gap.Bundle {
	t.Helper()
	return &gap.Bundle{Origin: gap.OriginOf(p), Fetched: []gap.Fetched{{
		Target: "primary", At: day, Caller: "arn:aws:sts::111122223333:assumed-role/fetch/fetcher-1", RequestID: "f0e1d2c3-0000-4000-8000-000000000001",
		Key:  gap.Key{State: "PendingImport", Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT", Origin: "EXTERNAL"},
		File: gap.FileOf("primary.params.json", paramsFile(t, p)),
	}}}
}

func pack(t *testing.T, p *plan.Plan) *gap.Package {
	t.Helper()
	return &gap.Package{
		Origin: gap.OriginOf(p), Bundle: token.Digest{1}, Seal: token.Digest{2}, Transcript: token.Digest{3}, Escrow: escrow.ID{4}, Fingerprint: "cmac:0a1b2c3d4e",
		Wrapped: []gap.Wrapped{{Target: "primary", File: gap.FileOf("primary.wrapped.json", wrappedFile(t, p)), Import: plan.ImportNew}},
	}
}

func seal(t *testing.T, p *plan.Plan) *gap.Seal {
	t.Helper()
	content := escrowFile(t, p.Rehearsal)
	f, err := escrow.Read(bytes.NewReader(escrowFile(t, false)))
	if err != nil {
		t.Fatal(err)
	}
	return &gap.Seal{
		Origin: gap.OriginOf(p), At: day, Escrow: f.ID, EscrowSHA256: sha256.Sum256(content), KeySpec: f.KeySpec, Fingerprint: f.Fingerprint,
		Transcript: token.Digest{3}, Copies: []string{"copy-1", "copy-2"}, Shares: []gap.SealedShare{{1, "B1"}, {2, "B2"}, {3, ""}},
	}
}

func manifest(t *testing.T, p *plan.Plan) *gap.Manifest {
	t.Helper()
	return &gap.Manifest{Origin: gap.OriginOf(p), Direction: gap.In, Files: []gap.File{
		gap.FileOf("bundle.json", []byte("one")), gap.FileOf("bundle.json.fetcher-1.sig", []byte("two")), gap.FileOf("primary.params.json", []byte("three")),
	}}
}

// encoded is all files by name, of the ceremony by a plan.
func encoded(t *testing.T, p *plan.Plan) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for name, v := range map[string]interface{ Encode() ([]byte, error) }{
		"bundle.json": bundle(t, p), "package.json": pack(t, p), "seal.json": seal(t, p), "gap.manifest": manifest(t, p),
	} {
		content, err := v.Encode()
		if err != nil {
			t.Fatal(err)
		}
		all[name] = content
	}
	return all
}

// reread reads a file with the reader for its name and writes it again.
func reread(name string, content []byte) ([]byte, error) {
	read := map[string]func([]byte) (interface{ Encode() ([]byte, error) }, error){
		"bundle.json":  func(b []byte) (interface{ Encode() ([]byte, error) }, error) { return gap.ReadBundle(b) },
		"package.json": func(b []byte) (interface{ Encode() ([]byte, error) }, error) { return gap.ReadPackage(b) },
		"seal.json":    func(b []byte) (interface{ Encode() ([]byte, error) }, error) { return gap.ReadSeal(b) },
		"gap.manifest": func(b []byte) (interface{ Encode() ([]byte, error) }, error) { return gap.ReadManifest(b) },
	}[name]
	v, err := read(content)
	if err != nil {
		return nil, err
	}
	return v.Encode()
}

func isRehearsal(err error) bool {
	_, ok := errors.AsType[*gap.RehearsalError](err)
	return ok
}
