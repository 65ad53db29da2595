// SPDX-License-Identifier: Apache-2.0

package hsm_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"hash"
	"strings"
	"testing"

	"github.com/tink-crypto/tink-go/v2/kwp/subtle"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

var wrappingAlgorithms = []string{
	"RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256",
}

// Each row says yes or no for RSA_2048, RSA_3072 and RSA_4096, OAEP and hybrid
// wrapping. SHA_1 and SHA_256 are alike throughout.
func TestWrappingAllowed(t *testing.T) {
	table := map[string]struct{ oaep, hybrid string }{
		"SYMMETRIC_DEFAULT":     {"yyy", "nnn"},
		"HMAC_224":              {"yyy", "nnn"},
		"HMAC_256":              {"yyy", "nnn"},
		"HMAC_384":              {"yyy", "nnn"},
		"HMAC_512":              {"yyy", "nnn"},
		"RSA_2048":              {"nnn", "yyy"},
		"RSA_3072":              {"nnn", "yyy"},
		"RSA_4096":              {"nnn", "yyy"},
		"ECC_NIST_P256":         {"yyy", "yyy"},
		"ECC_NIST_P384":         {"yyy", "yyy"},
		"ECC_NIST_P521":         {"nyy", "yyy"},
		"ECC_SECG_P256K1":       {"yyy", "yyy"},
		"ECC_NIST_EDWARDS25519": {"nyy", "yyy"},
		"ML_DSA_44":             {"nnn", "nnn"},
		"ML_DSA_65":             {"nnn", "nnn"},
		"ML_DSA_87":             {"nnn", "nnn"},
		"ML_KEM_512":            {"nnn", "nnn"},
		"ML_KEM_768":            {"nnn", "nnn"},
		"ML_KEM_1024":           {"nnn", "nnn"},
		"":                      {"nnn", "nnn"},
	}
	for _, spec := range allSpecs {
		if _, ok := table[spec]; !ok {
			t.Errorf("%s is not in the table", spec)
		}
	}
	for spec, row := range table {
		for i, wrapping := range []string{"RSA_2048", "RSA_3072", "RSA_4096"} {
			for _, algorithm := range wrappingAlgorithms {
				want := row.oaep[i] == 'y'
				if strings.HasPrefix(algorithm, "RSA_AES") {
					want = row.hybrid[i] == 'y'
				}
				if got := hsm.WrappingAllowed(spec, algorithm, wrapping); got != want {
					t.Errorf("%s, %s, %s: %v, want %v", spec, algorithm, wrapping, got, want)
				}
			}
			for _, algorithm := range []string{"RSAES_PKCS1_V1_5", "SM2PKE", ""} {
				if hsm.WrappingAllowed(spec, algorithm, wrapping) {
					t.Errorf("%s, %s, %s: allowed", spec, algorithm, wrapping)
				}
			}
		}
		for _, wrapping := range []string{"SM2", "ECC_NIST_P256", "SYMMETRIC_DEFAULT", ""} {
			for _, algorithm := range wrappingAlgorithms {
				if hsm.WrappingAllowed(spec, algorithm, wrapping) {
					t.Errorf("%s, %s, %s: allowed", spec, algorithm, wrapping)
				}
			}
		}
	}
}

// wrapWith wraps without the code under test: the standard library's OAEP, then
// tink's key wrap with padding.
func wrapWith(t testing.TB, public *rsa.PublicKey, algorithm string, aesKey, plaintext []byte) []byte {
	t.Helper()
	oaep := func(message []byte) []byte {
		var h hash.Hash = sha256.New()
		if strings.HasSuffix(algorithm, "SHA_1") {
			h = sha1.New()
		}
		out, err := rsa.EncryptOAEP(h, rand.Reader, public, message, nil)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if strings.HasPrefix(algorithm, "RSAES") {
		return oaep(plaintext)
	}
	kwp, err := subtle.NewKWP(aesKey)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := kwp.Wrap(plaintext)
	if err != nil {
		t.Fatal(err)
	}
	return append(oaep(aesKey), wrapped...)
}

func wrappingKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(readTestdata(t, "rsa2048.der"))
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PrivateKey)
}

func TestUnwrap(t *testing.T) {
	key := wrappingKey(t)
	for _, wrapped := range wrappingAlgorithms {
		hybrid := strings.HasPrefix(wrapped, "RSA_AES")
		lengths := []int{0, 1, 31, 32, 33, 138, 185, 190}
		if hybrid {
			lengths = []int{16, 17, 48, 138, 241, 1217, 2374}
		}
		for _, n := range lengths {
			plaintext := bytes.Repeat([]byte{0xa5}, n)
			blob := wrapWith(t, &key.PublicKey, wrapped, bytes.Repeat([]byte{7}, 32), plaintext)
			for _, asked := range wrappingAlgorithms {
				got, err := hsm.Unwrap(key, asked, blob)
				if asked == wrapped && (err != nil || !bytes.Equal(got, plaintext)) {
					t.Errorf("%s of %d bytes: %d bytes, %v", wrapped, n, len(got), err)
				}
				if asked != wrapped && (!errors.Is(err, hsm.ErrCiphertext) || got != nil) {
					t.Errorf("%s of %d bytes as %s: %v, want ErrCiphertext", wrapped, n, asked, err)
				}
			}
		}
	}
}

