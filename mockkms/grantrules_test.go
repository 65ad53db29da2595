// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

// granted has the root user make a grant to a principal.
func (w *world) granted(key, grantee string, limits *types.GrantConstraints, operations ...types.GrantOperation) *kms.CreateGrantOutput {
	w.Helper()
	return must(w.as("root").CreateGrant(w.Context(), &kms.CreateGrantInput{
		KeyId: &key, GranteePrincipal: &grantee, Operations: operations, Constraints: limits,
	}))
}

// A grant allows its grantee its operations, at once and until it ends; an
// explicit deny wins.
func TestGrantsAllow(t *testing.T) {
	w := newWorld(t, rootUser(), person("alice"), person("bob"), person("forbidden", `{"Statement": `+deny("", "Encrypt")+`}`))
	key := w.keyWith(keyPolicyOf(allow(rootARN, "*")))
	refused(t, w.encrypts("alice", key), "AccessDeniedException", deniedTo(userARN("alice"), "Encrypt", " on resource: "+key, noIdentity("Encrypt")))
	grant := w.granted(key, userARN("alice"), nil, "Encrypt", "DescribeKey")
	w.granted(key, userARN("forbidden"), nil, "Encrypt")
	if err := w.encrypts("alice", key); err != nil {
		t.Error(err)
	}
	_, err := w.as("alice").Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x"), GrantTokens: []string{*grant.GrantToken}})
	if err != nil {
		t.Error(err)
	}
	_, err = w.as("alice").GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &key, KeySpec: "AES_256", GrantTokens: []string{*grant.GrantToken}})
	refused(t, err, "AccessDeniedException", deniedTo(userARN("alice"), "GenerateDataKey", " on resource: "+key, noIdentity("GenerateDataKey")))
	_, err = w.as("bob").Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x"), GrantTokens: []string{*grant.GrantToken}})
	refused(t, err, "AccessDeniedException", deniedTo(userARN("bob"), "Encrypt", " on resource: "+key, noIdentity("Encrypt")))
	refused(t, w.encrypts("forbidden", key), "AccessDeniedException", deniedTo(userARN("forbidden"), "Encrypt", " on resource: "+key, inIdentity))
	must(w.as("root").RevokeGrant(t.Context(), &kms.RevokeGrantInput{KeyId: &key, GrantId: grant.GrantId}))
	if code := codeOf(w.encrypts("alice", key)); code != "AccessDeniedException" {
		t.Errorf("after revocation: %q", code)
	}
}

// Roles have grants by their own ARN or their session's; an account's grant is
// for those whom its identity policies let.
func TestGrantees(t *testing.T) {
	role := mockkms.Principal{ARN: "arn:aws:iam::" + account + ":role/path/app", SessionName: "run", Credentials: mockkms.Credentials{AccessKeyID: "app"}}
	w := newWorld(t, rootUser(), role, person("alice"), person("able", may("Encrypt")))
	for _, tt := range []struct {
		who, grantee string
		want         bool
	}{
		{"app", role.ARN, true},
		{"app", "arn:aws:sts::" + account + ":assumed-role/app/run", true},
		{"app", "arn:aws:sts::" + account + ":assumed-role/app/walk", false},
		{"alice", role.ARN, false},
		{"alice", rootARN, false},
		{"able", rootARN, true},
	} {
		key := w.keyWith(keyPolicyOf(allow(rootARN, "CreateGrant")))
		w.granted(key, tt.grantee, nil, "Encrypt")
		if err := w.encrypts(tt.who, key); (err == nil) != tt.want {
			t.Errorf("%s with a grant to %s: %v", tt.who, tt.grantee, err)
		}
	}
}

// Constraints are on the encryption context of cryptography, not on DescribeKey.
func TestGrantConstraintsAreEnforced(t *testing.T) {
	context := map[string]string{"app": "payroll", "year": "2026"}
	for _, tt := range []struct {
		name    string
		limits  types.GrantConstraints
		context map[string]string
		want    bool
	}{
		{"equal", types.GrantConstraints{EncryptionContextEquals: context}, context, true},
		{"less", types.GrantConstraints{EncryptionContextEquals: context}, map[string]string{"app": "payroll"}, false},
		{"more", types.GrantConstraints{EncryptionContextEquals: map[string]string{"app": "payroll"}}, context, false},
		{"none", types.GrantConstraints{EncryptionContextEquals: context}, nil, false},
		{"superset", types.GrantConstraints{EncryptionContextSubset: map[string]string{"app": "payroll"}}, context, true},
		{"other value", types.GrantConstraints{EncryptionContextSubset: map[string]string{"app": "Payroll"}}, context, false},
		{"lacking", types.GrantConstraints{EncryptionContextSubset: context}, map[string]string{"app": "payroll"}, false},
		{"for another resource", types.GrantConstraints{SourceArn: ptr("arn:aws:sns:us-east-1:111122223333:t")}, nil, false},
	} {
		w := newWorld(t, rootUser(), person("alice"))
		key := w.keyWith(keyPolicyOf(allow(rootARN, "*")))
		w.granted(key, userARN("alice"), &tt.limits, "Encrypt", "GenerateDataKey", "DescribeKey")
		_, err := w.as("alice").Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x"), EncryptionContext: tt.context})
		if (err == nil) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
		_, err = w.as("alice").GenerateDataKey(t.Context(), &kms.GenerateDataKeyInput{KeyId: &key, KeySpec: "AES_256", EncryptionContext: tt.context})
		if (err == nil) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
		if _, err := w.as("alice").DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key}); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// Who has CreateGrant by a grant passes on operations of that one grant only,
