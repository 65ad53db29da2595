// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

// The states in which the table below tries each operation: how a key of the
// given origin gets there. Material counts as a state of its own. With
// "ReplicateKey" the key is a multi-Region one; "its replica" goes on with that.
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

	{"Creating", "EXTERNAL", []string{"import", "ReplicateKey", "its replica"}},
	{"Creating", "AWS_KMS", []string{"ReplicateKey", "its replica"}},
	{"PendingImport", "EXTERNAL", []string{"import", "ReplicateKey", "its replica", "a while"}},
	{"Updating", "EXTERNAL", []string{"import", "ReplicateKey", "its replica", "a while", "import", "the primary", "UpdatePrimaryRegion"}},
	{"Updating", "AWS_KMS", []string{"ReplicateKey", "a while", "UpdatePrimaryRegion"}},
	{"PendingReplicaDeletion", "EXTERNAL", []string{"import", "ReplicateKey", "ScheduleKeyDeletion"}},
	{"PendingReplicaDeletion", "AWS_KMS", []string{"ReplicateKey", "ScheduleKeyDeletion"}},
	{"PendingDeletion", "AWS_KMS", []string{"ReplicateKey", "its replica", "ScheduleKeyDeletion"}},
}

// What an operation may answer besides success.
const (
	isDisabled = "DisabledException: A is disabled."
	isPending  = "KMSInvalidStateException: A is pending import."
	isCreating = "KMSInvalidStateException: A is creating."
	isWaiting  = "KMSInvalidStateException: A is pending replica deletion."
	isDeleting = "KMSInvalidStateException: A is pending deletion."
	isUpdating = "KMSInvalidStateException: A is updating."
	notGoing   = "KMSInvalidStateException: A is not pending deletion."
	notKMS     = "UnsupportedOperationException: A origin is EXTERNAL which is not valid for this operation."
	notOurs    = "UnsupportedOperationException: A origin is AWS_KMS which is not valid for this operation."
)

// expectations gives the refusal by state, and by origin where that decides.
type expectations map[string]string

var (
	everywhere  = expectations{}
	whenAlive   = expectations{"PendingDeletion": isDeleting, "PendingReplicaDeletion": isWaiting}
	whenThere   = whenAlive.and(expectations{"Creating": isCreating, "PendingImport": isPending})
	whenUsable  = whenThere.and(expectations{"Disabled": isDisabled})
	whenSettled = expectations{"Creating": isCreating, "Updating": isUpdating}
)

func (e expectations) and(more expectations) expectations {
	all := maps.Clone(e)
	maps.Copy(all, more)
	return all
}

