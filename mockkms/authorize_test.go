// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

// requestsElsewhere completes operationsByState: a request of each operation
// that has no row there. KEY is a key, GRANT one of its grants, BLOB a
// ciphertext under it.
var requestsElsewhere = map[string]string{
	"CreateKey":                `{}`,
	"ListKeys":                 `{}`,
	"GenerateRandom":           `{"NumberOfBytes": 1}`,
	"Decrypt":                  `{"CiphertextBlob": "BLOB"}`,
	"ReEncrypt":                `{"CiphertextBlob": "BLOB", "DestinationKeyId": "KEY"}`,
	"CreateAlias":              `{"AliasName": "alias/new", "TargetKeyId": "KEY"}`,
	"UpdateAlias":              `{"AliasName": "alias/old", "TargetKeyId": "KEY"}`,
	"DeleteAlias":              `{"AliasName": "alias/old"}`,
	"ListAliases":              `{}`,
	"ListRetirableGrants":      `{"RetiringPrincipal": "` + rootARN + `"}`,
	"CreateCustomKeyStore":     `{"CustomKeyStoreName": "s"}`,
	"ConnectCustomKeyStore":    `{"CustomKeyStoreId": "s"}`,
	"DisconnectCustomKeyStore": `{"CustomKeyStoreId": "s"}`,
	"DeleteCustomKeyStore":     `{"CustomKeyStoreId": "s"}`,
	"UpdateCustomKeyStore":     `{"CustomKeyStoreId": "s"}`,
	"DescribeCustomKeyStores":  `{}`,
	"Encapsulate":              `{"KeyId": "KEY", "EncapsulationAlgorithm": "ML_KEM"}`,
	"Decapsulate":              `{"KeyId": "KEY", "EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": "eA=="}`,
	"RetireGrant":              `{"KeyId": "KEY", "GrantId": "GRANT"}`,
	"ReplicateKey":             `{"KeyId": "KEY", "ReplicaRegion": "eu-west-1"}`,
}

// severalActions are the operations that need other permissions than the one of
// their own name, in the order in which they are demanded.
var severalActions = map[string][]string{
	"ReEncrypt":    {"ReEncryptFrom", "ReEncryptTo"},
	"ReplicateKey": {"ReplicateKey", "CreateKey"},
}

// Every operation is denied to who has no permission, and takes just the
// permission it is said to take: it fails without each, and not for want of
// others. No operation is left out.
func TestEveryOperationIsEnforced(t *testing.T) {
	for _, operation := range mockkms.OperationNames() {
		needed := severalActions[operation]
		if needed == nil {
			needed = []string{operation}
		}
		w := newWorld(t, rootUser(), mockkms.Principal{ARN: retirer}, person("nobody"), person("able", may(strings.Join(needed, " "))))
		request := w.requestOf(operation)
		got := w.as("nobody").sendAs("nobody", operation, request)
		if got.Type != "AccessDeniedException" || !strings.HasPrefix(got.message(), "User: "+userARN("nobody")+" is not authorized to perform: kms:"+needed[0]+" ") {
			t.Errorf("%s for nobody: %s %s", operation, got.Type, got.message())
		}
		if got := w.as("able").sendAs("able", operation, request); got.Type == "AccessDeniedException" {
			t.Errorf("%s with kms:%s: %s", operation, needed, got.message())
		}
		for i, missing := range needed {
			others := slices.Delete(slices.Clone(needed), i, i+1)
			w := newWorld(t, rootUser(), mockkms.Principal{ARN: retirer}, person("unable", may("*"), `{"Statement": `+deny("", missing)+`}`), person("less", may(strings.Join(append(others, "None"), " "))))
			request := w.requestOf(operation)
			if got := w.as("unable").sendAs("unable", operation, request); got.Type != "AccessDeniedException" || !strings.Contains(got.message(), "kms:"+missing+" ") {
				t.Errorf("%s with all but kms:%s: %s %s", operation, missing, got.Type, got.message())
			}
			if got := w.as("less").sendAs("less", operation, request); got.Type != "AccessDeniedException" || !strings.Contains(got.message(), "kms:"+missing+" ") {
				t.Errorf("%s with kms:%s only: %s %s", operation, others, got.Type, got.message())
			}
		}
	}
}

