// SPDX-License-Identifier: Apache-2.0

package hsm_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

// allSpecs are in the order of the KeySpec enumeration, less SM2, which only China Regions have.
var allSpecs = strings.Fields(`RSA_2048 RSA_3072 RSA_4096 ECC_NIST_P256 ECC_NIST_P384 ECC_NIST_P521
	ECC_SECG_P256K1 SYMMETRIC_DEFAULT HMAC_224 HMAC_256 HMAC_384 HMAC_512 ML_DSA_44 ML_DSA_65 ML_DSA_87
	ECC_NIST_EDWARDS25519 ML_KEM_512 ML_KEM_768 ML_KEM_1024`)

func TestSpecsAreInOrder(t *testing.T) {
	var got []string
	for _, s := range hsm.Specs() {
		got = append(got, s.Name())
		if found, ok := hsm.LookupSpec(s.Name()); !ok || found != s {
			t.Errorf("LookupSpec(%q) = %v, %v, want the row of Specs", s.Name(), found, ok)
		}
		if want := !strings.HasPrefix(s.Name(), "ML_"); s.Importable() != want { // recorded for ML-DSA
			t.Errorf("%s: importable %v, want %v", s.Name(), s.Importable(), want)
		}
	}
	if !slices.Equal(got, allSpecs) {
		t.Errorf("Specs() = %v, want %v", got, allSpecs)
	}
	for _, name := range []string{"", "rsa_2048", "SM2", "ML_DSA_2", "RSA_1024"} {
		if s, ok := hsm.LookupSpec(name); ok {
			t.Errorf("LookupSpec(%q) = %s, want none", name, s.Name())
		}
	}
}

func TestAlgorithmLists(t *testing.T) {
	const (
		rsaSign = "RSASSA_PKCS1_V1_5_SHA_256 RSASSA_PKCS1_V1_5_SHA_384 RSASSA_PKCS1_V1_5_SHA_512 " +
			"RSASSA_PSS_SHA_256 RSASSA_PSS_SHA_384 RSASSA_PSS_SHA_512"
		oaep = "RSAES_OAEP_SHA_1 RSAES_OAEP_SHA_256"
	)
	want := map[string]map[string]string{ // spec, usage: algorithms; not listed: none
		"SYMMETRIC_DEFAULT":     {"ENCRYPT_DECRYPT": "SYMMETRIC_DEFAULT"},
		"HMAC_224":              {"GENERATE_VERIFY_MAC": "HMAC_SHA_224"},
		"HMAC_256":              {"GENERATE_VERIFY_MAC": "HMAC_SHA_256"},
		"HMAC_384":              {"GENERATE_VERIFY_MAC": "HMAC_SHA_384"},
		"HMAC_512":              {"GENERATE_VERIFY_MAC": "HMAC_SHA_512"},
		"RSA_2048":              {"ENCRYPT_DECRYPT": oaep, "SIGN_VERIFY": rsaSign},
		"RSA_3072":              {"ENCRYPT_DECRYPT": oaep, "SIGN_VERIFY": rsaSign},
		"RSA_4096":              {"ENCRYPT_DECRYPT": oaep, "SIGN_VERIFY": rsaSign},
		"ECC_NIST_P256":         {"SIGN_VERIFY": "ECDSA_SHA_256", "KEY_AGREEMENT": "ECDH"},
		"ECC_NIST_P384":         {"SIGN_VERIFY": "ECDSA_SHA_384", "KEY_AGREEMENT": "ECDH"},
		"ECC_NIST_P521":         {"SIGN_VERIFY": "ECDSA_SHA_512", "KEY_AGREEMENT": "ECDH"},
		"ECC_SECG_P256K1":       {"SIGN_VERIFY": "ECDSA_SHA_256"},
		"ECC_NIST_EDWARDS25519": {"SIGN_VERIFY": "ED25519_PH_SHA_512 ED25519_SHA_512"},
		"ML_DSA_44":             {"SIGN_VERIFY": "ML_DSA_SHAKE_256"},
		"ML_DSA_65":             {"SIGN_VERIFY": "ML_DSA_SHAKE_256"},
		"ML_DSA_87":             {"SIGN_VERIFY": "ML_DSA_SHAKE_256"},
		"ML_KEM_512":            {"ENCAPSULATE_DECAPSULATE": "ML_KEM"},
		"ML_KEM_768":            {"ENCAPSULATE_DECAPSULATE": "ML_KEM"},
		"ML_KEM_1024":           {"ENCAPSULATE_DECAPSULATE": "ML_KEM"},
	}
	usages := []string{"ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT", "ENCAPSULATE_DECAPSULATE"}
	for _, s := range hsm.Specs() {
		var allowed []string
		for _, u := range usages {
			got := s.Algorithms(u)
			if joined := strings.Join(got, " "); joined != want[s.Name()][u] {
				t.Errorf("%s %s: algorithms %q, want %q", s.Name(), u, joined, want[s.Name()][u])
			}
			for _, a := range got {
				if !s.Allows(u, a) {
					t.Errorf("%s %s does not allow %s", s.Name(), u, a)
				}
			}
			if got != nil {
				allowed = append(allowed, u)
			}
		}
		if got := s.Usages(); !slices.Equal(got, allowed) {
			t.Errorf("%s: usages %v, want %v", s.Name(), got, allowed)
		}
		if s.Allows("SIGN_VERIFY", "SYMMETRIC_DEFAULT") || s.Allows("", "") {
			t.Errorf("%s allows what it should not", s.Name())
		}
	}
}

func TestAlgorithmsIsACopy(t *testing.T) {
	s, _ := hsm.LookupSpec("RSA_2048")
	s.Algorithms("SIGN_VERIFY")[0] = "spoilt"
	if s.Algorithms("SIGN_VERIFY")[0] == "spoilt" {
		t.Error("the caller can change the table")
	}
}

func TestMaxPlaintext(t *testing.T) {
	tests := []struct {
		spec, algorithm string
		want            int
	}{
		{"RSA_2048", "RSAES_OAEP_SHA_1", 214}, {"RSA_2048", "RSAES_OAEP_SHA_256", 190},
		{"RSA_3072", "RSAES_OAEP_SHA_1", 342}, {"RSA_3072", "RSAES_OAEP_SHA_256", 318},
		{"RSA_4096", "RSAES_OAEP_SHA_1", 470}, {"RSA_4096", "RSAES_OAEP_SHA_256", 446},
		{"SYMMETRIC_DEFAULT", "SYMMETRIC_DEFAULT", 4096},
		{"SYMMETRIC_DEFAULT", "RSAES_OAEP_SHA_1", 0},
		{"RSA_2048", "SYMMETRIC_DEFAULT", 0},
		{"HMAC_256", "HMAC_SHA_256", 0},
	}
	for _, tt := range tests {
		s, _ := hsm.LookupSpec(tt.spec)
		if got := s.MaxPlaintext(tt.algorithm); got != tt.want {
			t.Errorf("%s.MaxPlaintext(%s) = %d, want %d", tt.spec, tt.algorithm, got, tt.want)
		}
	}
}

func TestKindsOfSpec(t *testing.T) {
	for _, s := range hsm.Specs() {
		symmetric := s.Name() == "SYMMETRIC_DEFAULT"
		hmac := strings.HasPrefix(s.Name(), "HMAC_")
		if s.Symmetric() != symmetric || s.HMAC() != hmac || s.KeyPair() != (!symmetric && !hmac) {
			t.Errorf("%s: Symmetric %v, HMAC %v, KeyPair %v", s.Name(), s.Symmetric(), s.HMAC(), s.KeyPair())
		}
	}
}
