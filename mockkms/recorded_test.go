// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// Recorded: only the symmetric side of a ReEncrypt shows its material.
func TestReEncryptBetweenKinds(t *testing.T) {
	s := newSession(t)
	const oaep = types.EncryptionAlgorithmSpecRsaesOaepSha1
	symmetric := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
	rsa := s.key(types.OriginTypeAwsKms, types.KeySpecRsa2048, types.KeyUsageTypeEncryptDecrypt)
	blob := must(s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &symmetric, Plaintext: []byte("x")})).CiphertextBlob
	out := must(s.ReEncrypt(t.Context(), &kms.ReEncryptInput{CiphertextBlob: blob, DestinationKeyId: &rsa, DestinationEncryptionAlgorithm: oaep}))
	if out.SourceKeyMaterialId == nil || out.DestinationKeyMaterialId != nil || *out.SourceKeyId != symmetric || *out.KeyId != rsa {
		t.Errorf("to RSA: %+v", out)
	}
	back := must(s.ReEncrypt(t.Context(), &kms.ReEncryptInput{CiphertextBlob: out.CiphertextBlob, SourceKeyId: &rsa, SourceEncryptionAlgorithm: oaep, DestinationKeyId: &symmetric}))
	if back.SourceKeyMaterialId != nil || back.DestinationKeyMaterialId == nil {
		t.Errorf("from RSA: %+v", back)
	}
	if got := must(s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: back.CiphertextBlob})).Plaintext; string(got) != "x" {
		t.Errorf("there and back: %q", got)
	}
}

// Recorded: secrets as long as the curve's field, the own public key allowed,
// and no message for a public key of another curve or none at all.
func TestDeriveSharedSecret(t *testing.T) {
	s := newSession(t)
	other := must(x509.MarshalPKIXPublicKey(&must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)).PublicKey))
	for spec, size := range map[types.KeySpec]int{
		types.KeySpecEccNistP256: 32, types.KeySpecEccNistP384: 48, types.KeySpecEccNistP521: 66,
	} {
		key := s.key(types.OriginTypeAwsKms, spec, types.KeyUsageTypeKeyAgreement)
		own := must(s.GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: &key})).PublicKey
		derive := func(public []byte) (*kms.DeriveSharedSecretOutput, error) {
			return s.DeriveSharedSecret(t.Context(), &kms.DeriveSharedSecretInput{KeyId: &key, KeyAgreementAlgorithm: "ECDH", PublicKey: public})
		}
		if got := must(derive(own)); len(got.SharedSecret) != size || got.KeyOrigin != types.OriginTypeAwsKms || *got.KeyId != key {
			t.Errorf("%s: got %+v", spec, got)
		}
		for _, public := range [][]byte{other, []byte("x"), own[1:]} {
			_, err := derive(public)
			refused(t, err, "ValidationException", "")
		}
	}
}

// Recorded for Sign: the value of a blob is not shown.
func TestEmptyMessages(t *testing.T) {
	s := newSession(t)
	const tooShort = "ValidationException: 1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length greater than or equal to 1"
	for operation, members := range map[string]string{
		"Sign":        `"SigningAlgorithm": "ECDSA_SHA_256"`,
		"Verify":      `"SigningAlgorithm": "ECDSA_SHA_256", "Signature": "eA=="`,
		"GenerateMac": `"MacAlgorithm": "HMAC_SHA_256"`,
		"VerifyMac":   `"MacAlgorithm": "HMAC_SHA_256", "Mac": "eA=="`,
	} {
		got := send(t, s.mock, operation, `{"KeyId": "K", "Message": "", `+members+`}`)
		if said := got.Type + ": " + got.message(); said != tooShort {
			t.Errorf("%s: %s", operation, said)
		}
	}
}
