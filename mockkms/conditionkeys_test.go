// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

// Requests that rows below begin with.
const (
	fetchingRequest   = `{"KeyId": "EXTERNAL", "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_4096"}`
	importingRequest  = `{"KeyId": "EXTERNAL", "ImportToken": "eA==", "EncryptedKeyMaterial": "eA==", `
	encryptingRequest = `{"KeyId": "KEY", "Plaintext": "eA==", "EncryptionContext": {"AppName": "payroll", "Year": "2026"}}`
	grantingToRequest = `{"KeyId": "KEY", "GranteePrincipal": "` + rootARN + `", "Operations": ["Decrypt", "Encrypt"], `
)

// conditionRows have, for a condition, a request that meets it and one that does
// not, "" if all do. What is in capitals stands for the keys of manyKeys.
var conditionRows = []struct {
	operation, met, unmet string // requests
	condition             string
}{
	{"GetParametersForImport", fetchingRequest, strings.Replace(fetchingRequest, "256", "1", 1), `{"StringEquals": {"kms:WrappingAlgorithm": "RSAES_OAEP_SHA_256"}}`},
	{"GetParametersForImport", fetchingRequest, strings.Replace(fetchingRequest, "4096", "2048", 1), `{"StringEquals": {"kms:WrappingKeySpec": "RSA_4096"}}`},
	{"GetParametersForImport", fetchingRequest, "", `{"StringEquals": {"kms:KeyOrigin": "EXTERNAL"}}`},
	{"ImportKeyMaterial", importingRequest + `"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}`, importingRequest + `"ValidTo": 1789300000}`,
		`{"StringEquals": {"kms:ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}}`},
	{"ImportKeyMaterial", importingRequest + `"ValidTo": 1789300000}`, importingRequest + `"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": 1789300000}`,
		`{"Null": {"kms:ExpirationModel": true}}`}, // only as it is given (documented)
	{"ImportKeyMaterial", importingRequest + `"ValidTo": 1789300000}`, importingRequest + `"ValidTo": 1789300000.001}`, `{"NumericLessThanEquals": {"kms:ValidTo": "1789300000.0"}}`},
	{"ImportKeyMaterial", importingRequest + `"ValidTo": 1789300000}`, importingRequest + `"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}`, `{"DateLessThan": {"kms:ValidTo": "2026-09-14"}}`},

	{"CreateKey", `{"Origin": "EXTERNAL"}`, `{}`, `{"StringEquals": {"kms:KeyOrigin": "EXTERNAL"}}`},
	{"CreateKey", `{}`, `{"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}`, `{"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}}`},
	{"CreateKey", `{"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}`, `{}`, `{"StringEquals": {"kms:CustomerMasterKeyUsage": "GENERATE_VERIFY_MAC"}}`},
	{"CreateKey", `{"CustomerMasterKeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}`, `{}`, `{"StringEquals": {"kms:CustomerMasterKeySpec": "HMAC_256"}}`},
	{"CreateKey", `{"MultiRegion": true}`, `{}`, `{"Bool": {"kms:MultiRegion": true}}`},
	{"CreateKey", `{"MultiRegion": true}`, `{}`, `{"StringEquals": {"kms:MultiRegionKeyType": "PRIMARY"}}`},
	{"CreateKey", `{}`, `{"BypassPolicyLockoutSafetyCheck": true}`, `{"Null": {"kms:BypassPolicyLockoutSafetyCheck": true}}`},
	{"CreateKey", `{"BypassPolicyLockoutSafetyCheck": true}`, `{}`, `{"Bool": {"kms:BypassPolicyLockoutSafetyCheck": true}}`},
	{"CreateKey", `{"Tags": [{"TagKey": "Team", "TagValue": "red"}]}`, `{"Tags": [{"TagKey": "Team", "TagValue": "blue"}]}`, `{"StringEquals": {"aws:RequestTag/team": "red"}}`},
	{"CreateKey", `{"Tags": [{"TagKey": "Team", "TagValue": "red"}]}`, `{"Tags": [{"TagKey": "Cost", "TagValue": "1"}]}`, `{"ForAllValues:StringEquals": {"aws:TagKeys": ["Team"]}}`},
	{"CreateKey", `{}`, "", `{"Null": {"kms:CallerAccount": true, "aws:ResourceTag/Team": true, "aws:ResourceAccount": true, "kms:ResourceAliases": true}}`},
	{"TagResource", `{"KeyId": "KEY", "Tags": [{"TagKey": "a", "TagValue": "b"}]}`, `{"KeyId": "HMAC", "Tags": [{"TagKey": "a", "TagValue": "b"}]}`,
		`{"StringEquals": {"aws:ResourceTag/team": "red"}}`},
	{"UntagResource", `{"KeyId": "KEY", "TagKeys": ["a"]}`, `{"KeyId": "KEY", "TagKeys": ["b", "a"]}`, `{"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}`},

	{"Encrypt", encryptingRequest, strings.Replace(encryptingRequest, "payroll", "Payroll", 1), `{"StringEquals": {"kms:EncryptionContext:appname": "payroll"}}`},
	{"Encrypt", encryptingRequest, strings.Replace(encryptingRequest, "Year", "Month", 1), `{"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["AppName", "Year"]}}`},
	{"Encrypt", encryptingRequest, `{"KeyId": "KEY", "Plaintext": "eA=="}`, `{"Null": {"kms:EncryptionContextKeys": false}}`},
	{"Encrypt", encryptingRequest, `{"KeyId": "PAIR", "Plaintext": "eA==", "EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}`, `{"StringEquals": {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}}`},
	{"Encrypt", `{"KeyId": "alias/a", "Plaintext": "eA=="}`, encryptingRequest, `{"StringEquals": {"kms:RequestAlias": "alias/a"}}`},
	{"Encrypt", `{"KeyId": "arn:aws:kms:us-east-1:111122223333:alias/a", "Plaintext": "eA=="}`, encryptingRequest, `{"StringEquals": {"kms:RequestAlias": "alias/a"}}`},
	{"Encrypt", encryptingRequest, `{"KeyId": "PAIR", "Plaintext": "eA==", "EncryptionAlgorithm": "RSAES_OAEP_SHA_1"}`, `{"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/a"}}`},
	{"Encrypt", encryptingRequest, "", `{"StringEquals": {"kms:KeyUsage": "ENCRYPT_DECRYPT", "kms:CallerAccount": "111122223333", "aws:ResourceAccount": "111122223333"}}`},
	{"Encrypt", encryptingRequest, "", `{"Null": {"kms:ViaService": true, "kms:MultiRegionKeyType": true, "kms:RecipientAttestation:ImageSha384": true}}`},
	{"GenerateDataKey", `{"KeyId": "KEY", "KeySpec": "AES_256"}`, "", `{"StringEquals": {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}}`},
	{"GenerateDataKeyPair", `{"KeyId": "KEY", "KeyPairSpec": "ECC_NIST_P256"}`, `{"KeyId": "KEY", "KeyPairSpec": "ECC_NIST_P384"}`,
		`{"StringLike": {"kms:DataKeyPairSpec": "*P256"}, "StringEquals": {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}}`},
	{"ReEncrypt", `{"CiphertextBlob": "BLOB", "DestinationKeyId": "KEY"}`, `{"CiphertextBlob": "BLOB", "DestinationKeyId": "MRK"}`, `{"Bool": {"kms:ReEncryptOnSameKey": true}}`},
	{"ReEncrypt", `{"CiphertextBlob": "BLOB", "DestinationKeyId": "KEY"}`, `{"CiphertextBlob": "BLOB", "DestinationKeyId": "KEY", "DestinationEncryptionContext": {"a": "b"}}`,
		`{"StringNotEquals": {"kms:EncryptionContext:a": "b"}}`},
	{"ReEncrypt", `{"CiphertextBlob": "BLOB", "DestinationKeyId": "KEY"}`, `{"CiphertextBlob": "BLOB", "DestinationKeyId": "KEY", "SourceEncryptionContext": {"a": "b"}}`,
		`{"StringNotEquals": {"kms:EncryptionContext:a": "b"}, "StringEquals": {"kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}}`},
	{"GenerateMac", `{"KeyId": "HMAC", "Message": "eA==", "MacAlgorithm": "HMAC_SHA_256"}`, `{"KeyId": "HMAC", "Message": "eA==", "MacAlgorithm": "HMAC_SHA_384"}`,
		`{"StringEquals": {"kms:MacAlgorithm": "HMAC_SHA_256"}}`},
	{"Sign", `{"KeyId": "SIGN", "Message": "eA==", "SigningAlgorithm": "ECDSA_SHA_256"}`, `{"KeyId": "SIGN", "Message": "eA==", "SigningAlgorithm": "ECDSA_SHA_256", "MessageType": "DIGEST"}`,
		`{"StringEquals": {"kms:MessageType": "RAW", "kms:SigningAlgorithm": "ECDSA_SHA_256"}}`},
	{"DeriveSharedSecret", `{"KeyId": "AGREE", "KeyAgreementAlgorithm": "ECDH", "PublicKey": "eA=="}`, "", `{"StringEquals": {"kms:KeyAgreementAlgorithm": "ECDH"}}`},

	{"CreateGrant", grantingToRequest + `"RetiringPrincipal": "` + rootARN + `"}`, grantingToRequest + `"Name": "x"}`, `{"StringEquals": {"kms:RetiringPrincipal": "` + rootARN + `", "kms:GranteePrincipal": "` + rootARN + `"}}`},
	{"CreateGrant", grantingToRequest + `"Name": "x"}`, strings.Replace(grantingToRequest, `"Encrypt"`, `"Sign"`, 1) + `"Name": "x"}`, `{"ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "Decrypt"]}}`},
	{"CreateGrant", grantingToRequest + `"Constraints": {"EncryptionContextSubset": {"a": "b"}}}`, grantingToRequest + `"Constraints": {"EncryptionContextEquals": {"a": "b"}}}`, `{"StringEquals": {"kms:GrantConstraintType": "EncryptionContextSubset"}}`},
	{"CreateGrant", grantingToRequest + `"Constraints": {"EncryptionContextSubset": {"a": "b"}}}`, grantingToRequest + `"Name": "x"}`, `{"StringEquals": {"kms:EncryptionContext:A": "b"}}`},
	{"CreateGrant", grantingToRequest + `"Constraints": {"SourceArn": "arn:aws:sns:us-east-1:111122223333:t"}}`, grantingToRequest + `"Name": "x"}`, `{"ArnLike": {"kms:GrantConstraintSourceArn": "arn:aws:sns:*:*:t"}}`},
	{"CreateGrant", grantingToRequest + `"Name": "x"}`, "", `{"Bool": {"kms:GrantIsForAWSResource": false}, "Null": {"kms:GranteeServicePrincipal": true, "kms:RetiringServicePrincipal": true}}`},

	{"ScheduleKeyDeletion", `{"KeyId": "HMAC"}`, `{"KeyId": "HMAC", "PendingWindowInDays": 7}`, `{"NumericGreaterThan": {"kms:ScheduleKeyDeletionPendingWindowInDays": 29}}`},
	{"EnableKeyRotation", `{"KeyId": "KEY", "RotationPeriodInDays": 90}`, `{"KeyId": "KEY"}`, `{"NumericLessThanEquals": {"kms:RotationPeriodInDays": 100}}`}, // recorded
	{"ReplicateKey", `{"KeyId": "MRK", "ReplicaRegion": "eu-west-1"}`, `{"KeyId": "MRK", "ReplicaRegion": "us-west-2"}`, `{"StringEquals": {"kms:ReplicaRegion": "eu-west-1"}}`},
	{"UpdatePrimaryRegion", `{"KeyId": "MRK", "PrimaryRegion": "us-east-1"}`, `{"KeyId": "MRK", "PrimaryRegion": "us-west-2"}`, `{"StringEquals": {"kms:PrimaryRegion": "us-east-1", "kms:MultiRegionKeyType": "PRIMARY"}}`},

	{"ListKeys", `{}`, "", `{"DateEquals": {"aws:CurrentTime": "2026-09-12T10:05:20Z"}, "NumericEquals": {"aws:EpochTime": 1789207520}}`},
	{"ListKeys", `{}`, "", `{"StringEquals": {"aws:PrincipalType": "User", "aws:PrincipalAccount": "111122223333", "aws:PrincipalTag/Team": "red",
		"aws:RequestedRegion": "us-east-1"}, "ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:user/${aws:username}"}, "StringLike": {"aws:userid": "AIDA*", "aws:username": "alice*"}}`},
	{"ListKeys", `{}`, "", `{"Bool": {"aws:ViaAWSService": false, "aws:PrincipalIsAWSService": false}, "IpAddress": {"aws:SourceIp": "192.0.2.0/24"}, "Null": {"aws:SourceVpce": true, "aws:MultiFactorAuthPresent": true}}`},
	{"ListKeys", `{}`, "", `{"Bool": {"aws:SecureTransport": false}, "Null": {"aws:UserAgent": true}}`}, // as httptest asks
}

