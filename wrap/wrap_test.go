// SPDX-License-Identifier: Apache-2.0

package wrap_test

import (
	"bytes"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// TestWrap opens what Wrap made, for every algorithm and key size, at the first and last length and around a block of
// the key wrap, and sees one byte more or less refused.
func TestWrap(t *testing.T) {
	for bits := range oaepVectors {
		priv := privateKey(t, bits)
		for _, algorithm := range wrap.Algorithms() {
			t.Run(fmt.Sprintf("%s/%d", algorithm, bits), func(t *testing.T) {
				shortest, longest := 1, wrap.MaxPlaintext(bits, algorithm)
				if algorithm.Hybrid() {
					shortest = 16
				}
				for _, n := range []int{shortest, 32, 47, 48, 49, longest} {
					encrypted, err := wrap.Wrap(&priv.PublicKey, algorithm, secret(n))
					if err != nil {
						t.Fatalf("%d bytes: %v", n, err)
					}
					want := bits / 8
					if algorithm.Hybrid() {
						want += (n+7)/8*8 + 8
					}
					if len(encrypted) != want {
						t.Errorf("%d bytes became %d, want %d", n, len(encrypted), want)
					}
					mustOpen(t, priv, algorithm, encrypted, pattern(n))
				}

				_, err := wrap.Wrap(&priv.PublicKey, algorithm, secret(longest+1))
				long, ok := errors.AsType[*wrap.TooLongError](err)
				if want := (wrap.TooLongError{Algorithm: algorithm, Bits: bits, Length: longest + 1, Max: longest}); !ok || *long != want {
					t.Errorf("one byte more: %v, want %v", err, &want)
				}
				_, err = wrap.Wrap(&priv.PublicKey, algorithm, secret(shortest-1))
				short, ok := errors.AsType[*wrap.TooShortError](err)
				if want := (wrap.TooShortError{Algorithm: algorithm, Length: shortest - 1, Min: shortest}); !ok || *short != want {
					t.Errorf("one byte less: %v, want %v", err, &want)
				}
			})
		}
	}
}

// TestWrapDiffers catches a fixed seed or AES key.
func TestWrapDiffers(t *testing.T) {
	pub := &privateKey(t, 2048).PublicKey
	for _, algorithm := range wrap.Algorithms() {
		first, err1 := wrap.Wrap(pub, algorithm, secret(48))
		second, err2 := wrap.Wrap(pub, algorithm, secret(48))
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(first[:256], second[:256]) {
			t.Errorf("%s: the same RSA block twice", algorithm)
		}
		if algorithm.Hybrid() && bytes.Equal(first[256:], second[256:]) {
			t.Errorf("%s: the same AES block twice", algorithm)
		}
	}
}

func TestWrapLeavesTheSecret(t *testing.T) {
	pub := &privateKey(t, 2048).PublicKey
	s := secret(48)
	for _, algorithm := range wrap.Algorithms() {
		if _, err := wrap.Wrap(pub, algorithm, s); err != nil {
			t.Fatal(err)
		}
		if !s.Equal(secret(48)) {
			t.Fatalf("%s changed what it wrapped", algorithm)
		}
	}
}

func TestWrapRefuses(t *testing.T) {
	pub := &privateKey(t, 2048).PublicKey
	tests := []struct {
		name      string
		pub       *rsa.PublicKey
		algorithm wrap.Algorithm
		secret    material.Secret
		want      string
	}{
		{"PKCS #1 v1.5", pub, "RSAES_PKCS1_V1_5", secret(32),
			`wrapping algorithm "RSAES_PKCS1_V1_5" is not supported: KMS no longer accepts it since 2023-10-10`},
		{"SM2", pub, "SM2PKE", secret(32),
			`wrapping algorithm "SM2PKE" is not supported: KMS offers it in China Regions only`},
		{"lower case", pub, "rsaes_oaep_sha_256", secret(32),
			`wrapping algorithm "rsaes_oaep_sha_256" is not supported: KMS takes RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1, ` +
				`RSA_AES_KEY_WRAP_SHA_256 and RSA_AES_KEY_WRAP_SHA_1`},
		{"no key", nil, wrap.OAEPSHA256, secret(32),
			"wrapping public key: found no key, want a DER SubjectPublicKeyInfo of RSA with 2048, 3072 or 4096 bits and exponent 65537"},
		{"small exponent", &rsa.PublicKey{N: pub.N, E: 3}, wrap.OAEPSHA256, secret(32),
			"wrapping public key: found an RSA key with public exponent 3, want a DER SubjectPublicKeyInfo of RSA with 2048, 3072 or 4096 bits and exponent 65537"},
		{"P-521 under OAEP", pub, wrap.OAEPSHA256, secret(241),
			"material of 241 bytes is too long for RSAES_OAEP_SHA_256 under a key of 2048 bits, which takes at most 190"},
		{"no secret", pub, wrap.OAEPSHA256, material.Secret{},
			"material of 0 bytes is too short for RSAES_OAEP_SHA_256, which takes at least 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			encrypted, err := wrap.Wrap(tt.pub, tt.algorithm, tt.secret)
			if message(err) != tt.want || encrypted != nil {
				t.Errorf("got %d bytes, %q\nwant none, %q", len(encrypted), message(err), tt.want)
			}
		})
	}
}

