// SPDX-License-Identifier: Apache-2.0

package mockkms

import "github.com/keymat/keymat/mockkms/internal/hsm"

type signRequest struct {
	aboutKey
	Message          []byte `shape:"PlaintextType,required"`
	MessageType      string `shape:"MessageType"`
	SigningAlgorithm string `shape:"SigningAlgorithmSpec,required"`
	canRehearse
}

type signAnswer struct {
	KeyId            string
	Signature        []byte
	SigningAlgorithm string
}

func sign(_ *call, k *key, r *signRequest) (*signAnswer, error) {
	o, err := k.openFor(r.SigningAlgorithm)
	if err != nil {
		return nil, err
	}
	signature, err := o.Sign(r.SigningAlgorithm, r.MessageType, r.Message)
	if err != nil {
		return nil, refusalOf(err)
	}
	return &signAnswer{k.arn(), signature, r.SigningAlgorithm}, nil
}

// openFor returns the current material of a key for use with an algorithm.
func (k *key) openFor(algorithm string) (*hsm.Key, error) {
	if !k.spec().Allows(k.Usage, algorithm) {
		return nil, algorithmError(algorithm, k.Spec)
	}
	o, err := k.current().open(k)
	if err != nil {
		return nil, err
	}
	return o.key, nil
}

type verifyRequest struct {
	aboutKey
	Message          []byte `shape:"PlaintextType,required"`
	MessageType      string `shape:"MessageType"`
	Signature        []byte `shape:"CiphertextType,required"`
	SigningAlgorithm string `shape:"SigningAlgorithmSpec,required"`
	canRehearse
}

type verifyAnswer struct {
	KeyId            string
	SignatureValid   bool // never false: that is KMSInvalidSignatureException (recorded)
	SigningAlgorithm string
}

func verify(_ *call, k *key, r *verifyRequest) (*verifyAnswer, error) {
	o, err := k.openFor(r.SigningAlgorithm)
	if err != nil {
		return nil, err
	}
	if err := o.Verify(r.SigningAlgorithm, r.MessageType, r.Message, r.Signature); err != nil {
		return nil, refusalOf(err)
	}
	return &verifyAnswer{k.arn(), true, r.SigningAlgorithm}, nil
}

type getPublicKeyRequest struct {
	aboutKey
	withGrantTokens
}

type getPublicKeyAnswer struct {
	KeyId                  string
	PublicKey              []byte
	CustomerMasterKeySpec  string
	KeySpec                string
	KeyUsage               string
	EncryptionAlgorithms   []string `json:",omitempty"`
	SigningAlgorithms      []string `json:",omitempty"`
	KeyAgreementAlgorithms []string `json:",omitempty"`

	EncapsulationAlgorithms []string `json:",omitempty"`
}

func getPublicKey(c *call, k *key, _ *getPublicKeyRequest) (*getPublicKeyAnswer, error) {
	if !k.spec().KeyPair() && k.current() != nil && c.flawed(FlawExports) {
		return &getPublicKeyAnswer{KeyId: k.arn(), PublicKey: k.current().Bytes}, nil
	}
	if !k.spec().KeyPair() {
		return nil, unsupported()
	}
	o, err := k.current().open(k)
	if err != nil {
		return nil, err
	}
	m := k.metadata()
	return &getPublicKeyAnswer{
		KeyId: m.Arn, PublicKey: o.key.PublicKeyDER(),
		CustomerMasterKeySpec: k.Spec, KeySpec: k.Spec, KeyUsage: k.Usage,
		EncryptionAlgorithms:   m.EncryptionAlgorithms,
		SigningAlgorithms:      m.SigningAlgorithms,
		KeyAgreementAlgorithms: m.KeyAgreementAlgorithms,

		EncapsulationAlgorithms: m.EncapsulationAlgorithms,
	}, nil
}

type deriveSharedSecretRequest struct {
	aboutKey
	KeyAgreementAlgorithm string `shape:"KeyAgreementAlgorithmSpec,required"`
	PublicKey             []byte `shape:"PublicKeyType,required"`
	canRehearse
	withRecipient
}

type deriveSharedSecretAnswer struct {
	KeyId                 string
	SharedSecret          []byte
	KeyAgreementAlgorithm string
	KeyOrigin             string
}

func deriveSharedSecret(_ *call, k *key, r *deriveSharedSecretRequest) (*deriveSharedSecretAnswer, error) {
	o, err := k.openFor(r.KeyAgreementAlgorithm)
	if err != nil {
		return nil, err
	}
	secret, err := o.DeriveSharedSecret(r.KeyAgreementAlgorithm, r.PublicKey)
	if err != nil {
		return nil, refusalOf(err)
	}
	return &deriveSharedSecretAnswer{k.arn(), secret, r.KeyAgreementAlgorithm, k.Origin}, nil
}