// requestOf makes what a request of the operation needs, and the request.
func (w *world) requestOf(operation string) string {
	w.Helper()
	root := w.as("root")
	key := *must(root.CreateKey(w.Context(), &kms.CreateKeyInput{MultiRegion: ptr(true)})).KeyMetadata.Arn
	must(root.CreateAlias(w.Context(), &kms.CreateAliasInput{AliasName: ptr("alias/old"), TargetKeyId: &key}))
	grant := *must(root.CreateGrant(w.Context(), granting(key))).GrantId
	blob := root.sendAs("root", "Encrypt", `{"KeyId": "`+key+`", "Plaintext": "eA=="}`).members(w)["CiphertextBlob"].(string)
	request, ok := requestsElsewhere[operation]
	for _, row := range operationsByState {
		if row.operation == operation && !ok {
			request = `{"KeyId": "KEY"` + row.members + `}`
		}
	}
	return strings.NewReplacer(`"KEY"`, `"`+key+`"`, `"BLOB"`, `"`+blob+`"`, `"GRANT"`, `"`+grant+`"`).Replace(request)
}

// sendAs posts a request with an access key.
func (s *session) sendAs(accessKey, operation, body string) answer {
	s.Helper()
	return send(s, s.mock, operation, body, "Authorization", strings.ReplaceAll(authorization, account, accessKey))
}

// TestDenials has the words for each reason, on keys of one's own account.
func TestDenials(t *testing.T) {
	w := newWorld(t, rootUser(), person("somebody"), person("alice"), person("able", may("*")), person("forbidden", may("*"), `{"Statement": `+deny("", "Decrypt Encrypt ListKeys")+`}`))
	open := w.keyWith(keyPolicyOf(allow(account, "*")))
	closed := w.keyWith(keyPolicyOf(allow(userARN("somebody"), "*")))
	forbidden := w.keyWith(keyPolicyOf(allow("*", "*"), deny(userARN("able"), "Encrypt")))
	must(w.as("root").CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: ptr("alias/open"), TargetKeyId: &open}))
	for _, tt := range []struct{ who, key, what, why string }{
		{"alice", open, " on resource: " + open, noIdentity("Encrypt")},
		{"alice", open[strings.LastIndex(open, "/")+1:], " on resource: " + open, noIdentity("Encrypt")},
		{"alice", "alias/open", " on resource: " + open, noIdentity("Encrypt")},
		{"alice", closed, " on resource: " + closed, noKeyPolicy("Encrypt")},
		{"able", closed, " on resource: " + closed, noKeyPolicy("Encrypt")},
		{"root", closed, " on resource: " + closed, noKeyPolicy("Encrypt")},
		{"able", forbidden, " on resource: " + forbidden, inKeyPolicy},
		{"forbidden", forbidden, " on resource: " + forbidden, inIdentity},
		{"alice", forbidden, "", ""},
		{"able", open, "", ""},
		{"root", open, "", ""},
	} {
		_, err := w.as(tt.who).Encrypt(t.Context(), &kms.EncryptInput{KeyId: &tt.key, Plaintext: []byte("x")})
		if tt.what == "" {
			if err != nil {
				t.Errorf("%s on %s: %v", tt.who, tt.key, err)
			}
			continue
		}
		arn := userARN(tt.who)
		if tt.who == "root" {
			arn = rootARN
		}
		refused(t, err, "AccessDeniedException", deniedTo(arn, "Encrypt", tt.what, tt.why))
	}
	_, err := w.as("alice").ListKeys(t.Context(), nil)
	refused(t, err, "AccessDeniedException", deniedTo(userARN("alice"), "ListKeys", " on resource: *", noIdentity("ListKeys")))
	_, err = w.as("forbidden").ListKeys(t.Context(), nil)
	refused(t, err, "AccessDeniedException", deniedTo(userARN("forbidden"), "ListKeys", " on resource: *", inIdentity))
}

