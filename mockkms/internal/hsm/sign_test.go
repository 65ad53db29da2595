// SPDX-License-Identifier: Apache-2.0

package hsm_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	_ "crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"

	secp256k1 "github.com/decred/dcrd/dcrec/secp256k1/v4"
	secpecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

// signing is every signing algorithm under one spec that has it.
var signing = []struct {
	spec, algorithm string
	hash            crypto.Hash
	deterministic   bool
}{
	{"RSA_2048", "RSASSA_PKCS1_V1_5_SHA_256", crypto.SHA256, true},
	{"RSA_2048", "RSASSA_PKCS1_V1_5_SHA_384", crypto.SHA384, true},
	{"RSA_2048", "RSASSA_PKCS1_V1_5_SHA_512", crypto.SHA512, true},
	{"RSA_2048", "RSASSA_PSS_SHA_256", crypto.SHA256, false},
	{"RSA_2048", "RSASSA_PSS_SHA_384", crypto.SHA384, false},
	{"RSA_2048", "RSASSA_PSS_SHA_512", crypto.SHA512, false},
	{"ECC_NIST_P256", "ECDSA_SHA_256", crypto.SHA256, false},
	{"ECC_NIST_P384", "ECDSA_SHA_384", crypto.SHA384, false},
	{"ECC_NIST_P521", "ECDSA_SHA_512", crypto.SHA512, false},
	{"ECC_SECG_P256K1", "ECDSA_SHA_256", crypto.SHA256, false},
}

func digestOf(h crypto.Hash, message []byte) []byte {
	d := h.New()
	d.Write(message)
	return d.Sum(nil)
}

// RAW and DIGEST are interchangeable for RSA and ECDSA (recorded), and what is
// signed verifies under the public key with other code.
func TestSignRawAndDigest(t *testing.T) {
	message := []byte("signed by the mock")
	for _, tt := range signing {
		k := generated(t, tt.spec)
		digest := digestOf(tt.hash, message)
		raw, err := k.Sign(tt.algorithm, "", message)
		if err != nil {
			t.Errorf("%s: %v", tt.algorithm, err)
			continue
		}
		hashed, err := k.Sign(tt.algorithm, "DIGEST", digest)
		if err != nil {
			t.Errorf("%s DIGEST: %v", tt.algorithm, err)
			continue
		}
		if bytes.Equal(raw, hashed) != tt.deterministic {
			t.Errorf("%s: deterministic %v, want %v", tt.algorithm, !tt.deterministic, tt.deterministic)
		}
		if err := k.Verify(tt.algorithm, "DIGEST", digest, raw); err != nil {
			t.Errorf("%s: RAW signature as DIGEST: %v", tt.algorithm, err)
		}
		if err := k.Verify(tt.algorithm, "RAW", message, hashed); err != nil {
			t.Errorf("%s: DIGEST signature as RAW: %v", tt.algorithm, err)
		}
		if !verifiesElsewhere(t, k, tt.algorithm, tt.hash, digest, raw) {
			t.Errorf("%s under %s: other code does not verify it", tt.algorithm, tt.spec)
		}
		refuseOtherSignatures(t, k, tt.algorithm, "RAW", message, raw)
	}
}

func refuseOtherSignatures(t *testing.T, k *hsm.Key, algorithm, messageType string, message, signature []byte) {
	t.Helper()
	spoilt := bytes.Clone(signature)
	spoilt[len(spoilt)-1] ^= 1
	for name, s := range map[string][]byte{
		"spoilt": spoilt, "cut": signature[:len(signature)-1], "padded": append(bytes.Clone(signature), 0),
		"text": []byte("invalid"), "empty": nil,
	} {
		if err := k.Verify(algorithm, messageType, message, s); err != hsm.ErrSignature {
			t.Errorf("%s: %s signature: %v, want ErrSignature", algorithm, name, err)
		}
	}
	other := bytes.Clone(message)
	other[0] ^= 1
	if err := k.Verify(algorithm, messageType, other, signature); err != hsm.ErrSignature {
		t.Errorf("%s: other message: %v, want ErrSignature", algorithm, err)
	}
}

func verifiesElsewhere(t *testing.T, k *hsm.Key, algorithm string, h crypto.Hash, digest, signature []byte) bool {
	t.Helper()
	if k.Spec().Name() == "ECC_SECG_P256K1" {
		der := k.PublicKeyDER()
		public, err := secp256k1.ParsePubKey(der[len(der)-65:])
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := secpecdsa.ParseDERSignature(signature)
		return err == nil && parsed.Verify(digest, public)
	}
	public, err := x509.ParsePKIXPublicKey(k.PublicKeyDER())
	if err != nil {
		t.Fatal(err)
	}
	switch public := public.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(public, digest, signature)
	case *rsa.PublicKey:
		if bytes.Contains([]byte(algorithm), []byte("PSS")) {
			salt := &rsa.PSSOptions{SaltLength: h.Size()}
			return rsa.VerifyPSS(public, h, digest, signature, salt) == nil
		}
		return rsa.VerifyPKCS1v15(public, h, digest, signature) == nil
	}
	return false
}

