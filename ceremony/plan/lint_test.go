// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/material"
)

func TestLint(t *testing.T) {
	good := text(t)
	key := func(id string) string {
		return "key: " + string(ssh.MarshalAuthorizedKey(keyOf(id).PublicKey()))
	}
	rsa := []string{"spec: SYMMETRIC_DEFAULT", "spec: RSA_4096", "algorithm: RSAES_OAEP_SHA_256", "algorithm: RSA_AES_KEY_WRAP_SHA_256"}
	replica := func(account, region, id, more string) string {
		return fmt.Sprintf("  - {id: copy, partition: aws, account: %q, region: %s, key: \"arn:aws:kms:%s:%s:key/%s\", wrapping: {algorithm: RSAES_OAEP_SHA_256, key_spec: RSA_4096}, valid_to: never, %s}\n\n# The copy that",
			account, region, region, account, id, more)
	}
	const after = "\n# The copy that"
	for name, test := range map[string]struct {
		change []string
		want   string // severity code path
	}{
		"operator and witness":         {[]string{"roles: [operator]", "roles: [operator, witness]"}, "error role-conflict people[operator-1].roles"},
		"operator and custodian":       {[]string{"- id: operator-1", "- id: lead-2", "custodian: custodian-3", "custodian: operator-1", "- id: custodian-3", "- id: operator-1", "name: NAME OF CUSTODIAN 3\n    roles: [custodian]", "name: N\n    roles: [custodian, operator]"}, "error role-conflict people[operator-1].roles"},
		"fetcher and importer":         {[]string{"roles: [importer]", "roles: [importer, fetcher]"}, "error role-conflict people[importer].roles"},
		"lead and operator":            {[]string{"roles: [lead]", "roles: [lead, operator]"}, "warning role-conflict people[lead].roles"},
		"one fetcher":                  {[]string{"name: NAME OF FETCHER TWO\n    roles: [fetcher]", "name: F\n    roles: [auditor]"}, "error role-missing people"},
		"no role":                      {[]string{"name: NAME OF FETCHER TWO\n    roles: [fetcher]", "name: F\n    roles: []"}, "warning role-none people[fetcher-2]"},
		"three shares of one":          {[]string{"share: 2, custodian: custodian-2", "share: 2, custodian: custodian-1", "share: 3, custodian: custodian-3", "share: 3, custodian: custodian-1"}, "error custody-alone shares.holders"},
		"two shares of one":            {[]string{"share: 2, custodian: custodian-2", "share: 2, custodian: custodian-1"}, "warning custody-several shares.holders"},
		"an idle custodian":            {[]string{"share: 2, custodian: custodian-2", "share: 2, custodian: custodian-1"}, "warning custodian-role people[custodian-2].roles"},
		"a share of no custodian":      {[]string{"share: 2, custodian: custodian-2", "share: 2, custodian: importer"}, "error custodian-role shares.holders[2].custodian"},
		"a superior who takes part":    {[]string{"roles: [custodian]", "roles: [custodian]\n    reports_to: lead"}, "error custody-command people[custodian-1].reports_to"},
		"a superior who holds one":     {[]string{"CUSTODIAN 1\n    roles: [custodian]", "C\n    roles: [custodian]\n    reports_to: custodian-5", "CUSTODIAN 2\n    roles: [custodian]", "C\n    roles: [custodian]\n    reports_to: custodian-5"}, "error custody-command people[custodian-1].reports_to"},
		"a superior's superior":        {[]string{"roles: [lead]", "roles: [lead]\n    reports_to: head", "roles: [custodian]", "roles: [custodian]\n    reports_to: importer", "roles: [importer]", "roles: [importer]\n    reports_to: lead"}, "error custody-command people[importer].reports_to"},
		"a superior outside":           {[]string{"roles: [custodian]", "roles: [custodian]\n    reports_to: director"}, "warning custody-command people[custodian-1].reports_to"},
		"a circle of command":          {[]string{"roles: [importer]", "roles: [importer]\n    reports_to: lead", "roles: [lead]", "roles: [lead]\n    reports_to: importer"}, "error command-circle people[lead].reports_to"},
		"a witness below the lead":     {[]string{"roles: [witness, bag-controller]", "roles: [witness, bag-controller]\n    reports_to: lead"}, "warning command people[witness].reports_to"},
		"an operator below another":    {[]string{"OPERATOR TWO\n    roles: [operator]", "O\n    roles: [operator]\n    reports_to: operator-1"}, "warning command people[operator-2].reports_to"},
		"an importer below a fetcher":  {[]string{"roles: [importer]", "roles: [importer]\n    reports_to: fetcher-1"}, "warning command people[importer].reports_to"},
		"k shares at one site":         {[]string{"mode: form, site: safe-2", "mode: form, site: safe-1", "mode: form, site: safe-3", "mode: form, site: safe-1"}, "error site-quorum sites[safe-1]"},
		"an escrow and k shares":       {[]string{"mode: form, site: safe-2", "mode: form, site: safe-1", "mode: form, site: safe-3", "mode: form, site: safe-1", "number 1, site: archive-1", "number 1, site: safe-1"}, "error site-opens sites[safe-1]"},
		"a loss that is too much":      {[]string{"mode: form, site: safe-2", "mode: form, site: safe-1", "threshold: 3", "threshold: 4"}, "warning site-loss sites[safe-1]"},
		"an empty site":                {[]string{"mode: form, site: safe-2", "mode: form, site: safe-1"}, "warning site-unused sites[safe-2]"},
		"a safe that the key opens":    {[]string{"name: Safe 1}", "name: Safe 1, needs: [key]}", "name: Safe 2}", "name: Safe 2, needs: [safe-1]}", "name: Safe 3}", "name: Safe 3, needs: [safe-2]}"}, "error recovery-circle sites[safe-1].needs"},
		"archives that the key opens":  {[]string{"name: Archive one}", "name: Archive one, needs: [key]}", "name: Archive two}", "name: Archive two, needs: [key]}"}, "error recovery-circle sites[archive-2].needs"},
		"safes in each other":          {[]string{"name: Safe 1}", "name: Safe 1, needs: [safe-2]}", "name: Safe 2}", "name: Safe 2, needs: [safe-1]}"}, "error recovery-circle sites[safe-1].needs"},
		"one safe that the key opens":  {[]string{"name: Safe 1}", "name: Safe 1, needs: [key]}"}, "warning recovery-needs-key sites[safe-1].needs"},
		"one copy":                     {[]string{"    - {id: copy-2, medium: CD-R number 2, site: archive-2}\n", ""}, "error copies escrow.copies"},
		"copies at one site":           {[]string{"number 2, site: archive-2", "number 2, site: archive-1"}, "warning copies escrow.copies"},
		"all shares":                   {[]string{"threshold: 3", "threshold: 5"}, "warning shares-all shares.threshold"},
		"more than all":                {[]string{"threshold: 3", "threshold: 6"}, "error shares-count shares.threshold"},
		"too few holders":              {[]string{"count: 5", "count: 6"}, "error shares-count shares.count"},
		"too many holders":             {[]string{"count: 5", "count: 4"}, "error shares-count shares.holders[5].share"},
		"a holder who is nobody":       {[]string{"share: 2, custodian: custodian-2", "share: 2, custodian: mallory"}, "error unknown-person shares.holders[2].custodian"},
		"a confirmation of nobody":     {[]string{"import: [importer, witness]", "import: [importer, witness, mallory]"}, "error unknown-person gates.import"},
		"no such site":                 {[]string{"number 2, site: archive-2", "number 2, site: attic"}, "error unknown-site escrow.copies[copy-2].site"},
		"no such site for a share":     {[]string{"mode: form, site: safe-2", "mode: form, site: attic"}, "error unknown-site shares.holders[2].site"},
		"needs an unknown site":        {[]string{"name: Safe 1}", "name: Safe 1, needs: [attic]}"}, "error unknown-site sites[safe-1].needs"},
		"works nowhere":                {[]string{"roles: [lead]", "roles: [lead]\n    site: attic"}, "error unknown-site people[lead].site"},
		"one confirms":                 {[]string{"import: [importer, witness]", "import: [importer]"}, "error gate-alone gates.import"},
		"no witness confirms":          {[]string{"identity: [operator-1, witness]", "identity: [operator-1, lead]"}, "error gate-role gates.identity"},
		"importers among themselves":   {[]string{"import: [importer, witness]", "import: [importer, fetcher-1]"}, "error gate-role gates.import"},
		"operators approve":            {[]string{"plan: [lead, witness]", "plan: [operator-1, operator-2]"}, "error gate-role gates.plan"},
		"one and a subordinate":        {[]string{"roles: [witness, bag-controller]", "roles: [witness, bag-controller]\n    reports_to: lead"}, "warning gate-command gates.plan"},
		"no key":                       {[]string{"    " + key("witness"), ""}, "error key-missing people[witness]"},
		"one key for two":              {[]string{key("witness"), key("lead")}, "error key-shared people[witness].key"},
		"a share for no key":           {[]string{"custodian: custodian-2, mode: form", "custodian: custodian-2, mode: file", "    " + key("custodian-2"), ""}, "error key-missing people[custodian-2]"},
		"a share for a key that signs": {[]string{"custodian: custodian-2, mode: form", "custodian: custodian-2, mode: file", key("custodian-2"), "key: ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBGsX0fLhLEJH+Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT+NC4v4af5uO5+tKfA+eFivOM1drMV7Oy7ZAaDe/UfU=\n"}, "error key-type people[custodian-2].key"},
		"a usage that is none":         {[]string{"usage: ENCRYPT_DECRYPT", "usage: SIGN_VERIFY"}, "error usage material.usage"},
		"dice for RSA":                 {append([]string{"dice: none", "dice: required"}, rsa...), "error dice material.dice"},
		"dice for a curve":             {[]string{"spec: SYMMETRIC_DEFAULT", "spec: ECC_NIST_P256", "usage: ENCRYPT_DECRYPT", "usage: SIGN_VERIFY", "dice: none", "dice: required"}, "warning dice material.dice"},
		"dice for components":          {[]string{"source: drbg ", "source: components ", "  # components", "  components", "dice: none", "dice: optional"}, "error dice material.dice"},
		"components for RSA":           {append([]string{"source: drbg ", "source: components ", "  # components", "  components"}, rsa...), "error components material.source"},
		"components without people":    {[]string{"source: drbg ", "source: components "}, "error components material.components"},
		"people without components":    {[]string{"  # components", "  components"}, "error components material.components"},
		"an operator's component":      {[]string{"source: drbg ", "source: components ", "  # components: [custodian-1,", "  components: [operator-1,"}, "error components material.components"},
		"an escrow unnamed":            {[]string{"source: drbg ", "source: escrow "}, "error expected material.source"},
		"new material expected":        {[]string{"# expected:", "expected:", "#   escrow: 32 hexadecimal digits", "  escrow: " + strings.Repeat("ab", 16), "#   fingerprint", "  fingerprint"}, "error expected expected"},
		"another fingerprint":          {[]string{"source: drbg ", "source: escrow ", "# expected:", "expected:", "#   escrow: 32 hexadecimal digits", "  escrow: " + strings.Repeat("ab", 16), "#   fingerprint: cmac", "  fingerprint: hmac"}, "error expected expected.fingerprint"},
		"a refused wrapping":           {[]string{"spec: SYMMETRIC_DEFAULT", "spec: RSA_4096"}, "error wrapping-refused targets[primary].wrapping"},
		"P-521 under RSA_2048":         {[]string{"spec: SYMMETRIC_DEFAULT", "spec: ECC_NIST_P521", "key_spec: RSA_4096", "key_spec: RSA_2048"}, "error wrapping-refused targets[primary].wrapping"},
		"SHA-1":                        {[]string{"RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1"}, "warning wrapping-weak targets[primary].wrapping.algorithm"},
		"RSA_3072":                     {[]string{"key_spec: RSA_4096", "key_spec: RSA_3072"}, "warning wrapping-weak targets[primary].wrapping.key_spec"},
		"another account":              {[]string{`account: "111122223333"`, `account: "999922223333"`}, "error target-place targets[primary].account"},
		"another Region":               {[]string{"region: eu-central-1", "region: eu-central-2"}, "error target-place targets[primary].region"},
		"another partition":            {[]string{"partition: aws", "partition: aws-us-gov"}, "error target-place targets[primary].partition"},
		"a Region of China":            {[]string{"region: eu-central-1", "region: cn-north-1"}, "error target-place targets[primary].region"},
		"no target":                    {[]string{good[strings.Index(good, "targets:"):strings.Index(good, after)], "targets: []\n"}, "error target-none targets"},
		"the same target":              {[]string{after, replica("111122223333", "eu-central-1", keyARN[len(keyARN)-36:], "import: new")}, "error target-twice targets[copy].key"},
		"a replica of nothing":         {[]string{after, replica("111122223333", "eu-west-1", "mrk-1234abcd12ab34cd56ef1234567890ab", "import: existing, replica_of: other")}, "error replica targets[copy].replica_of"},
		"a replica of itself":          {[]string{after, replica("111122223333", "eu-west-1", "mrk-1234abcd12ab34cd56ef1234567890ab", "import: existing, replica_of: copy")}, "error replica targets[copy].replica_of"},
		"a replica of another account": {[]string{after, replica("222222223333", "eu-west-1", "mrk-1234abcd12ab34cd56ef1234567890ab", "import: existing, replica_of: primary")}, "error replica targets[copy].replica_of"},
		"a replica in one Region":      {[]string{after, replica("111122223333", "eu-central-1", "mrk-2234abcd12ab34cd56ef1234567890ab", "import: existing, replica_of: primary")}, "error replica targets[copy].region"},
		"a replica of another key":     {[]string{after, replica("111122223333", "eu-west-1", "mrk-2234abcd12ab34cd56ef1234567890ab", "import: existing, replica_of: primary")}, "error replica targets[copy].key"},
		"new material for a replica":   {[]string{after, replica("111122223333", "eu-west-1", "mrk-1234abcd12ab34cd56ef1234567890ab", "import: new, replica_of: primary")}, "error replica targets[copy].import"},
		"a replica that expires":       {[]string{after, replica("111122223333", "eu-west-1", "mrk-1234abcd12ab34cd56ef1234567890ab", "import: existing, replica_of: primary"), "{algorithm: RSAES_OAEP_SHA_256, key_spec: RSA_4096}, valid_to: never", "{algorithm: RSAES_OAEP_SHA_256, key_spec: RSA_4096}, valid_to: 2027-06-01T00:00:00Z"}, "warning expiry targets[copy].valid_to"},
		"expired on the day":           {[]string{"valid_to: never", "valid_to: 2026-12-02T00:00:00Z"}, "error expiry targets[primary].valid_to"},
		"366 days":                     {[]string{"valid_to: never", "valid_to: 2027-12-01T00:00:01Z"}, "error expiry targets[primary].valid_to"},
		"new material from an escrow":  {[]string{"source: drbg ", "source: escrow "}, "warning import-type targets[primary].import"},
		"a token of 24 h":              {[]string{"token_min_remaining: 4h", "token_min_remaining: 24h"}, "error limits limits.token_min_remaining"},
		"a margin of 24 h":             {[]string{"import_margin: 1h", "import_margin: 24h", "token_min_remaining: 4h", "token_min_remaining: 23h59m"}, "error limits limits.import_margin"},
		"a margin beyond the rest":     {[]string{"import_margin: 1h", "import_margin: 4h1s"}, "error limits limits.import_margin"},
		"a session of a day and more":  {[]string{"max_session: 10h", "max_session: 24h1s"}, "error limits limits.max_session"},
	} {
		t.Run(name, func(t *testing.T) {
			findings := read(t, with(t, good, test.change...)).Lint()
			for _, f := range findings {
				if fmt.Sprint(f.Severity, " ", f.Code, " ", f.Path) != test.want {
					continue
				}
				if f.Line < 2 || f.Column < 1 || f.Found == "" || f.Do == "" {
					t.Errorf("found it, but %+v", f)
				}
				return
			}
			t.Errorf("got %+v, want %s", findings, test.want)
		})
	}
}

