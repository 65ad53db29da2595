// SPDX-License-Identifier: Apache-2.0

package online

import (
	"bytes"
	"context"
	"crypto/rand"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/importer"
)

// encryptAndDecrypt has the key encrypt a random value and decrypt it again, under
// the material that came from the ceremony.
func (v *verification) encryptAndDecrypt(ctx context.Context) error {
	probe := make([]byte, 32)
	rand.Read(probe)
	purpose := map[string]string{"keymat": "ceremony " + v.plan.ID} // for whoever reads the trail
	sealed, err := v.client.Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String(v.key.ARN), Plaintext: probe, EncryptionContext: purpose})
	if err != nil {
		return &importer.CallError{Operation: "Encrypt", Key: v.key.ARN, Err: err}
	}
	opened, err := v.client.Decrypt(ctx, &kms.DecryptInput{KeyId: aws.String(v.key.ARN), CiphertextBlob: sealed.CiphertextBlob, EncryptionContext: purpose})
	if err != nil {
		return &importer.CallError{Operation: "Decrypt", Key: v.key.ARN, Err: err}
	}
	if !bytes.Equal(opened.Plaintext, probe) {
		return v.different("plaintext of what was encrypted", "another", "the same")
	}
	if got := aws.ToString(opened.KeyMaterialId); got != v.materialID {
		return v.different("key material that encrypts", got, v.materialID)
	}
	return nil
}
