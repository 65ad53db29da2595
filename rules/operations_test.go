// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/rules"
)

// TestOperations: the permissions that are asked of people are those which each
// experiment needs, and a few that nearly all need.
func TestOperations(t *testing.T) {
	common := rules.Operations(nil)
	for _, r := range rules.All() {
		synctest.Test(t, func(t *testing.T) {
			mock := mockkms.New(mockkms.WithSharedWrappingKeys()) // the verdicts do not matter here
			runner := &rules.Runner{Bench: runBench(mock)}
			runner.Bench.Clock = movable{mock}
			selection := []rules.Rule{r}
			if _, err := runner.Run(t.Context(), selection); err != nil {
				t.Fatal(err)
			}
			called := append(mock.Calls(), common...)
			slices.Sort(called)
			if listed := rules.Operations(selection); !slices.Equal(slices.Compact(called), listed) {
				t.Errorf("%s calls %q\nlisted are %q", r.ID, mock.Calls(), listed)
			}
		})
	}
	all := rules.Operations(rules.All())
	if len(all) < 20 || !slices.IsSorted(all) || len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Errorf("all are %q", all)
	}
}
