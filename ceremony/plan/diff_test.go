// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"crypto/sha256"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/sshsig"
)

func TestDiff(t *testing.T) {
	before := text(t)
	after := with(t, before,
		"threshold: 3", "threshold: 2",
		"roles: [lead]", "roles: [lead, auditor]",
		"  - {id: safe-5, name: Safe 5}\n", "  - {id: safe-6, name: Safe 6}\n",
		"import_margin: 1h ", "import_margin: 90m ",
		"token_min_remaining: 4h ", "token_min_remaining: 4h0m5s ",
		"valid_to: never", "valid_to: 2027-06-01T12:30:00Z")
	got := plan.Diff(read(t, before), read(t, after))
	want := []plan.Change{
		{Path: "targets[primary].valid_to", Before: "never", After: "2027-06-01T12:30:00Z"},
		{Path: "shares.threshold", Before: "3", After: "2"},
		{Path: "sites[safe-5].id", Before: "safe-5"},
		{Path: "sites[safe-5].name", Before: "Safe 5"},
		{Path: "people[lead].roles", Before: "lead", After: "auditor, lead"},
		{Path: "limits.token_min_remaining", Before: "4h", After: "4h0m5s"},
		{Path: "limits.import_margin", Before: "1h", After: "1h30m"},
		{Path: "sites[safe-6].id", After: "safe-6"},
		{Path: "sites[safe-6].name", After: "Safe 6"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

// TestDiffLayout: what says the same is the same, however it is laid out.
func TestDiffLayout(t *testing.T) {
	before := text(t)
	after := with(t, before,
		"import_margin: 1h ", "import_margin: 60m ",
		"plan: [lead, witness]", "plan: [witness, lead]",
		"  - {id: archive-1, name: Archive one}\n  - {id: archive-2, name: Archive two}\n", "  - name: \"Archive two\"\n    id: 'archive-2'\n  - {name: Archive one, id: archive-1} # first\n",
		"max_session: 10h", "max_session: 10h0m0s")
	if got := plan.Diff(read(t, before), read(t, after)); len(got) > 0 {
		t.Errorf("got %+v", got)
	}
}

func TestCheckApprovals(t *testing.T) {
	source := text(t)
	p := read(t, source)
	if got := p.Digest(); got != sha256.Sum256([]byte(source)) {
		t.Errorf("the digest is %x", got)
	}
	sign := func(id, message, namespace string, key ssh.Signer) plan.Signature {
		armoured, err := sshsig.Sign([]byte(message), namespace, key)
		if err != nil {
			t.Fatal(err)
		}
		return plan.Signature{Signer: id, Armoured: armoured}
	}
	lead := sign("lead", source, plan.Namespace, keyOf("lead"))
	witness := sign("witness", source, plan.Namespace, keyOf("witness"))
	for name, test := range map[string]struct {
		signatures []plan.Signature
		want       string // of the last approval
		count      int
	}{
		"all":               {[]plan.Signature{witness, lead}, "", 2},
		"one more":          {[]plan.Signature{witness, lead, sign("importer", source, plan.Namespace, keyOf("importer"))}, "", 3},
		"one missing":       {[]plan.Signature{lead}, "has not signed", 2},
		"somebody unknown":  {[]plan.Signature{lead, witness, sign("mallory", source, plan.Namespace, keyOf("mallory"))}, "is nobody of the plan", 3},
		"another plan":      {[]plan.Signature{lead, sign("witness", source+"\n", plan.Namespace, keyOf("witness"))}, "not a signature of these bytes", 2},
		"another namespace": {[]plan.Signature{lead, sign("witness", source, "file", keyOf("witness"))}, `a signature for "file", want "keymat-plan@v1"`, 2},
		"another's key":     {[]plan.Signature{lead, sign("witness", source, plan.Namespace, keyOf("lead"))}, "signed with the key ", 2},
		"no signature":      {[]plan.Signature{lead, {Signer: "witness", Armoured: []byte("yes")}}, "not one armoured ssh signature", 2},
	} {
		got := p.CheckApprovals(test.signatures)
		if len(got) != test.count {
			t.Errorf("%s: got %+v", name, got)
			continue
		}
		if last := got[len(got)-1]; !strings.HasPrefix(last.Problem, test.want) || plan.Approved(got) != (test.want == "") {
			t.Errorf("%s: got %+v, want %q", name, last, test.want)
		}
	}
	p = read(t, with(t, source, "    key: "+string(ssh.MarshalAuthorizedKey(keyOf("witness").PublicKey())), ""))
	if got := p.CheckApprovals([]plan.Signature{lead, witness}); got[1].Problem != "has no key in the plan" {
		t.Errorf("no key: got %+v", got)
	}
}

func TestAllowedSigners(t *testing.T) {
	got := string(read(t, text(t)).AllowedSigners("one@v1", "two@v1"))
	want := `lead namespaces="one@v1,two@v1" ` + string(ssh.MarshalAuthorizedKey(keyOf("lead").PublicKey()))
	if !strings.HasPrefix(got, want) || strings.Count(got, "\n") != 12 {
		t.Errorf("got %s", got)
	}
}
