// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

// The states in which the table below tries each operation: how a key of the
// given origin gets there. Material counts as a state of its own.
var lives = []struct {
	state, origin string
	steps         []string // operations on the key, "import" among them
}{
	{"Enabled", "EXTERNAL", []string{"import"}},
	{"Disabled", "EXTERNAL", []string{"import", "DisableKey"}},
	{"PendingImport", "EXTERNAL", nil},
	{"PendingImport", "EXTERNAL", []string{"import", "DeleteImportedKeyMaterial"}},
	{"PendingImport", "EXTERNAL", []string{"import", "DisableKey", "DeleteImportedKeyMaterial"}},
	{"PendingImport", "EXTERNAL", []string{"ScheduleKeyDeletion", "CancelKeyDeletion"}},
	{"Disabled", "EXTERNAL", []string{"import", "ScheduleKeyDeletion", "CancelKeyDeletion"}},
	{"PendingDeletion", "EXTERNAL", []string{"import", "ScheduleKeyDeletion"}},
	{"PendingDeletion", "EXTERNAL", []string{"ScheduleKeyDeletion"}},
	{"Enabled", "AWS_KMS", nil},
	{"Disabled", "AWS_KMS", []string{"DisableKey"}},
	{"PendingDeletion", "AWS_KMS", []string{"DisableKey", "ScheduleKeyDeletion"}},
}

// What an operation may answer besides success.
const (
	isDisabled = "DisabledException: A is disabled."
	isPending  = "KMSInvalidStateException: A is pending import."
	isDeleting = "KMSInvalidStateException: A is pending deletion."
	notGoing   = "KMSInvalidStateException: A is not pending deletion."
	notOurs    = "UnsupportedOperationException: A origin is AWS_KMS which is not valid for this operation."
)

// expectations gives the refusal by state, and by origin where that decides.
type expectations map[string]string

var (
	everywhere = expectations{}
	whenUsable = expectations{"Disabled": isDisabled, "PendingImport": isPending, "PendingDeletion": isDeleting}
	whenAlive  = expectations{"PendingDeletion": isDeleting}
)

func (e expectations) and(more expectations) expectations {
	all := maps.Clone(e)
	maps.Copy(all, more)
	return all
}

// operationsByState holds one row for each operation on one key. A test below
// sees to it that none is missing.
var operationsByState = []struct {
	operation string
	spec      types.KeySpec // SYMMETRIC_DEFAULT unless said otherwise
	members   string        // of the request, besides KeyId
	want      expectations
}{
	{"DescribeKey", "", "", everywhere},
	{"GetKeyPolicy", "", "", everywhere},
	{"PutKeyPolicy", "", `, "Policy": "{\"Statement\": []}"`, everywhere},
	{"ListKeyPolicies", "", "", everywhere},
	{"ListResourceTags", "", "", everywhere},
	{"GenerateDataKeyPair", "", `, "KeyPairSpec": "ECC_NIST_P256"`, whenUsable},
	{"GenerateDataKeyPairWithoutPlaintext", "", `, "KeyPairSpec": "ML_KEM_768"`, whenUsable},
	{"CreateGrant", "", `, "GranteePrincipal": "arn:aws:iam::111122223333:root", "Operations": ["DescribeKey"]`, whenUsable},
	{"ListGrants", "", "", everywhere},
	{"RevokeGrant", "", `, "GrantId": "` + noGrant + `"`, expectations{"AWS_KMS": grantIsGone, "EXTERNAL": grantIsGone}},
	{"RetireGrant", "", `, "GrantId": "` + noGrant + `"`, expectations{"AWS_KMS": grantIsGone, "EXTERNAL": grantIsGone}},
	{"GetKeyLastUsage", "", "", everywhere},
	{"GetKeyRotationStatus", "", "", everywhere},
	{"ListKeyRotations", "", `, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"`, everywhere},
	{"TagResource", "", `, "Tags": [{"TagKey": "a", "TagValue": "b"}]`, whenAlive},
	{"UntagResource", "", `, "TagKeys": ["a"]`, whenAlive},
	{"UpdateKeyDescription", "", `, "Description": "d"`, whenAlive},
	{"ScheduleKeyDeletion", "", "", whenAlive},
	{"CancelKeyDeletion", "", "", expectations{"Enabled": notGoing, "Disabled": notGoing, "PendingImport": notGoing}},
	{"EnableKey", "", "", whenAlive.and(expectations{"PendingImport": isPending})},
	{"DisableKey", "", "", whenAlive.and(expectations{"PendingImport": isPending})},
	{"RotateKeyOnDemand", "", "", whenUsable.and(expectations{
		"Enabled EXTERNAL": "KMSInvalidStateException: No available key material pending rotation for the key: A."})},
	{"GetParametersForImport", "", `, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"`,
		whenAlive.and(expectations{"AWS_KMS": notOurs})},
	{"ImportKeyMaterial", "", `, "ImportToken": "eA==", "EncryptedKeyMaterial": "eA==", "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"`,
		expectations{"EXTERNAL": "InvalidImportTokenException", "PendingDeletion": isDeleting, "AWS_KMS": notOurs}},
	{"DeleteImportedKeyMaterial", "", "", expectations{"AWS_KMS": notOurs}},
	{"Encrypt", "", `, "Plaintext": "eA=="`, whenUsable},
	{"GenerateDataKey", "", `, "KeySpec": "AES_256"`, whenUsable},
	{"GenerateDataKeyWithoutPlaintext", "", `, "NumberOfBytes": 7`, whenUsable},
	{"GenerateMac", types.KeySpecHmac256, `, "Message": "eA==", "MacAlgorithm": "HMAC_SHA_256"`, whenUsable},
	{"VerifyMac", types.KeySpecHmac256, `, "Message": "eA==", "MacAlgorithm": "HMAC_SHA_256", "Mac": "eA=="`,
		whenUsable.and(expectations{"Enabled": "KMSInvalidMacException"})},
	{"Sign", types.KeySpecEccNistP256, `, "Message": "eA==", "SigningAlgorithm": "ECDSA_SHA_256"`, whenUsable},
	{"Verify", types.KeySpecEccNistP256, `, "Message": "eA==", "SigningAlgorithm": "ECDSA_SHA_256", "Signature": "eA=="`,
		whenUsable.and(expectations{"Enabled": "KMSInvalidSignatureException"})},
	{"GetPublicKey", types.KeySpecEccNistP256, "", expectations{"PendingImport": isPending, "PendingDeletion": isDeleting}},
	{"DeriveSharedSecret", "KEY_AGREEMENT", `, "KeyAgreementAlgorithm": "ECDH", "PublicKey": "eA=="`,
		whenUsable.and(expectations{"Enabled": "ValidationException"})},
}