// A key or alias that is not there is told first; then comes the permission,
// and only then the state, the usage, the material and DryRun.
func TestAuthorisationHasItsPlace(t *testing.T) {
	w := newWorld(t, rootUser(), person("alice"))
	root := w.as("root")
	key := *must(root.CreateKey(t.Context(), &kms.CreateKeyInput{Origin: types.OriginTypeExternal})).KeyMetadata.Arn // pending import
	absent := key[:strings.LastIndex(key, "/")+1] + "1234abcd-12ab-34cd-56ef-1234567890ab"
	said := func(who, operation, body string) string {
		got := root.sendAs(who, operation, body)
		return strings.TrimSuffix(got.Type+": "+strings.ReplaceAll(got.message(), key, "A"), ": ")
	}
	denied := func(action string) string {
		return "AccessDeniedException: " + deniedTo(userARN("alice"), action, " on resource: A", noIdentity(action))
	}
	for _, tt := range []struct{ operation, body, alice, root string }{
		{"DescribeKey", `{"KeyId": "` + absent + `"}`, "NotFoundException: Key '" + absent + "' does not exist", "NotFoundException: Key '" + absent + "' does not exist"},
		{"EnableKey", `{"KeyId": "alias/x"}`, "InvalidArnException: Key Aliases are not supported", "InvalidArnException: Key Aliases are not supported"},
		{"Encrypt", `{"KeyId": "KEY", "Plaintext": "eA==", "DryRun": true}`, denied("Encrypt"), "KMSInvalidStateException: A is pending import."},
		{"Encrypt", `{"KeyId": "KEY"}`, "ValidationException: 1 validation error detected: Value null at 'plaintext' failed to satisfy constraint: Member must not be null",
			"ValidationException: 1 validation error detected: Value null at 'plaintext' failed to satisfy constraint: Member must not be null"},
		{"Sign", `{"KeyId": "KEY", "Message": "eA==", "SigningAlgorithm": "ECDSA_SHA_256"}`, denied("Sign"), "KMSInvalidStateException: A is pending import."},
		{"EnableKeyRotation", `{"KeyId": "KEY"}`, denied("EnableKeyRotation"), "UnsupportedOperationException: A origin is EXTERNAL which is not valid for this operation."},
		{"ImportKeyMaterial", `{"KeyId": "KEY", "ImportToken": "eA==", "EncryptedKeyMaterial": "eA=="}`, denied("ImportKeyMaterial"),
			"ValidationException: A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"},
		{"Decrypt", `{"KeyId": "KEY", "CiphertextBlob": "eA=="}`, denied("Decrypt"), "KMSInvalidStateException: A is pending import."},
		{"Decrypt", `{"CiphertextBlob": "eA=="}`, "InvalidCiphertextException", "InvalidCiphertextException"},
		{"CreateGrant", `{"KeyId": "KEY", "GranteePrincipal": "x", "Operations": ["Decrypt"], "DryRun": true}`, denied("CreateGrant"), "KMSInvalidStateException: A is pending import."},
		{"CreateGrant", `{"KeyId": "KEY", "GranteePrincipal": "x", "Operations": ["Decrypt"], "GrantTokens": ["x"]}`, "InvalidGrantTokenException", "InvalidGrantTokenException"},
		{"RetireGrant", `{"KeyId": "KEY", "GrantId": "` + noGrant + `"}`, grantIsGone, grantIsGone},
	} {
		body := strings.ReplaceAll(tt.body, "KEY", key)
		if got := said("alice", tt.operation, body); got != tt.alice {
			t.Errorf("%s %s:\ngot  %s\nwant %s", tt.operation, tt.body, got, tt.alice)
		}
		if got := said("root", tt.operation, body); got != tt.root {
			t.Errorf("root: %s %s:\ngot  %s\nwant %s", tt.operation, tt.body, got, tt.root)
		}
	}
	w.mock.Inject(mockkms.Fault{Kind: mockkms.FaultThrottle})
	if got := said("alice", "ListKeys", `{}`); !strings.HasPrefix(got, "ThrottlingException") {
		t.Errorf("a fault comes before: %s", got)
	}
}