// with equal or narrower constraints (recorded).
func TestGrantsArePassedOn(t *testing.T) {
	type limits = types.GrantConstraints
	app, more := map[string]string{"app": "payroll"}, map[string]string{"app": "payroll", "year": "2026"}
	for _, tt := range []struct {
		name          string
		parent, child *limits
		operations    []types.GrantOperation
		want          bool
	}{
		{"the same", nil, nil, []types.GrantOperation{"Decrypt", "CreateGrant"}, true},
		{"less", nil, nil, []types.GrantOperation{"Decrypt"}, true},
		{"more", nil, nil, []types.GrantOperation{"Decrypt", "Encrypt"}, false},
		{"of another grant", nil, nil, []types.GrantOperation{"GenerateDataKey"}, false},
		{"narrower than none", nil, &limits{EncryptionContextEquals: app}, []types.GrantOperation{"Decrypt"}, true},
		{"without constraints", &limits{EncryptionContextSubset: app}, nil, []types.GrantOperation{"Decrypt"}, false},
		{"equal subset", &limits{EncryptionContextSubset: app}, &limits{EncryptionContextSubset: app}, []types.GrantOperation{"Decrypt"}, true},
		{"larger subset", &limits{EncryptionContextSubset: app}, &limits{EncryptionContextSubset: more}, []types.GrantOperation{"Decrypt"}, true},
		{"smaller subset", &limits{EncryptionContextSubset: more}, &limits{EncryptionContextSubset: app}, []types.GrantOperation{"Decrypt"}, false},
		{"subset to equals", &limits{EncryptionContextSubset: app}, &limits{EncryptionContextEquals: more}, []types.GrantOperation{"Decrypt"}, true},
		{"equals to equals", &limits{EncryptionContextEquals: app}, &limits{EncryptionContextEquals: app}, []types.GrantOperation{"Decrypt"}, true},
		{"equals to more", &limits{EncryptionContextEquals: app}, &limits{EncryptionContextEquals: more}, []types.GrantOperation{"Decrypt"}, false},
		{"equals to subset", &limits{EncryptionContextEquals: app}, &limits{EncryptionContextSubset: app}, []types.GrantOperation{"Decrypt"}, false},
		{"source dropped", &limits{SourceArn: ptr("arn:aws:sns:us-east-1:111122223333:t")}, &limits{EncryptionContextEquals: app}, []types.GrantOperation{"Decrypt"}, false},
	} {
		w := newWorld(t, rootUser(), person("alice"), person("bob"))
		key := w.keyWith(keyPolicyOf(allow(rootARN, "*")))
		w.granted(key, userARN("alice"), tt.parent, "CreateGrant", "Decrypt")
		w.granted(key, userARN("alice"), nil, "GenerateDataKey", "Encrypt")
		_, err := w.as("alice").CreateGrant(t.Context(), &kms.CreateGrantInput{
			KeyId: &key, GranteePrincipal: ptr(userARN("bob")), Operations: tt.operations, Constraints: tt.child,
		})
		if (err == nil) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
		if !tt.want {
			refused(t, err, "AccessDeniedException", deniedTo(userARN("alice"), "CreateGrant", " on resource: "+key, noIdentity("CreateGrant")))
		}
	}
}

// The grant says who may retire it; beside them the account that made it may, and
// whom it lets. The key policy has no say (documented).
func TestWhoRetiresGrants(t *testing.T) {
	for _, tt := range []struct {
		who  string
		want bool
	}{
		{"retirer", true}, {"grantee", true}, {"root", true}, {"delegate", true},
		{"holder", false}, // of a grant without RetireGrant
		{"keyholder", false}, {"forbidden", false},
	} {
		w := newWorld(t, rootUser(), person("retirer"), person("grantee"), person("holder"), person("keyholder"),
			person("delegate", may("RetireGrant")), person("forbidden", may("RetireGrant"), `{"Statement": `+deny("", "RetireGrant")+`}`))
		key := w.keyWith(keyPolicyOf(allow(rootARN, "CreateGrant"), allow(userARN("keyholder"), "*")))
		in := &kms.CreateGrantInput{KeyId: &key, GranteePrincipal: ptr(userARN("grantee")), RetiringPrincipal: ptr(userARN("retirer")),
			Operations: []types.GrantOperation{"Decrypt", "RetireGrant"}}
		if tt.who == "holder" {
			in.GranteePrincipal, in.Operations = ptr(userARN("holder")), in.Operations[:1]
		}
		grant := must(w.as("root").CreateGrant(t.Context(), in))
		_, err := w.as(tt.who).RetireGrant(t.Context(), &kms.RetireGrantInput{GrantToken: grant.GrantToken})
		if (err == nil) != tt.want || err != nil && codeOf(err) != "AccessDeniedException" {
			t.Errorf("%s: %v", tt.who, err)
		}
	}
}
