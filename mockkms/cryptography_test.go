// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

func TestSymmetricEncryption(t *testing.T) {
	s := newSession(t)
	key := s.external(types.KeySpecSymmetricDefault)
	id := s.imports(key, letters("A", 32))
	context := map[string]string{"purpose": "test"}
	enc := must(s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("secret"), EncryptionContext: context}))
	if *enc.KeyId != key || enc.EncryptionAlgorithm != types.EncryptionAlgorithmSpecSymmetricDefault {
		t.Errorf("got %+v", enc)
	}
	dec := must(s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob, EncryptionContext: context}))
	if string(dec.Plaintext) != "secret" || *dec.KeyId != key || *dec.KeyMaterialId != id {
		t.Errorf("got %+v", dec)
	}
	other := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
	hmac := s.key(types.OriginTypeAwsKms, types.KeySpecHmac256, types.KeyUsageTypeGenerateVerifyMac)
	abroad := newClientIn(s.mock, account, "eu-central-1")
	for _, tt := range []struct {
		name          string
		client        *kms.Client
		alter         func(*kms.DecryptInput)
		code, message string
	}{
		{"no context", s.Client, func(in *kms.DecryptInput) { in.EncryptionContext = nil }, "InvalidCiphertextException", ""},
		{"cut", s.Client, func(in *kms.DecryptInput) { in.CiphertextBlob = in.CiphertextBlob[1:] }, "InvalidCiphertextException", ""},
		{"longer", s.Client, func(in *kms.DecryptInput) { in.CiphertextBlob = append(slices.Clone(in.CiphertextBlob), 0) }, "InvalidCiphertextException", ""},
		{"another key", s.Client, func(in *kms.DecryptInput) { in.KeyId = &other }, "IncorrectKeyException",
			"The key ID in the request does not identify a CMK that can perform this operation."},
		{"a key of another kind", s.Client, func(in *kms.DecryptInput) { in.KeyId = &hmac }, "IncorrectKeyException",
			"The key ID in the request does not identify a CMK that can perform this operation."},
		{"another Region", abroad, func(*kms.DecryptInput) {}, "AccessDeniedException",
			"The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access."},
		{"dry run", s.Client, func(in *kms.DecryptInput) { in.DryRun = aws.Bool(true) }, "DryRunOperationException",
			"The request would have succeeded, but the DryRun option is set."},
		{"dry run, bad input", s.Client, func(in *kms.DecryptInput) { in.DryRun, in.EncryptionContext = aws.Bool(true), nil }, "InvalidCiphertextException", ""},
	} {
		in := &kms.DecryptInput{CiphertextBlob: enc.CiphertextBlob, EncryptionContext: context}
		tt.alter(in)
		_, err := tt.client.Decrypt(t.Context(), in)
		refused(t, err, tt.code, tt.message)
	}
	_, err := s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &hmac, Plaintext: []byte("x")})
	refused(t, err, "InvalidKeyUsageException", hmac+" key usage is GENERATE_VERIFY_MAC which is not valid for Encrypt.")
	_, err = s.GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: &key})
	refused(t, err, "UnsupportedOperationException", "")
}

