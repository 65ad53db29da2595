// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"encoding/base64"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

const dryRunDone = "DryRunOperationException: The request would have succeeded, but the DryRun option is set."

// rehearsals has a row for every operation with a DryRun switch: on a key of
// which spec, a request that works, and one that does not with its own error,
// which comes before DryRun (recorded for Verify, VerifyMac, Decrypt under RSA
// and DeriveSharedSecret). CIPHERTEXT, PUBLICKEY and GRANT stand for real ones.
var rehearsals = []struct {
	operation string
	spec      types.KeySpec
	usage     types.KeyUsageType
	good, bad string // members besides KeyId
	want      string
}{
	{"Encrypt", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", `"Plaintext": "eA=="`, `"Plaintext": "eA==", "EncryptionAlgorithm": "RSAES_OAEP_SHA_1"`,
		"InvalidKeyUsageException: Algorithm RSAES_OAEP_SHA_1 is incompatible with key spec SYMMETRIC_DEFAULT."},
	{"Decrypt", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", `"CiphertextBlob": "CIPHERTEXT"`, `"CiphertextBlob": "eA=="`, "InvalidCiphertextException"},
	{"Decrypt", "RSA_2048", "ENCRYPT_DECRYPT", `"CiphertextBlob": "CIPHERTEXT", "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"`,
		`"CiphertextBlob": "CIPHERTEXT", "EncryptionAlgorithm": "RSAES_OAEP_SHA_1"`, "InvalidCiphertextException"},
	{"ReEncrypt", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", `"CiphertextBlob": "CIPHERTEXT", "DestinationKeyId": "KEY"`,
		`"CiphertextBlob": "eA==", "DestinationKeyId": "KEY"`, "InvalidCiphertextException"},
	{"GenerateDataKey", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", `"KeySpec": "AES_128"`, `"DryRun": true`,
		"ValidationException: Please specify either number of bytes or key spec."},
	{"GenerateDataKeyWithoutPlaintext", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", `"KeySpec": "AES_128"`, `"DryRun": true`,
		"ValidationException: Please specify either number of bytes or key spec."},
	{"GenerateDataKeyPair", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", `"KeyPairSpec": "ECC_NIST_P256"`, `"KeyPairSpec": "SM2"`,
		"UnsupportedOperationException: KeyPairSpec SM2 is not supported in this Region"},
	{"GenerateDataKeyPairWithoutPlaintext", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", `"KeyPairSpec": "ECC_NIST_P256"`, `"KeyPairSpec": "SM2"`,
		"UnsupportedOperationException: KeyPairSpec SM2 is not supported in this Region"},
	{"GenerateMac", "HMAC_256", "GENERATE_VERIFY_MAC", `"Message": "eA==", "MacAlgorithm": "HMAC_SHA_256"`, `"Message": "eA==", "MacAlgorithm": "HMAC_SHA_384"`,
		"InvalidKeyUsageException: Algorithm HMAC_SHA_384 is incompatible with key spec HMAC_256."},
	{"VerifyMac", "HMAC_256", "GENERATE_VERIFY_MAC", `"Message": "eA==", "MacAlgorithm": "HMAC_SHA_256", "Mac": "MAC"`,
		`"Message": "eA==", "MacAlgorithm": "HMAC_SHA_256", "Mac": "eA=="`, "KMSInvalidMacException"},
	{"Sign", "ML_DSA_44", "SIGN_VERIFY", `"Message": "eA==", "SigningAlgorithm": "ML_DSA_SHAKE_256"`,
		`"Message": "eA==", "SigningAlgorithm": "ML_DSA_SHAKE_256", "MessageType": "EXTERNAL_MU"`,
		"ValidationException: External Mu is invalid length for algorithm ML_DSA_SHAKE_256."},
	{"Verify", "ML_DSA_44", "SIGN_VERIFY", `"Message": "eA==", "SigningAlgorithm": "ML_DSA_SHAKE_256", "Signature": "SIGNATURE"`,
		`"Message": "eA==", "SigningAlgorithm": "ML_DSA_SHAKE_256", "Signature": "eA=="`, "KMSInvalidSignatureException"},
	{"DeriveSharedSecret", "ECC_NIST_P256", "KEY_AGREEMENT", `"KeyAgreementAlgorithm": "ECDH", "PublicKey": "PUBLICKEY"`,
		`"KeyAgreementAlgorithm": "ECDH", "PublicKey": "eA=="`, "ValidationException"},
	{"Encapsulate", "ML_KEM_768", "ENCAPSULATE_DECAPSULATE", `"EncapsulationAlgorithm": "ML_KEM"`, `"EncapsulationAlgorithm": "RSA"`,
		"ValidationException: 1 validation error detected: Value 'RSA' at 'encapsulationAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [ML_KEM]"},
	{"Decapsulate", "ML_KEM_768", "ENCAPSULATE_DECAPSULATE", `"EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": "SHARED"`,
		`"EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": "eA=="`, "InvalidCiphertextException"},
	{"CreateGrant", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", `"GranteePrincipal": "` + grantee + `", "Operations": ["Decrypt"]`,
		`"GranteePrincipal": "x", "Operations": ["Decrypt"]`, "InvalidArnException: ARN is not valid: x"},
	{"RetireGrant", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", `"GrantId": "GRANT"`, `"GrantId": "` + noGrant + `"`, grantIsGone},
	{"RevokeGrant", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", `"GrantId": "GRANT"`, `"GrantId": "` + noGrant + `"`, grantIsGone},
}

func TestDryRuns(t *testing.T) {
	s := newSession(t)
	for _, tt := range rehearsals {
		key := s.key(types.OriginTypeAwsKms, tt.spec, tt.usage)
		real := s.realMembers(key, tt.spec, tt.usage)
		said := func(members string) string {
			got := send(t, s.mock, tt.operation, `{"KeyId": "`+key+`", `+real.Replace(members)+`}`)
			return strings.TrimSuffix(got.Type+": "+got.message(), ": ")
		}
		if got := said(tt.good + `, "DryRun": true`); got != dryRunDone {
			t.Errorf("%s with DryRun: %s", tt.operation, got)
		}
		if got := said(tt.bad + `, "DryRun": true`); got != tt.want {
			t.Errorf("%s, bad, with DryRun: %s, want %s", tt.operation, got, tt.want)
		}
		if got := said(tt.good); got != "" {
			t.Errorf("%s without DryRun: %s", tt.operation, got)
		}
	}
}

// realMembers makes what a request on this key needs.
func (s *session) realMembers(key string, spec types.KeySpec, usage types.KeyUsageType) *strings.Replacer {
	s.Helper()
	blob := base64.StdEncoding.EncodeToString
	list := []string{"KEY", key}
	switch usage {
	case types.KeyUsageTypeEncryptDecrypt:
		in := &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")}
		if spec != types.KeySpecSymmetricDefault {
			in.EncryptionAlgorithm = types.EncryptionAlgorithmSpecRsaesOaepSha256
		}
		list = append(list, "CIPHERTEXT", blob(must(s.Encrypt(s.Context(), in)).CiphertextBlob))
		if spec == types.KeySpecSymmetricDefault {
			list = append(list, "GRANT", *must(s.CreateGrant(s.Context(), granting(key))).GrantId)
		}
	case types.KeyUsageTypeGenerateVerifyMac:
		list = append(list, "\"MAC\"", `"`+blob(must(s.GenerateMac(s.Context(), &kms.GenerateMacInput{KeyId: &key, Message: []byte("x"), MacAlgorithm: "HMAC_SHA_256"})).Mac)+`"`)
	case types.KeyUsageTypeSignVerify:
		list = append(list, "SIGNATURE", blob(must(s.Sign(s.Context(), &kms.SignInput{KeyId: &key, Message: []byte("x"), SigningAlgorithm: "ML_DSA_SHAKE_256"})).Signature))
	case types.KeyUsageTypeKeyAgreement:
		list = append(list, "PUBLICKEY", blob(must(s.GetPublicKey(s.Context(), &kms.GetPublicKeyInput{KeyId: &key})).PublicKey))
	case types.KeyUsageTypeEncapsulateDecapsulate:
		list = append(list, "SHARED", blob(must(s.Encapsulate(s.Context(), &kms.EncapsulateInput{KeyId: &key, EncapsulationAlgorithm: "ML_KEM"})).SharedSecretCiphertextBlob))
	}
	return strings.NewReplacer(list...)
}

// The operations with the switch are those of the SDK.
func TestEveryDryRunIsTried(t *testing.T) {
	var want, tried []string
	client := reflect.TypeFor[*kms.Client]()
	for m := range client.NumMethod() {
		if f := client.Method(m).Type; f.NumIn() == 4 && f.In(2).Kind() == reflect.Pointer {
			if _, ok := f.In(2).Elem().FieldByName("DryRun"); ok {
				want = append(want, client.Method(m).Name)
			}
		}
	}
	for _, r := range rehearsals {
		tried = append(tried, r.operation)
	}
	slices.Sort(tried)
	if tried = slices.Compact(tried); !slices.Equal(tried, want) || len(want) == 0 {
		t.Errorf("tried\n%v\nwant\n%v", tried, want)
	}
}

// IGNORE_CIPHERTEXT asks about everything but the ciphertext (documented).
func TestDryRunWithoutCiphertext(t *testing.T) {
	s := newSession(t)
	key := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
	rsa := s.key(types.OriginTypeAwsKms, types.KeySpecRsa2048, types.KeyUsageTypeEncryptDecrypt)
	disabled := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
	must(s.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &disabled}))
	const ignore = `"DryRun": true, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]`
	for _, tt := range []struct{ operation, members, want string }{
		{"Decrypt", `"KeyId": "` + key + `", ` + ignore, dryRunDone},
		{"Decrypt", `"KeyId": "` + key + `", "CiphertextBlob": "eA==", ` + ignore, dryRunDone},
		{"Decrypt", `"KeyId": "` + rsa + `", "EncryptionAlgorithm": "RSAES_OAEP_SHA_1", ` + ignore, dryRunDone},
		{"Decrypt", `"KeyId": "` + rsa + `", ` + ignore, "InvalidKeyUsageException: Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048."},
		{"Decrypt", `"KeyId": "` + disabled + `", ` + ignore, "DisabledException: " + disabled + " is disabled."},
		{"Decrypt", ignore, "ValidationException: KeyId must not be null"},
		{"Decrypt", `"KeyId": "` + key + `", "DryRun": true`, "ValidationException: 1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null"},
		{"Decrypt", `"KeyId": "` + key + `", "CiphertextBlob": "eA==", "DryRunModifiers": ["IGNORE_CIPHERTEXT"]`,
			"ValidationException: DryRunModifiers can only be used when DryRun is true."},
		{"ReEncrypt", `"SourceKeyId": "` + key + `", "DestinationKeyId": "` + key + `", ` + ignore, dryRunDone},
		{"ReEncrypt", `"SourceKeyId": "` + key + `", "DestinationKeyId": "` + disabled + `", ` + ignore, "DisabledException: " + disabled + " is disabled."},
		{"ReEncrypt", `"SourceKeyId": "` + disabled + `", "DestinationKeyId": "` + key + `", ` + ignore, "DisabledException: " + disabled + " is disabled."},
		{"ReEncrypt", `"DestinationKeyId": "` + key + `"`, "ValidationException: 1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null"},
	} {
		got := send(t, s.mock, tt.operation, `{`+tt.members+`}`)
		if said := got.Type + ": " + got.message(); said != tt.want {
			t.Errorf("%s %s:\ngot  %s\nwant %s", tt.operation, tt.members, said, tt.want)
		}
	}
}

// Nobody can be an enclave here; to answer in plain would be the wrong answer.
func TestRecipients(t *testing.T) {
	s := newSession(t)
	key := *must(s.CreateKey(t.Context(), nil)).KeyMetadata.Arn
	_, err := s.GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &key, KeySpec: "AES_256",
		Recipient: &types.RecipientInfo{AttestationDocument: []byte("x"), KeyEncryptionAlgorithm: "RSAES_OAEP_SHA_256"}})
	refused(t, err, "ValidationException", "The attestation document in the request could not be verified.")
	_, err = s.GenerateRandom(t.Context(), &kms.GenerateRandomInput{NumberOfBytes: aws.Int32(1),
		Recipient: &types.RecipientInfo{KeyEncryptionAlgorithm: "RSA"}})
	refused(t, err, "ValidationException", "1 validation error detected: Value 'RSA' at 'recipient.keyEncryptionAlgorithm' failed to satisfy constraint: "+
		"Member must satisfy enum value set: [RSAES_OAEP_SHA_256]")
}
