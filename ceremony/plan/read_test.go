// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

func TestRead(t *testing.T) {
	p := read(t, text(t))
	if p.ID != "payments-2026" || p.Title != "Payments: the root key" || !p.Date.Equal(sketch.Date) || p.Rehearsal || p.Session != plan.SameDay {
		t.Errorf("the head is %+v", p)
	}
	if want := (plan.Material{Spec: material.SymmetricDefault, Usage: plan.EncryptDecrypt, Source: plan.FromDRBG, Dice: plan.NoDice}); p.Material.Spec != want.Spec || p.Material.Usage != want.Usage || p.Material.Source != want.Source || p.Material.Dice != want.Dice {
		t.Errorf("the material is %+v", p.Material)
	}
	wantTarget := plan.Target{
		ID: "primary", Partition: "aws", Account: "111122223333", Region: "eu-central-1", Key: keyARN,
		Wrapping: wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA4096}, Import: plan.ImportNew,
	}
	if len(p.Targets) != 1 || p.Targets[0] != wantTarget {
		t.Errorf("the targets are %+v", p.Targets)
	}
	if p.Escrow.Profile != escrow.Quorum || p.Escrow.Scheme != escrow.SLIP39 || len(p.Escrow.Copies) != 2 {
		t.Errorf("the escrow is %+v", p.Escrow)
	}
	if p.Shares.Threshold != 3 || p.Shares.Count != 5 || len(p.Shares.Holders) != 5 {
		t.Errorf("the shares are %+v", p.Shares)
	}
	if want := (plan.Holder{Share: 2, Custodian: "custodian-2", Mode: plan.OnForm, Site: "safe-2"}); p.Shares.Holders[1] != want {
		t.Errorf("the second holder is %+v", p.Shares.Holders[1])
	}
	if len(p.People) != 12 || !p.People[3].Has(plan.Witness) || p.People[3].Key == nil {
		t.Errorf("the people are %+v", p.People)
	}
	if want := (plan.Limits{TokenMinRemaining: 4 * time.Hour, ImportMargin: time.Hour, MaxSession: 10 * time.Hour}); p.Limits != want {
		t.Errorf("the limits are %+v", p.Limits)
	}
	if got := strings.Join(p.Gates[plan.GatePlan], " "); got != "lead witness" {
		t.Errorf("the plan is approved by %s", got)
	}
}

func TestReadRefuses(t *testing.T) {
	good := text(t)
	for name, test := range map[string]struct{ old, new, want string }{
		"an unknown member":  {"rehearsal: false", "rehearsed: false", "15:1: rehearsed: unknown, did you mean rehearsal?"},
		"a near miss":        {"  threshold: 3", "  treshold: 3", "treshold: unknown, did you mean threshold?"},
		"a missing member":   {"session: same-day", "", "session: missing"},
		"a member twice":     {"id: payments-2026", "id: payments-2026\nid: other", "13:1: mapping key … already defined at [12:1]"},
		"an ID in capitals":  {"id: payments-2026", "id: Payments", "12:5: id: not an ID"},
		"no mapping":         {"limits:", "limits: 3\nother:", "limits: not a mapping"},
		"no list":            {"copies:\n", "copies: none\n  kept:\n", "escrow.copies: not a list"},
		"a null":             {"title: \"Payments: the root key\"", "title:", "title: not a plain value"},
		"a list for a value": {"dice: none", "dice: [none]", "material.dice: not a plain value"},
		"an anchor":          {"dice: none", "dice: &x none", "material.dice: not a plain value"},
		"a tag":              {"dice: none", "dice: !!str none", "material.dice: not a plain value"},
		"a block":            {"dice: none", "dice: |\n    none", "material.dice: not a plain value"},
		"a merge":            {"limits:\n", "limits:\n  <<: {x: y}\n", "limits: a member that is no plain name"},
		"a second document":  {"limits:\n", "---\nlimits:\n", "2 YAML documents, want 1"},
		"trailing bytes":     {"#   material_id: 64 hexadecimal digits\n", "...\nmore\n", "unexpected end content"},
		"a wrong kind":       {"kind: keymat/plan", "kind: keymat/plans", "9:7: kind: none of keymat/plan"},
		"a later version":    {"version: 1", "version: 2", "version: none of 1"},
		"a spec in small":    {"spec: SYMMETRIC_DEFAULT", "spec: symmetric_default", "material.spec: not spelt SYMMETRIC_DEFAULT"},
		"an unknown spec":    {"spec: SYMMETRIC_DEFAULT", "spec: SM2", "material.spec: "},
		"an algorithm in small": {"algorithm: RSAES_OAEP_SHA_256", "algorithm: rsaes_oaep_sha_256",
			"targets[primary].wrapping.algorithm: not spelt RSAES_OAEP_SHA_256"},
		"a threshold of one": {"threshold: 3", "threshold: 1", "shares.threshold: not a number from 2 to 16"},
		"seventeen shares":   {"count: 5", "count: 17", "shares.count: not a number from 2 to 16"},
		"an octal number":    {"threshold: 3", "threshold: 03", "shares.threshold: not a number from 2 to 16"},
		"a share twice":      {"{share: 2,", "{share: 1,", "shares.holders[1]: share 1 is given twice"},
		"a role twice":       {"roles: [lead]", "roles: [lead, lead]", "people[lead].roles[#2]: lead is given twice"},
		"an unknown role":    {"roles: [lead]", "roles: [boss]", "people[lead].roles[#1]: none of lead, operator"},
		"a person twice":     {"- id: operator-2", "- id: operator-1", "people[operator-1]: id operator-1 is given twice"},
		"a day that is none": {"date: 2026-12-01", "date: 2026-02-30", "date: not a day"},
		"a local time":       {"valid_to: never", "valid_to: 2027-01-01T00:00:00+01:00", "targets[primary].valid_to: neither never nor a time in UTC"},
		"no token limit":     {"  token_min_remaining:", "  #", "limits.token_min_remaining: missing"},
		"no import margin":   {"  import_margin:", "  #", "limits.import_margin: missing"},
		"a duration of none": {"import_margin: 1h", "import_margin: 0h", "limits.import_margin: not a duration"},
		"an alias ARN":       {"key: " + keyARN, "key: arn:aws:kms:eu-central-1:111122223333:alias/app", "targets[primary].key: not the ARN of a KMS key"},
		"an account of 11":   {`account: "111122223333"`, `account: "11112222333"`, "targets[primary].account: not an AWS account, 12 digits"},
		"a profile for one":  {"profile: quorum", "profile: passphrase", "escrow.profile: none of quorum, fips-quorum"},
		"a long description": {"    # description: what KMS shows beside the material", "    description: " + strings.Repeat("é", 257), "longer than 256 characters"},
		"a tab":              {"session: same-day", "session:\tsame-day", "17:9: a character that cannot be seen"},
		"a turned text":      {"NAME OF THE LEAD", "NAME\u202eDAEL", "a character that cannot be seen"},
		"a byte order mark":  {"# The plan of a", "\ufeff# The plan of a", "begins with a byte order mark"},
		"a carriage return":  {"kind: keymat/plan\n", "kind: keymat/plan\r\n", "9:18: a character that cannot be seen"},
		"no UTF-8":           {"NAME OF THE LEAD", "\xff", "not UTF-8"},
		"depth":              {"title: \"Payments: the root key\"", "title: " + strings.Repeat("[", 500), "more than 500 brackets"},
		"size":               {"limits:\n", strings.Repeat("# more\n", 10000) + "limits:\n", "larger than 65536 bytes"},
		"a certificate key":  {"key: ssh-ed25519 ", "key: ssh-rsa ", "not an ssh public key"},
		"half a private key": {"key: ssh-ed25519 ", "key: \"-----BEGIN OPENSSH PRIVATE KEY-----\" # ", "people[lead].key: a private key"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := plan.Read(strings.NewReader(with(t, good, test.old, test.new)))
			var format *plan.FormatError
			if !errors.As(err, &format) {
				t.Fatalf("got %v, want a FormatError", err)
			}
			var all strings.Builder
			for _, f := range format.Faults {
				all.WriteString(f.Error() + "\n")
			}
			if !strings.Contains(all.String(), test.want) {
				t.Errorf("got %s, want %s", all.String(), test.want)
			}
		})
	}
}

