// SPDX-License-Identifier: Apache-2.0

// Package wrap encrypts key material for AWS KMS: which wrapping algorithms and wrapping keys KMS takes for which
// material, and the encryption itself. It is pure: no network, no clock, no files.
//
// What comes out is EncryptedKeyMaterial as ImportKeyMaterial takes it. OpenSSL can open it with the private key and a
// few lines of shell; KMS documents the same construction with OpenSSL on the sending side.
package wrap

import (
	"crypto"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"fmt"

	"github.com/keymat/keymat/material"
	"github.com/tink-crypto/tink-go/v2/kwp/subtle"
)

// MaxEncrypted is the most bytes ImportKeyMaterial takes as EncryptedKeyMaterial (KMS API model).
const MaxEncrypted = 6144

// Sizes in bytes of the hybrid construction: KMS documents AES-256 only; RFC 5649 adds 8 bytes to the padded material.
const (
	aesKeyLen   = 32
	kwpOverhead = 8
	kwpBlock    = 8
)

// Usable tells whether this process may wrap with the algorithm. It fails with [*FIPSError] for those on SHA-1 where
// FIPS 140-3 is enforced: Go answers those with an error in one place and a panic in another.
func (a Algorithm) Usable() error {
	if a.hash() == crypto.SHA1 && fips140.Enforced() {
		return &FIPSError{Algorithm: a}
	}
	return nil
}

// Wrap encrypts s under pub, as KMS will decrypt it: RSAES-OAEP (RFC 8017 section 7.1), one hash for OAEP and MGF1,
// empty label; hybrid algorithms put a fresh AES-256 key there, followed by s under that key with AES key wrap with
// padding (RFC 5649). The result is as long as the modulus, plus the wrapped material for hybrid algorithms, and
// differs every time.
//
// Whether KMS takes such material this way is Check's business. Errors: [*UnsupportedError], [*PublicKeyError], [*FIPSError],
// [*TooShortError], [*TooLongError]. The one-time AES key is cleared before Wrap returns. That is best effort: its key
// schedule is left to the garbage collector, unless material.ErasingEnabled.
func Wrap(pub *rsa.PublicKey, algorithm Algorithm, s material.Secret) ([]byte, error) {
	if err := algorithm.known(); err != nil {
		return nil, err
	}
	if _, err := KeySpecOf(pub); err != nil {
		return nil, err
	}
	if err := algorithm.Usable(); err != nil {
		return nil, err
	}
	if err := checkLength(pub.N.BitLen(), algorithm, s.Len()); err != nil {
		return nil, err
	}
	var encrypted []byte
	var err error
	material.Erasing(func() {
		err = s.Expose(func(plaintext []byte) (err error) {
			encrypted, err = encrypt(pub, algorithm, plaintext)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("wrapping with %s: %w", algorithm, err)
	}
	return encrypted, nil
}

func encrypt(pub *rsa.PublicKey, algorithm Algorithm, plaintext []byte) ([]byte, error) {
	if algorithm.Hybrid() {
		return hybrid(pub, algorithm, plaintext, make([]byte, aesKeyLen))
	}
	return direct(pub, algorithm, plaintext)
}

func direct(pub *rsa.PublicKey, algorithm Algorithm, plaintext []byte) ([]byte, error) {
	return rsa.EncryptOAEP(algorithm.hash().New(), rand.Reader, pub, plaintext, nil)
}

// hybrid fills aesKey, which the caller lends so that a test can see it cleared.
func hybrid(pub *rsa.PublicKey, algorithm Algorithm, plaintext, aesKey []byte) ([]byte, error) {
	defer clear(aesKey)
	rand.Read(aesKey) // never fails: crypto/rand ends the program instead
	kek, err := subtle.NewKWP(aesKey)
	if err != nil {
		return nil, err
	}
	wrapped, err := kek.Wrap(plaintext)
	if err != nil {
		return nil, err
	}
	encryptedKey, err := direct(pub, algorithm, aesKey)
	if err != nil {
		return nil, err
	}
	return append(encryptedKey, wrapped...), nil
}