func TestConditionKeys(t *testing.T) {
	now := time.Date(2026, 9, 12, 10, 5, 20, 0, time.UTC)
	principals := []mockkms.Principal{rootUser()}
	for i, tt := range conditionRows {
		alice := person(fmt.Sprintf("alice%d", i), may("*", `"Condition": `+tt.condition))
		alice.Tags = map[string]string{"team": "red"}
		principals = append(principals, alice)
	}
	w := newWorldWith(t, mockkms.WithPrincipals(must(mockkms.NewPrincipals(principals...))), mockkms.WithClock(func() time.Time { return now }))
	real := w.manyKeys()
	for i, tt := range conditionRows {
		who := fmt.Sprintf("alice%d", i)
		if got := w.as(who).sendAs(who, tt.operation, real.Replace(tt.met)); got.Type == "AccessDeniedException" {
			t.Errorf("%s %s with %s: %s", tt.operation, tt.met, tt.condition, got.message())
		}
		if tt.unmet == "" {
			continue
		}
		if got := w.as(who).sendAs(who, tt.operation, real.Replace(tt.unmet)); got.Type != "AccessDeniedException" {
			t.Errorf("%s %s with %s: %s %s", tt.operation, tt.unmet, tt.condition, got.Type, got.message())
		}
	}
}

