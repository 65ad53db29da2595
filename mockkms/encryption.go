// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"strings"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

type encryptRequest struct {
	aboutKey
	Plaintext           []byte            `shape:"PlaintextType,required"`
	EncryptionContext   map[string]string `shape:"EncryptionContextType"`
	EncryptionAlgorithm string            `shape:"EncryptionAlgorithmSpec"`
	canRehearse
}

type encryptAnswer struct {
	CiphertextBlob      []byte
	KeyId               string
	EncryptionAlgorithm string
	KeyMaterialId       string `json:"-"` // told by events only
}

func encrypt(c *call, k *key, r *encryptRequest) (*encryptAnswer, error) {
	algorithm := orDefault(r.EncryptionAlgorithm, hsm.SymmetricDefault)
	blob, err := k.encrypt(hsm.BlobEncrypt, algorithm, r.Plaintext, r.EncryptionContext)
	if err != nil {
		return nil, err
	}
	if k.symmetric() {
		if blob, err = c.encryptBadly(k, blob, r); err != nil {
			return nil, err
		}
	}
	answer := &encryptAnswer{CiphertextBlob: blob, KeyId: k.arn(), EncryptionAlgorithm: algorithm}
	if k.symmetric() {
		answer.KeyMaterialId = k.current().ID
	}
	return answer, nil
}

func orDefault(s, standard string) string {
	if s == "" {
		return standard
	}
	return s
}

// encrypt seals under the key's current material.
func (k *key) encrypt(kind hsm.BlobKind, algorithm string, plaintext []byte, context map[string]string) ([]byte, error) {
	if !k.spec().Allows(k.Usage, algorithm) {
		return nil, algorithmError(algorithm, k.Spec)
	}
	if err := k.checkContext(context); err != nil {
		return nil, err
	}
	o, err := k.current().open(k)
	if err != nil {
		return nil, err
	}
	if k.symmetric() {
		return o.cipher.Seal(kind, plaintext, context)
	}
	blob, err := o.key.Encrypt(algorithm, plaintext)
	return blob, refusalOf(err)
}

func (k *key) checkContext(context map[string]string) error {
	if !k.symmetric() && len(context) > 0 {
		return validation("EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.")
	}
	return nil
}

type decryptRequest struct {
	CiphertextBlob      []byte            `shape:"CiphertextType"`
	EncryptionContext   map[string]string `shape:"EncryptionContextType"`
	KeyId               string            `shape:"KeyIdType"`
	EncryptionAlgorithm string            `shape:"EncryptionAlgorithmSpec"`
	canRehearse
	withDryRunModifiers
	withRecipient
}

func (r *decryptRequest) keyRef() string { return r.KeyId }

type decryptAnswer struct {
	KeyId               string
	Plaintext           []byte
	EncryptionAlgorithm string
	KeyMaterialId       string `json:",omitempty"` // symmetric keys only (recorded)
}