// TestLintAccepts holds boundaries from the good side.
func TestLintAccepts(t *testing.T) {
	for name, change := range map[string][]string{
		"nothing changed":        nil,
		"just 365 days":          {"valid_to: never", "valid_to: 2027-12-01T00:00:00Z"},
		"just after the day":     {"valid_to: never", "valid_to: 2026-12-02T00:00:01Z"},
		"a margin just inside":   {"import_margin: 1h", "import_margin: 4h"},
		"a session of a day":     {"max_session: 10h", "max_session: 24h"},
		"two below one superior": {"CUSTODIAN 1\n    roles: [custodian]", "C\n    roles: [custodian]\n    reports_to: lead", "CUSTODIAN 2\n    roles: [custodian]", "C\n    roles: [custodian]\n    reports_to: lead"},
		"two shares at one site": {"mode: form, site: safe-2", "mode: form, site: safe-1", "  - {id: safe-2, name: Safe 2}\n", ""},
		"components":             {"source: drbg ", "source: components ", "  # components", "  components"},
		"dice":                   {"dice: none", "dice: required"},
		"an escrow": {"source: drbg ", "source: escrow ", "import: new", "import: existing", "# expected:", "expected:",
			"#   escrow: 32 hexadecimal digits", "  escrow: " + strings.Repeat("ab", 16), "#   fingerprint", "  fingerprint"},
		"an alias": {"key: " + keyARN, "key: alias/app"},
	} {
		if findings := read(t, with(t, text(t), change...)).Lint(); len(findings) > 0 {
			t.Errorf("%s: %+v", name, findings)
		}
	}
}

