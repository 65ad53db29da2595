// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"strings"
	"testing"

	"github.com/keymat/keymat/mockkms/internal/policy"
)

const (
	home  = "111122223333"
	other = "444455556666"

	aKey    = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	another = "arn:aws:kms:us-east-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321"
)

var (
	alice   = policy.Principal{ARN: "arn:aws:iam::111122223333:user/alice", Account: home}
	root    = policy.Principal{ARN: "arn:aws:iam::111122223333:root", Account: home}
	app     = policy.Principal{ARN: "arn:aws:sts::111122223333:assumed-role/app/run", Role: "arn:aws:iam::111122223333:role/path/app", Account: home}
	mallory = policy.Principal{ARN: "arn:aws:iam::444455556666:user/mallory", Account: other}
)

// facts is a context: keys that have none of it are absent, but those below
// "unknown:" cannot be told.
type facts map[string][]string

func (f facts) values(key string) ([]string, bool) {
	key = strings.ToLower(key)
	return f[key], !strings.HasPrefix(key, "unknown:")
}

// decrypting is a request of p to decrypt with a key.
func decrypting(p policy.Principal, f facts) *policy.Request {
	return &policy.Request{Principal: p, Action: "kms:Decrypt", Resource: aKey, Context: f.values}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// statement makes a policy of one statement out of elements, of a kind's usual
// form where they are left out.
func statement(kind policy.Kind, elements string) *policy.Document {
	for element, usual := range map[string]string{
		"Effect": `"Allow"`, "Action": `"kms:Decrypt"`, "Resource": `"*"`, "Principal": `"*"`,
	} {
		if !strings.Contains(elements, element+`"`) && (element != "Principal" || kind == policy.Key) {
			elements += `, "` + element + `": ` + usual
		}
	}
	return must(policy.Parse(kind, `{"Version": "2012-10-17", "Statement": {`+strings.TrimPrefix(elements, ", ")+`}}`))
}

func TestPrincipals(t *testing.T) {
	for _, tt := range []struct {
		who      policy.Principal
		elements string
		want     policy.Effect
	}{
		{alice, `"Principal": "*"`, policy.Allow},
		{mallory, `"Principal": {"AWS": "*"}`, policy.Allow},
		{alice, `"Principal": {"AWS": "arn:aws:iam::111122223333:user/alice"}`, policy.Allow},
		{alice, `"Principal": {"AWS": ["arn:aws:iam::111122223333:user/bob", "arn:aws:iam::111122223333:user/alice"]}`, policy.Allow},
		{alice, `"Principal": {"AWS": "arn:aws:iam::111122223333:user/ALICE"}`, policy.NoOpinion},
		{alice, `"Principal": {"AWS": "arn:aws:iam::111122223333:user/*"}`, policy.NoOpinion}, // a name, no pattern
		{alice, `"Principal": {"AWS": "arn:aws:iam::111122223333:root"}`, policy.AllowAccount},
		{alice, `"Principal": {"AWS": "111122223333"}`, policy.AllowAccount},
		{alice, `"Principal": {"AWS": ["111122223333", "arn:aws:iam::111122223333:user/alice"]}`, policy.Allow},
		{alice, `"Principal": {"AWS": "444455556666"}`, policy.NoOpinion},
		{alice, `"Principal": {"Service": "s3.amazonaws.com"}`, policy.NoOpinion},
		{alice, `"Principal": {"Federated": "cognito-identity.amazonaws.com", "CanonicalUser": "79a5"}`, policy.NoOpinion},
		{root, `"Principal": {"AWS": "arn:aws:iam::111122223333:root"}`, policy.Allow},
		{root, `"Principal": {"AWS": "arn:aws:iam::111122223333:user/alice"}`, policy.NoOpinion},
		{app, `"Principal": {"AWS": "arn:aws:iam::111122223333:role/path/app"}`, policy.Allow},
		{app, `"Principal": {"AWS": "arn:aws:sts::111122223333:assumed-role/app/run"}`, policy.Allow},
		{app, `"Principal": {"AWS": "arn:aws:sts::111122223333:assumed-role/app/walk"}`, policy.NoOpinion},
		{alice, `"Effect": "Deny", "Principal": {"AWS": "111122223333"}`, policy.Deny},
		{alice, `"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user/alice"}`, policy.NoOpinion},
		{app, `"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:user/alice"}`, policy.Deny},
		{alice, `"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}`, policy.Deny}, // the account does not stand for its users
	} {
		if got := statement(policy.Key, tt.elements).Evaluate(decrypting(tt.who, nil)).Effect; got != tt.want {
			t.Errorf("%s, %s: got %s, want %s", tt.who.ARN, tt.elements, got, tt.want)
		}
	}
}

func TestActionsAndResources(t *testing.T) {
	context := facts{"aws:username": {"1234abcd-12ab-34cd-56ef-1234567890ab"}, "several": {"a", "b"}}
	for _, tt := range []struct {
		elements string
		want     policy.Effect
	}{
		{`"Action": "kms:Decrypt"`, policy.Allow},
		{`"Action": "KMS:decrypt"`, policy.Allow},
		{`"Action": ["kms:Encrypt", "kms:De*"]`, policy.Allow},
		{`"Action": "kms:*crypt"`, policy.Allow},
		{`"Action": "kms:?ecrypt"`, policy.Allow},
		{`"Action": "kms:?decrypt"`, policy.NoOpinion},
		{`"Action": "*"`, policy.Allow},
		{`"Action": "s3:*"`, policy.NoOpinion},
		{`"Action": "kms:Decryp"`, policy.NoOpinion},
		{`"NotAction": "kms:Decrypt"`, policy.NoOpinion},
		{`"NotAction": ["kms:Encrypt"]`, policy.Allow},
		{`"Resource": "` + aKey + `"`, policy.Allow},
		{`"Resource": "` + another + `"`, policy.NoOpinion},
		{`"Resource": ["` + another + `", "arn:aws:kms:*:111122223333:key/*"]`, policy.Allow},
		{`"Resource": "arn:aws:kms:*:key/1234*"`, policy.Allow},
		{`"Resource": "ARN:aws:kms:*"`, policy.NoOpinion},
		{`"NotResource": "` + aKey + `"`, policy.NoOpinion},
		{`"NotResource": "` + another + `"`, policy.Allow},
		{`"Resource": "arn:aws:kms:us-east-1:111122223333:key/${aws:username}"`, policy.Allow},
		{`"Resource": "arn:aws:kms:us-east-1:111122223333:key/${aws:nobody}"`, policy.NoOpinion},
		{`"Resource": "arn:aws:kms:us-east-1:111122223333:key/${aws:nobody, '1234abcd-12ab-34cd-56ef-1234567890ab'}"`, policy.Allow},
		{`"Resource": "*${several}*"`, policy.NoOpinion},
	} {
		if got := statement(policy.Identity, tt.elements).Evaluate(decrypting(alice, context)).Effect; got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.elements, got, tt.want)
		}
	}
}

