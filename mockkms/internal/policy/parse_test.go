// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/keymat/keymat/mockkms/internal/policy"
)

func TestSyntaxErrors(t *testing.T) {
	const usual = `"Effect": "Allow", "Action": "*", "Resource": "*"`
	for _, tt := range []struct{ source, want string }{
		{``, `policy: is not valid JSON`},
		{`[]`, `policy: is not a JSON object`},
		{`{"Statement": {}} {}`, `policy: is not valid JSON`},
		{"{\"Id\": \"\xff\"}", `policy: is not valid UTF-8`},
		{`{}`, `policy: Statement: is missing`},
		{`{"Statement": []}`, `policy: Statement: is empty`},
		{`{"Statement": "x"}`, `statement 1: is not a JSON object`},
		{`{"Version": "2012-10-18", "Statement": {` + usual + `}}`, `policy: Version: is neither 2012-10-17 nor 2008-10-17`},
		{`{"Version": 2012, "Statement": {` + usual + `}}`, `policy: Version: is not a string`},
		{`{"Id": null, "Statement": {` + usual + `}}`, `policy: Id: is not a string`},
		{`{"statement": {` + usual + `}}`, `policy: statement: is not an element of policies`},
		{`{"Statement": {` + usual + `}, "Statement": {` + usual + `}}`, `policy: has "Statement" twice`},
		{`{"Statement": [{` + usual + `}, {` + usual + `, "Effect": "Deny"}]}`, `statement 2: has "Effect" twice`},
		{`{"Statement": {` + usual + `, "Efect": "Deny"}}`, `statement 1: Efect: is not an element of statements`},
		{`{"Statement": {"Effect": "allow", "Action": "*", "Resource": "*"}}`, `statement 1: Effect: is neither Allow nor Deny`},
		{`{"Statement": {"Action": "*", "Resource": "*"}}`, `statement 1: Effect: is missing`},
		{`{"Statement": {"Effect": "Allow", "Resource": "*"}}`, `statement 1: Action: must be there, or else NotAction`},
		{`{"Statement": {` + usual + `, "NotAction": "*"}}`, `statement 1: Action: must be there, or else NotAction`},
		{`{"Statement": {"Effect": "Allow", "Action": "*"}}`, `statement 1: Resource: must be there, or else NotResource`},
		{`{"Statement": {"Effect": "Allow", "Action": [], "Resource": "*"}}`, `statement 1: Action: is empty`},
		{`{"Statement": {"Effect": "Allow", "Action": [1], "Resource": "*"}}`, `statement 1: Action: is not a string`},
		{`{"Statement": {` + usual + `, "Principal": "*"}}`, `statement 1: Principal: does not belong into an identity-based policy`},
		{`{"Statement": {` + usual + `, "Condition": []}}`, `statement 1: Condition: is not a JSON object`},
		{`{"Statement": {` + usual + `, "Condition": {"StringIs": {"a": "b"}}}}`, `statement 1: Condition: there is no operator "StringIs"`},
		{`{"Statement": {` + usual + `, "Condition": {"BinaryEquals": {"a": "b"}}}}`, `statement 1: Condition: there is no operator "BinaryEquals"`},
		{`{"Statement": {` + usual + `, "Condition": {"NullIfExists": {"a": "true"}}}}`, `statement 1: Condition: there is no operator "NullIfExists"`},
		{`{"Statement": {` + usual + `, "Condition": {"ForAllValues:Null": {"a": "true"}}}}`, `statement 1: Condition: there is no operator "ForAllValues:Null"`},
		{`{"Statement": {` + usual + `, "Condition": {"StringEquals": "a"}}}`, `statement 1: Condition: StringEquals: is not a JSON object`},
		{`{"Statement": {` + usual + `, "Condition": {"StringEquals": {"a": {}}}}}`,
			`statement 1: Condition: StringEquals: a: has a value that is no string, number or boolean`},
		{`{"Statement": {` + usual + `, "Condition": {"StringEquals": {"a": null}}}}`,
			`statement 1: Condition: StringEquals: a: has a value that is no string, number or boolean`},
		{`{"Statement": {` + usual + `, "Condition": {"StringEquals": {"a": []}}}}`, `statement 1: Condition: StringEquals: a: is empty`},
		{`{"Statement": {` + usual + `, "Condition": {"Null": {"a": "maybe"}}}}`,
			`statement 1: Condition: Null: a: "maybe" is no value for this operator`},
		{`{"Statement": {` + usual + `, "Condition": {"NumericLessThan": {"a": ["1", "inf"]}}}}`,
			`statement 1: Condition: NumericLessThan: a: "inf" is no value for this operator`},
		{`{"Statement": {` + usual + `, "Condition": {"DateLessThan": {"a": "tomorrow"}}}}`,
			`statement 1: Condition: DateLessThan: a: "tomorrow" is no value for this operator`},
		{`{"Statement": {` + usual + `, "Condition": {"IpAddress": {"a": "10.0.0.0/33"}}}}`,
			`statement 1: Condition: IpAddress: a: "10.0.0.0/33" is no value for this operator`},
	} {
		wantSyntaxError(t, policy.Identity, tt.source, tt.want)
	}
	for principal, want := range map[string]string{
		``:                                 `statement 1: Principal: is missing`,
		`, "Principal": "alice"`:           `statement 1: Principal: is neither * nor an object`,
		`, "Principal": {}`:                `statement 1: Principal: is empty`,
		`, "Principal": {"AWS": []}`:       `statement 1: Principal: AWS: is empty`,
		`, "Principal": {"User": "alice"}`: `statement 1: Principal: "User" is no type of principals`,
		`, "Principal": "*", "NotPrincipal": "*"`: `statement 1: Principal: must not stand beside NotPrincipal`,
	} {
		wantSyntaxError(t, policy.Key, `{"Statement": {`+usual+principal+`}}`, want)
	}
	wantSyntaxError(t, policy.Key, `{"Statement": {`+usual+`, "Principal": "*", "NotResource": "*"}}`, `statement 1: Resource: must be there, or else NotResource`)
}

