// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"slices"

	"github.com/miekg/pkcs11"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// A Method is one way for a token to wrap a key with one of KMS's algorithms.
type Method struct {
	Algorithm wrap.Algorithm
	// KeyWrap is the mechanism that puts the key under a one-time AES key made in the token, in two steps; 0 if the token
	// does the whole in one call.
	KeyWrap uint
}

// Methods returns every method there is, the best for each algorithm first: one call rather than two, and of the two AES key
// wraps the one whose name leaves no doubt. CKM_AES_KEY_WRAP_PAD is RFC 5649 in some tokens, SoftHSM among them, and
// something else in others (PKCS #11 v2.40 errata); that is why everything is tried.
func Methods() []Method {
	return []Method{
		{Algorithm: wrap.OAEPSHA256},
		{Algorithm: wrap.RSAAESSHA256},
		{Algorithm: wrap.RSAAESSHA256, KeyWrap: ckmAESKeyWrapKWP},
		{Algorithm: wrap.RSAAESSHA256, KeyWrap: pkcs11.CKM_AES_KEY_WRAP_PAD},
		{Algorithm: wrap.OAEPSHA1},
		{Algorithm: wrap.RSAAESSHA1},
		{Algorithm: wrap.RSAAESSHA1, KeyWrap: ckmAESKeyWrapKWP},
		{Algorithm: wrap.RSAAESSHA1, KeyWrap: pkcs11.CKM_AES_KEY_WRAP_PAD},
	}
}

// String names the mechanisms, as in "CKM_AES_KEY_WRAP_PAD and CKM_RSA_PKCS_OAEP with SHA-1".
func (m Method) String() string {
	hash := " with SHA-256"
	if m.oaep().Hash == pkcs11.CKM_SHA_1 {
		hash = " with SHA-1"
	}
	switch {
	case !m.Algorithm.Hybrid():
		return "CKM_RSA_PKCS_OAEP" + hash
	case m.KeyWrap == 0:
		return "CKM_RSA_AES_KEY_WRAP" + hash
	case m.KeyWrap == ckmAESKeyWrapKWP:
		return "CKM_AES_KEY_WRAP_KWP and CKM_RSA_PKCS_OAEP" + hash
	}
	return "CKM_AES_KEY_WRAP_PAD and CKM_RSA_PKCS_OAEP" + hash
}

func (m Method) oaep() *OAEP {
	if m.Algorithm == wrap.OAEPSHA256 || m.Algorithm == wrap.RSAAESSHA256 {
		return &OAEP{Hash: pkcs11.CKM_SHA256, MGF: pkcs11.CKG_MGF1_SHA256}
	}
	return &OAEP{Hash: pkcs11.CKM_SHA_1, MGF: pkcs11.CKG_MGF1_SHA1}
}

// steps returns the mechanisms that a token needs for the method.
func (m Method) steps() []uint {
	switch {
	case !m.Algorithm.Hybrid():
		return []uint{pkcs11.CKM_RSA_PKCS_OAEP}
	case m.KeyWrap == 0:
		return []uint{pkcs11.CKM_RSA_AES_KEY_WRAP}
	}
	return []uint{m.KeyWrap, pkcs11.CKM_RSA_PKCS_OAEP}
}

// Listed reports whether the token lists what a method needs. Which hashes it has for OAEP no token says.
func (t *Token) Listed(m Method) bool {
	return !slices.ContainsFunc(m.steps(), func(mechanism uint) bool { return !t.Has(mechanism, pkcs11.CKF_WRAP) })
}

// A Feature is a mechanism that matters here.
type Feature struct {
	Name   string `json:"name"`   // CKM_…
	Number uint   `json:"number"` // as PKCS #11 has it
	Use    string `json:"use"`    // what for
	Listed bool   `json:"listed"` // by the token, for this use
}

// Features returns the mechanisms that matter here, and whether the token lists them.
func (t *Token) Features() []Feature {
	rows := []struct {
		name          string
		number, flags uint
		use           string
	}{
		{"CKM_AES_KEY_GEN", pkcs11.CKM_AES_KEY_GEN, pkcs11.CKF_GENERATE, "generate"},
		{"CKM_GENERIC_SECRET_KEY_GEN", pkcs11.CKM_GENERIC_SECRET_KEY_GEN, pkcs11.CKF_GENERATE, "generate"},
		{"CKM_RSA_PKCS_KEY_PAIR_GEN", pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, pkcs11.CKF_GENERATE_KEY_PAIR, "generate"},
		{"CKM_EC_KEY_PAIR_GEN", pkcs11.CKM_EC_KEY_PAIR_GEN, pkcs11.CKF_GENERATE_KEY_PAIR, "generate"},
		{"CKM_EC_EDWARDS_KEY_PAIR_GEN", ckmECEdwardsKeyPairGen, pkcs11.CKF_GENERATE_KEY_PAIR, "generate"},
		{"CKM_RSA_AES_KEY_WRAP", pkcs11.CKM_RSA_AES_KEY_WRAP, pkcs11.CKF_WRAP, "wrap"},
		{"CKM_RSA_PKCS_OAEP", pkcs11.CKM_RSA_PKCS_OAEP, pkcs11.CKF_WRAP, "wrap"},
		{"CKM_AES_KEY_WRAP_KWP", ckmAESKeyWrapKWP, pkcs11.CKF_WRAP, "wrap"},
		{"CKM_AES_KEY_WRAP_PAD", pkcs11.CKM_AES_KEY_WRAP_PAD, pkcs11.CKF_WRAP, "wrap"},
		{"CKM_AES_CMAC", pkcs11.CKM_AES_CMAC, pkcs11.CKF_SIGN, "check value"},
		{"CKM_SHA256_HMAC", pkcs11.CKM_SHA256_HMAC, pkcs11.CKF_SIGN, "check value"},
	}
	all := make([]Feature, len(rows))
	for i, r := range rows {
		all[i] = Feature{Name: r.name, Number: r.number, Use: r.use, Listed: t.Has(r.number, r.flags)}
	}
	return all
}

// Makes reports whether the token lists what it needs to make material of a spec.
func (t *Token) Makes(spec material.Spec) bool {
	k, ok := kindOf(spec)
	return ok && (t.Has(k.generate, pkcs11.CKF_GENERATE) || t.Has(k.generate, pkcs11.CKF_GENERATE_KEY_PAIR))
}
