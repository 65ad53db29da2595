// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"errors"
	"slices"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

// flawed reports whether the mock has the flaw. It is asked where the flaw
// makes a difference only: after the refusal that it prevents is certain.
func (c *call) flawed(f Flaw) bool {
	if c.kms.meets != nil {
		c.kms.meets(f)
	}
	return slices.Contains(c.conditions.Flaws, f)
}

// gaps are the flaws that admit an operation on keys which it is not for: those
// of another origin, or in a state that is not for it.
var gaps = []struct {
	flaw      Flaw
	operation string
	origin    bool
}{
	{FlawAutomaticRotation, "EnableKeyRotation", true},
	{FlawAutomaticRotation, "DisableKeyRotation", true},
	{FlawRotatesInAnyState, "RotateKeyOnDemand", false},
	{FlawAnyOrigin, "GetParametersForImport", true},
	{FlawEnablesEmpty, "EnableKey", false},
	{FlawImportsWhileDeleting, "GetParametersForImport", false},
	{FlawImportsWhileDeleting, "ImportKeyMaterial", false},
}

// admit is [key.admit], unless a flaw lets the operation through. What is AWS's
// own is refused first of all, as whatever is a matter of permissions.
func (c *call) admit(k *key, r *rule) error {
	if err := c.admitService(k); err != nil {
		return err
	}
	err := k.admit(r, c.operation)
	if err == nil {
		return nil
	}
	foreign := r.origin != "" && k.Origin != r.origin
	for _, g := range gaps {
		if g.operation == c.operation && g.origin == foreign && c.flawed(g.flaw) {
			return nil
		}
	}
	return err
}

// spares reports whether a flaw keeps the material from being deleted.
func (c *call) spares(m *material) bool {
	switch m.State {
	case current:
		return c.flawed(FlawDeletionWaits)
	case nonCurrent:
		return c.flawed(FlawOldMaterialStays)
	case pendingRotation, pendingEverywhere:
		return c.flawed(FlawWaitingStays)
	}
	return false
}

// unwrapAnyhow is hsm.Unwrap for an HSM with flaws.
func (c *call) unwrapAnyhow(private *rsa.PrivateKey, algorithm string, wrapped []byte) ([]byte, error) {
	plaintext, err := hsm.Unwrap(private, algorithm, wrapped)
	if !errors.Is(err, hsm.ErrCiphertext) {
		return plaintext, err
	}
	if c.flawed(FlawAnyOAEPHash) {
		for _, o := range []rsa.OAEPOptions{
			{Hash: crypto.SHA1}, {Hash: crypto.SHA256}, {Hash: crypto.SHA256, MGFHash: crypto.SHA1},
		} {
			if plaintext, e := private.Decrypt(nil, wrapped, &o); e == nil {
				return plaintext, nil
			}
		}
	}
	if c.flawed(FlawPKCS1) {
		//lint:ignore SA1019 it is a flaw
		if plaintext, e := rsa.DecryptPKCS1v15(nil, private, wrapped); e == nil {
			return plaintext, nil
		}
	}
	return nil, err
}

// parseAnyhow is hsm.ParseMaterial for an HSM with flaws.
func (c *call) parseAnyhow(k *key, plaintext []byte) (*hsm.Key, error) {
	parsed, err := hsm.ParseMaterial(k.Spec, plaintext)
	if err == nil || k.spec().KeyPair() || !c.flawed(FlawShortMaterial) {
		return parsed, err
	}
	filled := make([]byte, 64) // as long as any takes
	copy(filled, plaintext)
	if k.symmetric() {
		filled = filled[:32]
	}
	return hsm.ParseMaterial(k.Spec, filled)
}

// replaced is the material that comes to an HMAC or asymmetric key: the parsed
// one, or another where a flaw demands it.
func (c *call) replaced(k *key, parsed *hsm.Key) ([]byte, error) {
	if k.symmetric() || !c.flawed(FlawMaterialReplaced) {
		return parsed.Canonical(), nil
	}
	m, err := firstMaterial(k)
	if err != nil {
		return nil, err
	}
	return m.Bytes, nil
}

// twin is the key that opens a ciphertext of another, as a flaw has it: the
// named one, with the same material and the other's cipher. Nil: none does.
func (c *call) twin(named, k *key, materialID string) *key {
	if k == nil || !c.flawed(FlawPortable) {
		return nil
	}
	for _, m := range named.Materials {
		if m.Bytes != nil && hsm.MaterialID(k.identity(), m.Bytes) == materialID {
			twin := named.clone()
			twin.Identity = k.Identity
			for _, m := range twin.Materials {
				m.ID = materialID
				m.setBytes(m.Bytes)
			}
			return twin
		}
	}
	return nil
}

// encryptBadly is encrypt with the flaws of a ciphertext: blob is what it
// would be without.
func (c *call) encryptBadly(k *key, blob []byte, r *encryptRequest) ([]byte, error) {
	if c.flawed(FlawOutright) {
		o, err := k.current().open(k)
		if err != nil {
			return nil, err
		}
		return o.cipher.Outright(o.key).Seal(hsm.BlobEncrypt, r.Plaintext, r.EncryptionContext)
	}
	if c.flawed(FlawNamesKey) {
		return append(blob, k.arn()...), nil
	}
	return blob, nil
}

// decryptBadly opens what should not open, where a flaw made it.
func (c *call) decryptBadly(o *opened, blob []byte, context map[string]string) ([]byte, error) {
	if c.flawed(FlawOutright) {
		return o.cipher.Outright(o.key).Open(blob, context)
	}
	return nil, hsm.ErrCiphertext
}

// withoutName is a ciphertext without the name that a flaw wrote behind it.
func (c *call) withoutName(blob []byte) []byte {
	if i := bytes.LastIndex(blob, []byte("arn:")); i > 0 && c.flawed(FlawNamesKey) {
		return blob[:i]
	}
	return blob
}
