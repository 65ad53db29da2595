// SPDX-License-Identifier: Apache-2.0

package hsm_test

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

func claims(ref string) hsm.TokenClaims {
	return hsm.TokenClaims{
		KeyARN:          "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
		Algorithm:       "RSAES_OAEP_SHA_256",
		WrappingKeySpec: "RSA_4096",
		ValidTo:         time.Date(2026, 9, 13, 7, 55, 26, 437_000_000, time.UTC),
		WrappingKeyRef:  ref,
	}
}

func sealToken(t testing.TB, secret byte, c hsm.TokenClaims) []byte {
	t.Helper()
	token, err := hsm.SealToken([32]byte{secret}, c)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokenRoundTrip(t *testing.T) {
	whole := claims("")
	whole.WrappingKey = bytes.Repeat([]byte{0xff}, 2350) // an RSA_4096 key as PKCS #1
	for name, want := range map[string]hsm.TokenClaims{"own key": whole, "shared key": claims("RSA_4096/3")} {
		token := sealToken(t, 1, want)
		if len(token) > 6144 {
			t.Errorf("%s: %d bytes, of which the API carries 6144", name, len(token))
		}
		got, err := hsm.OpenToken([32]byte{1}, token)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if bytes.Equal(token, sealToken(t, 1, want)) {
			t.Errorf("%s: two tokens are alike", name)
		}
		if !bytes.HasPrefix(token, []byte{1, 1, 2, 0, 0x78}) {
			t.Errorf("%s: starts %x", name, token[:5])
		}
		if n := int(binary.BigEndian.Uint32(token[37:])); n != len(token)-41 {
			t.Errorf("%s: length field %d, want %d", name, n, len(token)-41)
		}
		decodeCMS(t, token[41:])
		if bytes.Contains(token, []byte("1234abcd")) {
			t.Errorf("%s: the key id is readable", name)
		}
	}
}

func TestTokenTampering(t *testing.T) {
	token := sealToken(t, 1, claims("RSA_4096/3"))
	for i := range token {
		bad := bytes.Clone(token)
		bad[i] ^= 1
		if _, err := hsm.OpenToken([32]byte{1}, bad); err != hsm.ErrToken {
			t.Fatalf("byte %d changed: %v, want ErrToken", i, err)
		}
		if _, err := hsm.OpenToken([32]byte{1}, token[:i]); err != hsm.ErrToken {
			t.Fatalf("cut to %d: %v, want ErrToken", i, err)
		}
	}
	for name, bad := range map[string][]byte{
		"32 letters": bytes.Repeat([]byte{'x'}, 32), "longer": append(bytes.Clone(token), 0),
		"ciphertext": seal(t, newCipher(t, 1, 'A'), []byte("p"), nil),
	} {
		if _, err := hsm.OpenToken([32]byte{1}, bad); err != hsm.ErrToken {
			t.Errorf("%s: %v, want ErrToken", name, err)
		}
	}
	if _, err := hsm.OpenToken([32]byte{2}, token); err != hsm.ErrToken {
		t.Errorf("another secret: %v, want ErrToken", err)
	}
}

func TestTokenTooLong(t *testing.T) {
	if _, err := hsm.SealToken([32]byte{1}, claims(strings.Repeat("x", 6144))); err == nil {
		t.Error("no error")
	}
}

// A token of an earlier version opens, as it may be used after an upgrade.
func TestTokenSealedBefore(t *testing.T) {
	got, err := hsm.OpenToken([32]byte{1}, readTestdata(t, "token.bin"))
	if want := claims("ref"); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

// No token opens but the one that was sealed.
func FuzzOpenToken(f *testing.F) {
	known := readTestdata(f, "token.bin")
	f.Add(known)
	f.Add(known[:41])
	f.Add(append(bytes.Clone(known), known...))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, token []byte) {
		got, err := hsm.OpenToken([32]byte{1}, token)
		if bytes.Equal(token, known) {
			if err != nil || !reflect.DeepEqual(got, claims("ref")) {
				t.Fatalf("%+v, %v", got, err)
			}
		} else if err != hsm.ErrToken || !reflect.DeepEqual(got, hsm.TokenClaims{}) {
			t.Fatalf("%d bytes: %+v, %v", len(token), got, err)
		}
	})
}