// absentKeys are the condition keys that no request here has: rows of the table
// above would all be the same.
var absentKeys = []string{
	"aws:calledvia", "aws:calledviafirst", "aws:calledvialast", "aws:federatedprovider", "aws:multifactorauthage", "aws:principalservicename",
	"aws:principalservicenameslist", "aws:referer", "aws:sourceaccount", "aws:sourcearn", "aws:sourcevpc", "aws:vpcsourceip",
}

func TestNoConditionKeyIsLeftOut(t *testing.T) {
	var rows strings.Builder
	for _, tt := range conditionRows {
		rows.WriteString(strings.ToLower(tt.condition))
	}
	for _, key := range mockkms.ConditionKeys() {
		if tried := strings.Contains(rows.String(), `"`+key+`"`); tried == slices.Contains(absentKeys, key) {
			t.Errorf("%s: tried %t", key, tried)
		}
	}
}

// manyKeys makes the keys that requests are about, and puts them in.
func (w *world) manyKeys() *strings.Replacer {
	w.Helper()
	root := w.as("root")
	create := func(in *kms.CreateKeyInput) string { return *must(root.CreateKey(w.Context(), in)).KeyMetadata.Arn }
	key := create(&kms.CreateKeyInput{Tags: []types.Tag{{TagKey: ptr("Team"), TagValue: ptr("red")}}})
	must(root.CreateAlias(w.Context(), &kms.CreateAliasInput{AliasName: ptr("alias/a"), TargetKeyId: &key}))
	blob := root.sendAs("root", "Encrypt", `{"KeyId": "`+key+`", "Plaintext": "eA=="}`).members(w)["CiphertextBlob"].(string)
	pairs := []string{`"KEY"`, key, `"BLOB"`, blob,
		`"EXTERNAL"`, create(&kms.CreateKeyInput{Origin: types.OriginTypeExternal}),
		`"MRK"`, create(&kms.CreateKeyInput{MultiRegion: ptr(true)}),
		`"HMAC"`, create(&kms.CreateKeyInput{KeySpec: types.KeySpecHmac256, KeyUsage: types.KeyUsageTypeGenerateVerifyMac}),
		`"PAIR"`, create(&kms.CreateKeyInput{KeySpec: types.KeySpecRsa2048, KeyUsage: types.KeyUsageTypeEncryptDecrypt}),
		`"SIGN"`, create(&kms.CreateKeyInput{KeySpec: types.KeySpecEccNistP256, KeyUsage: types.KeyUsageTypeSignVerify}),
		`"AGREE"`, create(&kms.CreateKeyInput{KeySpec: types.KeySpecEccNistP256, KeyUsage: types.KeyUsageTypeKeyAgreement}),
	}
	for i := 1; i < len(pairs); i += 2 {
		pairs[i] = `"` + pairs[i] + `"`
	}
	return strings.NewReplacer(pairs...)
}

