// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/kwp/subtle"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// rehearse wraps the material as it will be wrapped, but for a key that is made for
// that and never leaves, and unwraps it. What KMS cannot be asked before it is too
// late, this shows: that the other end gets these very bytes.
func (m *Machine) rehearse(params *token.Parameters) error {
	trial := *params
	trial.WrappingKeySpec = least(params, m.memory.material.Spec())
	key, err := m.trialKey(trial.WrappingKeySpec.Bits())
	if err != nil {
		return fmt.Errorf("making a key to try with: %w", err)
	}
	if trial.PublicKey, err = x509.MarshalPKIXPublicKey(&key.PublicKey); err != nil {
		return fmt.Errorf("making a key to try with: %w", err)
	}
	material.Erasing(func() { err = thereAndBack(&trial, key, m.memory.material) })
	return err
}

func (m *Machine) trialKey(bits int) (*rsa.PrivateKey, error) {
	if m.trial != nil && m.trial.N.BitLen() == bits {
		return m.trial, nil
	}
	var err error
	m.trial, err = rsa.GenerateKey(rand.Reader, bits)
	return m.trial, err
}

func thereAndBack(params *token.Parameters, key *rsa.PrivateKey, made *material.Material) error {
	wrapped, err := token.Wrap(params, made)
	if err != nil {
		return err
	}
	plain, err := unwrap(key, params.Algorithm, wrapped.EncryptedKeyMaterial)
	if err != nil {
		return fmt.Errorf("unwrapping with the key to try with: %w", err)
	}
	got := material.NewSecret(plain)
	defer got.Destroy()
	if !got.Equal(made.Secret()) {
		return &DiffersError{"what was wrapped for a trial"}
	}
	return nil
}

// least is the smallest wrapping key that KMS allows for the material and the
// algorithm: a larger one would only take longer to make.
func least(params *token.Parameters, made material.Spec) wrap.KeySpec {
	for _, spec := range []wrap.KeySpec{wrap.RSA2048, wrap.RSA3072} {
		if wrap.Check(made, wrap.Pair{Algorithm: params.Algorithm, KeySpec: spec}) == nil {
			return spec
		}
	}
	return params.WrappingKeySpec
}

// unwrap is what KMS does with wrapped material: RSAES-OAEP (RFC 8017 section 7.1),
// or that for an AES key under which the material is wrapped by RFC 5649.
func unwrap(key *rsa.PrivateKey, a wrap.Algorithm, encrypted []byte) ([]byte, error) {
	hash := crypto.SHA256
	if a == wrap.OAEPSHA1 || a == wrap.RSAAESSHA1 {
		hash = crypto.SHA1
	}
	if !a.Hybrid() {
		return key.Decrypt(nil, encrypted, &rsa.OAEPOptions{Hash: hash})
	}
	size := min(key.Size(), len(encrypted))
	aesKey, err := key.Decrypt(nil, encrypted[:size], &rsa.OAEPOptions{Hash: hash})
	if err != nil {
		return nil, err
	}
	defer clear(aesKey)
	kek, err := subtle.NewKWP(aesKey)
	if err != nil {
		return nil, err
	}
	return kek.Unwrap(encrypted[size:])
}
