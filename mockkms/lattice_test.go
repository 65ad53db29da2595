// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// All of it is recorded: what signs verifies either way, never twice the same.
func TestMLDSA(t *testing.T) {
	s := newSession(t)
	key := s.key(types.OriginTypeAwsKms, types.KeySpecMlDsa44, types.KeyUsageTypeSignVerify)
	//lint:ignore SA1019 older clients still read it
	if got := s.describe(key); got.CustomerMasterKeySpec != "ML_DSA_44" ||
		!slices.Equal(got.SigningAlgorithms, []types.SigningAlgorithmSpec{types.SigningAlgorithmSpecMlDsaShake256}) {
		t.Errorf("got %+v", got)
	}
	pub := must(s.GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: &key}))
	if len(pub.PublicKey) != 1334 || pub.KeySpec != types.KeySpecMlDsa44 {
		t.Errorf("public key of %d bytes, %s", len(pub.PublicKey), pub.KeySpec)
	}
	message := letters("m", 4096)
	sign := func(m types.MessageType, message []byte) ([]byte, error) {
		out, err := s.Sign(t.Context(), &kms.SignInput{KeyId: &key, Message: message, MessageType: m,
			SigningAlgorithm: types.SigningAlgorithmSpecMlDsaShake256})
		if err != nil {
			return nil, err
		}
		return out.Signature, nil
	}
	verify := func(message, signature []byte) error {
		_, err := s.Verify(t.Context(), &kms.VerifyInput{KeyId: &key, Message: message, Signature: signature,
			SigningAlgorithm: types.SigningAlgorithmSpecMlDsaShake256})
		return err
	}
	signature, again := must(sign("", message)), must(sign(types.MessageTypeRaw, message))
	if len(signature) != 2420 || bytes.Equal(signature, again) {
		t.Errorf("signatures of %d bytes, or the same twice", len(signature))
	}
	must(0, verify(message, signature))
	refused(t, verify(message[1:], signature), "KMSInvalidSignatureException", "")
	refused(t, verify(message, []byte("invalid")), "KMSInvalidSignatureException", "")
	must(sign(types.MessageTypeExternalMu, letters("u", 64)))
	_, err := sign(types.MessageTypeExternalMu, letters("u", 63))
	refused(t, err, "ValidationException", "External Mu is invalid length for algorithm ML_DSA_SHAKE_256.")
	_, err = sign(types.MessageTypeDigest, letters("d", 64))
	refused(t, err, "ValidationException", "Message type DIGEST is incompatible with key spec ML_DSA_44.")
}

func TestMLKEM(t *testing.T) {
	s := newSession(t)
	for spec, size := range map[types.KeySpec]int{
		types.KeySpecMlKem512: 768, types.KeySpecMlKem768: 1088, types.KeySpecMlKem1024: 1568,
	} {
		key := s.key(types.OriginTypeAwsKms, spec, types.KeyUsageTypeEncapsulateDecapsulate)
		want := []types.EncapsulationAlgorithmSpec{types.EncapsulationAlgorithmSpecMlKem}
		if got := s.describe(key).EncapsulationAlgorithms; !slices.Equal(got, want) {
			t.Errorf("%s: described with %v", spec, got)
		}
		if got := must(s.GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: &key})); !slices.Equal(got.EncapsulationAlgorithms, want) {
			t.Errorf("%s: public key with %v", spec, got.EncapsulationAlgorithms)
		}
		enc := must(s.Encapsulate(t.Context(), &kms.EncapsulateInput{KeyId: &key, EncapsulationAlgorithm: "ML_KEM"}))
		in := &kms.DecapsulateInput{KeyId: &key, EncapsulationAlgorithm: "ML_KEM", SharedSecretCiphertextBlob: enc.SharedSecretCiphertextBlob}
		dec := must(s.Decapsulate(t.Context(), in))
		if *enc.KeyId != key || *dec.KeyId != key || len(enc.SharedSecretCiphertextBlob) != size ||
			len(enc.SharedSecret) != 32 || !bytes.Equal(enc.SharedSecret, dec.SharedSecret) {
			t.Errorf("%s: got %+v, then %+v", spec, enc, dec)
		}
		in.SharedSecretCiphertextBlob[7] ^= 1 // implicit rejection: another secret
		if got := must(s.Decapsulate(t.Context(), in)).SharedSecret; len(got) != 32 || bytes.Equal(got, dec.SharedSecret) {
			t.Errorf("%s: an altered ciphertext gave %x", spec, got)
		}
		in.SharedSecretCiphertextBlob = in.SharedSecretCiphertextBlob[1:]
		_, err := s.Decapsulate(t.Context(), in)
		refused(t, err, "InvalidCiphertextException", "")
	}
	china := newClientIn(s.mock, account, "cn-north-1")
	_, err := china.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: types.KeySpecMlKem768, KeyUsage: types.KeyUsageTypeEncapsulateDecapsulate})
	refused(t, err, "UnsupportedOperationException", "KeySpec ML_KEM_768 is not supported in this Region")
	hmac := s.key(types.OriginTypeAwsKms, types.KeySpecHmac256, types.KeyUsageTypeGenerateVerifyMac)
	_, err = s.Encapsulate(t.Context(), &kms.EncapsulateInput{KeyId: &hmac, EncapsulationAlgorithm: "ML_KEM"})
	refused(t, err, "InvalidKeyUsageException", hmac+" key usage is GENERATE_VERIFY_MAC which is not valid for Encapsulate.")
}

