// SPDX-License-Identifier: Apache-2.0

package hsm

import "slices"

// Key specs, spelt as KMS spells KeySpec. SM2 is left out: it belongs to the
// China Regions.
const (
	RSA2048             = "RSA_2048"
	RSA3072             = "RSA_3072"
	RSA4096             = "RSA_4096"
	ECCNISTP256         = "ECC_NIST_P256"
	ECCNISTP384         = "ECC_NIST_P384"
	ECCNISTP521         = "ECC_NIST_P521"
	ECCSECGP256K1       = "ECC_SECG_P256K1"
	SymmetricDefault    = "SYMMETRIC_DEFAULT"
	HMAC224             = "HMAC_224"
	HMAC256             = "HMAC_256"
	HMAC384             = "HMAC_384"
	HMAC512             = "HMAC_512"
	MLDSA44             = "ML_DSA_44"
	MLDSA65             = "ML_DSA_65"
	MLDSA87             = "ML_DSA_87"
	ECCNISTEdwards25519 = "ECC_NIST_EDWARDS25519"
	MLKEM512            = "ML_KEM_512"
	MLKEM768            = "ML_KEM_768"
	MLKEM1024           = "ML_KEM_1024"
)

// symmetricLimit is the longest plaintext, in bytes, that Encrypt takes under a
// symmetric key (Encrypt in the KMS API reference).
const symmetricLimit = 4096

// Spec is what KMS lets a key of one KeySpec be and do: a row of this package's
// table. It is immutable, and there is one pointer per spec.
type Spec struct {
	name       string
	family     *family
	size       int    // RSA: modulus bits; HMAC and symmetric: least bytes of material
	most       int    // HMAC and symmetric: most bytes of material
	curve      *curve // ECC over a Weierstrass curve
	mldsa      *mldsaSet
	mlkem      *mlkemSet
	messages   []string // message types of Sign; judged before the algorithm's
	usages     []usage
	importable bool // takes Origin EXTERNAL
}

// usage is one KeyUsage with the algorithms KMS lists for it, in KMS's order.
type usage struct {
	name       string
	algorithms []string
}

// family is what specs of one kind share: how bytes become a key, and how new
// material is made.
type family struct {
	parse    func(*Spec, []byte) (*Key, error)
	generate func(*Spec) ([]byte, error)
	keyPair  bool
}

var (
	symmetricFamily = &family{parse: parseRaw, generate: generateRaw}
	hmacFamily      = &family{parse: parseRaw, generate: generateRaw}
	rsaFamily       = &family{parse: parseRSA, generate: generateRSA, keyPair: true}
	eccFamily       = &family{parse: parseECC, generate: generateECC, keyPair: true}
	edwardsFamily   = &family{parse: parseEd25519, generate: generateEd25519, keyPair: true}
	mldsaFamily     = &family{parse: parseMLDSA, generate: generateMLDSA, keyPair: true}
	mlkemFamily     = &family{parse: parseMLKEM, generate: generateMLKEM, keyPair: true}
)

// Rows that several specs share. The algorithm lists are recorded, order included.
var (
	rawAndDigest = []string{Raw, Digest}
	rawAndMu     = []string{Raw, ExternalMu}

	rsaUsages = []usage{
		{EncryptDecrypt, []string{RSAESOAEPSHA1, RSAESOAEPSHA256}},
		{SignVerify, []string{
			"RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512",
			"RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512",
		}},
	}
	agreement   = usage{KeyAgreement, []string{ECDH}}
	mldsaUsages = []usage{{SignVerify, []string{"ML_DSA_SHAKE_256"}}}
	mlkemUsages = []usage{{EncapsulateDecapsulate, []string{MLKEM}}}
)

