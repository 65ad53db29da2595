// SPDX-License-Identifier: Apache-2.0

package wrap_test

import (
	"bytes"
	"testing"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
	"github.com/tink-crypto/tink-go/v2/kwp/subtle"
)

// TestWycheproofOAEP holds the tests' own unwrap, which opens all that Wrap makes, against vectors, and wraps each
// message again. It shows that our parameters are one hash for both and an empty label.
func TestWycheproofOAEP(t *testing.T) {
	tests := []struct {
		file      string
		algorithm wrap.Algorithm
		ours      bool // the file's parameters are those of algorithm
	}{
		{oaepVectors[2048], wrap.OAEPSHA256, true},
		{oaepVectors[3072], wrap.OAEPSHA256, true},
		{oaepVectors[4096], wrap.OAEPSHA256, true},
		{"rsa_oaep_2048_sha1_mgf1sha1_test.json", wrap.OAEPSHA1, true},
		{"rsa_oaep_2048_sha256_mgf1sha1_test.json", wrap.OAEPSHA256, false},
		{"rsa_oaep_2048_sha256_mgf1sha1_test.json", wrap.OAEPSHA1, false},
	}
	for _, tt := range tests {
		t.Run(tt.file+"/"+string(tt.algorithm), func(t *testing.T) {
			for _, group := range readVectors(t, tt.file) {
				priv := group.privateKey(t)
				for _, v := range group.Tests {
					got, err := unwrap(priv, tt.algorithm, v.CT)
					// A label is something KMS does not use, so a vector with one is invalid here.
					if !tt.ours || v.Result == "invalid" || len(v.Label) > 0 {
						if err == nil {
							t.Errorf("%d: %s: unwrapped, want an error", v.TcID, v.Comment)
						}
						continue
					}
					if err != nil || !bytes.Equal(got, v.Msg) {
						t.Errorf("%d: %s: got %x, %v, want %x", v.TcID, v.Comment, got, err, v.Msg)
					}
					if len(v.Msg) == 0 {
						continue // Wrap takes no empty material
					}
					encrypted, err := wrap.Wrap(&priv.PublicKey, tt.algorithm, material.NewSecret(bytes.Clone(v.Msg)))
					if err != nil {
						t.Fatalf("%d: Wrap: %v", v.TcID, err)
					}
					mustOpen(t, priv, tt.algorithm, encrypted, v.Msg)
				}
			}
		})
	}
}

// TestWycheproofKWP holds the key wrap we chose against RFC 5649 vectors, under the one key size we use. The library
// takes no material below 16 bytes, which the vectors also have; KMS takes none below 28.
func TestWycheproofKWP(t *testing.T) {
	tested := 0
	for _, group := range readVectors(t, "aes_kwp_test.json") {
		if group.KeySize != 256 {
			continue
		}
		for _, v := range group.Tests {
			kek, err := subtle.NewKWP(v.Key)
			if err != nil {
				t.Fatal(err)
			}
			got, err := kek.Unwrap(v.CT)
			if v.Result == "invalid" {
				if err == nil {
					t.Errorf("%d: %s: unwrapped, want an error", v.TcID, v.Comment)
				}
				continue
			}
			if len(v.Msg) < subtle.MinWrapSize {
				if _, err := kek.Wrap(v.Msg); err == nil {
					t.Errorf("%d: %s: wrapped, want the library's error", v.TcID, v.Comment)
				}
				continue
			}
			tested++
			if err != nil || !bytes.Equal(got, v.Msg) {
				t.Errorf("%d: %s: unwrapped %x, %v, want %x", v.TcID, v.Comment, got, err, v.Msg)
			}
			if ct, err := kek.Wrap(v.Msg); err != nil || !bytes.Equal(ct, v.CT) {
				t.Errorf("%d: %s: wrapped %x, %v, want %x", v.TcID, v.Comment, ct, err, v.CT)
			}
		}
	}
	if tested != 10 {
		t.Errorf("%d valid vectors under AES-256, want 10", tested)
	}
}