// Decapsulate looks at the ciphertext after the key.
func TestEncapsulationByState(t *testing.T) {
	s := newSession(t)
	for _, tt := range []struct {
		step        string
		want, wrong string
	}{
		{"EnableKey", "", "InvalidCiphertextException"},
		{"DisableKey", isDisabled, isDisabled},
		{"ScheduleKeyDeletion", isDeleting, isDeleting},
	} {
		key := s.key(types.OriginTypeAwsKms, types.KeySpecMlKem512, types.KeyUsageTypeEncapsulateDecapsulate)
		send(t, s.mock, tt.step, `{"KeyId": "`+key+`"}`)
		for operation, want := range map[string]string{"Encapsulate": tt.want, "Decapsulate": tt.wrong} {
			got := send(t, s.mock, operation, `{"KeyId": "`+key+`", "EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": "eA=="}`)
			said := strings.ReplaceAll(strings.TrimSuffix(got.Type+": "+got.message(), ": "), key, "A")
			if said != want {
				t.Errorf("%s after %s: %s, want %s", operation, tt.step, said, want)
			}
		}
	}
}

// Plaintext and ciphertext lengths are recorded.
func TestDataKeyPairs(t *testing.T) {
	s := newSession(t)
	key := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
	context := map[string]string{"a": "b"}
	for spec, want := range map[types.DataKeyPairSpec][2]int{
		types.DataKeyPairSpecEccNistP256: {150, 307}, types.DataKeyPairSpecEccNistP384: {194, 355},
		types.DataKeyPairSpecEccNistP521: {250, 412}, types.DataKeyPairSpecEccSecgP256k1: {144, 0},
		types.DataKeyPairSpecEccNistEdwards25519: {48, 201}, types.DataKeyPairSpecMlKem768: {86, 0},
	} {
		pair := must(s.GenerateDataKeyPair(t.Context(), &kms.GenerateDataKeyPairInput{KeyId: &key, KeyPairSpec: spec, EncryptionContext: context}))
		if len(pair.PrivateKeyPlaintext) != want[0] || want[1] != 0 && len(pair.PrivateKeyCiphertextBlob) != want[1] {
			t.Errorf("%s: %d bytes, sealed %d", spec, len(pair.PrivateKeyPlaintext), len(pair.PrivateKeyCiphertextBlob))
		}
		dec := must(s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: pair.PrivateKeyCiphertextBlob, EncryptionContext: context}))
		if !bytes.Equal(dec.Plaintext, pair.PrivateKeyPlaintext) || *pair.KeyMaterialId != *dec.KeyMaterialId ||
			*pair.KeyId != key || pair.KeyPairSpec != spec || len(pair.PublicKey) == 0 {
			t.Errorf("%s: got %+v", spec, pair)
		}
	}
	sealed := must(s.GenerateDataKeyPairWithoutPlaintext(t.Context(), &kms.GenerateDataKeyPairWithoutPlaintextInput{KeyId: &key, KeyPairSpec: "RSA_2048"}))
	if n := len(must(s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: sealed.PrivateKeyCiphertextBlob})).Plaintext); n < 1210 || n > 1220 {
		t.Errorf("an RSA_2048 private key of %d bytes", n)
	}
	generate := func(key string, spec types.DataKeyPairSpec) error {
		_, err := s.GenerateDataKeyPair(t.Context(), &kms.GenerateDataKeyPairInput{KeyId: &key, KeyPairSpec: spec})
		return err
	}
	rsa := s.key(types.OriginTypeAwsKms, types.KeySpecRsa2048, types.KeyUsageTypeEncryptDecrypt)
	refused(t, generate(rsa, "ECC_NIST_P256"), "InvalidKeyUsageException", "You cannot generate a data key pair with an asymmetric CMK")
	hmac := s.key(types.OriginTypeAwsKms, types.KeySpecHmac256, types.KeyUsageTypeGenerateVerifyMac)
	refused(t, generate(hmac, "ECC_NIST_P256"), "InvalidKeyUsageException", hmac+" key usage is GENERATE_VERIFY_MAC which is not valid for GenerateDataKeyPair.")
	refused(t, generate(key, "SM2"), "UnsupportedOperationException", "KeyPairSpec SM2 is not supported in this Region")
	_, err := s.CreateKey(t.Context(), &kms.CreateKeyInput{KeySpec: "SM2", KeyUsage: "SIGN_VERIFY"})
	refused(t, err, "UnsupportedOperationException", "KeySpec SM2 is not supported in this Region")
}
