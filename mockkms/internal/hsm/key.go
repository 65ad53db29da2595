// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"slices"
)

// Key is parsed key material, able to do the data plane of its spec. It is
// immutable and safe for concurrent use; parsing an RSA key costs far more than
// using it, so keep it.
//
// A key does not know the KeyUsage it was created with, nor any state: judging
// those is the caller's. Every method judges the algorithm against the key spec.
type Key struct {
	spec      *Spec
	canonical []byte
	public    []byte // SubjectPublicKeyInfo, DER
	secret    any    // the family's own type; what it can do is asked by interface
}

// signer is a secret that makes and checks signatures. What is signed has been
// prepared by [Key.signingInput].
type signer interface {
	sign(a signingAlgorithm, input []byte) ([]byte, error)
	verify(a signingAlgorithm, input, signature []byte) bool
}

// messageRepresenter is a secret that signs something which depends on the
// message and on its own public key.
type messageRepresenter interface {
	represent(message []byte) []byte
}

// agreer is a secret that takes part in a Diffie-Hellman agreement.
type agreer interface {
	agree(publicKeyDER []byte) ([]byte, error)
}

// ParseMaterial makes a key of the bytes that ImportKeyMaterial unwraps, or that
// [GenerateMaterial] returned:
//
//   - SYMMETRIC_DEFAULT: 32 raw bytes.
//   - HMAC_n: raw bytes, from the digest length to 128.
//   - RSA_n: PKCS #8 (RFC 5208), two primes, a modulus of exactly n bits.
//   - ECC_NIST_Pn, ECC_SECG_P256K1: PKCS #8 with an ECPrivateKey (RFC 5915) over
//     the named curve; the public point may be left out, compressed,
//     uncompressed or hybrid, and has to belong to the private key.
//   - ECC_NIST_EDWARDS25519: PKCS #8 (RFC 8410).
//   - ML_DSA_n, ML_KEM_n, which nobody can import: PKCS #8 with a seed.
//
// BER is accepted in place of DER for RSA and the Weierstrass curves, not for
// Ed25519 (recorded). What the recordings leave open is refused: PKCS #8 version
// 2, explicit curve parameters, private scalars of another than the curve's
// length.
//
// The error is a [*MaterialError] or an [*UnknownSpecError]. The key keeps no
// reference to material.
func ParseMaterial(spec string, material []byte) (*Key, error) {
	s, ok := LookupSpec(spec)
	if !ok {
		return nil, &UnknownSpecError{KeySpec: spec}
	}
	return s.family.parse(s, material)
}

// GenerateMaterial makes new material for the spec: raw bytes of the digest
// length (32 for SYMMETRIC_DEFAULT) or PKCS #8 DER. RSA_4096 takes seconds.
func GenerateMaterial(spec string) ([]byte, error) {
	s, ok := LookupSpec(spec)
	if !ok {
		return nil, &UnknownSpecError{KeySpec: spec}
	}
	return s.family.generate(s)
}

// Spec is the key's spec.
func (k *Key) Spec() *Spec { return k.spec }

// Canonical returns the one encoding of this key that all its encodings share:
// the raw bytes, or PKCS #8 DER without anything optional but an ECC key's
// uncompressed public point. KMS takes a BER and a DER encoding of one key for
// the same material (recorded), so this is what identifies it. Parsing it gives
// an equal key. It must not be modified.
func (k *Key) Canonical() []byte { return k.canonical }

// PublicKeyDER returns the SubjectPublicKeyInfo that GetPublicKey answers, nil
// for symmetric and HMAC keys. It must not be modified.
func (k *Key) PublicKeyDER() []byte { return k.public }

// Sign signs a message with one of the key spec's signing algorithms. RAW hashes
// it first, DIGEST takes it for the digest. Both give the same for RSA and
// ECDSA. Of the Ed25519 algorithms ED25519_SHA_512 takes RAW only, and
// ED25519_PH_SHA_512 DIGEST only, to whose 64 bytes it applies SHA-512 once more
// (recorded; the manual says otherwise). ML_DSA_SHAKE_256 takes RAW, or the
// 64-byte message representative as EXTERNAL_MU; either verifies as the other
// (recorded).
//
// The checks come in the recorded order, with these errors: [*AlgorithmError],
// [*MessageTypeError], [*DigestError].
func (k *Key) Sign(algorithm, messageType string, message []byte) ([]byte, error) {
	a, input, err := k.signingInput(algorithm, messageType, message)
	if err != nil {
		return nil, err
	}
	return k.secret.(signer).sign(a, input)
}

// Verify checks a signature over a message; arguments and errors as for
// [Key.Sign], and [ErrSignature] if it does not fit.
func (k *Key) Verify(algorithm, messageType string, message, signature []byte) error {
	a, input, err := k.signingInput(algorithm, messageType, message)
	if err != nil {
		return err
	}
	if !k.secret.(signer).verify(a, input, signature) {
		return ErrSignature
	}
	return nil
}

// DeriveSharedSecret agrees on a secret with the owner of a public key, given as
// SubjectPublicKeyInfo on the key's own curve: the x coordinate (SEC 1 section
// 3.3.1), 32, 48 or 66 bytes. The key's own public key is allowed (recorded).
// Errors: [*AlgorithmError], [ErrPublicKey].
func (k *Key) DeriveSharedSecret(algorithm string, publicKeyDER []byte) ([]byte, error) {
	if !k.spec.Allows(KeyAgreement, algorithm) {
		return nil, &AlgorithmError{Algorithm: algorithm, KeySpec: k.spec.name}
	}
	return k.secret.(agreer).agree(publicKeyDER)
}

// signingInput judges algorithm, message type and digest length in that order
// (recorded) and returns what the algorithm works on: a digest, ML-DSA's mu, or
// the message itself for plain Ed25519.
func (k *Key) signingInput(algorithm, messageType string, message []byte) (signingAlgorithm, []byte, error) {
	if messageType == "" {
		messageType = Raw
	}
	a, ok := findSigning(algorithm)
	if !ok || !k.spec.Allows(SignVerify, algorithm) {
		return a, nil, &AlgorithmError{Algorithm: algorithm, KeySpec: k.spec.name}
	}
	if !slices.Contains(k.spec.messages, messageType) {
		return a, nil, &MessageTypeError{MessageType: messageType, KeySpec: k.spec.name}
	}
	if a.types != nil && !slices.Contains(a.types, messageType) {
		return a, nil, &MessageTypeError{MessageType: messageType, KeySpec: k.spec.name, Algorithm: algorithm}
	}
	switch {
	case messageType == Digest && len(message) != a.hash.Size():
		return a, nil, &DigestError{Algorithm: algorithm, MessageType: Digest, Got: len(message), Want: a.hash.Size()}
	case messageType == ExternalMu && len(message) != muSize:
		return a, nil, &DigestError{Algorithm: algorithm, MessageType: ExternalMu, Got: len(message), Want: muSize}
	case messageType == Digest, messageType == ExternalMu, a.scheme == schemeEd25519:
		return a, message, nil
	case a.scheme == schemeMLDSA:
		return a, k.secret.(messageRepresenter).represent(message), nil
	}
	h := a.hash.New()
	h.Write(message)
	return a, h.Sum(nil), nil
}
