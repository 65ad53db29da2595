// SPDX-License-Identifier: Apache-2.0

package rehearsal_test

import (
	"crypto/fips140"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/rehearsal"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
)

// play plays a scenario by a plan.
func play(t *testing.T, p *plan.Plan, name string) rehearsal.Outcome {
	t.Helper()
	scenario, ok := rehearsal.Find(name)
	if !ok {
		t.Fatalf("there is no scenario %s", name)
	}
	var last string
	r := rehearsal.Rehearsal{Plan: p, Dir: t.TempDir(), Tool: tool, Observe: func(e rehearsal.Event) {
		if shown, ok := e.(rehearsal.Shown); ok {
			last = shown.Text
		}
	}}
	o, err := r.Play(t.Context(), scenario)
	if err != nil {
		t.Fatalf("%v\nthe last that was shown: %s", err, last)
	}
	for _, problem := range o.Problems {
		t.Error(problem)
	}
	return o
}

const replica = `
  - {id: replica, partition: aws, account: "111122223333", region: us-east-1, key: "arn:aws:kms:us-east-1:111122223333:key/mrk-1234", replica_of: primary, wrapping: {algorithm: RSAES_OAEP_SHA_256, key_spec: RSA_2048}, import: existing, valid_to: never}

# The copy that`

// earlier makes of a plan one that brings back the material of an earlier ceremony.
var earlier = []string{
	"source: drbg ", "source: escrow ", "import: new", "import: existing", "# expected:", "expected:",
	"#   escrow: 32 hexadecimal digits", "  escrow: " + strings.Repeat("0a", 16), "#   fingerprint:", "  fingerprint:",
	"#   material_id: 64 hexadecimal digits", "  material_id: " + strings.Repeat("0a", 32),
}

// TestPlans rehearses by plans for all that can be planned.
func TestPlans(t *testing.T) {
	for name, test := range map[string]struct {
		sketch plan.Sketch
		change []string
	}{
		"multi-Region":          {plan.Sketch{Keys: []string{"arn:aws:kms:eu-central-1:111122223333:key/mrk-1234"}}, []string{"\n\n# The copy that", replica}},
		"HMAC_512, components":  {plan.Sketch{Spec: material.HMAC512, Rehearsal: true}, []string{"source: drbg ", "source: components ", "# components:", "components:"}},
		"RSA_2048, an alias":    {plan.Sketch{Spec: material.RSA2048}, []string{"key: " + keyARN, "key: alias/app"}},
		"ECC_NIST_P256":         {plan.Sketch{Spec: material.ECCNISTP256}, nil},
		"dice, plain Shamir":    {plan.Sketch{}, []string{"dice: none", "dice: required", "scheme: slip39", "scheme: shamir", "mode: form", "mode: print"}},
		"earlier, multi-Region": {plan.Sketch{Keys: []string{"arn:aws:kms:eu-central-1:111122223333:key/mrk-1234"}}, append([]string{"\n\n# The copy that", replica}, earlier...)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := play(t, read(t, draft(t, test.sketch, test.change...)), rehearsal.ByPlan)
			if !strings.HasPrefix(o.Progress, "VERIFIED") || !o.Good {
				t.Errorf("it ends at %s, good %t", o.Progress, o.Good)
			}
		})
	}
}

// TestScenariosByPlan are scenarios that go another way by some plans.
func TestScenariosByPlan(t *testing.T) {
	multi := plan.Sketch{Keys: []string{"arn:aws:kms:eu-central-1:111122223333:key/mrk-1234"}}
	for name, test := range map[string]struct {
		plan *plan.Plan
		want string
	}{
		"wrong-digest-heard": {read(t, draft(t, multi, "\n\n# The copy that", replica)), "VERIFIED 2 of 2"}, // the replica cannot be fetched for yet
		"substitution":       {read(t, draft(t, multi, "\n\n# The copy that", replica)), "WRAPPED 1 of 2"},
		"power-cut":          {read(t, draft(t, plan.Sketch{}, earlier...)), "VERIFIED 1 of 1"}, // nothing is void that was sealed before
		"absent-custodian":   {read(t, draft(t, plan.Sketch{}, "mode: form", "mode: print")), "VERIFIED 1 of 1"},
		"re-import":          {read(t, draft(t, multi, "\n\n# The copy that", replica)), "VERIFIED 2 of 2"},
		"refresh":            {read(t, draft(t, plan.Sketch{Threshold: 3, Count: 3}, "mode: form", "mode: print")), "VERIFIED 1 of 1"}, // one old share is too many
		"destruction":        {read(t, draft(t, plan.Sketch{}, "key: "+keyARN, "key: alias/app", "valid_to: never   #", "valid_to: 2027-11-01T00:00:00Z   #")), "DISCARDED 5 of 5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if o := play(t, test.plan, name); o.Progress != test.want {
				t.Errorf("it ends at %s, want %s", o.Progress, test.want)
			}
		})
	}
}