func decrypt(c *call, r *decryptRequest) (*decryptAnswer, error) {
	algorithm := orDefault(r.EncryptionAlgorithm, hsm.SymmetricDefault)
	blind, err := r.withoutCiphertext(r.DryRun, r.CiphertextBlob)
	if err != nil {
		return nil, err
	}
	if blind {
		return nil, c.admitDecryption(r.KeyId, algorithm, r.EncryptionContext)
	}
	d, err := c.decrypt(r.KeyId, algorithm, r.CiphertextBlob, r.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &decryptAnswer{d.key.arn(), d.plaintext, algorithm, d.materialID}, nil
}

// decrypted is the outcome of opening a ciphertext.
type decrypted struct {
	key        *key
	plaintext  []byte
	materialID string // "" for RSA
}

// decrypt finds the key of a ciphertext and opens it. A symmetric ciphertext
// names its material, so a key reference is only compared with what it names.
func (c *call) decrypt(ref, algorithm string, blob []byte, context map[string]string) (*decrypted, error) {
	decryption := &rule{states: usable, usage: hsm.EncryptDecrypt}
	if algorithm != hsm.SymmetricDefault {
		return c.decryptRSA(ref, decryption, algorithm, blob, context)
	}
	blob = c.withoutName(blob)
	materialID, err := hsm.MaterialIDOf(blob)
	if err != nil {
		if ref != "" { // a key that is not there, or not usable, is told first
			if _, err := c.find(ref, &rule{states: usable}); err != nil {
				return nil, err
			}
		}
		return nil, invalidCiphertext()
	}
	k, err := c.keyOfCiphertext(ref, materialID)
	if err != nil {
		return nil, err
	}
	if err := k.admit(decryption, c.operation); err != nil {
		return nil, err
	}
	c.uses(k)
	if materialID != k.current().ID && c.flawed(FlawRotationForgets) {
		return nil, invalidCiphertext()
	}
	o, err := k.material(materialID).open(k)
	if err != nil {
		return nil, err
	}
	plaintext, err := o.cipher.Open(blob, context)
	if err != nil {
		plaintext, err = c.decryptBadly(o, blob, context)
	}
	if err != nil {
		return nil, refusalOf(err)
	}
	return &decrypted{k, plaintext, materialID}, nil
}

// keyOfCiphertext finds the key by the material that a ciphertext names. If
// the request names a key, it must be the same one.
func (c *call) keyOfCiphertext(ref, materialID string) (*key, error) {
	var k *key
	err := c.read(func(r *records) (err error) {
		named, err := c.namedKey(r, ref)
		if err != nil {
			return err
		}
		k, err = c.ownerOf(r, named, materialID)
		switch {
		case err != nil:
			return err
		case named != nil && (k == nil || k.ID != named.ID):
			if k = c.twin(named, k, materialID); k == nil {
				return c.notThisKey(named)
			}
		case k == nil || k.material(materialID) == nil:
			return foreignCiphertext()
		}
		c.key = k.arn()
		return nil
	})
	return k, err
}

// notThisKey refuses a ciphertext that another key made. The state of the key
// that the request names comes first: all that was decrypted with a key that was
// never imported was refused for its state (recorded).
func (c *call) notThisKey(named *key) error {
	if err := named.admit(&rule{states: usable}, c.operation); err != nil {
		return err
	}
	return incorrectKey()
}

// namedKey is find for an optional reference. A multi-Region key is not named
// by the ARN of its copy in another Region, although it could decrypt (recorded).
func (c *call) namedKey(r *records, ref string) (*key, error) {
	switch {
	case ref == "":
		return nil, nil
	case c.scope.isRelative(ref) && c.flawed(FlawRelativeARN):
		return r.find(c.scope, ref[strings.LastIndex(ref, "/")+1:], aliasAllowed)
	case c.scope.isRelative(ref):
		return nil, incorrectKey()
	}
	return r.find(c.scope, ref, aliasAllowed)
}

func (c *call) decryptRSA(ref string, rule *rule, algorithm string, blob []byte, context map[string]string) (*decrypted, error) {
	k, err := c.decryptionKey(ref, rule, algorithm, context)
	if err != nil {
		return nil, err
	}
	c.uses(k)
	o, err := k.current().open(k)
	if err != nil {
		return nil, err
	}
	plaintext, err := o.key.Decrypt(algorithm, blob)
	if err != nil {
		return nil, refusalOf(err)
	}
	return &decrypted{key: k, plaintext: plaintext}, nil
}

// decryptionKey finds the key of a ciphertext that does not tell it, and judges
// all of a request but the ciphertext.
func (c *call) decryptionKey(ref string, rule *rule, algorithm string, context map[string]string) (*key, error) {
	if ref == "" {
		return nil, validation("KeyId must not be null")
	}
	k, err := c.find(ref, rule)
	if err != nil {
		return nil, err
	}
	if !k.spec().Allows(k.Usage, algorithm) {
		return nil, algorithmError(algorithm, k.Spec)
	}
	return k, k.checkContext(context)
}

// withDryRunModifiers holds what a dry run of a decryption may leave out.
type withDryRunModifiers struct {
	DryRunModifiers []string `shape:"DryRunModifierList"`
}

// withoutCiphertext reports whether this is a dry run with IGNORE_CIPHERTEXT,
// for which alone a request may lack the ciphertext.
func (r withDryRunModifiers) withoutCiphertext(dryRun bool, blob []byte) (bool, error) {
	switch {
	case len(r.DryRunModifiers) > 0 && !dryRun:
		return false, validation("DryRunModifiers can only be used when DryRun is true.") // assumed
	case len(r.DryRunModifiers) > 0:
		return true, nil
	case blob == nil:
		return false, validation("1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null")
	}
	return false, nil
}

// admitDecryption is all of a decryption that does without the ciphertext.
func (c *call) admitDecryption(ref, algorithm string, context map[string]string) error {
	_, err := c.decryptionKey(ref, &rule{states: usable, usage: hsm.EncryptDecrypt}, algorithm, context)
	return err
}

type reEncryptRequest struct {
	CiphertextBlob                 []byte            `shape:"CiphertextType"`
	SourceEncryptionContext        map[string]string `shape:"EncryptionContextType"`
	SourceKeyId                    string            `shape:"KeyIdType"`
	DestinationKeyId               string            `shape:"KeyIdType,required"`
	DestinationEncryptionContext   map[string]string `shape:"EncryptionContextType"`
	SourceEncryptionAlgorithm      string            `shape:"EncryptionAlgorithmSpec"`
	DestinationEncryptionAlgorithm string            `shape:"EncryptionAlgorithmSpec"`
	canRehearse
	withDryRunModifiers
}

func (r *reEncryptRequest) keyRef() string { return r.DestinationKeyId }

type reEncryptAnswer struct {
	CiphertextBlob                 []byte
	SourceKeyId                    string
	KeyId                          string
	SourceEncryptionAlgorithm      string
	DestinationEncryptionAlgorithm string
	SourceKeyMaterialId            string `json:",omitempty"`
	DestinationKeyMaterialId       string `json:",omitempty"`
}

// keyARNs lets events name both keys.
func (a *reEncryptAnswer) keyARNs() []string { return []string{a.SourceKeyId, a.KeyId} }

func reEncrypt(c *call, r *reEncryptRequest) (*reEncryptAnswer, error) {
	from := orDefault(r.SourceEncryptionAlgorithm, hsm.SymmetricDefault)
	to := orDefault(r.DestinationEncryptionAlgorithm, hsm.SymmetricDefault)
	blind, err := r.withoutCiphertext(r.DryRun, r.CiphertextBlob)
	if err != nil {
		return nil, err
	}
	source := &decrypted{plaintext: []byte{0}}
	if blind {
		err = c.admitDecryption(r.SourceKeyId, from, r.SourceEncryptionContext)
	} else {
		source, err = c.decrypt(r.SourceKeyId, from, r.CiphertextBlob, r.SourceEncryptionContext)
	}
	if err != nil {
		return nil, err
	}
	k, err := c.find(r.DestinationKeyId, &rule{states: usable, usage: hsm.EncryptDecrypt})
	if err != nil {
		return nil, err
	}
	c.uses(k)
	blob, err := k.encrypt(hsm.BlobEncrypt, to, source.plaintext, r.DestinationEncryptionContext)
	if err != nil {
		return nil, err
	}
	if blind {
		return nil, nil // nobody sees it
	}
	answer := &reEncryptAnswer{
		CiphertextBlob: blob, SourceKeyId: source.key.arn(), KeyId: k.arn(),
		SourceEncryptionAlgorithm: from, DestinationEncryptionAlgorithm: to,
		SourceKeyMaterialId: source.materialID,
	}
	if k.symmetric() {
		answer.DestinationKeyMaterialId = k.current().ID
	}
	return answer, nil
}