func TestUnwrapRefusals(t *testing.T) {
	key := wrappingKey(t)
	oaep := wrapWith(t, &key.PublicKey, "RSAES_OAEP_SHA_256", nil, make([]byte, 32))
	hybrid := wrapWith(t, &key.PublicKey, "RSA_AES_KEY_WRAP_SHA_256", make([]byte, 32), make([]byte, 138))
	short := wrapWith(t, &key.PublicKey, "RSA_AES_KEY_WRAP_SHA_256", make([]byte, 16), make([]byte, 138))
	spoil := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[at] ^= 1
		return b
	}
	tests := []struct {
		name, algorithm string
		blob            []byte
		want            error
	}{
		{"256 letters x", "RSAES_OAEP_SHA_256", bytes.Repeat([]byte{'x'}, 256), hsm.ErrCiphertext},
		{"spoilt", "RSAES_OAEP_SHA_256", spoil(oaep, 255), hsm.ErrCiphertext},
		{"empty", "RSAES_OAEP_SHA_256", nil, hsm.ErrCiphertextSize},
		{"one byte less", "RSAES_OAEP_SHA_256", oaep[:255], hsm.ErrCiphertextSize},
		{"one byte more", "RSAES_OAEP_SHA_256", append(bytes.Clone(oaep), 0), hsm.ErrCiphertextSize},
		{"spoilt RSA block", "RSA_AES_KEY_WRAP_SHA_256", spoil(hybrid, 255), hsm.ErrCiphertext},
		{"spoilt key wrap", "RSA_AES_KEY_WRAP_SHA_256", spoil(hybrid, 256), hsm.ErrCiphertext},
		{"128-bit AES key", "RSA_AES_KEY_WRAP_SHA_256", short, hsm.ErrCiphertext},
		{"RSA block alone", "RSA_AES_KEY_WRAP_SHA_256", hybrid[:256], hsm.ErrCiphertextSize},
		{"least key wrap less one", "RSA_AES_KEY_WRAP_SHA_256", hybrid[:256+16], hsm.ErrCiphertextSize},
		{"cut key wrap", "RSA_AES_KEY_WRAP_SHA_256", hybrid[:256+24], hsm.ErrCiphertext},
		{"no multiple of 8", "RSA_AES_KEY_WRAP_SHA_256", hybrid[:len(hybrid)-1], hsm.ErrCiphertextSize},
		{"key wrap first", "RSA_AES_KEY_WRAP_SHA_256", append(bytes.Clone(hybrid[256:]), hybrid[:256]...), hsm.ErrCiphertext},
	}
	for _, tt := range tests {
		if got, err := hsm.Unwrap(key, tt.algorithm, tt.blob); err != tt.want || got != nil {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	for _, algorithm := range []string{"RSAES_PKCS1_V1_5", "SM2PKE", ""} {
		_, err := hsm.Unwrap(key, algorithm, oaep)
		e, ok := errors.AsType[*hsm.AlgorithmError](err)
		if !ok || e.Algorithm != algorithm || e.KeySpec != "RSA_2048" {
			t.Errorf("%q: %v, want an AlgorithmError", algorithm, err)
		}
	}
	if !errors.Is(hsm.ErrCiphertextSize, hsm.ErrCiphertext) {
		t.Error("ErrCiphertextSize is not ErrCiphertext")
	}
}

func TestWrappingKeys(t *testing.T) {
	for spec, want := range map[string]struct{ bits, spki int }{"RSA_2048": {2048, 294}, "RSA_3072": {3072, 422}} {
		key, err := hsm.GenerateWrappingKey(spec)
		if err != nil {
			t.Fatal(err)
		}
		if key.N.BitLen() != want.bits || key.E != 65537 {
			t.Errorf("%s: %d bits, exponent %d", spec, key.N.BitLen(), key.E)
		}
		der := hsm.WrappingPublicKeyDER(key)
		public, err := x509.ParsePKIXPublicKey(der)
		if err != nil || !key.PublicKey.Equal(public) || len(der) != want.spki {
			t.Errorf("%s: public key of %d bytes, %v, want %d", spec, len(der), err, want.spki)
		}
		again, err := hsm.ParseWrappingKey(hsm.MarshalWrappingKey(key))
		if err != nil || !key.Equal(again) {
			t.Errorf("%s: does not come back: %v", spec, err)
		}
	}
	if _, err := hsm.ParseWrappingKey([]byte("text")); err == nil {
		t.Error("a wrapping key of text: no error")
	}
}

func TestRSAEncryption(t *testing.T) {
	k := generated(t, "RSA_2048")
	algorithms := map[string]int{"RSAES_OAEP_SHA_1": 214, "RSAES_OAEP_SHA_256": 190}
	for algorithm, limit := range algorithms {
		for _, n := range []int{1, limit} {
			plaintext := bytes.Repeat([]byte{'p'}, n)
			ciphertext, err := k.Encrypt(algorithm, plaintext)
			if err != nil || len(ciphertext) != 256 {
				t.Errorf("%s, %d bytes: %d, %v", algorithm, n, len(ciphertext), err)
				continue
			}
			if got, err := k.Decrypt(algorithm, ciphertext); err != nil || !bytes.Equal(got, plaintext) {
				t.Errorf("%s, %d bytes: %v", algorithm, n, err)
			}
			for other := range algorithms {
				if _, err := k.Decrypt(other, ciphertext); other != algorithm && err != hsm.ErrCiphertext {
					t.Errorf("%s as %s: %v, want ErrCiphertext", algorithm, other, err)
				}
			}
		}
		_, err := k.Encrypt(algorithm, make([]byte, limit+1))
		e, ok := errors.AsType[*hsm.PlaintextError](err)
		if !ok || *e != (hsm.PlaintextError{Algorithm: algorithm, KeySpec: "RSA_2048", Got: limit + 1, Max: limit}) {
			t.Errorf("%s, %d bytes: %v", algorithm, limit+1, err)
		}
		if _, err := k.Decrypt(algorithm, []byte("invalid")); err != hsm.ErrCiphertext {
			t.Errorf("%s: %v, want ErrCiphertext", algorithm, err)
		}
	}
	for _, tt := range []struct{ spec, algorithm string }{
		{"RSA_2048", "SYMMETRIC_DEFAULT"}, {"RSA_2048", "RSASSA_PSS_SHA_256"}, {"ECC_NIST_P256", "RSAES_OAEP_SHA_1"},
		{"SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT"}, {"SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_256"}, {"HMAC_256", ""},
	} {
		want := hsm.AlgorithmError{Algorithm: tt.algorithm, KeySpec: tt.spec}
		_, err := generated(t, tt.spec).Encrypt(tt.algorithm, []byte("p"))
		if e, ok := errors.AsType[*hsm.AlgorithmError](err); !ok || *e != want {
			t.Errorf("Encrypt %s under %s: %v", tt.algorithm, tt.spec, err)
		}
		_, err = generated(t, tt.spec).Decrypt(tt.algorithm, []byte("p"))
		if e, ok := errors.AsType[*hsm.AlgorithmError](err); !ok || *e != want {
			t.Errorf("Decrypt %s under %s: %v", tt.algorithm, tt.spec, err)
		}
	}
}

// opensslWrapped is material that OpenSSL wrapped under rsa2048.der: pkeyutl with
// rsa_oaep_md and rsa_mgf1_md, enc -id-aes256-wrap-pad -iv A65959A6.
func opensslWrapped(t testing.TB) map[string]struct{ blob, material []byte } {
	t.Helper()
	symmetric, p256 := bytes.Repeat([]byte{'A'}, 32), readTestdata(t, "p256.der")
	return map[string]struct{ blob, material []byte }{
		"RSAES_OAEP_SHA_1":         {readTestdata(t, "wrapped-oaep-sha1.bin"), symmetric},
		"RSAES_OAEP_SHA_256":       {readTestdata(t, "wrapped-oaep-sha256.bin"), symmetric},
		"RSA_AES_KEY_WRAP_SHA_1":   {readTestdata(t, "wrapped-hybrid-sha1.bin"), p256},
		"RSA_AES_KEY_WRAP_SHA_256": {readTestdata(t, "wrapped-hybrid-sha256.bin"), p256},
	}
}

func TestUnwrapOpenSSL(t *testing.T) {
	key := wrappingKey(t)
	for algorithm, w := range opensslWrapped(t) {
		if got, err := hsm.Unwrap(key, algorithm, w.blob); err != nil || !bytes.Equal(got, w.material) {
			t.Errorf("%s: %d bytes, %v, want %d", algorithm, len(got), err, len(w.material))
		}
	}
}

// Nothing unwraps but what was wrapped, and nothing panics.
func FuzzUnwrap(f *testing.F) {
	key, known := wrappingKey(f), opensslWrapped(f)
	for i, algorithm := range wrappingAlgorithms {
		blob := known[algorithm].blob
		f.Add(byte(i), blob)
		f.Add(byte(i+1), blob)
		f.Add(byte(i), blob[:len(blob)-8])
	}
	f.Fuzz(func(t *testing.T, which byte, blob []byte) {
		algorithm := wrappingAlgorithms[int(which)%len(wrappingAlgorithms)]
		material, err := hsm.Unwrap(key, algorithm, blob)
		if w := known[algorithm]; bytes.Equal(blob, w.blob) {
			if err != nil || !bytes.Equal(material, w.material) {
				t.Fatalf("%s: %d bytes, %v", algorithm, len(material), err)
			}
		} else if !errors.Is(err, hsm.ErrCiphertext) || material != nil {
			t.Fatalf("%s: %d bytes, %v", algorithm, len(material), err)
		}
	})
}
