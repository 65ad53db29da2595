// SPDX-License-Identifier: Apache-2.0

package mockkms

import "github.com/keymat/keymat/mockkms/internal/hsm"

type generateDataKeyPairRequest struct {
	aboutKey
	EncryptionContext map[string]string `shape:"EncryptionContextType"`
	KeyPairSpec       string            `shape:"DataKeyPairSpec,required"`
	canRehearse
	withRecipient
}

type generateDataKeyPairAnswer struct {
	PrivateKeyCiphertextBlob []byte
	PrivateKeyPlaintext      []byte `json:",omitempty"`
	PublicKey                []byte
	KeyId                    string
	KeyPairSpec              string
	KeyMaterialId            string
}

func generateDataKeyPair(c *call, k *key, r *generateDataKeyPairRequest) (*generateDataKeyPairAnswer, error) {
	return c.generateDataKeyPair(k, r)
}

func generateDataKeyPairWithoutPlaintext(c *call, k *key, r *generateDataKeyPairRequest) (*generateDataKeyPairAnswer, error) {
	answer, err := c.generateDataKeyPair(k, r)
	if err != nil {
		return nil, err
	}
	answer.PrivateKeyPlaintext = nil
	return answer, nil
}

// generateDataKeyPair makes a key pair and seals its private half. The RSA
// pairs take as long to make as they do elsewhere.
func (c *call) generateDataKeyPair(k *key, r *generateDataKeyPairRequest) (*generateDataKeyPairAnswer, error) {
	if k.spec().KeyPair() {
		return nil, refuse("InvalidKeyUsageException", "You cannot generate a data key pair with an asymmetric CMK")
	}
	if !k.symmetric() {
		return nil, usageError(k.arn(), k.Usage, c.operation)
	}
	if _, ok := hsm.LookupSpec(r.KeyPairSpec); !ok || !c.scope.offers(r.KeyPairSpec) {
		return nil, unsupportedHere("KeyPairSpec", r.KeyPairSpec)
	}
	private, public, err := hsm.GenerateDataKeyPair(r.KeyPairSpec)
	if err != nil {
		return nil, err
	}
	c.uses(k)
	blob, err := k.encrypt(hsm.BlobDataKey, hsm.SymmetricDefault, private, r.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &generateDataKeyPairAnswer{
		PrivateKeyCiphertextBlob: blob, PrivateKeyPlaintext: private, PublicKey: public,
		KeyId: k.arn(), KeyPairSpec: r.KeyPairSpec, KeyMaterialId: k.current().ID,
	}, nil
}