// TestFIPSEnforced runs itself again with FIPS 140-3 enforced, which a process cannot ask for once it runs.
func TestFIPSEnforced(t *testing.T) {
	if !fips140.Enforced() {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(exe, "-test.run=^TestFIPSEnforced$", "-test.v")
		cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
		out, err := cmd.CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("enforced: all algorithms tried")) {
			t.Fatalf("under fips140=only: %v\n%s", err, out)
		}
		return
	}
	pub := &privateKey(t, 2048).PublicKey
	for _, algorithm := range []wrap.Algorithm{wrap.OAEPSHA256, wrap.RSAAESSHA256} {
		if _, err := wrap.Wrap(pub, algorithm, secret(32)); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
	}
	for _, algorithm := range []wrap.Algorithm{wrap.OAEPSHA1, wrap.RSAAESSHA1} {
		_, err := wrap.Wrap(pub, algorithm, secret(32))
		if _, ok := errors.AsType[*wrap.FIPSError](err); !ok {
			t.Errorf("%s: got %v, want a FIPSError", algorithm, err)
		}
		want := string(algorithm) + " uses SHA-1, which this process may not use because it enforces FIPS 140-3"
		if message(err) != want {
			t.Errorf("got %q, want %q", message(err), want)
		}
	}
	t.Log("enforced: all algorithms tried")
}

func ExampleWrap() {
	// KMS keeps the private half; GetParametersForImport hands out the public one.
	priv, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		fmt.Println(err)
		return
	}
	encrypted, err := wrap.Wrap(&priv.PublicKey, wrap.OAEPSHA256, material.NewSecret(make([]byte, 32)))
	fmt.Println(len(encrypted), err)
	// Output: 256 <nil>
}

// BenchmarkWrap stands beside a bare rsa.EncryptOAEP of the same key; docs give the ratio.
func BenchmarkWrap(b *testing.B) {
	for _, bits := range []int{2048, 4096} {
		pub := &privateKey(b, bits).PublicKey
		for _, bench := range []struct {
			algorithm wrap.Algorithm
			length    int
		}{{wrap.OAEPSHA256, 32}, {wrap.RSAAESSHA256, 1217}, {wrap.RSAAESSHA256, 2374}} {
			b.Run(fmt.Sprintf("%s/RSA_%d/%d", bench.algorithm, bits, bench.length), func(b *testing.B) {
				s := secret(bench.length)
				for b.Loop() {
					if _, err := wrap.Wrap(pub, bench.algorithm, s); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("bare/RSA_%d", bits), func(b *testing.B) {
			msg := pattern(32)
			for b.Loop() {
				if _, err := rsa.EncryptOAEP(oaepHash(wrap.OAEPSHA256), rand.Reader, pub, msg, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
