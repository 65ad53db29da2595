// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
)

// macInput asks for an HMAC with the hash of the key's spec.
func macInput(k experiment.Key, message []byte) *kms.GenerateMacInput {
	return &kms.GenerateMacInput{KeyId: aws.String(k.ARN), Message: message, MacAlgorithm: macAlgorithm(k)}
}

func macAlgorithm(k experiment.Key) types.MacAlgorithmSpec {
	var bits int
	if _, err := fmt.Sscanf(string(k.Spec), "HMAC_%d", &bits); err != nil {
		return ""
	}
	return types.MacAlgorithmSpec(fmt.Sprintf("HMAC_SHA_%d", bits))
}

func generateMAC(t *experiment.Trial, k experiment.Key, message []byte) []byte {
	return experiment.Do(t, "make a MAC with "+k.Label, experiment.Success, t.KMS.GenerateMac, macInput(k, message)).Mac
}

func verifyMAC(t *experiment.Trial, what string, k experiment.Key, message, mac []byte) {
	experiment.Do(t, what, experiment.Success, t.KMS.VerifyMac,
		&kms.VerifyMacInput{KeyId: aws.String(k.ARN), Message: message, Mac: mac, MacAlgorithm: macAlgorithm(k)})
}

func sign(t *experiment.Trial, k experiment.Key, algorithm types.SigningAlgorithmSpec, message []byte) []byte {
	return experiment.Do(t, "sign with "+k.Label, experiment.Success, t.KMS.Sign,
		&kms.SignInput{KeyId: aws.String(k.ARN), Message: message, SigningAlgorithm: algorithm}).Signature
}

func verify(t *experiment.Trial, what string, k experiment.Key, algorithm types.SigningAlgorithmSpec, message, signature []byte) {
	experiment.Do(t, what, experiment.Success, t.KMS.Verify,
		&kms.VerifyInput{KeyId: aws.String(k.ARN), Message: message, Signature: signature, SigningAlgorithm: algorithm})
}

// publicKey is the SubjectPublicKeyInfo, DER, that KMS has for a key pair.
func publicKey(t *experiment.Trial, k experiment.Key) []byte {
	return experiment.Do(t, "ask for the public key of "+k.Label, experiment.Success, t.KMS.GetPublicKey,
		&kms.GetPublicKeyInput{KeyId: aws.String(k.ARN)}).PublicKey
}