// Aliases have no policy: on them the identity policy decides, on the keys they
// had and get the key policy as well.
func TestAliasesNeedSeveralPermissions(t *testing.T) {
	aliases := `{"Statement": {"Effect": "Allow", "Action": "kms:*Alias", "Resource": "arn:aws:kms:*:*:alias/mine-*"}}`
	w := newWorld(t, rootUser(), person("alice", aliases))
	mine := w.keyWith(keyPolicyOf(allow(account, "*"), allow(userARN("alice"), "CreateAlias UpdateAlias DeleteAlias")))
	once := w.keyWith(keyPolicyOf(allow(account, "*"), allow(userARN("alice"), "CreateAlias")))
	alice := w.as("alice")
	create := func(name, key string) error {
		_, err := alice.CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: &name, TargetKeyId: &key})
		return err
	}
	update := func(name, key string) error {
		_, err := alice.UpdateAlias(t.Context(), &kms.UpdateAliasInput{AliasName: &name, TargetKeyId: &key})
		return err
	}
	aliasARN := func(name string) string { return "arn:aws:kms:us-east-1:" + account + ":" + name }
	for _, err := range []error{create("alias/mine-a", mine), create("alias/mine-b", once), update("alias/mine-a", mine)} {
		if err != nil {
			t.Error(err)
		}
	}
	refused(t, create("alias/yours", mine), "AccessDeniedException",
		deniedTo(userARN("alice"), "CreateAlias", " on resource: "+aliasARN("alias/yours"), noIdentity("CreateAlias")))
	refused(t, update("alias/mine-a", once), "AccessDeniedException",
		deniedTo(userARN("alice"), "UpdateAlias", " on resource: "+once, noIdentity("UpdateAlias")))
	refused(t, update("alias/mine-b", mine), "AccessDeniedException", // the key it has now
		deniedTo(userARN("alice"), "UpdateAlias", " on resource: "+once, noIdentity("UpdateAlias")))
	_, err := alice.DeleteAlias(t.Context(), &kms.DeleteAliasInput{AliasName: ptr("alias/mine-b")})
	refused(t, err, "AccessDeniedException", deniedTo(userARN("alice"), "DeleteAlias", " on resource: "+once, noIdentity("DeleteAlias")))
	must(alice.DeleteAlias(t.Context(), &kms.DeleteAliasInput{AliasName: ptr("alias/mine-a")}))
}

// Tags at creation need kms:TagResource, whose denial names no resource (reported).
func TestTagsAtCreation(t *testing.T) {
	w := newWorld(t, person("alice", may("CreateKey")), person("bob", may("CreateKey"), may("TagResource", `"Condition": {"StringEquals": {"aws:RequestTag/team": "red"}}`)))
	tagged := func(who, value string) error {
		_, err := w.as(who).CreateKey(t.Context(), &kms.CreateKeyInput{Tags: []types.Tag{{TagKey: ptr("team"), TagValue: &value}}})
		return err
	}
	must(w.as("alice").CreateKey(t.Context(), nil))
	refused(t, tagged("alice", "red"), "AccessDeniedException", deniedTo(userARN("alice"), "TagResource", "", noIdentity("TagResource")))
	refused(t, tagged("bob", "blue"), "AccessDeniedException", deniedTo(userARN("bob"), "TagResource", "", noIdentity("TagResource")))
	if err := tagged("bob", "red"); err != nil {
		t.Error(err)
	}
}

