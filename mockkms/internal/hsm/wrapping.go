// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/kwp/subtle"
)

// GenerateWrappingKey makes the RSA key of one GetParametersForImport answer,
// for the wrapping key specs RSA_2048, RSA_3072 and RSA_4096; others are an
// [*UnknownSpecError]. RSA_4096 takes about a second.
func GenerateWrappingKey(wrappingSpec string) (*rsa.PrivateKey, error) {
	bits := wrappingBits(wrappingSpec)
	if bits == 0 {
		return nil, &UnknownSpecError{KeySpec: wrappingSpec}
	}
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, fmt.Errorf("generating a wrapping key: %w", err)
	}
	return key, nil
}

// MarshalWrappingKey encodes a wrapping key as PKCS #1 DER, for the state file
// and for import tokens.
func MarshalWrappingKey(key *rsa.PrivateKey) []byte { return x509.MarshalPKCS1PrivateKey(key) }

// ParseWrappingKey decodes what MarshalWrappingKey encoded.
func ParseWrappingKey(der []byte) (*rsa.PrivateKey, error) {
	key, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("decoding a wrapping key: %w", err)
	}
	return key, nil
}

// WrappingPublicKeyDER returns the PublicKey of a GetParametersForImport answer:
// a SubjectPublicKeyInfo of 294, 422 or 550 bytes.
func WrappingPublicKeyDER(key *rsa.PrivateKey) []byte {
	return marshalSPKI(oidRSAEncryption, derNull, x509.MarshalPKCS1PublicKey(&key.PublicKey))
}

// wrappingBits is the modulus length of a wrapping key spec, 0 for any other name.
func wrappingBits(spec string) int {
	switch spec {
	case RSA2048:
		return 2048
	case RSA3072:
		return 3072
	case RSA4096:
		return 4096
	}
	return 0
}

// WrappingAllowed reports whether KMS gives out parameters to import material of
// keySpec under the algorithm and wrapping key spec. Recorded refusals:
// RSAES_PKCS1_V1_5 for anything, hybrid wrapping for SYMMETRIC_DEFAULT, OAEP for
// RSA keys, OAEP under RSA_2048 for ECC_NIST_P521, where it could not fit, and
// for ECC_NIST_EDWARDS25519, where it could. The rest is the guide's table
// (importing-keys-conceptual): no hybrid wrapping for HMAC, all of it for ECC.
func WrappingAllowed(keySpec, algorithm, wrappingSpec string) bool {
	spec, ok := LookupSpec(keySpec)
	if !ok || !spec.importable || wrappingBits(wrappingSpec) == 0 {
		return false
	}
	switch algorithm {
	case RSAAESKeyWrapSHA1, RSAAESKeyWrapSHA256:
		return spec.KeyPair()
	case RSAESOAEPSHA1, RSAESOAEPSHA256:
		switch keySpec {
		case RSA2048, RSA3072, RSA4096:
			return false
		case ECCNISTP521, ECCNISTEdwards25519:
			return wrappingSpec != RSA2048
		}
		return true
	}
	return false
}

// hybridKeyLen is the length in bytes of the AES key in hybrid wrapping. KMS
// documents 256 bits and no other.
const hybridKeyLen = 32

// Unwrap opens EncryptedKeyMaterial. RSAES_OAEP_*: one RSA block. Hybrid,
// RSA_AES_KEY_WRAP_*: one RSA block holding an AES-256 key, then the material
// under AES key wrap with padding (RFC 5649), as CKM_RSA_AES_KEY_WRAP of PKCS #11.
//
// Errors: [ErrCiphertextSize] for a length that the algorithm cannot produce
// under this key, [ErrCiphertext] for all that does not open, [ErrFIPS], and an
// [*AlgorithmError] for any other algorithm.
func Unwrap(priv *rsa.PrivateKey, algorithm string, blob []byte) ([]byte, error) {
	hash := oaepHash(algorithm)
	if hash == 0 {
		return nil, &AlgorithmError{Algorithm: algorithm, KeySpec: fmt.Sprintf("RSA_%d", priv.N.BitLen())}
	}
	if err := checkFIPS(hash); err != nil {
		return nil, err
	}
	hybrid := algorithm == RSAAESKeyWrapSHA1 || algorithm == RSAAESKeyWrapSHA256
	size := priv.Size()
	switch {
	case !hybrid && len(blob) != size,
		hybrid && (len(blob) < size+subtle.MinWrapSize+8 || (len(blob)-size)%8 != 0):
		return nil, ErrCiphertextSize
	}
	plaintext, err := rsa.DecryptOAEP(hash.New(), nil, priv, blob[:size], nil)
	if err != nil {
		return nil, ErrCiphertext
	}
	if !hybrid {
		return plaintext, nil
	}
	if len(plaintext) != hybridKeyLen {
		return nil, ErrCiphertext
	}
	return unwrapPadded(plaintext, blob[size:])
}

// unwrapPadded undoes AES-KWP (RFC 5649 section 4.2).
func unwrapPadded(key, wrapped []byte) ([]byte, error) {
	kwp, err := subtle.NewKWP(key)
	if err != nil {
		return nil, ErrCiphertext
	}
	plaintext, err := kwp.Unwrap(wrapped)
	if err != nil {
		return nil, ErrCiphertext
	}
	return plaintext, nil
}