// An importer who may only bring material that expires soon, through a strong
// wrapping, gets no further with anything else.
func TestConditionsOnImports(t *testing.T) {
	soon := time.Now().Add(30 * 24 * time.Hour).Truncate(time.Second)
	strong := `"Condition": {"StringLike": {"kms:WrappingAlgorithm": "*_SHA_256"}, "StringEquals": {"kms:WrappingKeySpec": ["RSA_3072", "RSA_4096"], "kms:KeyOrigin": "EXTERNAL"}}`
	expiring := `"Condition": {"StringEquals": {"kms:ExpirationModel": "KEY_MATERIAL_EXPIRES"}, "DateLessThanEquals": {"kms:ValidTo": "` + soon.UTC().Format(time.RFC3339) + `"}}`
	w := newWorld(t, rootUser(), person("importer"))
	key := *must(w.as("root").CreateKey(t.Context(), &kms.CreateKeyInput{Origin: types.OriginTypeExternal, Policy: ptr(keyPolicyOf(
		allow(rootARN, "*"), allow(userARN("importer"), "GetParametersForImport", strong), allow(userARN("importer"), "ImportKeyMaterial", expiring)))})).KeyMetadata.Arn
	importer := w.as("importer")
	for _, weak := range []kms.GetParametersForImportInput{
		{KeyId: &key, WrappingAlgorithm: types.AlgorithmSpecRsaesOaepSha1, WrappingKeySpec: types.WrappingKeySpecRsa3072},
		{KeyId: &key, WrappingAlgorithm: types.AlgorithmSpecRsaesOaepSha256, WrappingKeySpec: types.WrappingKeySpecRsa2048},
	} {
		_, err := importer.GetParametersForImport(t.Context(), &weak)
		refused(t, err, "AccessDeniedException", deniedTo(userARN("importer"), "GetParametersForImport", " on resource: "+key, noIdentity("GetParametersForImport")))
	}
	in := importer.importing(key, letters("A", 32)) // that would last
	_, err := importer.ImportKeyMaterial(t.Context(), in)
	refused(t, err, "AccessDeniedException", deniedTo(userARN("importer"), "ImportKeyMaterial", " on resource: "+key, noIdentity("ImportKeyMaterial")))
	in.ExpirationModel, in.ValidTo = types.ExpirationModelTypeKeyMaterialExpires, ptr(soon.Add(time.Second))
	_, err = importer.ImportKeyMaterial(t.Context(), in)
	refused(t, err, "AccessDeniedException", deniedTo(userARN("importer"), "ImportKeyMaterial", " on resource: "+key, noIdentity("ImportKeyMaterial")))
	in.ExpirationModel, in.ValidTo = "", &soon // the default says nothing to the condition
	_, err = importer.ImportKeyMaterial(t.Context(), in)
	refused(t, err, "AccessDeniedException", deniedTo(userARN("importer"), "ImportKeyMaterial", " on resource: "+key, noIdentity("ImportKeyMaterial")))
	in.ExpirationModel = types.ExpirationModelTypeKeyMaterialExpires
	must(importer.ImportKeyMaterial(t.Context(), in))
	internal := w.keyWith(keyPolicyOf(allow(userARN("importer"), "GetParametersForImport", strong)))
	_, err = importer.GetParametersForImport(t.Context(), &kms.GetParametersForImportInput{KeyId: &internal,
		WrappingAlgorithm: types.AlgorithmSpecRsaesOaepSha256, WrappingKeySpec: types.WrappingKeySpecRsa3072})
	refused(t, err, "AccessDeniedException", deniedTo(userARN("importer"), "GetParametersForImport", " on resource: "+internal, noKeyPolicy("GetParametersForImport")))
}