func TestRSAEncryption(t *testing.T) {
	s := newSession(t)
	key := s.key(types.OriginTypeAwsKms, types.KeySpecRsa2048, types.KeyUsageTypeEncryptDecrypt)
	encrypt := func(in kms.EncryptInput) error { in.KeyId = &key; _, err := s.Encrypt(t.Context(), &in); return err }
	decrypt := func(in kms.DecryptInput) error { _, err := s.Decrypt(t.Context(), &in); return err }
	oaep := types.EncryptionAlgorithmSpecRsaesOaepSha256
	blob := must(s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x"), EncryptionAlgorithm: oaep})).CiphertextBlob
	got := must(s.Decrypt(t.Context(), &kms.DecryptInput{KeyId: &key, CiphertextBlob: blob, EncryptionAlgorithm: oaep}))
	if string(got.Plaintext) != "x" || got.KeyMaterialId != nil {
		t.Errorf("got %+v", got)
	}
	must(0, encrypt(kms.EncryptInput{Plaintext: letters("x", 190), EncryptionAlgorithm: oaep, EncryptionContext: map[string]string{}}))
	refused(t, encrypt(kms.EncryptInput{Plaintext: letters("x", 191), EncryptionAlgorithm: oaep}), "ValidationException",
		"Algorithm RSAES_OAEP_SHA_256 and key spec RSA_2048 cannot encrypt data larger than 190 bytes.")
	refused(t, encrypt(kms.EncryptInput{Plaintext: letters("x", 1)}), "InvalidKeyUsageException",
		"Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.")
	refused(t, encrypt(kms.EncryptInput{Plaintext: letters("x", 1), EncryptionAlgorithm: oaep, EncryptionContext: map[string]string{"a": "b"}}),
		"ValidationException", "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.")
	refused(t, decrypt(kms.DecryptInput{KeyId: &key, CiphertextBlob: blob}), "InvalidCiphertextException", "")
	refused(t, decrypt(kms.DecryptInput{KeyId: &key, CiphertextBlob: blob, EncryptionAlgorithm: types.EncryptionAlgorithmSpecRsaesOaepSha1}),
		"InvalidCiphertextException", "")
	refused(t, decrypt(kms.DecryptInput{CiphertextBlob: blob, EncryptionAlgorithm: oaep}), "ValidationException", "KeyId must not be null")
}

func TestImportedKeyPairSigns(t *testing.T) {
	s := newSession(t)
	private := privateKey(types.KeySpecEccNistP256).(*ecdsa.PrivateKey)
	key := s.external(types.KeySpecEccNistP256)
	s.imports(key, must(x509.MarshalPKCS8PrivateKey(private)))
	pub := must(s.GetPublicKey(t.Context(), &kms.GetPublicKeyInput{KeyId: &key}))
	if !bytes.Equal(pub.PublicKey, must(x509.MarshalPKIXPublicKey(&private.PublicKey))) || pub.KeySpec != types.KeySpecEccNistP256 ||
		!slices.Equal(pub.SigningAlgorithms, []types.SigningAlgorithmSpec{types.SigningAlgorithmSpecEcdsaSha256}) {
		t.Errorf("got %+v", pub)
	}
	sig := must(s.Sign(t.Context(), &kms.SignInput{KeyId: &key, Message: []byte("m"), SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256}))
	digest := sha256.Sum256([]byte("m"))
	if !ecdsa.VerifyASN1(&private.PublicKey, digest[:], sig.Signature) {
		t.Error("the signature does not verify")
	}
	in := &kms.VerifyInput{KeyId: &key, Message: digest[:], MessageType: types.MessageTypeDigest,
		Signature: sig.Signature, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256}
	if got := must(s.Verify(t.Context(), in)); !got.SignatureValid {
		t.Error("KMS's own signature does not verify")
	}
	in.Message = in.Message[1:]
	_, err := s.Verify(t.Context(), in)
	refused(t, err, "ValidationException", "Digest is invalid length for algorithm ECDSA_SHA_256.")
	in.Message, in.Signature = digest[:], []byte("invalid")
	_, err = s.Verify(t.Context(), in)
	refused(t, err, "KMSInvalidSignatureException", "")
	_, err = s.Sign(t.Context(), &kms.SignInput{KeyId: &key, Message: []byte("m"), SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha384})
	refused(t, err, "InvalidKeyUsageException", "Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256.")
	_, err = s.Sign(t.Context(), &kms.SignInput{KeyId: &key, Message: letters("m", 64), MessageType: types.MessageTypeExternalMu, SigningAlgorithm: types.SigningAlgorithmSpecEcdsaSha256})
	refused(t, err, "ValidationException", "Message type EXTERNAL_MU is incompatible with key spec ECC_NIST_P256.")
}

func TestEd25519MessageTypes(t *testing.T) {
	s := newSession(t)
	key := s.external(types.KeySpecEccNistEdwards25519)
	s.imports(key, materialFor(types.KeySpecEccNistEdwards25519))
	sign := func(a types.SigningAlgorithmSpec, m types.MessageType, n int) error {
		_, err := s.Sign(t.Context(), &kms.SignInput{KeyId: &key, Message: letters("m", n), MessageType: m, SigningAlgorithm: a})
		return err
	}
	must(0, sign(types.SigningAlgorithmSpecEd25519Sha512, types.MessageTypeRaw, 7))
	must(0, sign(types.SigningAlgorithmSpecEd25519PhSha512, types.MessageTypeDigest, 64))
	refused(t, sign(types.SigningAlgorithmSpecEd25519PhSha512, types.MessageTypeRaw, 7), "ValidationException",
		"Message type RAW is incompatible with algorithm ED25519_PH_SHA_512.")
	refused(t, sign(types.SigningAlgorithmSpecEd25519Sha512, types.MessageTypeDigest, 7), "ValidationException",
		"Message type DIGEST is incompatible with algorithm ED25519_SHA_512.")
}

func TestMACs(t *testing.T) {
	s := newSession(t)
	key := s.key(types.OriginTypeAwsKms, types.KeySpecHmac512, types.KeyUsageTypeGenerateVerifyMac)
	mac := must(s.GenerateMac(t.Context(), &kms.GenerateMacInput{KeyId: &key, Message: []byte("m"), MacAlgorithm: types.MacAlgorithmSpecHmacSha512}))
	in := &kms.VerifyMacInput{KeyId: &key, Message: []byte("m"), Mac: mac.Mac, MacAlgorithm: types.MacAlgorithmSpecHmacSha512}
	if got := must(s.VerifyMac(t.Context(), in)); !got.MacValid || len(mac.Mac) != 64 {
		t.Errorf("got %+v", got)
	}
	in.Mac = in.Mac[1:]
	_, err := s.VerifyMac(t.Context(), in)
	refused(t, err, "KMSInvalidMacException", "")
	wrong := &kms.GenerateMacInput{KeyId: &key, Message: []byte("m"), MacAlgorithm: types.MacAlgorithmSpecHmacSha256}
	_, err = s.GenerateMac(t.Context(), wrong)
	refused(t, err, "InvalidKeyUsageException", "Algorithm HMAC_SHA_256 is incompatible with key spec HMAC_512.")
	must(s.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key}))
	_, err = s.GenerateMac(t.Context(), wrong) // the state comes first
	refused(t, err, "DisabledException", key+" is disabled.")
}