// inEveryState expects the refusal of keys of an origin, whatever their state.
func inEveryState(origin, refusal string) expectations {
	all := expectations{}
	for _, life := range lives {
		all[life.state+" "+origin] = refusal
	}
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
	{"ScheduleKeyDeletion", "", "", whenAlive.and(expectations{"Updating": isUpdating})},
	{"CancelKeyDeletion", "", "", expectations{"Enabled": notGoing, "Disabled": notGoing, "PendingImport": notGoing,
		"Creating": notGoing, "Updating": notGoing}},
	{"EnableKey", "", "", whenThere.and(whenSettled)},
	{"DisableKey", "", "", whenThere.and(whenSettled)},
	{"ReplicateKey", "", `, "ReplicaRegion": "sa-east-1"`, whenUsable.and(expectations{
		"Enabled": "UnsupportedOperationException: A is not a multi-region primary key.", "Updating": isUpdating})},
	{"UpdatePrimaryRegion", "", `, "PrimaryRegion": "sa-east-1"`, whenUsable.and(expectations{
		"Enabled": "KMSInvalidStateException: A is not a multi-Region primary key.", "Updating": "KMSInvalidStateException: A is not a multi-Region primary key."})},
	{"EnableKeyRotation", "", "", whenUsable.and(whenSettled).and(inEveryState("EXTERNAL", notKMS))},
	{"DisableKeyRotation", "", "", whenUsable.and(whenSettled).and(inEveryState("EXTERNAL", notKMS))},
	{"RotateKeyOnDemand", "", "", whenUsable.and(whenSettled).and(expectations{
		"Enabled EXTERNAL": "KMSInvalidStateException: No available key material pending rotation for the key: A."})},
	{"GetParametersForImport", "", `, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"`,
		whenAlive.and(whenSettled).and(expectations{"AWS_KMS": notOurs})},
	{"ImportKeyMaterial", "", `, "ImportToken": "eA==", "EncryptedKeyMaterial": "eA==", "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"`,
		whenAlive.and(expectations{"EXTERNAL": "InvalidImportTokenException", "Creating": isCreating, "AWS_KMS": notOurs})},
	{"DeleteImportedKeyMaterial", "", "", whenSettled.and(expectations{"AWS_KMS": notOurs})},
	{"Encrypt", "", `, "Plaintext": "eA=="`, whenUsable},
	{"GenerateDataKey", "", `, "KeySpec": "AES_256"`, whenUsable},
	{"GenerateDataKeyWithoutPlaintext", "", `, "NumberOfBytes": 7`, whenUsable},
	{"GenerateMac", types.KeySpecHmac256, `, "Message": "eA==", "MacAlgorithm": "HMAC_SHA_256"`, whenUsable},
	{"VerifyMac", types.KeySpecHmac256, `, "Message": "eA==", "MacAlgorithm": "HMAC_SHA_256", "Mac": "eA=="`,
		whenUsable.and(expectations{"Enabled": "KMSInvalidMacException", "Updating": "KMSInvalidMacException"})},
	{"Sign", types.KeySpecEccNistP256, `, "Message": "eA==", "SigningAlgorithm": "ECDSA_SHA_256"`, whenUsable},
	{"Verify", types.KeySpecEccNistP256, `, "Message": "eA==", "SigningAlgorithm": "ECDSA_SHA_256", "Signature": "eA=="`,
		whenUsable.and(expectations{"Enabled": "KMSInvalidSignatureException", "Updating": "KMSInvalidSignatureException"})},
	{"GetPublicKey", types.KeySpecEccNistP256, "", whenThere},
	{"DeriveSharedSecret", "KEY_AGREEMENT", `, "KeyAgreementAlgorithm": "ECDH", "PublicKey": "eA=="`,
		whenUsable.and(expectations{"Enabled": "ValidationException", "Updating": "ValidationException"})},
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
	now := time.Now()
	s := newSession(t, mockkms.WithClock(func() time.Time { return now }))
	awhile := func() { now = now.Add(mockkms.DefaultReplicationTime) }
	for _, op := range operationsByState {
		for _, life := range lives {
			key := s.bring(op.spec, life.origin, life.steps, awhile)
			s := s.in(regionOf(key))
			if got := string(s.describe(key).KeyState); got != life.state {
				t.Errorf("%s %v: the key is %s, want %s", life.origin, life.steps, got, life.state)
			}
			got := s.send(op.operation, `{"KeyId": "`+key+`"`+op.members+`}`)
			said := strings.ReplaceAll(strings.TrimSuffix(fmt.Sprintf("%s: %s", got.Type, got.message()), ": "), key, "A")
			if want := op.want.expected(life.state, life.origin); said != want {
				t.Errorf("%s on %s %s %v:\ngot  %s\nwant %s", op.operation, life.origin, life.state, life.steps, said, want)
			}
		}
	}
	t.Logf("%d operations on keys in %d states and origins: %d cells, none untested", len(operationsByState), len(lives), len(operationsByState)*len(lives))
}

// replicaRegion is where the replicas of the table are.
const replicaRegion = "eu-west-1"

// bring makes a key and leads it through steps.
func (s *session) bring(spec types.KeySpec, origin string, steps []string, awhile func()) string {
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
	key := *must(s.CreateKey(s.Context(), &kms.CreateKeyInput{
		Origin: types.OriginType(origin), KeySpec: spec, KeyUsage: usage,
		MultiRegion: ptr(slices.Contains(steps, "ReplicateKey")),
	})).KeyMetadata.Arn
	material := materialFor(spec)
	for _, step := range steps {
		switch step {
		case "a while":
			awhile()
		case "its replica":
			key = arnIn(key, replicaRegion)
		case "the primary":
			key = arnIn(key, region)
		case "import":
			s.in(regionOf(key)).imports(key, material)
		default:
			body := `{"KeyId": "` + key + `", "ReplicaRegion": "` + replicaRegion + `", "PrimaryRegion": "` + replicaRegion + `"}`
			if got := s.in(regionOf(key)).send(step, body); got.Type != "" {
				s.Fatalf("%s: %s", step, got.body)
			}
		}
	}
	return key
}

// in is the session in another Region.
func (s *session) in(region string) *session {
	return &session{s.T, newClientIn(s.mock, account, region), s.mock, region}
}

// send posts a request in the session's Region.
func (s *session) send(operation, body string) answer {
	s.Helper()
	return send(s, s.mock, operation, body, "Authorization", strings.ReplaceAll(authorization, region, s.region))
}

func regionOf(arn string) string { return strings.Split(arn, ":")[3] }

// arnIn is the ARN of the copy in another Region.
func arnIn(arn, region string) string { return strings.Replace(arn, regionOf(arn), region, 1) }

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