// TestLintPlaces: findings say where, in the order of the file.
func TestLintPlaces(t *testing.T) {
	findings := read(t, with(t, text(t), "dice: none", "dice: required", "spec: SYMMETRIC_DEFAULT", "spec: RSA_4096", "max_session: 10h", "max_session: 25h")).Lint()
	if len(findings) != 3 || !plan.HasErrors(findings) {
		t.Fatalf("got %+v", findings)
	}
	for i, want := range []string{"23:3 dice", "34:5 wrapping-refused", "138:3 limits"} {
		if got := fmt.Sprint(findings[i].Place, " ", findings[i].Code); got != want {
			t.Errorf("finding %d is %s, want %s", i, got, want)
		}
	}
	if plan.HasErrors([]plan.Finding{{Severity: plan.Warning}}) {
		t.Error("a warning is an error")
	}
}

func TestFormatFindings(t *testing.T) {
	_, err := plan.Read(strings.NewReader("kind: keymat/plan\nversion: 9\n"))
	e, ok := errors.AsType[*plan.FormatError](err)
	if !ok {
		t.Fatal(err)
	}
	for i, f := range e.Findings() {
		if f.Code != plan.CodeFormat || f.Severity != plan.Error || f.Place != e.Faults[i].Place || f.Path != e.Faults[i].Path {
			t.Errorf("%+v", f)
		}
	}
}

// TestUsages: every spec has one, and a usage of another kind is found.
func TestUsages(t *testing.T) {
	for _, spec := range material.Specs() {
		s := sketch
		s.Spec = spec
		drafted, err := plan.Draft(s)
		if err != nil {
			t.Fatal(err)
		}
		wrong := "usage: GENERATE_VERIFY_MAC"
		if spec.Kind() == material.HMAC {
			wrong = "usage: SIGN_VERIFY"
		}
		p := read(t, withKeys(string(drafted)))
		findings := read(t, with(t, withKeys(string(drafted)), "usage: "+string(p.Material.Usage), wrong)).Lint()
		if len(findings) != 1 || findings[0].Code != "usage" {
			t.Errorf("%s: %+v", spec, findings)
		}
	}
}
