// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
)

// rsaSecret signs and decrypts with an RSA key.
type rsaSecret struct {
	private *rsa.PrivateKey
}

// parseRSA takes PKCS #8, DER or BER, with the PKCS #1 key inside. Two primes
// and a modulus of the spec's size are documented; that the key's own numbers
// agree with each other is checked by the standard library.
func parseRSA(s *Spec, material []byte) (*Key, error) {
	refuse := func(format string, args ...any) (*Key, error) {
		return nil, &MaterialError{KeySpec: s.name, Reason: fmt.Sprintf(format, args...)}
	}
	der, ok := berToDER(material)
	if !ok {
		return refuse("neither DER nor BER")
	}
	info, ok := parsePKCS8(der)
	if !ok {
		return refuse("no unencrypted PKCS #8 of version 1")
	}
	if !info.is(oidRSAEncryption, derNull) {
		return refuse("no RSA key inside the PKCS #8")
	}
	private, err := x509.ParsePKCS1PrivateKey(info.key)
	if err != nil {
		// The standard library's text may name values; the kind of fault is enough.
		return refuse("inconsistent or malformed RSA key")
	}
	if len(private.Primes) != 2 {
		return refuse("%d primes, not 2", len(private.Primes))
	}
	if bits := private.N.BitLen(); bits != s.size {
		return refuse("modulus of %d bits, not %d", bits, s.size)
	}
	if private, ok = normaliseRSA(private); !ok {
		return refuse("inconsistent or malformed RSA key")
	}
	return newRSAKey(s, private)
}

// normaliseRSA returns the same key with what PKCS #1 leaves to its author
// decided: the larger prime first, and the least positive private exponent,
// which inverts e modulo lcm(p-1, q-1) (RFC 8017 section 3.2).
func normaliseRSA(k *rsa.PrivateKey) (*rsa.PrivateKey, bool) {
	p, q := k.Primes[0], k.Primes[1]
	if p.Cmp(q) < 0 {
		p, q = q, p
	}
	one := big.NewInt(1)
	p1, q1 := new(big.Int).Sub(p, one), new(big.Int).Sub(q, one)
	gcd := new(big.Int).GCD(nil, nil, p1, q1)
	lambda := p1.Mul(p1, q1.Div(q1, gcd))
	d := new(big.Int).ModInverse(big.NewInt(int64(k.E)), lambda)
	if d == nil {
		return nil, false
	}
	n := &rsa.PrivateKey{PublicKey: k.PublicKey, D: d, Primes: []*big.Int{p, q}}
	n.Precompute()
	return n, n.Validate() == nil
}

func newRSAKey(s *Spec, private *rsa.PrivateKey) (*Key, error) {
	canonical, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("encoding an RSA key: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("encoding an RSA public key: %w", err)
	}
	return &Key{spec: s, canonical: canonical, public: public, secret: &rsaSecret{private}}, nil
}

func generateRSA(s *Spec) ([]byte, error) {
	private, err := rsa.GenerateKey(rand.Reader, s.size)
	if err != nil {
		return nil, fmt.Errorf("generating an RSA key: %w", err)
	}
	return x509.MarshalPKCS8PrivateKey(private)
}

// sign implements signer. The PSS salt is as long as the hash (recorded).
func (r *rsaSecret) sign(a signingAlgorithm, digest []byte) ([]byte, error) {
	if a.scheme == schemePSS {
		return rsa.SignPSS(rand.Reader, r.private, a.hash, digest, pssOptions())
	}
	return rsa.SignPKCS1v15(rand.Reader, r.private, a.hash, digest)
}

func (r *rsaSecret) verify(a signingAlgorithm, digest, signature []byte) bool {
	if a.scheme == schemePSS {
		return rsa.VerifyPSS(&r.private.PublicKey, a.hash, digest, signature, pssOptions()) == nil
	}
	return rsa.VerifyPKCS1v15(&r.private.PublicKey, a.hash, digest, signature) == nil
}

func pssOptions() *rsa.PSSOptions {
	return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
}

// Encrypt encrypts under an RSA public key with RSAES_OAEP_SHA_1 or _SHA_256: one
// hash for OAEP and MGF1, no label. Errors: [*AlgorithmError], also for any key
// that is not RSA; [*PlaintextError]; [ErrFIPS].
func (k *Key) Encrypt(algorithm string, plaintext []byte) ([]byte, error) {
	r, err := k.oaep(algorithm)
	if err != nil {
		return nil, err
	}
	if limit := k.spec.MaxPlaintext(algorithm); len(plaintext) > limit {
		return nil, &PlaintextError{Algorithm: algorithm, KeySpec: k.spec.name, Got: len(plaintext), Max: limit}
	}
	return rsa.EncryptOAEP(oaepHash(algorithm).New(), rand.Reader, &r.private.PublicKey, plaintext, nil)
}

// Decrypt undoes [Key.Encrypt]. Errors: [*AlgorithmError], [ErrCiphertext],
// [ErrFIPS].
func (k *Key) Decrypt(algorithm string, ciphertext []byte) ([]byte, error) {
	r, err := k.oaep(algorithm)
	if err != nil {
		return nil, err
	}
	plaintext, err := rsa.DecryptOAEP(oaepHash(algorithm).New(), nil, r.private, ciphertext, nil)
	if err != nil {
		return nil, ErrCiphertext
	}
	return plaintext, nil
}

func (k *Key) oaep(algorithm string) (*rsaSecret, error) {
	r, ok := k.secret.(*rsaSecret)
	if !ok || !k.spec.Allows(EncryptDecrypt, algorithm) {
		return nil, &AlgorithmError{Algorithm: algorithm, KeySpec: k.spec.name}
	}
	return r, checkFIPS(oaepHash(algorithm))
}
