// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/mockkms/internal/policy"
)

func TestConditions(t *testing.T) {
	context := facts{
		"one": {"Alpha"}, "many": {"a", "b"}, "number": {"42"}, "fraction": {"1546257599.5"}, "on": {"true"}, "off": {"false"},
		"when": {"2026-09-12T10:05:20Z"}, "who": {"arn:aws:iam::111122223333:role/path/app"}, "where": {"203.0.113.9"}, "where6": {"2001:db8::1"},
		"star": {"*"},
	}
	for _, tt := range []struct {
		operator, key, values string
		want                  bool
	}{
		{"StringEquals", "one", `"Alpha"`, true},
		{"StringEquals", "ONE", `"Alpha"`, true}, // names have no case
		{"StringEquals", "one", `"alpha"`, false},
		{"StringEquals", "one", `"Al*"`, false},
		{"StringEquals", "star", `"*"`, true},
		{"StringEquals", "one", `["Beta", "Alpha"]`, true},
		{"StringEquals", "absent", `"Alpha"`, false},
		{"StringEquals", "number", `42`, true},
		{"StringEquals", "on", `true`, true},
		{"StringNotEquals", "one", `"Alpha"`, false},
		{"StringNotEquals", "one", `["Beta", "Gamma"]`, true},
		{"StringNotEquals", "one", `["Beta", "Alpha"]`, false},
		{"StringNotEquals", "absent", `"Alpha"`, true},
		{"StringEqualsIgnoreCase", "one", `"aLPHA"`, true},
		{"StringNotEqualsIgnoreCase", "one", `"aLPHA"`, false},
		{"StringLike", "one", `"A?p*a"`, true},
		{"StringLike", "one", `"*"`, true},
		{"StringLike", "one", `"a*"`, false},
		{"StringLike", "one", `"${one}"`, true},
		{"StringLike", "one", `"${absent}"`, false},
		{"StringLike", "star", `"${*}"`, true},
		{"StringLike", "one", `"${*}"`, false},
		{"StringNotLike", "one", `"Al*"`, false},
		{"StringNotLike", "absent", `"Al*"`, true},

		{"ArnLike", "who", `"arn:aws:iam::*:role/path/*"`, true},
		{"ArnEquals", "who", `"arn:aws:iam::111122223333:role/*/app"`, true},
		{"ArnLike", "who", `"arn:aws:*:role/path/app"`, false}, // no wildcard reaches across a colon
		{"ArnLike", "one", `"*"`, false},
		{"ArnNotLike", "who", `"arn:aws:iam::*:user/*"`, true},
		{"ArnNotEquals", "who", `"arn:aws:iam::*:role/*"`, false},

		{"Bool", "on", `"true"`, true},
		{"Bool", "on", `true`, true},
		{"Bool", "on", `"True"`, true},
		{"Bool", "off", `"true"`, false},
		{"Bool", "off", `false`, true},
		{"Bool", "absent", `false`, false},

		{"NumericEquals", "number", `"42.0"`, true},
		{"NumericEquals", "number", `4.2e1`, true},
		{"NumericNotEquals", "number", `42`, false},
		{"NumericNotEquals", "absent", `42`, true},
		{"NumericLessThan", "number", `42`, false},
		{"NumericLessThan", "number", `43`, true},
		{"NumericLessThanEquals", "number", `42`, true},
		{"NumericLessThanEquals", "number", `41`, false},
		{"NumericGreaterThan", "number", `42`, false},
		{"NumericGreaterThan", "number", `41`, true},
		{"NumericGreaterThanEquals", "number", `42`, true},
		{"NumericGreaterThanEquals", "number", `43`, false},
		{"NumericLessThanEquals", "fraction", `"1546257599.5"`, true},
		{"NumericLessThan", "one", `43`, false}, // no number

		{"DateEquals", "when", `"2026-09-12T12:05:20+02:00"`, true},
		{"DateLessThan", "when", `"2026-09-13"`, true},
		{"DateGreaterThan", "when", `"2026-09"`, true},
		{"DateGreaterThanEquals", "when", `"2026-09-12T10:05Z"`, true},
		{"DateLessThanEquals", "when", `"2026-09-12T10:05:19.999Z"`, false},
		{"DateNotEquals", "when", `"2026-09-12T10:05:20Z"`, false},
		{"DateLessThan", "fraction", `"2019-01-01T00:00:00Z"`, true}, // seconds since 1970
		{"DateGreaterThan", "when", `1546257599`, true},

		{"IpAddress", "where", `"203.0.113.0/24"`, true},
		{"IpAddress", "where", `"203.0.113.9"`, true},
		{"IpAddress", "where", `["10.0.0.0/8", "2001:db8::/32"]`, false},
		{"IpAddress", "where6", `["10.0.0.0/8", "2001:db8::/32"]`, true},
		{"NotIpAddress", "where", `"203.0.113.0/24"`, false},
		{"NotIpAddress", "absent", `"203.0.113.0/24"`, true},

		{"Null", "one", `"true"`, false},
		{"Null", "one", `false`, true},
		{"Null", "absent", `true`, true},
		{"Null", "absent", `"false"`, false},

		{"StringEqualsIfExists", "one", `"Beta"`, false},
		{"StringEqualsIfExists", "one", `"Alpha"`, true},
		{"StringEqualsIfExists", "absent", `"Beta"`, true},
		{"NumericLessThanIfExists", "absent", `1`, true},
		{"BoolIfExists", "on", `false`, false},

		{"StringEquals", "many", `"b"`, true}, // without a set operator one is enough
		{"StringNotEquals", "many", `"b"`, false},
		{"ForAnyValue:StringEquals", "many", `["b", "c"]`, true},
		{"ForAnyValue:StringEquals", "many", `["c", "d"]`, false},
		{"ForAnyValue:StringEquals", "absent", `["b", "c"]`, false},
		{"ForAnyValue:StringNotEquals", "many", `["b", "c"]`, true},
		{"ForAnyValue:StringNotEquals", "many", `["a", "b"]`, false},
		{"ForAnyValue:StringNotEquals", "absent", `["a", "b"]`, false},
		{"ForAllValues:StringEquals", "many", `["a", "b", "c"]`, true},
		{"ForAllValues:StringEquals", "many", `["b", "c"]`, false},
		{"ForAllValues:StringEquals", "absent", `["b", "c"]`, true},
		{"ForAllValues:StringNotEquals", "many", `["c", "d"]`, true},
		{"ForAllValues:StringNotEquals", "many", `["b", "c"]`, false},
		{"ForAllValues:StringLike", "many", `"?"`, true},
		{"ForAnyValue:StringLikeIfExists", "absent", `"?"`, true},
	} {
		condition := fmt.Sprintf(`"Condition": {%q: {%q: %s}}`, tt.operator, tt.key, tt.values)
		allow := statement(policy.Identity, condition).Evaluate(decrypting(alice, context)).Effect == policy.Allow
		deny := statement(policy.Identity, condition+`, "Effect": "Deny"`).Evaluate(decrypting(alice, context)).Effect == policy.Deny
		if allow != tt.want || deny != tt.want {
			t.Errorf("%s: allows %t, denies %t, want %t", condition, allow, deny, tt.want)
		}
	}
}