// Variables are of the newer version; what they stand for is no pattern.
func TestVariables(t *testing.T) {
	request := &policy.Request{Principal: alice, Action: "a:b", Resource: "key/anything", Context: facts{"aws:username": {"*"}}.values}
	for document, want := range map[string]policy.Effect{
		`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "key/${aws:username}"}}`: policy.NoOpinion,
		`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "key/any${*}"}}`:         policy.NoOpinion,
		`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "key/${unclosed*"}}`:     policy.NoOpinion,
		`{"Version": "2008-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "key/${aws:username}"}}`: policy.NoOpinion,
		`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "key/any*"}}`:                                     policy.Allow,
	} {
		if got := must(policy.Parse(policy.Identity, document)).Evaluate(request).Effect; got != want {
			t.Errorf("%s: got %s, want %s", document, got, want)
		}
	}
	request.Resource = "key/${aws:username}"
	old := `{"Version": "2008-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "key/${aws:username}"}}`
	if got := must(policy.Parse(policy.Identity, old)).Evaluate(request).Effect; got != policy.Allow {
		t.Errorf("the old version: got %s", got)
	}
}

func TestEvaluate(t *testing.T) {
	const document = `{"Version": "2012-10-17", "Id": "x", "Statement": [
		{"Sid": "account", "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "kms:*", "Resource": "*"},
		{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:user/alice"}, "Action": "kms:Decrypt", "Resource": "*"},
		{"Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"},
		{"Sid": "no", "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*", "Condition": {"StringEquals": {"why": "not"}}}]}`
	d := must(policy.Parse(policy.Key, document))
	for _, tt := range []struct {
		action, why string
		want        policy.Verdict
	}{
		{"kms:Encrypt", "", policy.Verdict{Effect: policy.AllowAccount, Statement: 1, Sid: "account"}},
		{"kms:Decrypt", "", policy.Verdict{Effect: policy.Allow, Statement: 2}},
		{"kms:Decrypt", "not", policy.Verdict{Effect: policy.Deny, Statement: 4, Sid: "no"}},
		{"s3:GetObject", "", policy.Verdict{}},
	} {
		r := &policy.Request{Principal: alice, Action: tt.action, Resource: aKey, Context: facts{"why": {tt.why}}.values}
		if got := d.Evaluate(r); got != tt.want {
			t.Errorf("%s %s: got %+v, want %+v", tt.action, tt.why, got, tt.want)
		}
	}
}

