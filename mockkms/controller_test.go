// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

// What the console lets administrators and users of a key do (Developer Guide,
// default key policy).
const (
	administration = "Create* Describe* Enable* List* Put* Update* Revoke* Disable* Get* Delete* TagResource UntagResource " +
		"ScheduleKeyDeletion CancelKeyDeletion ImportKeyMaterial"
	usage = "Encrypt Decrypt ReEncrypt* GenerateDataKey* DescribeKey"
)

// controllers is the company of the story: its financial controller owns a key
// that the administrators run and must not use.
func controllers(t *testing.T) (w *world, key string) {
	w = newWorld(t, rootUser(), person("admin"), person("controller"), person("clerk"),
		person("fulladmin", may("*"))) // a full administrator of the account
	return w, w.keyWith(keyPolicyOf(allow(userARN("admin"), administration), allow(userARN("fulladmin"), administration),
		allow(userARN("controller"), usage+" ScheduleKeyDeletion")))
}

func (w *world) encrypts(who, key string) error {
	_, err := w.as(who).Encrypt(w.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("payroll")})
	return err
}

func (w *world) puts(who, key, policy string) error {
	_, err := w.as(who).PutKeyPolicy(w.Context(), &kms.PutKeyPolicyInput{KeyId: &key, Policy: &policy})
	return err
}

// Who administers a key cannot use it, who uses it cannot administer it.
func TestAdministratorsAndUsers(t *testing.T) {
	w, key := controllers(t)
	blob := must(w.as("controller").Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("payroll")})).CiphertextBlob
	if got := must(w.as("controller").Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob})).Plaintext; string(got) != "payroll" {
		t.Errorf("got %q", got)
	}
	_, err := w.as("controller").DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key})
	refused(t, err, "AccessDeniedException", deniedTo(userARN("controller"), "DisableKey", " on resource: "+key, noKeyPolicy("DisableKey")))
	must(w.as("admin").DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key}))
	must(w.as("admin").EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &key}))
	for _, who := range []string{"admin", "fulladmin"} {
		_, err := w.as(who).Decrypt(t.Context(), &kms.DecryptInput{CiphertextBlob: blob})
		refused(t, err, "AccessDeniedException", deniedTo(userARN(who), "Decrypt", " on resource: "+key, noKeyPolicy("Decrypt")))
		refused(t, w.encrypts(who, key), "AccessDeniedException", deniedTo(userARN(who), "Encrypt", " on resource: "+key, noKeyPolicy("Encrypt")))
	}
	for _, call := range []func() error{
		func() error { return w.encrypts("clerk", key) },
		func() error {
			_, err := w.as("clerk").DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key})
			return err
		},
	} {
		if code := codeOf(call()); code != "AccessDeniedException" {
			t.Errorf("the clerk got %q", code)
		}
	}
}

// Who may change the policy can let itself do everything: the events tell.
func TestAdministratorGivesItselfUse(t *testing.T) {
	w, key := controllers(t)
	if err := w.encrypts("fulladmin", key); codeOf(err) != "AccessDeniedException" {
		t.Fatalf("got %v", err)
	}
	if err := w.puts("fulladmin", key, keyPolicyOf(allow(userARN("fulladmin"), "*"), allow(userARN("controller"), usage))); err != nil {
		t.Fatal(err)
	}
	if err := w.encrypts("fulladmin", key); err != nil {
		t.Error(err)
	}
	refused(t, w.puts("controller", key, keyPolicyOf(allow(userARN("controller"), "*"))), "AccessDeniedException",
		deniedTo(userARN("controller"), "PutKeyPolicy", " on resource: "+key, noKeyPolicy("PutKeyPolicy")))
}

// An owner who leaves schedules the deletion of the key; an administrator takes
// it back in time, and the key works again once it is enabled.
func TestOwnerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, key := controllers(t)
		must(w.as("controller").ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &key, PendingWindowInDays: aws.Int32(7)}))
		refused(t, w.encrypts("controller", key), "KMSInvalidStateException", key+" is pending deletion.")
		_, err := w.as("controller").CancelKeyDeletion(t.Context(), &kms.CancelKeyDeletionInput{KeyId: &key})
		refused(t, err, "AccessDeniedException", deniedTo(userARN("controller"), "CancelKeyDeletion", " on resource: "+key, noKeyPolicy("CancelKeyDeletion")))
		time.Sleep(7*24*time.Hour - time.Second)
		must(w.as("admin").CancelKeyDeletion(t.Context(), &kms.CancelKeyDeletionInput{KeyId: &key}))
		must(w.as("admin").EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &key}))
		time.Sleep(time.Hour)
		if err := w.encrypts("controller", key); err != nil {
			t.Error(err)
		}
	})
}