// The new primary key has a say as well, and the replica's Region is what is
// asked for where the replica is made.
func TestMultiRegionPermissions(t *testing.T) {
	inEurope := `"Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}`
	w := newWorld(t, rootUser(), person("alice", may("ReplicateKey UpdatePrimaryRegion"), may("CreateKey", inEurope)))
	root, alice := w.as("root"), w.as("alice")
	key := *must(root.CreateKey(t.Context(), &kms.CreateKeyInput{MultiRegion: ptr(true)})).KeyMetadata.Arn
	replicate := func(to string, policy *string) error {
		_, err := alice.ReplicateKey(t.Context(), &kms.ReplicateKeyInput{KeyId: &key, ReplicaRegion: &to, Policy: policy, BypassPolicyLockoutSafetyCheck: true})
		return err
	}
	refused(t, replicate("us-west-2", nil), "AccessDeniedException", deniedTo(userARN("alice"), "CreateKey", " on resource: *", noIdentity("CreateKey")))
	closed := keyPolicyOf(allow(rootARN, "*"), deny(userARN("alice"), "UpdatePrimaryRegion"))
	if err := replicate("eu-west-1", &closed); err != nil {
		t.Fatal(err)
	}
	_, err := alice.UpdatePrimaryRegion(t.Context(), &kms.UpdatePrimaryRegionInput{KeyId: &key, PrimaryRegion: ptr("eu-west-1")})
	refused(t, err, "AccessDeniedException", deniedTo(userARN("alice"), "UpdatePrimaryRegion", " on resource: "+arnIn(key, "eu-west-1"), inKeyPolicy))
}

// ReEncrypt needs one permission on each key; a Decrypt that does not name its
// key needs it on the one that the ciphertext tells.
func TestCiphertextsNameTheirKey(t *testing.T) {
	w := newWorld(t, rootUser(), person("alice"))
	from := w.keyWith(keyPolicyOf(allow(rootARN, "*"), allow(userARN("alice"), "ReEncryptFrom")))
	to := w.keyWith(keyPolicyOf(allow(rootARN, "*"), allow(userARN("alice"), "ReEncryptTo Decrypt")))
	alice := w.as("alice")
	blob := must(w.as("root").Encrypt(t.Context(), &kms.EncryptInput{KeyId: &from, Plaintext: []byte("x")})).CiphertextBlob
	_, err := alice.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob})
	refused(t, err, "AccessDeniedException", deniedTo(userARN("alice"), "Decrypt", " on resource: "+from, noIdentity("Decrypt")))
	moved := must(alice.ReEncrypt(t.Context(), &kms.ReEncryptInput{CiphertextBlob: blob, DestinationKeyId: &to})).CiphertextBlob
	if got := must(alice.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: moved})).Plaintext; string(got) != "x" {
		t.Errorf("got %q", got)
	}
	_, err = alice.ReEncrypt(t.Context(), &kms.ReEncryptInput{CiphertextBlob: blob, DestinationKeyId: &from})
	refused(t, err, "AccessDeniedException", deniedTo(userARN("alice"), "ReEncryptTo", " on resource: "+from, noIdentity("ReEncryptTo")))
	_, err = alice.ReEncrypt(t.Context(), &kms.ReEncryptInput{CiphertextBlob: moved, DestinationKeyId: &to})
	refused(t, err, "AccessDeniedException", deniedTo(userARN("alice"), "ReEncryptFrom", " on resource: "+to, noIdentity("ReEncryptFrom")))
	_, err = alice.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob, KeyId: &to}) // may decrypt with the key it names
	refused(t, err, "IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
}

