// SPDX-License-Identifier: Apache-2.0

package material

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// parseRSAPrivateKey reads RFC 8017 RSAPrivateKey, the inside of PKCS #8 and the whole of PKCS #1.
func parseRSAPrivateKey(der []byte) (*keyPair, error) {
	bits, primes, ok := measureRSA(der)
	if !ok {
		return nil, &FormatError{Found: "RSA private key that is not RFC 8017 inside", Want: "an intact key"}
	}
	// Size and primes first: they are what people get wrong, and a huge modulus must not reach the arithmetic.
	spec, err := rsaSpecOf(bits)
	if err != nil {
		return nil, err
	}
	if primes != 2 {
		return nil, &MultiPrimeError{Spec: spec, Primes: primes}
	}
	key, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		return nil, &InconsistentKeyError{Spec: spec, Reason: rsaReason(err)}
	}
	return newRSA(spec, key)
}

// measureRSA reads the size of the modulus and the number of primes.
func measureRSA(der []byte) (bits, primes int, ok bool) {
	input := cryptobyte.String(der)
	var body, others cryptobyte.String
	var version int
	n := new(big.Int)
	if !input.ReadASN1(&body, casn1.SEQUENCE) || !input.Empty() || !body.ReadASN1Integer(&version) || !body.ReadASN1Integer(n) {
		return 0, 0, false
	}
	for range 7 { // e, d, p, q, d mod p-1, d mod q-1, q^-1 mod p
		if !body.SkipASN1(casn1.INTEGER) {
			return 0, 0, false
		}
	}
	primes = 2
	var multi bool
	if !body.ReadOptionalASN1(&others, &multi, casn1.SEQUENCE) || !body.Empty() {
		return 0, 0, false
	}
	for !others.Empty() {
		if !others.SkipASN1(casn1.SEQUENCE) {
			return 0, 0, false
		}
		primes++
	}
	return n.BitLen(), primes, n.Sign() > 0 && (version == 0 || version == 1)
}

func rsaSpecOf(bits int) (Spec, error) {
	spec, ok := rsaSpec(bits)
	if !ok {
		return "", &UnsupportedSpecError{
			Spec:   fmt.Sprintf("%d-bit RSA private key", bits),
			Reason: "KMS imports RSA keys of 2048, 3072 and 4096 bits",
		}
	}
	return spec, nil
}

// newRSA checks what the standard library leaves to the caller and encodes the key. The key is validated already.
func newRSA(spec Spec, key *rsa.PrivateKey) (*keyPair, error) {
	for _, p := range key.Primes {
		// rsa.Validate proves n = p*q and the exponents, not that p and q are primes. Baillie-PSW has no known counterexample.
		if !p.ProbablyPrime(0) {
			return nil, &InconsistentKeyError{Spec: spec, Reason: "a factor of the modulus is not a prime"}
		}
	}
	return encodeRSA(spec, key)
}

func encodeRSA(spec Spec, key *rsa.PrivateKey) (*keyPair, error) {
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("encoding the public key: %w", err)
	}
	return &keyPair{
		spec:   spec,
		public: &key.PublicKey,
		spki:   spki,
		pkcs8:  encodePKCS8(algorithmRSA(), x509.MarshalPKCS1PrivateKey(key)),
	}, nil
}

// rsaReason takes the standard library's word for what is wrong, when it is one of the sentences known to hold no digits of
// the key.
func rsaReason(err error) string {
	if reason, ok := strings.CutPrefix(err.Error(), "crypto/rsa: "); ok {
		return reason
	}
	return "the numbers do not make an RSA key"
}

func generateRSA(spec Spec, bits int) (*keyPair, error) {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, fmt.Errorf("generating a %d-bit RSA key: %w", bits, err)
	}
	return encodeRSA(spec, key) // fresh from the generator: no need to test the primes again
}

// bits of the RSA modulus, 0 for other specs.
func (s Spec) modulusBits() int {
	for _, row := range specTable {
		if row.spec == s {
			return row.bits
		}
	}
	return 0
}

func oidRSA() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1} }
