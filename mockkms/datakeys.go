// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"crypto/rand"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

type generateDataKeyRequest struct {
	aboutKey
	EncryptionContext map[string]string `shape:"EncryptionContextType"`
	NumberOfBytes     int               `shape:"NumberOfBytesType"`
	KeySpec           string            `shape:"DataKeySpec"`
	canRehearse
	withRecipient
}

type generateDataKeyAnswer struct {
	CiphertextBlob []byte
	Plaintext      []byte `json:",omitempty"`
	KeyId          string
	KeyMaterialId  string
}

func generateDataKey(_ *call, k *key, r *generateDataKeyRequest) (*generateDataKeyAnswer, error) {
	return k.generateDataKey(r)
}

func generateDataKeyWithoutPlaintext(_ *call, k *key, r *generateDataKeyRequest) (*generateDataKeyAnswer, error) {
	answer, err := k.generateDataKey(r)
	if err != nil {
		return nil, err
	}
	answer.Plaintext = nil
	return answer, nil
}

func (k *key) generateDataKey(r *generateDataKeyRequest) (*generateDataKeyAnswer, error) {
	n, err := r.length()
	if err != nil {
		return nil, err
	}
	if !k.symmetric() {
		return nil, algorithmError(hsm.SymmetricDefault, k.Spec) // assumed
	}
	plaintext := make([]byte, n)
	rand.Read(plaintext)
	blob, err := k.encrypt(hsm.BlobDataKey, hsm.SymmetricDefault, plaintext, r.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &generateDataKeyAnswer{blob, plaintext, k.arn(), k.current().ID}, nil
}

// length is the data key's, in bytes.
func (r *generateDataKeyRequest) length() (int, error) {
	switch {
	case (r.KeySpec == "") == (r.NumberOfBytes == 0):
		return 0, validation("Please specify either number of bytes or key spec.")
	case r.KeySpec == "AES_128":
		return 16, nil
	case r.KeySpec == "AES_256":
		return 32, nil
	}
	return r.NumberOfBytes, nil
}

type generateRandomRequest struct {
	NumberOfBytes    *int   `shape:"NumberOfBytesType"`
	CustomKeyStoreId string `shape:"CustomKeyStoreIdType"`
	withRecipient
}

type generateRandomAnswer struct {
	Plaintext []byte
}

func generateRandom(_ *call, r *generateRandomRequest) (*generateRandomAnswer, error) {
	if r.CustomKeyStoreId != "" {
		return nil, noSuchKeyStore()
	}
	if r.NumberOfBytes == nil {
		return nil, validation("NumberOfBytes is required.") // assumed
	}
	b := make([]byte, *r.NumberOfBytes)
	rand.Read(b)
	return &generateRandomAnswer{b}, nil
}
