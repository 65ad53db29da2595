// SPDX-License-Identifier: Apache-2.0

package wrap_test

import (
	"errors"
	"testing"

	"github.com/keymat/keymat/wrap"
)

func TestMaxPlaintext(t *testing.T) {
	tests := []struct {
		algorithm wrap.Algorithm
		bits      int
		want      int
	}{
		// RFC 8017 section 7.1.1, and what KMS itself says of Encrypt (recorded).
		{wrap.OAEPSHA256, 2048, 190},
		{wrap.OAEPSHA256, 3072, 318},
		{wrap.OAEPSHA256, 4096, 446},
		{wrap.OAEPSHA1, 2048, 214},
		{wrap.OAEPSHA1, 3072, 342},
		{wrap.OAEPSHA1, 4096, 470},
		// 6144 less the modulus and 8.
		{wrap.RSAAESSHA256, 2048, 5880},
		{wrap.RSAAESSHA1, 3072, 5752},
		{wrap.RSAAESSHA256, 4096, 5624},
		// Keys KMS does not have: no room, and none for an AES key.
		{wrap.OAEPSHA256, 0, 0},
		{wrap.OAEPSHA256, 528, 0},
		{wrap.OAEPSHA256, 536, 1},
		{wrap.RSAAESSHA256, 776, 0},
		{wrap.RSAAESSHA256, 784, 6032},
		{"RSAES_PKCS1_V1_5", 2048, 0},
		{"", 2048, 0},
	}
	for _, tt := range tests {
		if got := wrap.MaxPlaintext(tt.bits, tt.algorithm); got != tt.want {
			t.Errorf("MaxPlaintext(%d, %s) = %d, want %d", tt.bits, tt.algorithm, got, tt.want)
		}
	}
}

func TestCheckEncrypted(t *testing.T) {
	tests := []struct {
		algorithm wrap.Algorithm
		key       wrap.KeySpec
		length    int
		want      string // of the error, the length a caller should have had
	}{
		{wrap.OAEPSHA256, wrap.RSA2048, 256, ""},
		{wrap.OAEPSHA256, wrap.RSA2048, 255, "256"},
		{wrap.OAEPSHA256, wrap.RSA2048, 257, "256"},
		{wrap.OAEPSHA1, wrap.RSA4096, 512, ""},
		{wrap.OAEPSHA1, wrap.RSA4096, 256, "512"},
		{wrap.RSAAESSHA256, wrap.RSA3072, 384 + 1232, ""},
		{wrap.RSAAESSHA256, wrap.RSA3072, 384 + 1231, "408 to 6144 in steps of 8"},
		{wrap.RSAAESSHA256, wrap.RSA2048, 256 + 24, ""},
		{wrap.RSAAESSHA256, wrap.RSA2048, 256 + 16, "280 to 6144 in steps of 8"},
		{wrap.RSAAESSHA1, wrap.RSA2048, 256, "280 to 6144 in steps of 8"},
		{wrap.RSAAESSHA1, wrap.RSA2048, 6144, ""},
		{wrap.RSAAESSHA1, wrap.RSA2048, 6152, "280 to 6144 in steps of 8"},
	}
	for _, tt := range tests {
		p := wrap.Pair{Algorithm: tt.algorithm, KeySpec: tt.key}
		err := wrap.CheckEncrypted(p, tt.length)
		if tt.want == "" {
			if err != nil {
				t.Errorf("CheckEncrypted(%s, %d) = %v", p, tt.length, err)
			}
			continue
		}
		e, ok := errors.AsType[*wrap.EncryptedLengthError](err)
		if want := (wrap.EncryptedLengthError{Pair: p, Length: tt.length, Want: tt.want}); !ok || *e != want {
			t.Errorf("CheckEncrypted(%s, %d) = %v, want %v", p, tt.length, err, &want)
		}
	}
	err := wrap.CheckEncrypted(wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA2048}, 2)
	want := "encrypted key material of 2 bytes cannot come from RSAES_OAEP_SHA_256 under RSA_2048, want 256"
	if message(err) != want {
		t.Errorf("got %q, want %q", message(err), want)
	}
	for _, p := range []wrap.Pair{{Algorithm: "SM2PKE", KeySpec: wrap.RSA2048}, {Algorithm: wrap.OAEPSHA1, KeySpec: "SM2"}} {
		if _, ok := errors.AsType[*wrap.UnsupportedError](wrap.CheckEncrypted(p, 256)); !ok {
			t.Errorf("CheckEncrypted(%+v): want an UnsupportedError", p)
		}
	}
}
