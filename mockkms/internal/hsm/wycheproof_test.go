// SPDX-License-Identifier: Apache-2.0

package hsm_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"testing"

	"github.com/c2sp/wycheproof"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

// hexBytes is a byte string that the vectors write in hex.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// vector is a Wycheproof test; the groups differ in what they set.
type vector struct {
	ID         int      `json:"tcId"`
	Comment    string   `json:"comment"`
	Key        hexBytes `json:"key"`
	Msg        hexBytes `json:"msg"`
	Ciphertext hexBytes `json:"ct"`
	Signature  hexBytes `json:"sig"`
	Label      hexBytes `json:"label"`
	Result     string   `json:"result"`
}

type vectorFile struct {
	NumberOfTests int `json:"numberOfTests"`
	TestGroups    []struct {
		SHA             string   `json:"sha"`
		MGFSHA          string   `json:"mgfSha"`
		KeySize         int      `json:"keySize"`
		PrivateKeyPKCS8 hexBytes `json:"privateKeyPkcs8"`
		Tests           []vector `json:"tests"`
	} `json:"testGroups"`
}

func readVectors(t *testing.T, name string) vectorFile {
	t.Helper()
	b, err := fs.ReadFile(wycheproof.TestVectors, name)
	if err != nil {
		t.Fatal(err)
	}
	var f vectorFile
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// The OAEP vectors go both ways into the mock: as wrapped material and as
// ciphertext under an imported RSA key. KMS knows no labels, so that a vector
// with a label has to fail, valid or not.
func TestWycheproofOAEP(t *testing.T) {
	files := map[string]struct{ algorithm, spec string }{
		"rsa_oaep_2048_sha1_mgf1sha1_test.json":     {"RSAES_OAEP_SHA_1", "RSA_2048"},
		"rsa_oaep_2048_sha256_mgf1sha256_test.json": {"RSAES_OAEP_SHA_256", "RSA_2048"},
		"rsa_oaep_3072_sha256_mgf1sha256_test.json": {"RSAES_OAEP_SHA_256", "RSA_3072"},
		"rsa_oaep_4096_sha256_mgf1sha256_test.json": {"RSAES_OAEP_SHA_256", "RSA_4096"},
		// One hash for OAEP and MGF1: mixed ones must not open.
		"rsa_oaep_2048_sha256_mgf1sha1_test.json": {"RSAES_OAEP_SHA_256", "RSA_2048"},
	}
	for name, file := range files {
		f, ran := readVectors(t, name), 0
		for _, g := range f.TestGroups {
			k := parse(t, file.spec, g.PrivateKeyPKCS8)
			private, err := x509.ParsePKCS8PrivateKey(g.PrivateKeyPKCS8)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range g.Tests {
				ran++
				want := v.Result == "valid" && len(v.Label) == 0 && g.SHA == g.MGFSHA
				got, err := hsm.Unwrap(private.(*rsa.PrivateKey), file.algorithm, v.Ciphertext)
				checkVector(t, name+" as material", v, got, err, want)
				got, err = k.Decrypt(file.algorithm, v.Ciphertext)
				checkVector(t, name+" as ciphertext", v, got, err, want)
			}
		}
		if ran != f.NumberOfTests || ran == 0 {
			t.Errorf("%s: ran %d of %d", name, ran, f.NumberOfTests)
		}
	}
}

// The AES-KWP vectors arrive behind an RSA block that holds their key. KMS takes
// 256-bit keys only; and up to 8 bytes are wrapped in a way of their own (RFC 5649
// section 4.1), which the library leaves out, as no material is that short.
func TestWycheproofKWP(t *testing.T) {
	key := wrappingKey(t)
	f, ran := readVectors(t, "aes_kwp_test.json"), 0
	for _, g := range f.TestGroups {
		for _, v := range g.Tests {
			ran++
			block, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, &key.PublicKey, v.Key, nil)
			if err != nil {
				t.Fatal(err)
			}
			want := v.Result == "valid" && g.KeySize == 256 && len(v.Msg) > 8
			got, err := hsm.Unwrap(key, "RSA_AES_KEY_WRAP_SHA_256", append(block, v.Ciphertext...))
			checkVector(t, "aes_kwp_test.json", v, got, err, want)
		}
	}
	if ran != f.NumberOfTests || ran == 0 {
		t.Errorf("ran %d of %d", ran, f.NumberOfTests)
	}
}

func checkVector(t *testing.T, name string, v vector, got []byte, err error, want bool) {
	t.Helper()
	switch {
	case want && (err != nil || !bytes.Equal(got, v.Msg)):
		t.Errorf("%s %d (%s): %x, %v, want %x", name, v.ID, v.Comment, got, err, []byte(v.Msg))
	case !want && (!errors.Is(err, hsm.ErrCiphertext) || got != nil):
		t.Errorf("%s %d (%s): %x, %v, want ErrCiphertext", name, v.ID, v.Comment, got, err)
	}
}