// expected is the refusal for one cell of the table: the most particular one.
func (e expectations) expected(state, origin string) string {
	for _, key := range []string{state + " " + origin, origin, state} {
		if want, ok := e[key]; ok && !(key == origin && origin == "EXTERNAL" && e[state] != "") {
			return want
		}
	}
	return ""
}

func TestOperationsByState(t *testing.T) {
	s := newSession(t)
	for _, op := range operationsByState {
		for _, life := range lives {
			key := s.bring(op.spec, life.origin, life.steps)
			if got := string(s.describe(key).KeyState); got != life.state {
				t.Errorf("%s %v: the key is %s, want %s", life.origin, life.steps, got, life.state)
			}
			got := send(t, s.mock, op.operation, `{"KeyId": "`+key+`"`+op.members+`}`)
			said := strings.ReplaceAll(strings.TrimSuffix(fmt.Sprintf("%s: %s", got.Type, got.message()), ": "), key, "A")
			if want := op.want.expected(life.state, life.origin); said != want {
				t.Errorf("%s on %s %s %v:\ngot  %s\nwant %s", op.operation, life.origin, life.state, life.steps, said, want)
			}
		}
	}
}

// bring makes a key and leads it through steps.
func (s *session) bring(spec types.KeySpec, origin string, steps []string) string {
	s.Helper()
	usage := types.KeyUsageTypeSignVerify
	switch spec {
	case "":
		spec, usage = types.KeySpecSymmetricDefault, types.KeyUsageTypeEncryptDecrypt
	case types.KeySpecHmac256:
		usage = types.KeyUsageTypeGenerateVerifyMac
	case "KEY_AGREEMENT":
		spec, usage = types.KeySpecEccNistP256, types.KeyUsageTypeKeyAgreement
	}
	key := s.key(types.OriginType(origin), spec, usage)
	for _, step := range steps {
		if step == "import" {
			s.imports(key, materialFor(spec))
		} else if got := send(s, s.mock, step, `{"KeyId": "`+key+`"}`); got.Type != "" {
			s.Fatalf("%s: %s", step, got.body)
		}
	}
	return key
}

// Operations that are not in the table above, because they concern no key,
// several, or one they name in another way. Tests of their own look after them.
var operationsElsewhere = []string{
	"CreateKey", "ListKeys", "GenerateRandom", "Decrypt", "ReEncrypt",
	"CreateAlias", "UpdateAlias", "DeleteAlias", "ListAliases", "ListRetirableGrants",
	"CreateCustomKeyStore", "ConnectCustomKeyStore", "DisconnectCustomKeyStore",
	"DeleteCustomKeyStore", "UpdateCustomKeyStore", "DescribeCustomKeyStores",
	"Encapsulate", "Decapsulate", // of keys that cannot be imported
}

func TestNoOperationIsLeftOut(t *testing.T) {
	tested := slices.Clone(operationsElsewhere)
	for _, op := range operationsByState {
		tested = append(tested, op.operation)
	}
	slices.Sort(tested)
	if got := mockkms.OperationNames(); !slices.Equal(got, tested) {
		t.Errorf("operations\n%v\ntested\n%v", got, tested)
	}
}
