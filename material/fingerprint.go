// SPDX-License-Identifier: Apache-2.0

package material

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Fingerprint identifies material and is safe to show. A plain hash of a secret is never used: it would reveal that the same
// secret is in use elsewhere.
type Fingerprint struct {
	Kind  string `json:"kind"`  // "spki-sha256", "cmac" or "hmac"
	Value string `json:"value"` // lower-case hex: 64 digits for spki-sha256, 10 for the check values
}

// The kinds of fingerprint. A check value is 5 bytes long: enough to compare, and for uniformly random material no help to
// anyone.
const (
	SPKISHA256 = "spki-sha256" // SHA-256 of SubjectPublicKeyInfo, for key pairs
	CMAC       = "cmac"        // first 5 bytes of AES-CMAC (SP 800-38B) of 16 zero bytes, for SYMMETRIC_DEFAULT
	HMACCheck  = "hmac"        // first 5 bytes of HMAC-SHA-256 of "keymat/kcv/v1", for the HMAC specs
)

const checkValueSize = 5

// String returns kind and value, as in "cmac:0a1b2c3d4e".
func (f Fingerprint) String() string { return f.Kind + ":" + f.Value }

// FingerprintPublicKey is the fingerprint of the key pair to which a public key
// belongs: spki is its SubjectPublicKeyInfo in DER (RFC 5280, section 4.1), as
// KMS's GetPublicKey answers it.
func FingerprintPublicKey(spki []byte) Fingerprint {
	sum := sha256.Sum256(spki)
	return Fingerprint{Kind: SPKISHA256, Value: hex.EncodeToString(sum[:])}
}

func cmacFingerprint(key []byte) (Fingerprint, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return Fingerprint{}, fmt.Errorf("computing the check value: %w", err)
	}
	// CMAC of a single complete block M is AES(K, M xor K1), where K1 is AES(K, 0) doubled in GF(2^128).
	var m [aes.BlockSize]byte
	block.Encrypt(m[:], m[:])
	carry := m[0] >> 7
	for i := range m {
		m[i] <<= 1
		if i+1 < len(m) {
			m[i] |= m[i+1] >> 7
		}
	}
	m[len(m)-1] ^= 0x87 & -carry
	block.Encrypt(m[:], m[:])
	return Fingerprint{Kind: CMAC, Value: hex.EncodeToString(m[:checkValueSize])}, nil
}

// CheckValue returns the [HMACCheck] of a secret that is no material by itself, such as a component of some. The secret shall be
// uniformly random, or the value helps whoever guesses it.
func CheckValue(s Secret) Fingerprint { return hmacFingerprint(s.bytes()) }

func hmacFingerprint(key []byte) Fingerprint {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("keymat/kcv/v1"))
	return Fingerprint{Kind: HMACCheck, Value: hex.EncodeToString(mac.Sum(nil)[:checkValueSize])}
}
