// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"bytes"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"

	"github.com/tink-crypto/tink-go/v2/kwp/subtle"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// A Bench is where a token shows with throwaway keys what it does: wrapping keys of which we have the private half, and one
// key of the session for each spec. The user has to be logged in.
type Bench struct {
	token   *Token
	private map[wrap.KeySpec]*rsa.PrivateKey
	keys    map[material.Spec]*Key
}

// NewBench makes a bench with nothing on it yet.
func (t *Token) NewBench() *Bench {
	return &Bench{token: t, private: map[wrap.KeySpec]*rsa.PrivateKey{}, keys: map[material.Spec]*Key{}}
}

// wrappingKey is the smallest that KMS has for the pair, since it takes long to make.
func (b *Bench) wrappingKey(m Method, spec material.Spec) (*rsa.PrivateKey, error) {
	size := wrap.RSA2048
	if wrap.Check(spec, wrap.Pair{Algorithm: m.Algorithm, KeySpec: size}) != nil {
		size = wrap.RSA3072
	}
	if private := b.private[size]; private != nil {
		return private, nil
	}
	private, err := rsa.GenerateKey(rand.Reader, size.Bits())
	if err != nil {
		return nil, fmt.Errorf("generating a wrapping key to try the token with: %w", err)
	}
	b.private[size] = private
	return private, nil
}

// Try has the token wrap a throwaway key of the kind, opens what comes out as KMS would, and compares what is in it with
// what the token says of the key. The error is a [*TrialError]. For RSA the throwaway key is of 2048 bits, whatever the
// spec: generating longer ones takes tokens long, and the way is the same.
func (b *Bench) Try(m Method, spec material.Spec) error {
	if spec.Kind() == material.RSA {
		spec = material.RSA2048
	}
	const most = 16 // throwaway keys
	for range most {
		telling, err := b.try(m, spec)
		if err != nil {
			return &TrialError{Method: m, Err: err}
		}
		if telling {
			return nil
		}
		delete(b.keys, spec)
	}
	return &TrialError{Method: m, Err: errors.New("no key came up that tells whether the token pads them")}
}

// try reports whether the trial tells anything: RSA keys differ in length, and one whose PKCS #8 fills whole blocks of AES
// key wrap does not show whether a token pads those that do not.
func (b *Bench) try(m Method, spec material.Spec) (telling bool, err error) {
	key, err := b.Throwaway(spec)
	if err != nil {
		return false, err
	}
	private, err := b.wrappingKey(m, spec)
	if err != nil {
		return false, err
	}
	w, err := b.token.Bring(&private.PublicKey)
	if err != nil {
		return false, err
	}
	encrypted, err := b.token.Wrap(w, m, key)
	if err := errors.Join(err, w.Discard()); err != nil {
		return false, err
	}
	plaintext, err := unwrap(private, m.Algorithm, encrypted)
	if err != nil {
		return false, err
	}
	return spec.Kind() != material.RSA || len(plaintext)%8 != 0, checkOpened(spec, plaintext, key)
}

// checkOpened holds what KMS would have against what the token has.
func checkOpened(spec material.Spec, plaintext []byte, key *Key) error {
	opened, err := material.New(spec, plaintext)
	if err != nil {
		if length := len(bytes.TrimRight(plaintext, "\x00")); spec.KeyPair() && length < len(plaintext) {
			if _, err := material.New(spec, plaintext[:length:length]); err == nil {
				return &PaddingError{Zeros: len(plaintext) - length}
			}
		}
		return fmt.Errorf("what KMS would unwrap: %w", err)
	}
	defer opened.Destroy()
	if key.Fingerprint != (material.Fingerprint{}) && key.Fingerprint != opened.Fingerprint() {
		return errors.New("KMS would unwrap other material than the token has")
	}
	return nil
}

// Throwaway makes a throwaway key of a spec, or gives the one that was made; it goes with the session.
func (b *Bench) Throwaway(spec material.Spec) (*Key, error) {
	if key := b.keys[spec]; key != nil {
		return key, nil
	}
	row, ok := kindOf(spec)
	if !ok {
		_, err := spec.MarshalText()
		return nil, err
	}
	key, err := row.make(b.token.session, protection{label: "keymat throwaway key"})
	if err != nil {
		return nil, err
	}
	b.keys[spec] = key
	return key, key.read(b.token)
}

// unwrap opens EncryptedKeyMaterial of a throwaway key as KMS would. SHA-1 is no decision of this process here, which may
// enforce FIPS 140-3: it protects nothing, and looks at what a token does.
func unwrap(private *rsa.PrivateKey, a wrap.Algorithm, encrypted []byte) (plaintext []byte, err error) {
	size := private.Size()
	if len(encrypted) < size {
		return nil, fmt.Errorf("%d bytes came out, expected at least %d", len(encrypted), size)
	}
	newHash := func() hash.Hash { return sha256.New() }
	if a == wrap.OAEPSHA1 || a == wrap.RSAAESSHA1 {
		newHash = func() hash.Hash { return sha1.New() }
	}
	fips140.WithoutEnforcement(func() {
		plaintext, err = rsa.DecryptOAEP(newHash(), nil, private, encrypted[:size], nil)
	})
	switch {
	case err != nil:
		return nil, errors.New("what came out is not RSAES-OAEP with this hash for label and mask")
	case !a.Hybrid() && len(encrypted) != size:
		return nil, fmt.Errorf("%d bytes came out, expected %d", len(encrypted), size)
	case !a.Hybrid():
		return plaintext, nil
	case len(plaintext) != 32:
		return nil, fmt.Errorf("the one-time key has %d bytes, expected 32", len(plaintext))
	}
	kek, err := subtle.NewKWP(plaintext)
	if err != nil {
		return nil, err
	}
	if plaintext, err = kek.Unwrap(encrypted[size:]); err != nil {
		return nil, errors.New("the key is not under AES key wrap with padding of RFC 5649")
	}
	return plaintext, nil
}