// The account's root user is no exception: it regains a key only if the key
// policy names the account.
func TestRootNeedsTheKeyPolicy(t *testing.T) {
	w, key := controllers(t)
	everything := keyPolicyOf(allow(rootARN, "*"))
	refused(t, w.puts("root", key, everything), "AccessDeniedException", deniedTo(rootARN, "PutKeyPolicy", " on resource: "+key, noKeyPolicy("PutKeyPolicy")))
	if err := w.puts("admin", key, keyPolicyOf(allow(account, "PutKeyPolicy"), allow(userARN("admin"), administration))); err != nil {
		t.Fatal(err)
	}
	if err := w.puts("root", key, everything); err != nil {
		t.Error(err)
	}
	if err := w.encrypts("root", key); err != nil {
		t.Error(err)
	}
	// And with the root ARN for the account, whoever the account lets.
	if err := w.encrypts("fulladmin", key); err != nil {
		t.Error(err)
	}
	refused(t, w.encrypts("controller", key), "AccessDeniedException", deniedTo(userARN("controller"), "Encrypt", " on resource: "+key, noIdentity("Encrypt")))
}

// A policy that locks its maker out is refused, unless the check is bypassed.
func TestLockout(t *testing.T) {
	const lockedOut = "The new key policy will not allow you to update the key policy in the future."
	w := newWorld(t, rootUser(), person("alice"), person("bob", may("*")), person("carol", may("CreateKey")))
	key := w.keyWith(keyPolicyOf(allow(userARN("alice"), "*"), allow(userARN("bob"), "*")))
	for _, tt := range []struct {
		who, policy string
		want        string
	}{
		{"alice", keyPolicyOf(allow(userARN("bob"), "*")), lockedOut},
		{"alice", keyPolicyOf(allow(userARN("alice"), "Encrypt")), lockedOut},
		{"alice", keyPolicyOf(allow(account, "*")), lockedOut}, // no identity policy
		{"alice", keyPolicyOf(allow(userARN("alice"), "*"), deny("*", "Put*")), lockedOut},
		{"bob", keyPolicyOf(allow(account, "*"), allow(userARN("alice"), "*")), ""},
		{"alice", keyPolicyOf(allow(userARN("alice"), "PutKeyPolicy"), allow(account, "*")), ""},
	} {
		if err := w.puts(tt.who, key, tt.policy); tt.want != "" {
			refused(t, err, "MalformedPolicyDocumentException", tt.want)
		} else if err != nil {
			t.Errorf("%s %s: %v", tt.who, tt.policy, err)
		}
	}
	create := func(who string, policy *string, bypass bool) error {
		_, err := w.as(who).CreateKey(t.Context(), &kms.CreateKeyInput{Policy: policy, BypassPolicyLockoutSafetyCheck: bypass})
		return err
	}
	toBob := ptr(keyPolicyOf(allow(userARN("bob"), "*")))
	refused(t, create("carol", toBob, false), "MalformedPolicyDocumentException", lockedOut)
	for _, err := range []error{create("carol", toBob, true), create("carol", nil, false), create("bob", toBob, false)} {
		if err != nil { // the default policy is not checked
			t.Error(err)
		}
	}
	_, err := w.as("alice").PutKeyPolicy(t.Context(), &kms.PutKeyPolicyInput{KeyId: &key, Policy: toBob, BypassPolicyLockoutSafetyCheck: true})
	if err != nil {
		t.Error(err)
	}
	refused(t, w.puts("alice", key, *toBob), "AccessDeniedException", deniedTo(userARN("alice"), "PutKeyPolicy", " on resource: "+key, noKeyPolicy("PutKeyPolicy")))

	mrk := *must(w.as("bob").CreateKey(t.Context(), &kms.CreateKeyInput{MultiRegion: aws.Bool(true)})).KeyMetadata.Arn
	_, err = w.as("bob").ReplicateKey(t.Context(), &kms.ReplicateKeyInput{KeyId: &mrk, ReplicaRegion: ptr("eu-west-1"), Policy: ptr(keyPolicyOf(allow(userARN("alice"), "*")))})
	refused(t, err, "MalformedPolicyDocumentException", lockedOut)
}