// A key of another account opens if both sides allow it; otherwise nothing is
// told of it, not even whether it is there.
func TestOtherAccounts(t *testing.T) {
	const elsewhere = "444455556666"
	foreign := func(name string, policies ...string) mockkms.Principal {
		return mockkms.Principal{ARN: "arn:aws:iam::" + elsewhere + ":user/" + name, Credentials: mockkms.Credentials{AccessKeyID: name}, Policies: policies}
	}
	w := newWorld(t, rootUser(), foreign("trusted", may("*")), foreign("unable"))
	shared := w.keyWith(keyPolicyOf(allow(account, "*"), allow("arn:aws:iam::"+elsewhere+":root", "*")))
	private := w.keyWith(keyPolicyOf(allow(account, "*")))
	absent := private[:strings.LastIndex(private, "/")+1] + "1234abcd-12ab-34cd-56ef-1234567890ab"
	must(w.as("root").CreateAlias(t.Context(), &kms.CreateAliasInput{AliasName: ptr("alias/shared"), TargetKeyId: &shared}))
	alias := "arn:aws:kms:us-east-1:" + account + ":alias/shared"
	trusted := w.as("trusted")

	if got := *must(trusted.DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &alias})).KeyMetadata.Arn; got != shared {
		t.Errorf("got %s", got)
	}
	sealed := must(trusted.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &shared, Plaintext: []byte("x")}))
	for _, named := range []*string{nil, &shared, &alias} {
		if got := must(trusted.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob, KeyId: named})); *got.KeyId != shared {
			t.Errorf("decrypted with %s", *got.KeyId)
		}
	}
	grant := must(trusted.CreateGrant(t.Context(), &kms.CreateGrantInput{KeyId: &shared, GranteePrincipal: ptr(rootARN), Operations: []types.GrantOperation{"Decrypt"}}))
	if g := w.as("root").grants(shared); len(g) != 1 || *g[0].IssuingAccount != "arn:aws:iam::"+elsewhere+":root" {
		t.Errorf("got %+v", g)
	}
	_, err := trusted.RetireGrant(t.Context(), &kms.RetireGrantInput{KeyId: &shared, GrantId: grant.GrantId}) // denied in all ways (recorded)
	refused(t, err, "AccessDeniedException", deniedTo("arn:aws:iam::444455556666:user/trusted", "RetireGrant", " on this resource", thereIsNoKey))
	must(trusted.RevokeGrant(t.Context(), &kms.RevokeGrantInput{KeyId: &shared, GrantId: grant.GrantId}))

	for _, tt := range []struct{ who, operation, body, what, why string }{
		{"unable", "Encrypt", `{"KeyId": "` + shared + `", "Plaintext": "eA=="}`, " on this resource", noIdentity("Encrypt")}, // recorded
		{"trusted", "Encrypt", `{"KeyId": "` + private + `", "Plaintext": "eA=="}`, " on this resource", thereIsNoKey},
		{"trusted", "Encrypt", `{"KeyId": "` + absent + `", "Plaintext": "eA=="}`, " on this resource", thereIsNoKey},
		{"trusted", "Encrypt", `{"KeyId": "` + alias + `x", "Plaintext": "eA=="}`, " on this resource", thereIsNoKey},
		{"trusted", "DisableKey", `{"KeyId": "` + shared + `"}`, " on this resource", thereIsNoKey}, // never across accounts
		{"trusted", "GetParametersForImport", `{"KeyId": "` + shared + `", "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}`, " on this resource", thereIsNoKey},
		{"trusted", "CreateAlias", `{"AliasName": "alias/a", "TargetKeyId": "` + shared + `"}`, " on this resource", thereIsNoKey},
	} {
		got := trusted.sendAs(tt.who, tt.operation, tt.body)
		if want := deniedTo("arn:aws:iam::444455556666:user/"+tt.who, tt.operation, tt.what, tt.why); got.message() != want {
			t.Errorf("%s %s:\ngot  %s\nwant %s", tt.operation, tt.body, got.message(), want)
		}
	}
	hidden := must(w.as("root").Encrypt(t.Context(), &kms.EncryptInput{KeyId: &private, Plaintext: []byte("x")})).CiphertextBlob
	_, err = trusted.Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: hidden})
	refused(t, err, "AccessDeniedException", // reported
		deniedTo("arn:aws:iam::444455556666:user/trusted", "Decrypt", " on the resource associated with this ciphertext", thereIsNoKey))
	events := must(w.mock.Events(mockkms.EventQuery{})).Events
	if last := events[len(events)-1]; last.EventName != "Decrypt" || last.ErrorCode != "AccessDenied" || last.Resources != nil {
		t.Errorf("the event tells of %+v", last.Resources)
	}
}