// About half of all secp256k1 signatures have a large s, as with KMS; 64 of them
// with the same half would be chance of one in 2^63.
func TestSecp256k1SignaturesAreNotNormalised(t *testing.T) {
	k := generated(t, "ECC_SECG_P256K1")
	var high, low int
	for range 64 {
		signature, err := k.Sign("ECDSA_SHA_256", "RAW", []byte("m"))
		if err != nil {
			t.Fatal(err)
		}
		var parts struct{ R, S *big.Int }
		if rest, err := asn1.Unmarshal(signature, &parts); err != nil || len(rest) > 0 {
			t.Fatalf("not DER: %v, %d bytes left", err, len(rest))
		}
		var s secp256k1.ModNScalar
		s.SetByteSlice(parts.S.Bytes())
		if s.IsOverHalfOrder() {
			high++
		} else {
			low++
		}
		if err := k.Verify("ECDSA_SHA_256", "RAW", []byte("m"), signature); err != nil {
			t.Fatal(err)
		}
	}
	if high == 0 || low == 0 {
		t.Errorf("%d signatures with large s, %d with small", high, low)
	}
}

// ED25519_PH_SHA_512 hashes the submitted digest once more (recorded).
func TestEd25519(t *testing.T) {
	k := generated(t, "ECC_NIST_EDWARDS25519")
	parsed, err := x509.ParsePKIXPublicKey(k.PublicKeyDER())
	if err != nil {
		t.Fatal(err)
	}
	public := parsed.(ed25519.PublicKey)
	message := []byte("signed by the mock")
	digest := sha512.Sum512(message)
	twice := sha512.Sum512(digest[:])

	plain, err := k.Sign("ED25519_SHA_512", "RAW", message)
	if err != nil || !ed25519.Verify(public, message, plain) {
		t.Errorf("ED25519_SHA_512: %v, or not plain Ed25519", err)
	}
	prehashed, err := k.Sign("ED25519_PH_SHA_512", "DIGEST", digest[:])
	if err != nil {
		t.Fatal(err)
	}
	ph := &ed25519.Options{Hash: crypto.SHA512}
	if err := ed25519.VerifyWithOptions(public, twice[:], prehashed, ph); err != nil {
		t.Errorf("ED25519_PH_SHA_512 is not Ed25519ph over the digest as message: %v", err)
	}
	if err := ed25519.VerifyWithOptions(public, digest[:], prehashed, ph); err == nil {
		t.Error("ED25519_PH_SHA_512 took the digest for the prehash")
	}
	for _, tt := range []struct {
		algorithm, messageType string
		message, signature     []byte
	}{
		{"ED25519_SHA_512", "RAW", message, plain},
		{"ED25519_PH_SHA_512", "DIGEST", digest[:], prehashed},
	} {
		if err := k.Verify(tt.algorithm, tt.messageType, tt.message, tt.signature); err != nil {
			t.Errorf("%s: %v", tt.algorithm, err)
		}
		if again, _ := k.Sign(tt.algorithm, tt.messageType, tt.message); !bytes.Equal(again, tt.signature) {
			t.Errorf("%s is not deterministic", tt.algorithm)
		}
		refuseOtherSignatures(t, k, tt.algorithm, tt.messageType, tt.message, tt.signature)
	}
}