// A key policy's statement without Action or Resource is taken, and without
// effect (PutKeyPolicy in the API reference).
func TestStatementsWithoutEffect(t *testing.T) {
	for _, statement := range []string{
		`{"Effect": "Allow", "Principal": "*", "Resource": "*"}`,
		`{"Effect": "Allow", "Principal": "*", "Action": "*"}`,
		`{"Effect": "Deny", "Principal": "*"}`,
	} {
		d, err := policy.Parse(policy.Key, `{"Statement": `+statement+`}`)
		if err != nil {
			t.Errorf("%s: %v", statement, err)
			continue
		}
		r := &policy.Request{Action: "kms:Encrypt", Resource: "arn:aws:kms:us-east-1:111122223333:key/k"}
		if got := d.Evaluate(r).Effect; got != policy.NoOpinion {
			t.Errorf("%s: got %v", statement, got)
		}
	}
}

func wantSyntaxError(t *testing.T, kind policy.Kind, source, want string) {
	t.Helper()
	d, err := policy.Parse(kind, source)
	if syntax := new(policy.SyntaxError); d != nil || !errors.As(err, &syntax) || err.Error() != want {
		t.Errorf("%s\ngot  %v, %v\nwant %s", source, d, err, want)
	}
}

// FuzzParse: whatever is read can be evaluated; a statement that denies more
// never lets anybody in; and without statements that allow, nobody is.
func FuzzParse(f *testing.F) {
	for _, statement := range []string{
		`{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}`,
		`{"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}, "NotAction": ["a", "b*"], "NotResource": "${aws:username, 'x'}"}`,
		`{"Sid": "x", "Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::111122223333:user/alice"], "Service": "s3.amazonaws.com"},
			"Action": "kms:Decrypt", "Resource": "arn:aws:kms:*", "Condition": {"ForAllValues:StringNotLike": {"many": ["a?", "${*}"]},
			"NumericLessThanIfExists": {"n": 1.5}, "Null": {"x": true}, "DateLessThan": {"d": "2026-09-12"}, "ArnLike": {"who": "a:b:c:d:e:f"}}}`,
	} {
		f.Add(statement, `{"Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}`)
	}
	context := facts{"many": {"a", "ab"}, "n": {"1"}, "d": {"2026-09-11"}, "aws:username": {"alice"}, "who": {"a:b:c:d:e:f"}}
	f.Fuzz(func(t *testing.T, statement, more string) {
		document := func(statements ...string) (*policy.Document, error) {
			return policy.Parse(policy.Key, `{"Version": "2012-10-17", "Statement": [`+strings.Join(statements, ",")+`]}`)
		}
		d, err := document(statement)
		if err != nil {
			if d != nil {
				t.Error("both a document and an error")
			}
			return
		}
		if !json.Valid([]byte(statement)) && !json.Valid([]byte("["+statement+"]")) {
			t.Error("invalid JSON was read")
		}
		for _, who := range []policy.Principal{alice, root, app, mallory} {
			before := policy.Policies{Key: d, Account: home}.Decide(decrypting(who, context))
			if before == policy.Allowed && !strings.Contains(statement, "Allow") && !strings.Contains(statement, `\u`) {
				t.Errorf("%s was let in by %s", who.ARN, statement)
			}
			denying := strings.ReplaceAll(more, `"Allow"`, `"Deny"`)
			longer, err := document(statement, denying)
			if err != nil || strings.Contains(denying, `\u`) {
				continue
			}
			if after := (policy.Policies{Key: longer, Account: home}).Decide(decrypting(who, context)); after == policy.Allowed && before != policy.Allowed {
				t.Errorf("%s turned a denial into an allow", denying)
			}
		}
	})
}
