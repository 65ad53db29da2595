// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/mockkms"
)

// person is a user whose access key ID is its name.
func person(name string, policies ...string) mockkms.Principal {
	return mockkms.Principal{ARN: userARN(name), Credentials: mockkms.Credentials{AccessKeyID: name}, Policies: policies}
}

func userARN(name string) string { return "arn:aws:iam::" + account + ":user/" + name }

const rootARN = "arn:aws:iam::" + account + ":root"

// rootUser is the root user of the account.
func rootUser() mockkms.Principal {
	return mockkms.Principal{ARN: rootARN, Credentials: mockkms.Credentials{AccessKeyID: "root"}}
}

// may is an identity-based policy that allows actions, such as "Decrypt", on all
// resources; what follows is added to the statement.
func may(actions string, more ...string) string {
	return `{"Version": "2012-10-17", "Statement": [` + allow("", actions, more...) + `]}`
}

// keyPolicyOf is a key policy of these statements.
func keyPolicyOf(statements ...string) string {
	return `{"Version": "2012-10-17", "Statement": [` + strings.Join(statements, ", ") + `]}`
}

// allow is a statement that allows somebody actions, several with spaces
// between them.
func allow(principal, actions string, more ...string) string {
	return statementOf("Allow", principal, actions, more)
}

func deny(principal, actions string, more ...string) string {
	return statementOf("Deny", principal, actions, more)
}

func statementOf(effect, principal, actions string, more []string) string {
	s := `{"Effect": "` + effect + `", "Action": ["kms:` + strings.ReplaceAll(actions, " ", `", "kms:`) + `"], "Resource": "*"`
	if principal != "" {
		s += `, "Principal": {"AWS": "` + principal + `"}`
	}
	return strings.Join(append([]string{s}, more...), ", ") + "}"
}

// A world is a mock in which principals call.
type world struct {
	*testing.T
	mock *mockkms.KMS
}

func newWorld(t *testing.T, principals ...mockkms.Principal) *world {
	t.Helper()
	return newWorldWith(t, mockkms.WithPrincipals(must(mockkms.NewPrincipals(principals...))))
}

func newWorldWith(t *testing.T, options ...mockkms.Option) *world {
	t.Helper()
	mock := mockkms.New(append(options, mockkms.WithSharedWrappingKeys())...)
	t.Cleanup(func() { mock.Close() })
	return &world{t, mock}
}

// as is a session of the principal with that access key.
func (w *world) as(accessKey string) *session {
	return &session{w.T, newClientIn(w.mock, accessKey, region), w.mock, region}
}

// keyWith has the root user create a key with a policy.
func (w *world) keyWith(policy string) string {
	w.Helper()
	in := &kms.CreateKeyInput{Policy: &policy, BypassPolicyLockoutSafetyCheck: true}
	return *must(w.as("root").CreateKey(w.Context(), in)).KeyMetadata.Arn
}

// deniedTo is the refusal of an action.
func deniedTo(who, action, what, why string) string {
	return "User: " + who + " is not authorized to perform: kms:" + action + what + " " + why
}

// Why access is denied, in KMS's words.
const (
	explicitly   = "with an explicit deny in "
	inIdentity   = explicitly + "an identity-based policy"
	inKeyPolicy  = explicitly + "a resource-based policy"
	thereIsNoKey = "because the resource does not exist in this Region, no resource-based policies allow access, " +
		"or a resource-based policy explicitly denies access"
)

func noIdentity(action string) string {
	return "because no identity-based policy allows the kms:" + action + " action"
}

func noKeyPolicy(action string) string {
	return "because no resource-based policy allows the kms:" + action + " action"
}

