// SPDX-License-Identifier: Apache-2.0

package rehearsal_test

import (
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/rehearsal"
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
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if o := play(t, test.plan, name); o.Progress != test.want {
				t.Errorf("it ends at %s, want %s", o.Progress, test.want)
			}
		})
	}
}

func TestFits(t *testing.T) {
	dealing, later := read(t, draft(t, plan.Sketch{})), read(t, draft(t, plan.Sketch{}, earlier...))
	for _, s := range rehearsal.Scenarios() {
		deals := s.Name == "absent-custodian" || s.Name == "misread-share" || s.Name == "damaged-copy"
		if !s.Fits(dealing) || s.Fits(later) == deals {
			t.Errorf("%s fits a plan that deals shares: %t, one that does not: %t", s.Name, s.Fits(dealing), s.Fits(later))
		}
		if s.Happens == "" || s.Should == "" {
			t.Errorf("%s says nothing", s.Name)
		}
	}
}
