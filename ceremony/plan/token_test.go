// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/plan"
)

// tokenText is a plan whose material is made in a token, and in which nothing is wrong.
func tokenText(t *testing.T) string {
	t.Helper()
	s := sketch
	s.Token = "ceremony 1"
	drafted, err := plan.Draft(s)
	if err != nil {
		t.Fatal(err)
	}
	return withKeys(string(drafted))
}

func TestToken(t *testing.T) {
	p := read(t, tokenText(t))
	if findings := p.Lint(); len(findings) > 0 {
		t.Errorf("the draft: %+v", findings)
	}
	want := plan.Token{Label: "ceremony 1", Site: "archive-1", PIN: []string{"custodian-1", "custodian-2"}, Backups: []plan.Backup{
		{ID: "backup-1", Label: "BACKUP TOKEN NUMBER 1", Serial: "SERIAL NUMBER", Site: "archive-2", Holder: "custodian-3"},
	}}
	if !p.KeptInToken() || fmt.Sprint(*p.Token) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", p.Token, want)
	}
	if got := p.Copies(); !slices.Equal(got, []string{"backup-1"}) {
		t.Errorf("copies %v", got)
	}
	if b, ok := p.TokenBackup("backup-1"); !ok || b.Holder != "custodian-3" {
		t.Errorf("got %+v, %t", b, ok)
	}
	if _, ok := p.TokenBackup("backup-2"); ok {
		t.Error("a backup that is not in the plan")
	}
	without := read(t, text(t))
	if _, ok := without.TokenBackup("backup-1"); ok || without.KeptInToken() || !slices.Equal(without.Copies(), []string{"copy-1", "copy-2"}) {
		t.Errorf("a plan with an escrow: copies %v", without.Copies())
	}
	other := read(t, with(t, tokenText(t), "pin: [custodian-1, custodian-2]", "pin: [custodian-2, custodian-1]"))
	if d := plan.Diff(p, other); len(d) != 1 || d[0].Path != "token.pin" {
		t.Errorf("the PIN is typed in another order, and the difference is %+v", d)
	}
}

const (
	firstBackup = "    - {id: backup-1, label: BACKUP TOKEN NUMBER 1, serial: SERIAL NUMBER, site: archive-2, holder: custodian-3}\n"
	backups     = "  backups:            # or [], and without_backup: why there is none\n" + firstBackup
	oneForAll   = "pin: [custodian-1, custodian-2]"
)

func TestTokenLint(t *testing.T) {
	second := strings.Replace(firstBackup, "backup-1", "backup-2", 1)
	for name, test := range map[string]struct {
		change []string
		want   string // severity code path
	}{
		"another source":           {[]string{"source: pkcs11", "source: drbg", "# What keeps the", "escrow: {profile: quorum, scheme: slip39, copies: []}\nshares: {threshold: 2, count: 2, holders: []}\n# What keeps the"}, "error token token"},
		"an escrow":                {[]string{"# What keeps the", "escrow: {profile: quorum, scheme: slip39, copies: []}\n# What keeps the"}, "error token escrow"},
		"shares":                   {[]string{"# What keeps the", "shares: {threshold: 2, count: 2, holders: []}\n# What keeps the"}, "error token shares"},
		"nobody knows the PIN":     {[]string{oneForAll, "pin: []"}, "error pin token.pin"},
		"one knows the PIN":        {[]string{oneForAll, "pin: [custodian-1]"}, "warning pin-alone token.pin"},
		"one has everything":       {[]string{oneForAll, "pin: [custodian-3]"}, "error custody-alone token.backups[backup-1].holder"},
		"one above the other":      {[]string{"CUSTODIAN 1\n    roles: [custodian]", "C\n    roles: [custodian]\n    reports_to: custodian-2"}, "warning custody-command token.pin"},
		"no backup":                {[]string{backups, "  backups: []\n"}, "error backups token.backups"},
		"no backup, and why":       {[]string{backups, "  backups: []\n  without_backup: it lives for a day\n"}, "warning backups token.without_backup"},
		"a backup, and why not":    {[]string{backups, backups + "  without_backup: it lives for a day\n"}, "error backups token.without_backup"},
		"all at one site":          {[]string{"site: archive-2, holder", "site: archive-1, holder"}, "warning backups token.backups"},
		"one token twice":          {[]string{firstBackup, firstBackup + second}, "error backups token.backups[backup-2].serial"},
		"an operator's PIN":        {[]string{oneForAll, "pin: [custodian-1, operator-1]"}, "error custodian-role token.pin"},
		"the witness's backup":     {[]string{"holder: custodian-3", "holder: witness"}, "error custodian-role token.backups[backup-1].holder"},
		"an idle custodian":        {[]string{oneForAll, "pin: [custodian-1, custodian-3]"}, "warning custodian-role people[custodian-2].roles"},
		"a PIN of nobody":          {[]string{oneForAll, "pin: [custodian-1, mallory]"}, "error unknown-person token.pin"},
		"a backup of nobody":       {[]string{"holder: custodian-3", "holder: mallory"}, "error unknown-person token.backups[backup-1].holder"},
		"a token nowhere":          {[]string{"  site: archive-1\n", "  site: attic\n"}, "error unknown-site token.site"},
		"a backup nowhere":         {[]string{"site: archive-2, holder", "site: attic, holder"}, "error unknown-site token.backups[backup-1].site"},
		"an empty site":            {[]string{"site: archive-2, holder", "site: archive-1, holder"}, "warning site-unused sites[archive-2]"},
		"safes that the key opens": {[]string{"name: Archive one}", "name: Archive one, needs: [key]}", "name: Archive two}", "name: Archive two, needs: [archive-1]}"}, "error recovery-circle sites[archive-1].needs"},
		"dice":                     {[]string{"dice: none", "dice: required"}, "error dice material.dice"},
		"no token":                 {[]string{tokenSection(t), "# none\n"}, "error token material.source"},
		"an escrow is expected":    {[]string{"# expected:\n#   token_key: 32 hexadecimal digits\n#   fing", "expected:\n  escrow: " + strings.Repeat("ab", 16) + "\n  fing"}, "error expected expected"},
	} {
		t.Run(name, func(t *testing.T) {
			findings := read(t, with(t, tokenText(t), test.change...)).Lint()
			if !slices.ContainsFunc(findings, func(f plan.Finding) bool {
				return fmt.Sprint(f.Severity, " ", f.Code, " ", f.Path) == test.want && f.Line > 1 && f.Found != "" && f.Do != ""
			}) {
				t.Errorf("got %+v, want %s", findings, test.want)
			}
		})
	}
}