func TestPrincipalsAreChecked(t *testing.T) {
	withKey := func(arn, id string) mockkms.Principal {
		return mockkms.Principal{ARN: arn, Credentials: mockkms.Credentials{AccessKeyID: id}}
	}
	const notARN = "is no ARN of a user, a role or an account's root"
	for _, tt := range []struct {
		list []mockkms.Principal
		want string // behind the ARN of the last one
	}{
		{[]mockkms.Principal{{}}, notARN},
		{[]mockkms.Principal{{ARN: "alice"}}, notARN},
		{[]mockkms.Principal{{ARN: "arn:aws:iam::111122223333:user/"}}, notARN},
		{[]mockkms.Principal{{ARN: "arn:aws:iam::111122223333:user/a*"}}, notARN},
		{[]mockkms.Principal{{ARN: "arn:aws:iam::111122223333:group/a"}}, notARN},
		{[]mockkms.Principal{{ARN: "arn:aws:iam::11112222333:user/a"}}, notARN},
		{[]mockkms.Principal{{ARN: "arn:aws:iam:us-east-1:111122223333:user/a"}}, notARN},
		{[]mockkms.Principal{{ARN: "arn:aws:sts::111122223333:assumed-role/a/b"}}, notARN},
		{[]mockkms.Principal{person("alice"), {ARN: userARN("alice")}}, "is there twice"},
		{[]mockkms.Principal{person("alice"), withKey(userARN("bob"), "alice")}, "has the access key of another principal"},
		{[]mockkms.Principal{{ARN: userARN("alice"), Credentials: mockkms.Credentials{SecretAccessKey: "x"}}}, "has credentials without an access key ID"},
		{[]mockkms.Principal{{ARN: userARN("alice"), Credentials: mockkms.Credentials{AccessKeyID: "x", Account: "444455556666"}}},
			"has credentials of another account"},
		{[]mockkms.Principal{{ARN: userARN("alice"), SessionName: "x"}}, "has a session name that it cannot have"},
		{[]mockkms.Principal{{ARN: "arn:aws:iam::111122223333:role/app", SessionName: "a/b"}}, "has a session name that it cannot have"},
		{[]mockkms.Principal{person("alice", may("Decrypt"), `{}`)}, "policy: Statement: is missing"},
		{[]mockkms.Principal{person("alice", keyPolicyOf(allow("*", "Decrypt")))}, "statement 1: Principal: does not belong into an identity-based policy"},
		{[]mockkms.Principal{person("alice", may("Decrypt", `"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}`))},
			`the mock cannot judge the condition key "aws:PrincipalOrgID"`},
		{[]mockkms.Principal{person("alice", may("Decrypt", `"Condition": {"StringEquals": {"kms:WrapingAlgorithm": "x"}}`))},
			`the mock cannot judge the condition key "kms:WrapingAlgorithm"`},
	} {
		all, err := mockkms.NewPrincipals(tt.list...)
		wrong := new(mockkms.PrincipalError)
		if all != nil || !errors.As(err, &wrong) || wrong.ARN != tt.list[len(tt.list)-1].ARN || wrong.Problem != tt.want {
			t.Errorf("%+v: got %v, want %s", tt.list, err, tt.want)
		}
	}
	_, err := mockkms.NewPrincipals(person("alice", may("Decrypt"), `{}`))
	if want := `principal "arn:aws:iam::111122223333:user/alice", policy 2: policy: Statement: is missing`; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

// An access key names its principal, and with it the account. Who has none is
// nobody, whatever the key ID looks like.
func TestAccessKeys(t *testing.T) {
	w := newWorld(t, person("alice", may("*")), mockkms.Principal{
		ARN: "arn:aws:iam::444455556666:user/bob", Credentials: mockkms.Credentials{AccessKeyID: "bob"}, Policies: []string{may("*")},
	})
	for id, want := range map[string]string{"alice": account, "bob": "444455556666"} {
		if got := *must(w.as(id).CreateKey(t.Context(), nil)).KeyMetadata.AWSAccountId; got != want {
			t.Errorf("%s creates keys in %s", id, got)
		}
	}
	for _, id := range []string{"mallory", account} {
		_, err := w.as(id).ListKeys(t.Context(), nil)
		refused(t, err, "UnrecognizedClientException", noClient)
	}
}

// A principal's own secret is checked, others with those of WithCredentials, and
// without any they are not.
func TestPrincipalsSign(t *testing.T) {
	list := []mockkms.Principal{person("signs", may("*")), person("listed", may("*")), person("unlisted", may("*"))}
	list[0].Credentials.SecretAccessKey, list[0].Credentials.SessionToken = "one", "token"
	known := mockkms.WithCredentials(
		mockkms.Credentials{AccessKeyID: "signs", SecretAccessKey: "other"},
		mockkms.Credentials{AccessKeyID: "listed", SecretAccessKey: "two", Account: "444455556666"},
		mockkms.Credentials{AccessKeyID: "stranger", SecretAccessKey: "three"},
	)
	for _, tt := range []struct {
		id, secret, token string
		alone, together   string // error codes without and with WithCredentials
	}{
		{"signs", "one", "token", "", ""},
		{"signs", "other", "token", "InvalidSignatureException", "InvalidSignatureException"},
		{"signs", "one", "", "UnrecognizedClientException", "UnrecognizedClientException"},
		{"listed", "two", "", "", ""},
		{"listed", "other", "", "", "InvalidSignatureException"},
		{"unlisted", "any", "", "", "UnrecognizedClientException"},
		{"stranger", "three", "", "UnrecognizedClientException", "UnrecognizedClientException"},
	} {
		for want, options := range map[*string][]mockkms.Option{&tt.alone: nil, &tt.together: {known}} {
			mock := mockkms.New(append(options, mockkms.WithPrincipals(must(mockkms.NewPrincipals(list...))))...)
			out, err := signing(mockkms.Transport(mock), nil, tt.id, tt.secret, tt.token).CreateKey(t.Context(), nil)
			if code := codeOf(err); code != *want {
				t.Errorf("%s with %q and %q: got %q, want %q", tt.id, tt.secret, tt.token, code, *want)
			}
			if err == nil && *out.KeyMetadata.AWSAccountId != account {
				t.Errorf("%s: in account %s", tt.id, *out.KeyMetadata.AWSAccountId)
			}
			mock.Close()
		}
	}
}

var uniqueIDs = regexp.MustCompile(`"(AIDA|AROA)[A-Z2-7]{16}`)

// Events tell who called as CloudTrail does, and what was denied.
func TestEventsTellPrincipals(t *testing.T) {
	role := mockkms.Principal{
		ARN: "arn:aws:iam::111122223333:role/path/app", SessionName: "run", Credentials: mockkms.Credentials{AccessKeyID: "app"},
	}
	w := newWorld(t, rootUser(), person("alice"), role)
	key := *must(w.as("root").CreateKey(t.Context(), nil)).KeyMetadata.Arn
	w.as("alice").DescribeKey(t.Context(), &kms.DescribeKeyInput{KeyId: &key})
	w.as("app").ListKeys(t.Context(), nil)
	w.as("mallory").ListKeys(t.Context(), nil)
	var told []string
	for _, e := range must(w.mock.Events(mockkms.EventQuery{})).Events {
		identity := uniqueIDs.ReplaceAllString(string(must(json.Marshal(e.UserIdentity))), `"${1}…`)
		told = append(told, e.EventName+" "+e.ErrorCode+" "+e.ErrorMessage+" "+identity)
		if e.EventName == "DescribeKey" && (len(e.Resources) != 1 || e.Resources[0].ARN != key) {
			t.Errorf("resources of a denied call: %+v", e.Resources)
		}
	}
	slices.Sort(told)
	want := []string{
		`CreateKey   {"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333","accessKeyId":"root"}`,
		`DescribeKey AccessDenied ` + deniedTo(userARN("alice"), "DescribeKey", " on resource: "+key, noIdentity("DescribeKey")) +
			` {"type":"IAMUser","principalId":"AIDA…","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","accessKeyId":"alice","userName":"alice"}`,
		`ListKeys AccessDenied ` + deniedTo("arn:aws:sts::111122223333:assumed-role/app/run", "ListKeys", " on resource: *", noIdentity("ListKeys")) +
			` {"type":"AssumedRole","principalId":"AROA…:run","arn":"arn:aws:sts::111122223333:assumed-role/app/run","accountId":"111122223333",` +
			`"accessKeyId":"app","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA…","arn":"arn:aws:iam::111122223333:role/path/app",` +
			`"accountId":"111122223333","userName":"app"}}}`,
	}
	if !slices.Equal(told, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(told, "\n"), strings.Join(want, "\n"))
	}
}

// codeOf is the error code of a refusal, "" of none.
func codeOf(err error) string {
	var e interface{ ErrorCode() string }
	if err == nil {
		return ""
	}
	if !errors.As(err, &e) {
		return err.Error()
	}
	return e.ErrorCode()
}
