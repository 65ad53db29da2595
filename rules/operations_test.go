// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/rules"
)

// TestOperations: the permissions that are asked of people are those which the
// experiments need.
func TestOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := mockkms.New(mockkms.WithSharedWrappingKeys()) // the verdicts do not matter here
		runner := &rules.Runner{Bench: runBench(mock)}
		runner.Bench.Clock = movable{mock}
		if _, err := runner.Run(t.Context(), rules.All()); err != nil {
			t.Fatal(err)
		}
		called := slices.Compact(slices.Sorted(slices.Values(mock.Calls())))
		if listed := rules.Operations(); !slices.Equal(called, listed) {
			t.Errorf("experiments call %q\nlisted are %q", called, listed)
		}
	})
}
