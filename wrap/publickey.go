// SPDX-License-Identifier: Apache-2.0

package wrap

import (
	"bytes"
	"crypto/dsa" //lint:ignore SA1019 such keys are named only to be refused
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
)

// exponent is the public exponent of every wrapping key KMS hands out. An answer with another one did not come from
// KMS, and a small one would weaken what is encrypted under it.
const exponent = 65537

// ParsePublicKey reads a wrapping public key as GetParametersForImport returns it: DER SubjectPublicKeyInfo (RFC 5280
// section 4.1), rsaEncryption, 2048, 3072 or 4096 bits, exponent 65537. Anything else is a [*PublicKeyError] that says
// what it is.
func ParsePublicKey(spki []byte) (*rsa.PublicKey, error) {
	parsed, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return nil, &PublicKeyError{Found: foreign(spki)}
	}
	pub, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, &PublicKeyError{Found: family(parsed)}
	}
	if _, err := KeySpecOf(pub); err != nil {
		return nil, err
	}
	return pub, nil
}

// KeySpecOf returns the wrapping key spec of pub, or a [*PublicKeyError] if KMS hands out no such key.
func KeySpecOf(pub *rsa.PublicKey) (KeySpec, error) {
	if pub == nil || pub.N == nil {
		return "", &PublicKeyError{Found: "no key"}
	}
	if pub.E != exponent {
		return "", &PublicKeyError{Found: fmt.Sprintf("an RSA key with public exponent %d", pub.E)}
	}
	if pub.N.Bit(0) == 0 {
		return "", &PublicKeyError{Found: "an RSA key with an even modulus"}
	}
	for _, k := range KeySpecs() {
		if k.Bits() == pub.N.BitLen() {
			return k, nil
		}
	}
	return "", &PublicKeyError{Found: fmt.Sprintf("an RSA key of %d bits", pub.N.BitLen())}
}

// foreign says what it can about bytes that are no public key the standard library reads.
func foreign(b []byte) string {
	// The object identifier 1.2.156.10197.1.301 of the SM2 curve.
	sm2 := []byte{0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d}
	switch {
	case len(b) == 0:
		return "nothing"
	case bytes.HasPrefix(b, []byte("-----BEGIN ")):
		return "PEM text"
	case bytes.HasPrefix(b, []byte("MII")):
		return "base64 text"
	case bytes.Contains(b, sm2):
		return "an SM2 key, which KMS hands out in China Regions only"
	}
	return fmt.Sprintf("%d bytes of something else", len(b))
}

// family names the kind of a public key that is not RSA.
func family(pub any) string {
	switch pub.(type) {
	case *ecdsa.PublicKey:
		return "an EC key"
	case ed25519.PublicKey:
		return "an Ed25519 key"
	case *ecdh.PublicKey:
		return "an X25519 key"
	case *dsa.PublicKey:
		return "a DSA key"
	}
	return "a key that is not RSA"
}

// A PublicKeyError is a wrapping public key that is not one of those KMS hands out.
type PublicKeyError struct {
	Found string // in words, with its article
}

func (e *PublicKeyError) Error() string {
	return "wrapping public key: found " + e.Found +
		", want a DER SubjectPublicKeyInfo of RSA with 2048, 3072 or 4096 bits and exponent 65537"
}