// The order of the checks is recorded: algorithm, message type against the key
// spec, message type against the algorithm, digest length.
func TestSigningRefusals(t *testing.T) {
	tests := []struct {
		spec, algorithm, messageType string
		length                       int
		want                         string
	}{
		{"RSA_2048", "ECDSA_SHA_256", "RAW", 1, "algorithm ECDSA_SHA_256 does not fit key spec RSA_2048"},
		{"RSA_2048", "RSAES_OAEP_SHA_1", "RAW", 1, "algorithm RSAES_OAEP_SHA_1 does not fit key spec RSA_2048"},
		{"ECC_NIST_P256", "ECDSA_SHA_384", "EXTERNAL_MU", 1, "algorithm ECDSA_SHA_384 does not fit key spec ECC_NIST_P256"},
		{"ECC_NIST_P256", "ECDH", "RAW", 1, "algorithm ECDH does not fit key spec ECC_NIST_P256"},
		{"HMAC_256", "HMAC_SHA_256", "RAW", 1, "algorithm HMAC_SHA_256 does not fit key spec HMAC_256"},
		{"SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT", "RAW", 1, "algorithm SYMMETRIC_DEFAULT does not fit key spec SYMMETRIC_DEFAULT"},
		{"RSA_2048", "RSASSA_PSS_SHA_256", "EXTERNAL_MU", 64, "message type EXTERNAL_MU does not fit key spec RSA_2048"},
		{"ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "EXTERNAL_MU", 64, "message type EXTERNAL_MU does not fit key spec ECC_NIST_EDWARDS25519"},
		{"ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512", "RAW", 64, "message type RAW does not fit algorithm ED25519_PH_SHA_512"},
		{"ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512", "", 64, "message type RAW does not fit algorithm ED25519_PH_SHA_512"},
		{"ECC_NIST_EDWARDS25519", "ED25519_SHA_512", "DIGEST", 63, "message type DIGEST does not fit algorithm ED25519_SHA_512"},
		{"ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512", "DIGEST", 63, "DIGEST of 63 bytes for ED25519_PH_SHA_512, which takes 64"},
		{"ECC_NIST_EDWARDS25519", "ED25519_PH_SHA_512", "DIGEST", 65, "DIGEST of 65 bytes for ED25519_PH_SHA_512, which takes 64"},
		{"ECC_NIST_P384", "ECDSA_SHA_384", "DIGEST", 47, "DIGEST of 47 bytes for ECDSA_SHA_384, which takes 48"},
		{"RSA_2048", "RSASSA_PKCS1_V1_5_SHA_512", "DIGEST", 65, "DIGEST of 65 bytes for RSASSA_PKCS1_V1_5_SHA_512, which takes 64"},
	}
	for _, tt := range tests {
		k := generated(t, tt.spec)
		signature, err := k.Sign(tt.algorithm, tt.messageType, make([]byte, tt.length))
		if signature != nil || err == nil || err.Error() != tt.want {
			t.Errorf("Sign %s %s: %v, want %s", tt.algorithm, tt.messageType, err, tt.want)
		}
		err = k.Verify(tt.algorithm, tt.messageType, make([]byte, tt.length), nil)
		if err == nil || err.Error() != tt.want {
			t.Errorf("Verify %s %s: %v, want %s", tt.algorithm, tt.messageType, err, tt.want)
		}
	}
}

func TestDeriveSharedSecret(t *testing.T) {
	sizes := map[string]int{"ECC_NIST_P256": 32, "ECC_NIST_P384": 48, "ECC_NIST_P521": 66}
	for spec, size := range sizes {
		ours := generated(t, spec)
		material, err := hsm.GenerateMaterial(spec)
		if err != nil {
			t.Fatal(err)
		}
		theirs := parse(t, spec, material)
		a, err := ours.DeriveSharedSecret("ECDH", theirs.PublicKeyDER())
		if err != nil {
			t.Fatalf("%s: %v", spec, err)
		}
		b, err := theirs.DeriveSharedSecret("ECDH", ours.PublicKeyDER())
		if err != nil || !bytes.Equal(a, b) || len(a) != size {
			t.Errorf("%s: %d and %d bytes, %v, want the same %d", spec, len(a), len(b), err, size)
		}
		if own, err := ours.DeriveSharedSecret("ECDH", ours.PublicKeyDER()); err != nil || len(own) != size {
			t.Errorf("%s: own public key: %v", spec, err)
		}
		for other := range sizes {
			if other == spec {
				continue
			}
			if _, err := ours.DeriveSharedSecret("ECDH", generated(t, other).PublicKeyDER()); err != hsm.ErrPublicKey {
				t.Errorf("%s with a key of %s: %v, want ErrPublicKey", spec, other, err)
			}
		}
		spoilt := bytes.Clone(theirs.PublicKeyDER())
		spoilt[len(spoilt)-1] ^= 1
		for name, der := range map[string][]byte{
			"off the curve": spoilt, "text": []byte("invalid"), "empty": nil,
			"RSA": generated(t, "RSA_2048").PublicKeyDER(), "secp256k1": generated(t, "ECC_SECG_P256K1").PublicKeyDER(),
		} {
			if _, err := ours.DeriveSharedSecret("ECDH", der); err != hsm.ErrPublicKey {
				t.Errorf("%s with %s: %v, want ErrPublicKey", spec, name, err)
			}
		}
	}
	for _, spec := range []string{"ECC_SECG_P256K1", "ECC_NIST_EDWARDS25519", "RSA_2048", "HMAC_256"} {
		_, err := generated(t, spec).DeriveSharedSecret("ECDH", generated(t, "ECC_NIST_P256").PublicKeyDER())
		if _, ok := errors.AsType[*hsm.AlgorithmError](err); !ok {
			t.Errorf("%s: %v, want an AlgorithmError", spec, err)
		}
	}
}