// TestSharesInFiles rehearses new shares where all are files, which age encrypts; it
// does not run where FIPS 140-3 is enforced.
func TestSharesInFiles(t *testing.T) {
	p := read(t, draft(t, plan.Sketch{}, "mode: form", "mode: file"))
	if !fips140.Enforced() {
		if o := play(t, p, "refresh"); o.Progress != "VERIFIED 1 of 1" {
			t.Errorf("it ends at %s", o.Progress)
		}
		return
	}
	scenario, _ := rehearsal.Find("refresh")
	r := rehearsal.Rehearsal{Plan: p, Dir: t.TempDir(), Tool: tool}
	if _, err := r.Play(t.Context(), scenario); !errors.As(err, new(*escrow.FIPSError)) {
		t.Errorf("error %v", err)
	}
}

// reopened is the plan of a later ceremony with the key of an earlier one.
func reopened(t *testing.T, first *plan.Plan, purpose plan.Purpose, oldAndNew ...string) *plan.Plan {
	t.Helper()
	r := plan.Reopening{File: "again.yaml", ID: "payments-2028", Title: "Payments: again", Date: first.Date.AddDate(2, 0, 0), Purpose: purpose}
	r.Expected.Fingerprint, r.Expected.MaterialID = "cmac:0a1b2c3d4e", strings.Repeat("0a", 32)
	drafted, err := first.Reopen(r)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, strings.NewReplacer(oldAndNew...).Replace(string(drafted)))
}

// TestLaterPlans rehearses by plans for new shares and for a destruction, which name
// no KMS key, or one that nothing is brought into.
func TestLaterPlans(t *testing.T) {
	first := read(t, draft(t, plan.Sketch{}, "mode: form", "mode: print"))
	keyed := rehearsal.Practice{Keys: map[string]ssh.PublicKey{}}
	for _, who := range first.People {
		keyed.Keys[who.ID], _ = publicKey(t, who.ID)
	}
	first, err := keyed.Plan(first)
	if err != nil {
		t.Fatal(err)
	}
	refresh, destroy := reopened(t, first, plan.ForRefresh), reopened(t, first, plan.ForDestruction)
	everybody := reopened(t, first, plan.ForRefresh, "threshold: 2", "threshold: 3")
	lostOne := reopened(t, first, plan.ForRefresh, "    - {share: 2, custodian: custodian-2, mode: print, site: safe-2}\n    - {share: 3, custodian: custodian-3, mode: print, site: safe-3}\n\ntargets",
		"    - {share: 3, custodian: custodian-3, mode: print, site: safe-3}\n\ntargets")
	for name, test := range map[string]struct {
		plan     *plan.Plan
		scenario string
		want     string
	}{
		"refresh, power-cut":        {refresh, "power-cut", "CLOSED"},
		"refresh, misread-share":    {everybody, "misread-share", "CLOSED"},
		"refresh, damaged-copy":     {refresh, "damaged-copy", "CLOSED"},
		"refresh, absent-custodian": {everybody, "absent-custodian", "CLOSED"},
		"refresh, a share is lost":  {lostOne, rehearsal.ByPlan, "CLOSED"},
		"destruction":               {destroy, rehearsal.ByPlan, "DISCARDED 5 of 5"},
		"destruction, power-cut":    {destroy, "power-cut", "DISCARDED 5 of 5"},
		"material brought back":     {reopened(t, first, plan.ForImport), rehearsal.ByPlan, "VERIFIED 1 of 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if o := play(t, test.plan, test.scenario); o.Progress != test.want || !o.Good {
				t.Errorf("it ends at %s, good %t, want %s", o.Progress, o.Good, test.want)
			}
		})
	}
}

func TestMisfit(t *testing.T) {
	first := read(t, draft(t, plan.Sketch{}))
	plans := map[string]*plan.Plan{
		"first": first, "later": read(t, draft(t, plan.Sketch{}, earlier...)),
		"refresh": reopened(t, first, plan.ForRefresh), "destroy": reopened(t, first, plan.ForDestruction),
	}
	want := map[string][]string{ // of those that do not fit everywhere
		"by-plan": {"first", "later", "refresh", "destroy"}, "power-cut": {"first", "later", "refresh", "destroy"},
		"re-import": {"first"}, "refresh": {"first"}, "destruction": {"first"},
		"absent-custodian": {"first", "refresh"}, "misread-share": {"first", "refresh"}, "damaged-copy": {"first", "refresh"},
	}
	for _, s := range rehearsal.Scenarios() {
		fits := []string{}
		for _, name := range []string{"first", "later", "refresh", "destroy"} {
			if s.Misfit(plans[name]) == "" {
				fits = append(fits, name)
			}
		}
		expected, ok := want[s.Name]
		if !ok {
			expected = []string{"first", "later"}
		}
		if !slices.Equal(fits, expected) {
			t.Errorf("%s fits the plans %q, want %q", s.Name, fits, expected)
		}
		if s.Happens == "" || s.Should == "" {
			t.Errorf("%s says nothing", s.Name)
		}
	}
}