// All keys below all operators must hold; what cannot be told allows nothing,
// and denies unless something else fails.
func TestConditionsTogether(t *testing.T) {
	context := facts{"one": {"a"}, "two": {"b"}}
	for _, tt := range []struct {
		condition   string
		allow, deny bool
	}{
		{`{}`, true, true},
		{`{"StringEquals": {"one": "a", "two": "b"}}`, true, true},
		{`{"StringEquals": {"one": "a", "two": "x"}}`, false, false},
		{`{"StringEquals": {"one": "a"}, "StringLike": {"two": "?"}}`, true, true},
		{`{"StringEquals": {"one": "a"}, "StringLike": {"two": "?x"}}`, false, false},
		{`{"StringEquals": {"unknown:x": "a"}}`, false, true},
		{`{"StringNotEquals": {"unknown:x": "a"}}`, false, true},
		{`{"StringEqualsIfExists": {"unknown:x": "a"}}`, false, true},
		{`{"ForAllValues:StringEquals": {"unknown:x": "a"}}`, false, true},
		{`{"Null": {"unknown:x": true}}`, false, true},
		{`{"StringEquals": {"unknown:x": "a", "one": "a"}}`, false, true},
		{`{"StringEquals": {"unknown:x": "a", "one": "x"}}`, false, false},
	} {
		condition := `"Condition": ` + tt.condition
		allow := statement(policy.Identity, condition).Evaluate(decrypting(alice, context)).Effect == policy.Allow
		deny := statement(policy.Identity, condition+`, "Effect": "Deny"`).Evaluate(decrypting(alice, context)).Effect == policy.Deny
		if allow != tt.allow || deny != tt.deny {
			t.Errorf("%s: allows %t, denies %t, want %t, %t", condition, allow, deny, tt.allow, tt.deny)
		}
	}
}

func TestConditionUses(t *testing.T) {
	d := must(policy.Parse(policy.Key, `{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Principal": {"AWS": ["b", "a"], "Service": "s"}, "Action": "*", "Resource": "*",
			"Condition": {"ForAllValues:StringLike": {"kms:EncryptionContextKeys": ["${aws:username}", "${*}", "${a:b, 'c'}"]}}},
		{"Effect": "Deny", "Principal": {"AWS": "a"}, "Action": "*", "Resource": "key/${aws:userid}"}]}`))
	want := []policy.ConditionUse{{"kms:EncryptionContextKeys", true}, {"aws:username", false}, {"a:b", false}, {"aws:userid", false}}
	if got := d.Conditions(); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	if got := d.Principals(); !slices.Equal(got, []string{"a", "b", "s"}) {
		t.Errorf("got %q", got)
	}
}

// A pattern that would take for ever if tried in all ways is done at once.
func TestManyWildcards(t *testing.T) {
	condition := `"Condition": {"StringLike": {"long": "` + strings.Repeat("*a", 1000) + `*b"}}`
	context := facts{"long": {strings.Repeat("a", 10_000)}}
	if got := statement(policy.Identity, condition).Evaluate(decrypting(alice, context)).Effect; got != policy.NoOpinion {
		t.Errorf("got %s", got)
	}
}
