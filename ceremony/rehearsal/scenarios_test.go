// SPDX-License-Identifier: Apache-2.0

//go:build integration

package rehearsal_test

import (
	"testing"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/rehearsal"
)

func TestScenarios(t *testing.T) {
	p := read(t, draft(t, plan.Sketch{}))
	for _, scenario := range rehearsal.Scenarios() {
		t.Run(scenario.Name, func(t *testing.T) {
			t.Parallel()
			o := play(t, p, scenario.Name)
			want, ok := map[string]string{"substitution": "CLOSED", "destruction": "DISCARDED 5 of 5"}[scenario.Name]
			if !ok {
				want = "VERIFIED 1 of 1"
			}
			if o.Progress != want || !o.Good {
				t.Errorf("it ends at %s, want %s, good %t", o.Progress, want, o.Good)
			}
			t.Logf("%v: %d steps, %d lines in %d records, %d exceptions", o.Took, len(o.Steps), o.Lines, o.Records, len(o.Exceptions))
		})
	}
}
