// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"bytes"

	"github.com/miekg/pkcs11"

	"github.com/keymat/keymat/material"
)

// A kind says how a token makes the material of a key spec, and knows it again.
type kind struct {
	spec     material.Spec
	keyType  uint   // CKK_…
	generate uint   // CKM_…
	bits     uint   // RSA modulus
	curve    []byte // CKA_EC_PARAMS: the object identifier of the curve, in DER
}

// kinds has a row for each of material.Specs that a token can make. The curves are those of RFC 5480 section 2.1.1.1, SEC 2
// appendix A (secp256k1), and RFC 8410 section 3 (Ed25519).
var kinds = []kind{
	{spec: material.SymmetricDefault, keyType: pkcs11.CKK_AES, generate: pkcs11.CKM_AES_KEY_GEN},
	{spec: material.HMAC224, keyType: pkcs11.CKK_GENERIC_SECRET, generate: pkcs11.CKM_GENERIC_SECRET_KEY_GEN},
	{spec: material.HMAC256, keyType: pkcs11.CKK_GENERIC_SECRET, generate: pkcs11.CKM_GENERIC_SECRET_KEY_GEN},
	{spec: material.HMAC384, keyType: pkcs11.CKK_GENERIC_SECRET, generate: pkcs11.CKM_GENERIC_SECRET_KEY_GEN},
	{spec: material.HMAC512, keyType: pkcs11.CKK_GENERIC_SECRET, generate: pkcs11.CKM_GENERIC_SECRET_KEY_GEN},
	{spec: material.RSA2048, keyType: pkcs11.CKK_RSA, generate: pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, bits: 2048},
	{spec: material.RSA3072, keyType: pkcs11.CKK_RSA, generate: pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, bits: 3072},
	{spec: material.RSA4096, keyType: pkcs11.CKK_RSA, generate: pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, bits: 4096},
	{spec: material.ECCNISTP256, keyType: pkcs11.CKK_EC, generate: pkcs11.CKM_EC_KEY_PAIR_GEN,
		curve: []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}},
	{spec: material.ECCNISTP384, keyType: pkcs11.CKK_EC, generate: pkcs11.CKM_EC_KEY_PAIR_GEN,
		curve: []byte{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22}},
	{spec: material.ECCNISTP521, keyType: pkcs11.CKK_EC, generate: pkcs11.CKM_EC_KEY_PAIR_GEN,
		curve: []byte{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23}},
	{spec: material.ECCSECGP256K1, keyType: pkcs11.CKK_EC, generate: pkcs11.CKM_EC_KEY_PAIR_GEN,
		curve: []byte{0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a}},
	{spec: material.ECCNISTEdwards25519, keyType: ckkECEdwards, generate: ckmECEdwardsKeyPairGen,
		curve: []byte{0x06, 0x03, 0x2b, 0x65, 0x70}},
}

// Numbers of PKCS #11 v3.0 that the library for Go does not name.
const (
	ckkECEdwards           = 0x00000040
	ckmECEdwardsKeyPairGen = 0x00001055
	ckmAESKeyWrapKWP       = 0x0000210B
)

// printableEd25519 is another way to name the curve in CKA_EC_PARAMS: curveName "edwards25519" as PrintableString (PKCS #11
// v3.0 section 2.3.10).
var printableEd25519 = append([]byte{0x13, 0x0c}, "edwards25519"...)

func kindOf(spec material.Spec) (kind, bool) {
	for _, k := range kinds {
		if k.spec == spec {
			return k, true
		}
	}
	return kind{}, false
}

// kindOfCurve finds the kind of an EC key by its CKA_EC_PARAMS.
func kindOfCurve(params []byte) (kind, bool) {
	if bytes.Equal(params, printableEd25519) {
		return kindOf(material.ECCNISTEdwards25519)
	}
	for _, k := range kinds {
		if k.curve != nil && bytes.Equal(k.curve, params) {
			return k, true
		}
	}
	return kind{}, false
}

// protection is how a key is kept.
type protection struct {
	onToken     bool // rather than gone with the session
	trustedOnly bool // CKA_WRAP_WITH_TRUSTED
	label       string
	id          []byte
}

// secret is what private and secret keys share: sensitive, which a token never takes back, and extractable, or they could
// never be wrapped. They may be used for nothing but the check value.
func (p protection) secret(class, keyType uint) []Attribute {
	return []Attribute{
		{pkcs11.CKA_CLASS, class},
		{pkcs11.CKA_KEY_TYPE, keyType},
		{pkcs11.CKA_TOKEN, p.onToken},
		{pkcs11.CKA_PRIVATE, true},
		{pkcs11.CKA_SENSITIVE, true},
		{pkcs11.CKA_EXTRACTABLE, true},
		{pkcs11.CKA_WRAP_WITH_TRUSTED, p.trustedOnly},
		{pkcs11.CKA_SIGN, true},
		{pkcs11.CKA_LABEL, p.label},
		{pkcs11.CKA_ID, p.id},
	}
}

func (p protection) public(keyType uint) []Attribute {
	return []Attribute{
		{pkcs11.CKA_CLASS, uint(pkcs11.CKO_PUBLIC_KEY)},
		{pkcs11.CKA_KEY_TYPE, keyType},
		{pkcs11.CKA_TOKEN, p.onToken},
		{pkcs11.CKA_PRIVATE, false},
		{pkcs11.CKA_VERIFY, true},
		{pkcs11.CKA_LABEL, p.label},
		{pkcs11.CKA_ID, p.id},
	}
}

// make generates a key of the kind in the token.
func (k kind) make(s Session, p protection) (*Key, error) {
	m := Mechanism{Type: k.generate}
	if !k.spec.KeyPair() {
		length := Attribute{pkcs11.CKA_VALUE_LEN, uint(k.spec.GenerateLength())}
		o, err := s.GenerateKey(m, append(p.secret(pkcs11.CKO_SECRET_KEY, k.keyType), length))
		return &Key{session: s, object: o}, err
	}
	public := p.public(k.keyType)
	if k.bits != 0 {
		public = append(public, Attribute{pkcs11.CKA_MODULUS_BITS, k.bits}, Attribute{pkcs11.CKA_PUBLIC_EXPONENT, []byte{1, 0, 1}})
	} else {
		public = append(public, Attribute{pkcs11.CKA_EC_PARAMS, k.curve})
	}
	pub, priv, err := s.GenerateKeyPair(m, public, p.secret(pkcs11.CKO_PRIVATE_KEY, k.keyType))
	return &Key{session: s, object: priv, public: pub}, err
}
