// SPDX-License-Identifier: Apache-2.0

package mockkms

import "github.com/keymat/keymat/mockkms/internal/hsm"

type encapsulateRequest struct {
	aboutKey
	EncapsulationAlgorithm string `shape:"EncapsulationAlgorithmSpec,required"`
	canRehearse
}

type encapsulateAnswer struct {
	KeyId                      string
	EncapsulationAlgorithm     string
	SharedSecret               []byte
	SharedSecretCiphertextBlob []byte
}

func encapsulate(_ *call, k *key, r *encapsulateRequest) (*encapsulateAnswer, error) {
	o, err := k.openFor(r.EncapsulationAlgorithm)
	if err != nil {
		return nil, err
	}
	secret, ciphertext, err := o.Encapsulate(r.EncapsulationAlgorithm)
	if err != nil {
		return nil, refusalOf(err)
	}
	return &encapsulateAnswer{k.arn(), hsm.MLKEM, secret, ciphertext}, nil
}

type decapsulateRequest struct {
	aboutKey
	EncapsulationAlgorithm     string `shape:"EncapsulationAlgorithmSpec,required"`
	SharedSecretCiphertextBlob []byte `shape:"CiphertextType,required"`
	canRehearse
}

type decapsulateAnswer struct {
	KeyId                  string
	EncapsulationAlgorithm string
	SharedSecret           []byte
}

// decapsulate answers some secret for every ciphertext of the right length:
// ML-KEM's implicit rejection (documented).
func decapsulate(_ *call, k *key, r *decapsulateRequest) (*decapsulateAnswer, error) {
	o, err := k.openFor(r.EncapsulationAlgorithm)
	if err != nil {
		return nil, err
	}
	secret, err := o.Decapsulate(r.EncapsulationAlgorithm, r.SharedSecretCiphertextBlob)
	if err != nil {
		return nil, refusalOf(err)
	}
	return &decapsulateAnswer{k.arn(), hsm.MLKEM, secret}, nil
}