// What a key policy cannot have, and whom it cannot name.
func TestKeyPoliciesAreJudged(t *testing.T) {
	const invalidPrincipals = "Policy contains a statement with one or more invalid principals."
	const notPermitted = "These condition keys are not permitted in a key policy: aws:ResourceTag, kms:ResourceTag, kms:ResourceAliases"
	overly := func(what string) string {
		return "OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition key matches requests " +
			"without the specified " + what + " or with an unspecified " + what + ". To fix, remove ForAllValues."
	}
	w := newWorld(t, rootUser(), person("alice"))
	when := func(condition string) string { return keyPolicyOf(allow("*", "*", `"Condition": `+condition)) }
	for _, tt := range []struct{ policy, want string }{
		{keyPolicyOf(allow(userARN("bob"), "*")), invalidPrincipals},
		{keyPolicyOf(allow(rootARN, "*"), deny(userARN("bob"), "*")), invalidPrincipals},
		{keyPolicyOf(allow("arn:aws:iam::"+account+":user/*", "*")), invalidPrincipals},
		{keyPolicyOf(allow("arn:aws:iam::"+account+":group/staff", "*")), invalidPrincipals},
		{keyPolicyOf(allow("AIDAQ3EGKHBIK4LR7TTV", "*")), invalidPrincipals}, // a deleted user
		{keyPolicyOf(allow("", "*")), "statement 1: Principal: is missing"},
		{when(`{"StringEquals": {"aws:ResourceTag/a": "b"}}`), notPermitted},
		{when(`{"ForAnyValue:StringEquals": {"kms:resourceAliases": "alias/b"}}`), notPermitted},
		{when(`{"ForAllValues:StringEquals": {"kms:EncryptionContext:a": "b"}}`), overly("encryption context")},
		{when(`{"ForAllValues:StringEquals": {"aws:RequestTag/a": "b"}}`), overly("tag")},
		{when(`{"StringEquals": {"aws:PrincipalOrgID": "o-1"}}`), `the mock cannot judge the condition key "aws:PrincipalOrgID"`},
		{when(`{"StringLooksLike": {"kms:KeySpec": "x"}}`), `statement 1: Condition: there is no operator "StringLooksLike"`},

		{keyPolicyOf(allow(rootARN, "*"), allow(userARN("alice"), "*")), ""},
		{keyPolicyOf(allow(rootARN, "*"), allow("444455556666", "*")), ""},
		{keyPolicyOf(allow(rootARN, "*"), allow("arn:aws:iam::444455556666:role/theirs", "*")), ""}, // nobody knows who is there
		{keyPolicyOf(allow(rootARN, "*"), `{"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "kms:Decrypt", "Resource": "*"}`), ""},
	} {
		_, err := w.as("root").CreateKey(t.Context(), &kms.CreateKeyInput{Policy: &tt.policy})
		if tt.want != "" {
			refused(t, err, "MalformedPolicyDocumentException", tt.want)
		} else if err != nil {
			t.Errorf("%s: %v", tt.policy, err)
		}
	}
	key := *must(w.as("root").CreateKey(t.Context(), nil)).KeyMetadata.Arn
	for _, grantee := range []string{userARN("bob"), "arn:aws:iam::" + account + ":role/app"} { // recorded
		_, err := w.as("root").CreateGrant(t.Context(), &kms.CreateGrantInput{KeyId: &key, GranteePrincipal: &grantee, Operations: []types.GrantOperation{"Decrypt"}})
		refused(t, err, "InvalidArnException", "ARN does not refer to a valid principal: "+grantee)
	}
}

// Policies that were stored while nothing was enforced may be anything: what
// cannot be read or judged lets nobody in.
func TestPoliciesFromBefore(t *testing.T) {
	store := mockkms.NewMemoryStore()
	before := mockkms.New(mockkms.WithStore(store))
	put := func(policy string) string {
		return *must(newClient(before).CreateKey(t.Context(), &kms.CreateKeyInput{Policy: &policy})).KeyMetadata.Arn
	}
	const organization = `"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}`
	keys := map[string]string{
		put(`{"Statement": []}`):                                           noKeyPolicy("Encrypt"),
		put(keyPolicyOf(allow("*", "*", organization))):                    noKeyPolicy("Encrypt"),
		put(keyPolicyOf(allow("*", "*"), deny("*", "*", organization))):    inKeyPolicy,
		put(keyPolicyOf(allow("*", "*"), allow("*", "*", organization))):   "",
		put(keyPolicyOf(allow("arn:aws:iam::"+account+":user/left", "*"))): noKeyPolicy("Encrypt"),
		put(keyPolicyOf(allow(rootARN, "*"))):                              "",
	}
	w := newWorldWith(t, mockkms.WithStore(store), mockkms.WithPrincipals(must(mockkms.NewPrincipals(rootUser()))))
	for key, why := range keys {
		if err := w.encrypts("root", key); why != "" {
			refused(t, err, "AccessDeniedException", deniedTo(rootARN, "Encrypt", " on resource: "+key, why))
		} else if err != nil {
			t.Error(err)
		}
	}
}
