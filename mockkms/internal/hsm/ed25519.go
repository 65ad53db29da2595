// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
)

// edSecret signs with an Ed25519 key.
type edSecret struct {
	private ed25519.PrivateKey
	public  ed25519.PublicKey
}

// parseEd25519 takes PKCS #8 DER as in RFC 8410 section 7. BER of the same key
// is refused, unlike for the other key pairs (recorded).
func parseEd25519(s *Spec, material []byte) (*Key, error) {
	refuse := func(reason string) (*Key, error) {
		return nil, &MaterialError{KeySpec: s.name, Reason: reason}
	}
	info, ok := parsePKCS8(material)
	if !ok {
		return refuse("no unencrypted PKCS #8 of version 1 in DER")
	}
	if !info.is(oidEd25519, nil) {
		return refuse("no Ed25519 key inside the PKCS #8")
	}
	seed, ok := readWhole(info.key, tagOctetString)
	if !ok || len(seed) != ed25519.SeedSize {
		return refuse("malformed CurvePrivateKey")
	}
	private := ed25519.NewKeyFromSeed(seed)
	public := private.Public().(ed25519.PublicKey)
	return &Key{
		spec:      s,
		canonical: marshalEd25519(seed),
		public:    marshalSPKI(oidEd25519, nil, public),
		secret:    &edSecret{private, public},
	}, nil
}

func generateEd25519(*Spec) ([]byte, error) {
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed)
	return marshalEd25519(seed), nil
}

func marshalEd25519(seed []byte) []byte {
	return marshalPKCS8(oidEd25519, nil, element(tagOctetString, seed))
}

// sign implements signer; the result is deterministic.
func (e *edSecret) sign(a signingAlgorithm, message []byte) ([]byte, error) {
	message, options := edInput(a, message)
	return e.private.Sign(nil, message, options)
}

func (e *edSecret) verify(a signingAlgorithm, message, signature []byte) bool {
	message, options := edInput(a, message)
	return ed25519.VerifyWithOptions(e.public, message, signature, options) == nil
}

// edInput turns a message into what the standard library signs for it. Under
// ED25519_PH_SHA_512 KMS takes the 64 submitted bytes, the caller's digest, for
// the message of Ed25519ph (RFC 8032 section 5.1, empty context), which hashes
// it: SHA-512 is thus applied twice to what the caller means to sign. The manual
// says that KMS skips the hash; the recorded signature says that it does not.
func edInput(a signingAlgorithm, message []byte) ([]byte, *ed25519.Options) {
	if a.scheme != schemeEd25519ph {
		return message, &ed25519.Options{}
	}
	digest := sha512.Sum512(message)
	return digest[:], &ed25519.Options{Hash: crypto.SHA512}
}