// specs is the table, in the order of the KeySpec enumeration of the KMS API.
// Material lengths: importing-keys-conceptual, "Requirements for imported key
// material"; HMAC takes a range there, and the recorded refusals are all below it.
var specs = []*Spec{
	{name: RSA2048, family: rsaFamily, size: 2048, messages: rawAndDigest, usages: rsaUsages, importable: true},
	{name: RSA3072, family: rsaFamily, size: 3072, messages: rawAndDigest, usages: rsaUsages, importable: true},
	{name: RSA4096, family: rsaFamily, size: 4096, messages: rawAndDigest, usages: rsaUsages, importable: true},
	{name: ECCNISTP256, family: eccFamily, curve: p256, messages: rawAndDigest, importable: true,
		usages: []usage{{SignVerify, []string{"ECDSA_SHA_256"}}, agreement}},
	{name: ECCNISTP384, family: eccFamily, curve: p384, messages: rawAndDigest, importable: true,
		usages: []usage{{SignVerify, []string{"ECDSA_SHA_384"}}, agreement}},
	{name: ECCNISTP521, family: eccFamily, curve: p521, messages: rawAndDigest, importable: true,
		usages: []usage{{SignVerify, []string{"ECDSA_SHA_512"}}, agreement}},
	{name: ECCSECGP256K1, family: eccFamily, curve: secp256k1Curve, messages: rawAndDigest, importable: true,
		usages: []usage{{SignVerify, []string{"ECDSA_SHA_256"}}}},
	{name: SymmetricDefault, family: symmetricFamily, size: 32, most: 32, importable: true,
		usages: []usage{{EncryptDecrypt, []string{SymmetricDefault}}}},
	{name: HMAC224, family: hmacFamily, size: 28, most: 128, importable: true,
		usages: []usage{{GenerateVerifyMAC, []string{"HMAC_SHA_224"}}}},
	{name: HMAC256, family: hmacFamily, size: 32, most: 128, importable: true,
		usages: []usage{{GenerateVerifyMAC, []string{"HMAC_SHA_256"}}}},
	{name: HMAC384, family: hmacFamily, size: 48, most: 128, importable: true,
		usages: []usage{{GenerateVerifyMAC, []string{"HMAC_SHA_384"}}}},
	{name: HMAC512, family: hmacFamily, size: 64, most: 128, importable: true,
		usages: []usage{{GenerateVerifyMAC, []string{"HMAC_SHA_512"}}}},
	{name: MLDSA44, family: mldsaFamily, mldsa: mldsa44, messages: rawAndMu, usages: mldsaUsages},
	{name: MLDSA65, family: mldsaFamily, mldsa: mldsa65, messages: rawAndMu, usages: mldsaUsages},
	{name: MLDSA87, family: mldsaFamily, mldsa: mldsa87, messages: rawAndMu, usages: mldsaUsages},
	{name: ECCNISTEdwards25519, family: edwardsFamily, messages: rawAndDigest, importable: true,
		usages: []usage{{SignVerify, []string{"ED25519_PH_SHA_512", "ED25519_SHA_512"}}}},
	{name: MLKEM512, family: mlkemFamily, mlkem: mlkem512Set, usages: mlkemUsages},
	{name: MLKEM768, family: mlkemFamily, mlkem: mlkem768Set, usages: mlkemUsages},
	{name: MLKEM1024, family: mlkemFamily, mlkem: mlkem1024Set, usages: mlkemUsages},
}

// Specs returns every key spec this package implements, in KMS's order.
func Specs() []*Spec { return slices.Clone(specs) }

// LookupSpec returns the spec of that name, spelt exactly as KMS spells it.
func LookupSpec(name string) (*Spec, bool) {
	for _, s := range specs {
		if s.name == name {
			return s, true
		}
	}
	return nil, false
}

// Name is the KeySpec as KMS spells it.
func (s *Spec) Name() string { return s.name }

// Importable reports whether a key of this spec may have Origin EXTERNAL.
func (s *Spec) Importable() bool { return s.importable }

// Symmetric reports whether this is SYMMETRIC_DEFAULT, the one spec whose keys
// show material IDs and have more than one material (recorded).
func (s *Spec) Symmetric() bool { return s.family == symmetricFamily }

// HMAC reports whether keys of this spec make MACs.
func (s *Spec) HMAC() bool { return s.family == hmacFamily }

// KeyPair reports whether keys of this spec have a public key.
func (s *Spec) KeyPair() bool { return s.family.keyPair }

// Usages returns the KeyUsage values a key of this spec may be created with.
func (s *Spec) Usages() []string {
	names := make([]string, len(s.usages))
	for i, u := range s.usages {
		names[i] = u.name
	}
	return names
}

// Algorithms returns what DescribeKey and GetPublicKey list for a key of this
// spec and usage, in KMS's order; nil if the usage does not fit the spec.
func (s *Spec) Algorithms(usage string) []string {
	return slices.Clone(s.algorithms(usage))
}

// Allows reports whether a key of this spec and usage can do the algorithm.
func (s *Spec) Allows(usage, algorithm string) bool {
	return slices.Contains(s.algorithms(usage), algorithm)
}

// MaxPlaintext is the longest plaintext in bytes that the encryption algorithm
// takes under this spec, 0 if it takes none. For RSA it is the modulus length
// minus two hash lengths minus two (RFC 8017 section 7.1.1; recorded).
func (s *Spec) MaxPlaintext(algorithm string) int {
	switch {
	case !s.Allows(EncryptDecrypt, algorithm):
		return 0
	case s.Symmetric():
		return symmetricLimit
	}
	return s.size/8 - 2*oaepHash(algorithm).Size() - 2
}

func (s *Spec) algorithms(usage string) []string {
	for _, u := range s.usages {
		if u.name == usage {
			return u.algorithms
		}
	}
	return nil
}