func TestReadFindsAllFaults(t *testing.T) {
	_, err := plan.Read(strings.NewReader(with(t, text(t), "dice: none", "dice: many", "count: 5", "count: five", "title: ", "titel: ")))
	var format *plan.FormatError
	if !errors.As(err, &format) || len(format.Faults) != 4 {
		t.Fatalf("got %v, want four faults", err)
	}
	for i := range 3 {
		if a, b := format.Faults[i], format.Faults[i+1]; a.Line > b.Line {
			t.Errorf("%v comes before %v", a, b)
		}
	}
	if !strings.HasSuffix(err.Error(), "(and 3 more)") {
		t.Errorf("the error is %q", err)
	}
}

// TestDraftLints: what a draft lacks is keys, and nothing else.
func TestDraftLints(t *testing.T) {
	for _, spec := range material.Specs() {
		s := sketch
		s.Spec = spec
		s.Keys = append(s.Keys, strings.Replace(keyARN, "eu-central-1", "eu-west-1", 1))
		drafted, err := plan.Draft(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range read(t, string(drafted)).Lint() {
			if f.Code != "key-missing" {
				t.Errorf("%s: %+v", spec, f)
			}
		}
		if findings := read(t, withKeys(string(drafted))).Lint(); len(findings) > 0 {
			t.Errorf("%s: %+v", spec, findings)
		}
	}
}

func TestDraftRefuses(t *testing.T) {
	for field, change := range map[string]func(*plan.Sketch){
		"id":               func(s *plan.Sketch) { s.ID = "Über" },
		"title":            func(s *plan.Sketch) { s.Title = " " },
		"keys":             func(s *plan.Sketch) { s.Keys = []string{"alias/app"} },
		"spec":             func(s *plan.Sketch) { s.Spec = "SM2" },
		"shares.threshold": func(s *plan.Sketch) { s.Threshold = 1 },
	} {
		s := sketch
		change(&s)
		_, err := plan.Draft(s)
		if e, ok := errors.AsType[*plan.SketchError](err); !ok || e.Field != field {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	drafted, err := plan.Draft(sketch)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(withKeys(string(drafted)))
	f.Add("kind: keymat/plan\nversion: 1\n")
	f.Add("- - - - {a: [b]}")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := plan.Read(strings.NewReader(text))
		if err == nil {
			p.Lint()
			if changes := plan.Diff(p, p); len(changes) > 0 {
				t.Errorf("a plan differs from itself: %v", changes)
			}
		} else if _, ok := errors.AsType[*plan.FormatError](err); !ok {
			t.Errorf("%T: %v", err, err)
		}
	})
}