// tokenSection is that of the draft.
func tokenSection(t *testing.T) string {
	t.Helper()
	text := tokenText(t)
	return text[strings.Index(text, "token:\n"):strings.Index(text, "# Where the token")]
}

func TestTokenLintAccepts(t *testing.T) {
	for name, change := range map[string][]string{
		"SHA-1":                         {"RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1"},
		"three parts":                   {oneForAll, "pin: [custodian-1, custodian-2, custodian-3]"},
		"a safe that the key opens":     {"name: Archive one}", "name: Archive one, needs: [key]}"},
		"the key is there from earlier": {"# expected:\n#   token_key: 32 hexadecimal digits\n#   fing", "expected:\n  token_key: " + strings.Repeat("ab", 16) + "\n  fing"},
	} {
		if findings := read(t, with(t, tokenText(t), change...)).Lint(); len(findings) > 0 {
			t.Errorf("%s: %+v", name, findings)
		}
	}
}

// TestTokenForm: what makes no plan at all.
func TestTokenForm(t *testing.T) {
	for name, test := range map[string]struct {
		change []string
		path   string
	}{
		"a label of 33 bytes":    {[]string{`label: "ceremony 1"`, "label: " + strings.Repeat("a", 33)}, "token.label"},
		"a backup without":       {[]string{", holder: custodian-3", ""}, "token.backups[backup-1].holder"},
		"a person twice":         {[]string{oneForAll, "pin: [custodian-1, custodian-1]"}, "token.pin[#2]"},
		"an escrow and a key":    {[]string{"# expected:\n#   token_key: 32 hexadecimal digits\n#   fing", "expected:\n  escrow: " + strings.Repeat("ab", 16) + "\n  token_key: " + strings.Repeat("ab", 16) + "\n  fing"}, "expected.escrow"},
		"neither escrow nor key": {[]string{"# expected:\n#   token_key: 32 hexadecimal digits\n#   fing", "expected:\n  fing"}, "expected.escrow"},
	} {
		_, err := plan.Read(strings.NewReader(with(t, tokenText(t), test.change...)))
		e, ok := errors.AsType[*plan.FormatError](err)
		if !ok || !slices.ContainsFunc(e.Faults, func(f plan.Fault) bool { return strings.HasPrefix(f.Path, test.path) }) {
			t.Errorf("%s: error %v, want one at %s", name, err, test.path)
		}
	}
	if _, err := plan.Read(strings.NewReader(with(t, tokenText(t), `label: "ceremony 1"`, "label: "+strings.Repeat("a", 32)))); err != nil {
		t.Errorf("a label of 32 bytes: %v", err)
	}
}

// TestReopenToken drafts the plan by which the key in the token is brought into KMS
// once more.
func TestReopenToken(t *testing.T) {
	for name, change := range map[string][]string{"a backup": nil, "no backup": {backups, "  backups: []\n  without_backup: it lives for a day\n"}} {
		own := read(t, with(t, tokenText(t), change...))
		again := plan.Reopening{File: "again.yaml", ID: "payments-2027", Title: own.Title, Date: own.Date.Add(365 * 24 * time.Hour), Purpose: plan.ForImport,
			Expected: plan.Expected{Escrow: [16]byte{1}, Fingerprint: "cmac:0a1b2c3d4e"}}
		drafted, err := own.Reopen(again)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		p := read(t, string(drafted))
		if plan.HasErrors(p.Lint()) {
			t.Errorf("%s: %+v", name, p.Lint())
		}
		if !p.KeptInToken() || fmt.Sprint(*p.Token) != fmt.Sprint(*own.Token) || p.Expected.Escrow != again.Expected.Escrow || p.Targets[0].Import != plan.ImportExisting {
			t.Errorf("%s: got %+v and %+v", name, p.Token, p.Expected)
		}
		for _, purpose := range []plan.Purpose{plan.ForRefresh, plan.ForDestruction} {
			again.Purpose = purpose
			if e, ok := errors.AsType[*plan.SketchError](func() error { _, err := own.Reopen(again); return err }()); !ok || e.Field != "purpose" {
				t.Errorf("%s: to %s: got %v", name, purpose, e)
			}
		}
	}
}
