// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"fmt"
	"time"
)

// An operation makes of a step a request, and says what the model wants of the
// answer. What the request does has then happened in the model.
type operation struct {
	name   string
	weight int // how many of the 256 first bytes of a step mean it
	step   func(*model, step) (request, want)
}

// stepOperations is all that can happen.
func stepOperations() []operation {
	return []operation{
		{"CreateKey", 14, createKey},
		{"GetParametersForImport", 24, getParameters},
		{"ImportKeyMaterial", 46, importKeyMaterial},
		{"DeleteImportedKeyMaterial", 12, deleteMaterial},
		{"RotateKeyOnDemand", 14, about("RotateKeyOnDemand", false, "", (*model).rotates)},
		{"EnableKey", 8, about("EnableKey", false, "", func(m *model, k *modelKey) want { return k.able(true) })},
		{"DisableKey", 6, about("DisableKey", false, "", func(m *model, k *modelKey) want { return k.able(false) })},
		{"ScheduleKeyDeletion", 4, scheduleDeletion},
		{"CancelKeyDeletion", 5, about("CancelKeyDeletion", false, "", func(m *model, k *modelKey) want { return k.cancels() })},
		{"DescribeKey", 6, about("DescribeKey", true, "", func(m *model, k *modelKey) want { return k.described() })},
		{"ListKeyRotations", 6, about("ListKeyRotations", false, `, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"`, func(m *model, k *modelKey) want { return k.listed() })},
		{"GetKeyRotationStatus", 4, about("GetKeyRotationStatus", false, "", func(m *model, k *modelKey) want { return k.rotationStatus() })},
		{"UpdateKeyDescription", 3, updateDescription},
		{"ListKeys", 2, listKeys},
		{"CreateAlias", 4, pointAlias("CreateAlias", (*model).createsAlias)},
		{"UpdateAlias", 4, pointAlias("UpdateAlias", (*model).updatesAlias)},
		{"DeleteAlias", 3, deleteAlias},
		{"make", 18, fitting(encrypt, generateMac, sign)},
		{"check", 14, fitting(decrypt, verifyMac, verify)},
		{"Encrypt", 4, encrypt},
		{"GenerateDataKey", 3, generateDataKey},
		{"Decrypt", 8, decrypt},
		{"ReEncrypt", 5, reEncrypt},
		{"GenerateMac", 2, generateMac},
		{"VerifyMac", 2, verifyMac},
		{"Sign", 2, sign},
		{"Verify", 2, verify},
		{"GetPublicKey", 4, about("GetPublicKey", true, "", func(m *model, k *modelKey) want { return k.publicKey() })},
		{"wait", 25, wait},
		{"restart", 2, func(*model, step) (request, want) { return request{event: "restart"}, want{} }},
	}
}

// wait lets some time pass: often what a rotation takes, and to the moment what
// ends at whole seconds, or with a token.
func wait(m *model, s step) (request, want) {
	d := choose(s[3], 5*time.Second, time.Second, 5*time.Second, time.Second, time.Hour, 5*time.Second, time.Second,
		time.Hour-956*time.Millisecond, day, day-time.Millisecond, 7*day, 30*day)
	m.wait(d)
	return request{event: "wait " + d.String()}, want{}
}

// kinds are the kinds of keys, the most eventful one more than once.
var kinds = []modelKey{
	{origin: "EXTERNAL", spec: "SYMMETRIC_DEFAULT", usage: "ENCRYPT_DECRYPT"},
	{origin: "AWS_KMS", spec: "SYMMETRIC_DEFAULT", usage: "ENCRYPT_DECRYPT"},
	{origin: "EXTERNAL", spec: "HMAC_256", usage: "GENERATE_VERIFY_MAC"},
	{origin: "AWS_KMS", spec: "HMAC_256", usage: "GENERATE_VERIFY_MAC"},
	{origin: "EXTERNAL", spec: "ECC_NIST_P256", usage: "SIGN_VERIFY"},
	{origin: "AWS_KMS", spec: "ECC_NIST_P256", usage: "SIGN_VERIFY"},
	{origin: "EXTERNAL", spec: "RSA_2048", usage: "SIGN_VERIFY"},
	{origin: "EXTERNAL", spec: "HMAC_256", usage: "GENERATE_VERIFY_MAC"},
	{origin: "EXTERNAL", spec: "SYMMETRIC_DEFAULT", usage: "ENCRYPT_DECRYPT"},
	{origin: "EXTERNAL", spec: "SYMMETRIC_DEFAULT", usage: "ENCRYPT_DECRYPT"},
	{origin: "EXTERNAL", spec: "SYMMETRIC_DEFAULT", usage: "ENCRYPT_DECRYPT"},
	{origin: "EXTERNAL", spec: "SYMMETRIC_DEFAULT", usage: "ENCRYPT_DECRYPT"},
	{origin: "EXTERNAL", spec: "SYMMETRIC_DEFAULT", usage: "ENCRYPT_DECRYPT"},
	{origin: "EXTERNAL", spec: "SYMMETRIC_DEFAULT", usage: "ENCRYPT_DECRYPT"},
}

func createKey(m *model, s step) (request, want) {
	k := choose(s[3], kinds...)
	members := fmt.Sprintf(`"Origin": %q, "KeySpec": %q, "KeyUsage": %q`, k.origin, k.spec, k.usage)
	return request{operation: "CreateKey", members: members}, m.create(&k)
}

func scheduleDeletion(m *model, s step) (request, want) {
	a, days := m.address(s, false), choose(s[3], 7, 7, 7, 30, 6)
	r := request{operation: "ScheduleKeyDeletion", members: fmt.Sprintf(`"KeyId": "%s", "PendingWindowInDays": %d`, a.ref, days)}
	var faults []string
	if days < 7 {
		faults = append(faults, "ValidationException: PendingWindowInDays must be between 7 and 30")
	}
	if a.fault != "" {
		return r, refuses(append(faults, a.fault)...)
	}
	return r, m.schedules(a.key, days, faults...)
}

func updateDescription(m *model, s step) (request, want) {
	d := choose(s[3], "one", "two")
	return about("UpdateKeyDescription", false, `, "Description": "`+d+`"`, func(m *model, k *modelKey) want {
		return k.describes(d)
	})(m, s)
}

func listKeys(m *model, s step) (request, want) {
	return request{operation: "ListKeys"}, m.lists()
}

// pointAlias makes an operation that points an alias to a key.
func pointAlias(operation string, rule func(*model, string, addressed) want) func(*model, step) (request, want) {
	return func(m *model, s step) (request, want) {
		s[2] = choose(s[2], byte(0), 5) // aliases of aliases there are none
		name, a := choose(s[3], aliasNames...), m.address(s, false)
		return request{operation: operation, members: fmt.Sprintf(`"AliasName": "%s", "TargetKeyId": "%s"`, name, a.ref)}, rule(m, name, a)
	}
}

func deleteAlias(m *model, s step) (request, want) {
	name := choose(s[3], aliasNames...)
	w := refuses(noAlias(m, name))
	delete(m.aliases, name)
	return request{operation: "DeleteAlias", members: `"AliasName": "` + name + `"`}, w
}
