// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"crypto"
	_ "crypto/sha1" // RSAES_OAEP_SHA_1
	_ "crypto/sha256"
	_ "crypto/sha512"

	"crypto/fips140"
)

// Key usages, spelt as KMS spells KeyUsage.
const (
	EncryptDecrypt    = "ENCRYPT_DECRYPT"
	SignVerify        = "SIGN_VERIFY"
	GenerateVerifyMAC = "GENERATE_VERIFY_MAC"
	KeyAgreement      = "KEY_AGREEMENT"

	EncapsulateDecapsulate = "ENCAPSULATE_DECAPSULATE"
)

// Message types of Sign and Verify, spelt as KMS spells MessageType. The empty
// string is taken as Raw, which is KMS's default.
const (
	Raw        = "RAW"
	Digest     = "DIGEST"
	ExternalMu = "EXTERNAL_MU"
)

// Encryption, wrapping, key agreement and key encapsulation algorithms, spelt as KMS spells them.
// SymmetricDefault names both a key spec and the algorithm of its ciphertexts.
const (
	RSAESOAEPSHA1       = "RSAES_OAEP_SHA_1"
	RSAESOAEPSHA256     = "RSAES_OAEP_SHA_256"
	RSAAESKeyWrapSHA1   = "RSA_AES_KEY_WRAP_SHA_1"
	RSAAESKeyWrapSHA256 = "RSA_AES_KEY_WRAP_SHA_256"
	ECDH                = "ECDH"
	MLKEM               = "ML_KEM"
)

// scheme is the way a signing algorithm treats its input.
type scheme uint8

const (
	schemePKCS1 scheme = iota + 1
	schemePSS
	schemeECDSA
	schemeEd25519
	schemeEd25519ph
	schemeMLDSA
)

// signingAlgorithm is how one SigningAlgorithmSpec works.
type signingAlgorithm struct {
	name   string
	scheme scheme
	hash   crypto.Hash
	types  []string // message types it takes; nil: all that the key spec takes
}

// signingAlgorithms is ordered as it is searched, nothing more.
var signingAlgorithms = []signingAlgorithm{
	{name: "ECDSA_SHA_256", scheme: schemeECDSA, hash: crypto.SHA256},
	{name: "ECDSA_SHA_384", scheme: schemeECDSA, hash: crypto.SHA384},
	{name: "ECDSA_SHA_512", scheme: schemeECDSA, hash: crypto.SHA512},
	{name: "RSASSA_PKCS1_V1_5_SHA_256", scheme: schemePKCS1, hash: crypto.SHA256},
	{name: "RSASSA_PKCS1_V1_5_SHA_384", scheme: schemePKCS1, hash: crypto.SHA384},
	{name: "RSASSA_PKCS1_V1_5_SHA_512", scheme: schemePKCS1, hash: crypto.SHA512},
	{name: "RSASSA_PSS_SHA_256", scheme: schemePSS, hash: crypto.SHA256},
	{name: "RSASSA_PSS_SHA_384", scheme: schemePSS, hash: crypto.SHA384},
	{name: "RSASSA_PSS_SHA_512", scheme: schemePSS, hash: crypto.SHA512},
	{name: "ED25519_SHA_512", scheme: schemeEd25519, hash: crypto.SHA512, types: []string{Raw}},
	{name: "ED25519_PH_SHA_512", scheme: schemeEd25519ph, hash: crypto.SHA512, types: []string{Digest}},
	{name: "ML_DSA_SHAKE_256", scheme: schemeMLDSA},
}

// findSigning returns the signing algorithm of that name.
func findSigning(name string) (signingAlgorithm, bool) {
	for _, a := range signingAlgorithms {
		if a.name == name {
			return a, true
		}
	}
	return signingAlgorithm{}, false
}

// macHash returns the hash of a MacAlgorithmSpec, 0 for any other name.
func macHash(algorithm string) crypto.Hash {
	switch algorithm {
	case "HMAC_SHA_224":
		return crypto.SHA224
	case "HMAC_SHA_256":
		return crypto.SHA256
	case "HMAC_SHA_384":
		return crypto.SHA384
	case "HMAC_SHA_512":
		return crypto.SHA512
	}
	return 0
}

// oaepHash returns the hash that an OAEP algorithm uses for both OAEP and MGF1
// (recorded), or that the OAEP half of a hybrid wrapping uses; 0 for any other name.
func oaepHash(algorithm string) crypto.Hash {
	switch algorithm {
	case RSAESOAEPSHA1, RSAAESKeyWrapSHA1:
		return crypto.SHA1
	case RSAESOAEPSHA256, RSAAESKeyWrapSHA256:
		return crypto.SHA256
	}
	return 0
}

// checkFIPS returns [ErrFIPS] for SHA-1 where Go would refuse it, some of its
// functions by panicking.
func checkFIPS(h crypto.Hash) error {
	if h == crypto.SHA1 && fips140.Enforced() {
		return ErrFIPS
	}
	return nil
}
