// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"crypto"
	"crypto/mlkem"
	"crypto/rand"
	"fmt"

	"github.com/cloudflare/circl/kem/mlkem/mlkem512"
)

// mlkemSet is one parameter set of ML-KEM as a key spec needs it.
type mlkemSet struct {
	oid        []byte // DER element
	ciphertext int    // bytes
	open       func(seed []byte) (crypto.Decapsulator, error)
}

var (
	mlkem512Set  = &mlkemSet{oidMLKEM512, mlkem512.CiphertextSize, openMLKEM512}
	mlkem768Set  = &mlkemSet{oidMLKEM768, mlkem.CiphertextSize768, openMLKEM768}
	mlkem1024Set = &mlkemSet{oidMLKEM1024, mlkem.CiphertextSize1024, openMLKEM1024}
)

func openMLKEM768(seed []byte) (crypto.Decapsulator, error) {
	return mlkem.NewDecapsulationKey768(seed)
}

func openMLKEM1024(seed []byte) (crypto.Decapsulator, error) {
	return mlkem.NewDecapsulationKey1024(seed)
}

// kemSecret decapsulates with an ML-KEM key.
type kemSecret struct {
	set     *mlkemSet
	private crypto.Decapsulator
}

// parseMLKEM takes PKCS #8 with a seed, as [GenerateMaterial] makes it (RFC
// 9935 section 6). KMS imports none.
func parseMLKEM(s *Spec, material []byte) (*Key, error) {
	seed, ok := parseSeed(material, s.mlkem.oid, mlkem.SeedSize)
	if !ok {
		return nil, &MaterialError{KeySpec: s.name, Reason: "no ML-KEM seed inside a PKCS #8 in DER"}
	}
	private, err := s.mlkem.open(seed)
	if err != nil {
		return nil, &MaterialError{KeySpec: s.name, Reason: "seed refused"}
	}
	return &Key{
		spec:      s,
		canonical: marshalSeed(s.mlkem.oid, seed),
		public:    marshalSPKI(s.mlkem.oid, nil, private.Encapsulator().Bytes()),
		secret:    &kemSecret{s.mlkem, private},
	}, nil
}

func generateMLKEM(s *Spec) ([]byte, error) {
	return generateSeed(s.mlkem.oid, mlkem.SeedSize), nil
}

// Encapsulate makes a shared secret of 32 bytes under the key's public half,
// and the ciphertext from which [Key.Decapsulate] recovers it: 768, 1088 or
// 1568 bytes. The error is an [*AlgorithmError].
func (k *Key) Encapsulate(algorithm string) (secret, ciphertext []byte, err error) {
	s, err := k.kem(algorithm)
	if err != nil {
		return nil, nil, err
	}
	secret, ciphertext = s.private.Encapsulator().Encapsulate()
	return secret, ciphertext, nil
}

// Decapsulate recovers a shared secret. A ciphertext that was altered, or made
// for another key, yields another secret and no error (implicit rejection,
// FIPS 203). Errors: [*AlgorithmError]; [ErrCiphertext] for any other length.
func (k *Key) Decapsulate(algorithm string, ciphertext []byte) ([]byte, error) {
	s, err := k.kem(algorithm)
	if err != nil {
		return nil, err
	}
	if len(ciphertext) != s.set.ciphertext {
		return nil, ErrCiphertext
	}
	secret, err := s.private.Decapsulate(ciphertext)
	if err != nil {
		return nil, fmt.Errorf("decapsulating: %w", err)
	}
	return secret, nil
}

func (k *Key) kem(algorithm string) (*kemSecret, error) {
	s, ok := k.secret.(*kemSecret)
	if !ok || !k.spec.Allows(EncapsulateDecapsulate, algorithm) {
		return nil, &AlgorithmError{Algorithm: algorithm, KeySpec: k.spec.name}
	}
	return s, nil
}

// kem512 is an ML-KEM-512 key, which the standard library lacks, in its form.
type kem512 struct {
	public  *mlkem512.PublicKey
	private *mlkem512.PrivateKey
}

func openMLKEM512(seed []byte) (crypto.Decapsulator, error) {
	public, private := mlkem512.NewKeyFromSeed(seed)
	return &kem512{public, private}, nil
}

// Encapsulator implements [crypto.Decapsulator].
func (k *kem512) Encapsulator() crypto.Encapsulator { return k }

// Decapsulate implements [crypto.Decapsulator].
func (k *kem512) Decapsulate(ciphertext []byte) ([]byte, error) {
	secret := make([]byte, mlkem512.SharedKeySize)
	k.private.DecapsulateTo(secret, ciphertext)
	return secret, nil
}

// Bytes implements [crypto.Encapsulator].
func (k *kem512) Bytes() []byte {
	b := make([]byte, mlkem512.PublicKeySize)
	k.public.Pack(b)
	return b
}

// Encapsulate implements [crypto.Encapsulator].
func (k *kem512) Encapsulate() (secret, ciphertext []byte) {
	seed := make([]byte, mlkem512.EncapsulationSeedSize)
	rand.Read(seed)
	secret, ciphertext = make([]byte, mlkem512.SharedKeySize), make([]byte, mlkem512.CiphertextSize)
	k.public.EncapsulateTo(ciphertext, secret, seed)
	return secret, ciphertext
}
