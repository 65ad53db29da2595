// SPDX-License-Identifier: Apache-2.0

package wrap_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"

	"github.com/keymat/keymat/wrap"
)

func spki(tb testing.TB, pub any) []byte {
	tb.Helper()
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		tb.Fatal(err)
	}
	return der
}

// modulus is an odd number of exactly so many bits; no one needs its factors.
func modulus(bits int) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	return n.SetBit(n, 0, 1)
}

func TestParsePublicKey(t *testing.T) {
	for bits, want := range map[int]wrap.KeySpec{2048: wrap.RSA2048, 3072: wrap.RSA3072, 4096: wrap.RSA4096} {
		pub := &privateKey(t, bits).PublicKey
		got, err := wrap.ParsePublicKey(spki(t, pub))
		if err != nil || !got.Equal(pub) {
			t.Errorf("ParsePublicKey of %d bits = %v, %v", bits, got, err)
		}
		if k, err := wrap.KeySpecOf(pub); k != want || err != nil {
			t.Errorf("KeySpecOf of %d bits = %v, %v, want %v", bits, k, err, want)
		}
	}
}

func TestParsePublicKeyRefuses(t *testing.T) {
	good := spki(t, &privateKey(t, 2048).PublicKey)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	even := modulus(2048)
	even.SetBit(even, 0, 0)
	// The algorithm identifier of an SM2 key, id-ecPublicKey with the curve, before a point that is not looked at.
	sm2 := []byte{0x30, 0x1b, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
		0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d, 0x03, 0x04, 0x00, 0x04, 0x01, 0x02}
	rsaKey := func(n *big.Int, e int) []byte { return spki(t, &rsa.PublicKey{N: n, E: e}) }
	tests := []struct {
		name  string
		in    []byte
		found string
	}{
		{"empty", nil, "nothing"},
		{"short", good[:len(good)-1], "293 bytes of something else"},
		{"trailing data", append(bytes.Clone(good), 0), "295 bytes of something else"},
		{"PKCS #1", x509.MarshalPKCS1PublicKey(&privateKey(t, 2048).PublicKey), "270 bytes of something else"},
		{"PEM", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: good}), "PEM text"},
		{"base64", []byte(base64.StdEncoding.EncodeToString(good)), "base64 text"},
		{"SM2", sm2, "an SM2 key, which KMS hands out in China Regions only"},
		{"EC", spki(t, &ec.PublicKey), "an EC key"},
		{"Ed25519", spki(t, ed), "an Ed25519 key"},
		{"X25519", spki(t, x.PublicKey()), "an X25519 key"},
		{"exponent 3", rsaKey(modulus(2048), 3), "an RSA key with public exponent 3"},
		{"even", rsaKey(even, 65537), "an RSA key with an even modulus"},
		{"2047 bits", rsaKey(modulus(2047), 65537), "an RSA key of 2047 bits"},
		{"2049 bits", rsaKey(modulus(2049), 65537), "an RSA key of 2049 bits"},
		{"1024 bits", rsaKey(modulus(1024), 65537), "an RSA key of 1024 bits"},
		{"8192 bits", rsaKey(modulus(8192), 65537), "an RSA key of 8192 bits"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pub, err := wrap.ParsePublicKey(tt.in)
			e, ok := errors.AsType[*wrap.PublicKeyError](err)
			if !ok || e.Found != tt.found || pub != nil {
				t.Fatalf("got %v, %v, want %q", pub, err, tt.found)
			}
		})
	}
	want := "wrapping public key: found nothing, want a DER SubjectPublicKeyInfo of RSA with 2048, 3072 or 4096 bits and exponent 65537"
	if _, err := wrap.ParsePublicKey(nil); message(err) != want {
		t.Errorf("got %q, want %q", message(err), want)
	}
	for _, pub := range []*rsa.PublicKey{nil, {E: 65537}} {
		if _, err := wrap.KeySpecOf(pub); err == nil {
			t.Errorf("KeySpecOf(%v) = nil, want an error", pub)
		}
	}
}

// FuzzParsePublicKey: either an error and no key, or a key that encrypts and whose encoding reads back as the same key.
func FuzzParsePublicKey(f *testing.F) {
	for bits := range oaepVectors {
		f.Add(spki(f, &privateKey(f, bits).PublicKey))
	}
	f.Add([]byte("-----BEGIN PUBLIC KEY-----"))
	f.Add(x509.MarshalPKCS1PublicKey(&privateKey(f, 2048).PublicKey))
	f.Fuzz(func(t *testing.T, in []byte) {
		pub, err := wrap.ParsePublicKey(in)
		if err != nil {
			if pub != nil {
				t.Fatal("a key beside an error")
			}
			return
		}
		again, err := wrap.ParsePublicKey(spki(t, pub))
		if err != nil || !again.Equal(pub) {
			t.Fatalf("read back %v, %v", again, err)
		}
		if _, err := wrap.Wrap(pub, wrap.OAEPSHA256, secret(32)); err != nil {
			t.Fatal(err)
		}
	})
}