func TestDataKeysAndRandom(t *testing.T) {
	s := newSession(t)
	key := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
	dk := must(s.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &key, KeySpec: types.DataKeySpecAes128}))
	got := must(s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: dk.CiphertextBlob}))
	if len(dk.Plaintext) != 16 || !bytes.Equal(got.Plaintext, dk.Plaintext) || *dk.KeyMaterialId != *got.KeyMaterialId {
		t.Errorf("got %+v, then %+v", dk, got)
	}
	blob := must(s.GenerateDataKeyWithoutPlaintext(t.Context(), &kms.GenerateDataKeyWithoutPlaintextInput{KeyId: &key, NumberOfBytes: ptr[int32](1024)})).CiphertextBlob
	if got := must(s.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob})).Plaintext; len(got) != 1024 || blob[2] != 3 {
		t.Errorf("got %d bytes from a blob of kind %d", len(got), blob[2])
	}
	if got := must(s.GenerateRandom(t.Context(), &kms.GenerateRandomInput{NumberOfBytes: ptr[int32](7)})).Plaintext; len(got) != 7 {
		t.Errorf("got %d random bytes", len(got))
	}
}

func TestImportedKeysAgree(t *testing.T) {
	s := newSession(t)
	private := privateKey(types.KeySpecEccNistP256).(*ecdsa.PrivateKey)
	key := s.key(types.OriginTypeExternal, types.KeySpecEccNistP256, types.KeyUsageTypeKeyAgreement)
	s.imports(key, must(x509.MarshalPKCS8PrivateKey(private)))
	other := privateKey(types.KeySpecEccNistP256).(*ecdsa.PrivateKey)
	got := must(s.DeriveSharedSecret(t.Context(), &kms.DeriveSharedSecretInput{
		KeyId: &key, KeyAgreementAlgorithm: types.KeyAgreementAlgorithmSpecEcdh, PublicKey: must(x509.MarshalPKIXPublicKey(&other.PublicKey)),
	}))
	want := must(must(other.ECDH()).ECDH(must(private.PublicKey.ECDH())))
	if !bytes.Equal(got.SharedSecret, want) || got.KeyOrigin != types.OriginTypeExternal {
		t.Errorf("got %x of origin %s, want %x", got.SharedSecret, got.KeyOrigin, want)
	}
}