// TestDecide is the evaluation logic of the guides, case by case.
func TestDecide(t *testing.T) {
	identity := func(elements string) []*policy.Document {
		return []*policy.Document{statement(policy.Identity, elements)}
	}
	var (
		mine    = identity(`"Action": "kms:*"`)
		denied  = append(mine[:1:1], identity(`"Effect": "Deny"`)...)
		nothing []*policy.Document

		toAccount = statement(policy.Key, `"Principal": {"AWS": "111122223333"}`)
		toRoot    = statement(policy.Key, `"Principal": {"AWS": "arn:aws:iam::111122223333:root"}`)
		toAlice   = statement(policy.Key, `"Principal": {"AWS": "arn:aws:iam::111122223333:user/alice"}`)
		toBob     = statement(policy.Key, `"Principal": {"AWS": "arn:aws:iam::111122223333:user/bob"}`)
		toOther   = statement(policy.Key, `"Principal": {"AWS": "444455556666"}`)
		toMallory = statement(policy.Key, `"Principal": {"AWS": "arn:aws:iam::444455556666:user/mallory"}`)
		toAll     = statement(policy.Key, `"Principal": "*"`)
		toNobody  = statement(policy.Key, `"Effect": "Deny"`)
	)
	granted := func(e policy.Effect) func() policy.Effect { return func() policy.Effect { return e } }
	for _, tt := range []struct {
		name     string
		who      policy.Principal
		identity []*policy.Document
		key      *policy.Document
		granted  func() policy.Effect
		want     policy.Decision
	}{
		{"key policy to the principal", alice, nothing, toAlice, nil, policy.Allowed},
		{"key policy to everybody", alice, nothing, toAll, nil, policy.Allowed},
		{"key policy to the account only", alice, nothing, toAccount, nil, policy.NotByIdentity},
		{"key policy to the account, and identity policy", alice, mine, toAccount, nil, policy.Allowed},
		{"key policy to the root ARN, and identity policy", alice, mine, toRoot, nil, policy.Allowed},
		{"identity policy alone", alice, mine, toBob, nil, policy.NotByKey},
		{"nothing", alice, nothing, toBob, nil, policy.NotByKey},
		{"identity policy denies", alice, denied, toAlice, nil, policy.DeniedByIdentity},
		{"key policy denies", alice, mine, toNobody, nil, policy.DeniedByKey},
		{"both deny", alice, denied, toNobody, nil, policy.DeniedByIdentity},

		{"root, named", root, nothing, toRoot, nil, policy.Allowed},
		{"root, by account", root, nothing, toAccount, nil, policy.Allowed},
		{"root, not named", root, nothing, toAlice, nil, policy.NotByKey},
		{"root, denied", root, nothing, toNobody, nil, policy.DeniedByKey},

		{"grant", alice, nothing, toBob, granted(policy.Allow), policy.Allowed},
		{"grant instead of identity policy", alice, nothing, toAccount, granted(policy.Allow), policy.Allowed},
		{"grant to the account", alice, nothing, toBob, granted(policy.AllowAccount), policy.NotByIdentity},
		{"grant to the account, and identity policy", alice, mine, toBob, granted(policy.AllowAccount), policy.Allowed},
		{"grant for something else", alice, mine, toBob, granted(policy.NoOpinion), policy.NotByKey},
		{"grant, but the key policy denies", alice, mine, toNobody, granted(policy.Allow), policy.DeniedByKey},
		{"grant, but the identity policy denies", alice, denied, toBob, granted(policy.Allow), policy.DeniedByIdentity},

		{"another account, both", mallory, mine, toOther, nil, policy.Allowed},
		{"another account, both, by name", mallory, mine, toMallory, nil, policy.Allowed},
		{"another account, key policy alone", mallory, nothing, toMallory, nil, policy.NotByIdentity},
		{"another account, identity policy alone", mallory, mine, toAccount, nil, policy.NotByKey},
		{"another account, grant alone", mallory, nothing, toAccount, granted(policy.Allow), policy.NotByIdentity},
		{"another account, grant and identity policy", mallory, mine, toAccount, granted(policy.Allow), policy.Allowed},
		{"another account's root", policy.Principal{ARN: "arn:aws:iam::444455556666:root", Account: other}, nothing, toOther, nil, policy.Allowed},

		{"no key", alice, mine, nil, nil, policy.Allowed},
		{"no key, nothing", alice, nothing, nil, nil, policy.NotByIdentity},
		{"no key, denied", alice, denied, nil, nil, policy.DeniedByIdentity},
		{"no key, root", root, nothing, nil, nil, policy.Allowed},
	} {
		p := policy.Policies{Identity: tt.identity, Key: tt.key, Account: home, Granted: tt.granted}
		if got := p.Decide(decrypting(tt.who, nil)); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestGrants(t *testing.T) {
	for name, want := range map[string]policy.Effect{
		app.Role: policy.Allow, app.ARN: policy.Allow, root.ARN: policy.AllowAccount, home: policy.AllowAccount,
		alice.ARN: policy.NoOpinion, "": policy.NoOpinion, "arn:aws:iam::444455556666:root": policy.NoOpinion,
	} {
		if got := app.Grants(name); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
	}
}
