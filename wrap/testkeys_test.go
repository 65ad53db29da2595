// SPDX-License-Identifier: Apache-2.0

package wrap_test

import (
	"bytes"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io/fs"
	"testing"

	"github.com/c2sp/wycheproof"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
	"github.com/tink-crypto/tink-go/v2/kwp/subtle"
)

// oaepVectors are the Wycheproof files whose parameters are those of KMS, with a key of every size KMS uses.
var oaepVectors = map[int]string{
	2048: "rsa_oaep_2048_sha256_mgf1sha256_test.json",
	3072: "rsa_oaep_3072_sha256_mgf1sha256_test.json",
	4096: "rsa_oaep_4096_sha256_mgf1sha256_test.json",
}

// hexBytes is a byte string as Wycheproof writes it.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

type vector struct {
	TcID                int
	Comment             string
	Flags               []string
	Key, Msg, CT, Label hexBytes
	Result              string
}

type vectorGroup struct {
	KeySize         int
	PrivateKeyPkcs8 hexBytes
	Tests           []vector
}

func readVectors(tb testing.TB, name string) []vectorGroup {
	tb.Helper()
	data, err := fs.ReadFile(wycheproof.TestVectors, name)
	if err != nil {
		tb.Fatal(err)
	}
	var file struct {
		NumberOfTests int
		TestGroups    []vectorGroup
	}
	if err := json.Unmarshal(data, &file); err != nil {
		tb.Fatal(err)
	}
	n := 0
	for _, g := range file.TestGroups {
		n += len(g.Tests)
	}
	if n == 0 || n != file.NumberOfTests {
		tb.Fatalf("%s: read %d vectors, want %d", name, n, file.NumberOfTests)
	}
	return file.TestGroups
}

func (g vectorGroup) privateKey(tb testing.TB) *rsa.PrivateKey {
	tb.Helper()
	key, err := x509.ParsePKCS8PrivateKey(g.PrivateKeyPkcs8)
	if err != nil {
		tb.Fatal(err)
	}
	return key.(*rsa.PrivateKey)
}

// privateKey is a published key of so many bits; making one would take seconds.
func privateKey(tb testing.TB, bits int) *rsa.PrivateKey {
	tb.Helper()
	return readVectors(tb, oaepVectors[bits])[0].privateKey(tb)
}

// oaepHash states the parameters anew, so that a slip in the package does not cancel out.
func oaepHash(a wrap.Algorithm) hash.Hash {
	switch a {
	case "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256":
		return sha256.New()
	case "RSAES_OAEP_SHA_1", "RSA_AES_KEY_WRAP_SHA_1":
		return sha1.New()
	}
	panic("no such algorithm: " + a)
}

// unwrap is what KMS does with the result of Wrap. The Wycheproof tests hold it against vectors we did not make.
func unwrap(priv *rsa.PrivateKey, a wrap.Algorithm, encrypted []byte) ([]byte, error) {
	if a == wrap.OAEPSHA256 || a == wrap.OAEPSHA1 {
		return rsa.DecryptOAEP(oaepHash(a), nil, priv, encrypted, nil)
	}
	if len(encrypted) <= priv.Size() {
		return nil, errors.New("no material after the AES key")
	}
	aesKey, err := rsa.DecryptOAEP(oaepHash(a), nil, priv, encrypted[:priv.Size()], nil)
	if err != nil {
		return nil, err
	}
	if len(aesKey) != 32 {
		return nil, errors.New("not an AES-256 key")
	}
	kek, err := subtle.NewKWP(aesKey)
	if err != nil {
		return nil, err
	}
	return kek.Unwrap(encrypted[priv.Size():])
}

// pattern is n bytes no two neighbours of which are equal. Each call makes them anew, since a Secret owns its bytes.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + 1)
	}
	return b
}

func secret(n int) material.Secret { return material.NewSecret(pattern(n)) }

func mustOpen(tb testing.TB, priv *rsa.PrivateKey, a wrap.Algorithm, encrypted, want []byte) {
	tb.Helper()
	got, err := unwrap(priv, a, encrypted)
	if err != nil {
		tb.Fatalf("unwrap: %v", err)
	}
	if !bytes.Equal(got, want) {
		tb.Fatalf("unwrapped %d bytes that are not the %d wrapped", len(got), len(want))
	}
}
