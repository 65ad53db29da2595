// SPDX-License-Identifier: Apache-2.0

package cmd_test

import (
	"strings"
	"testing"

	"github.com/keymat/keymat/lab"
)

// TestLessonsWithKeymat types what each lesson shows as the way with keymat.
func TestLessonsWithKeymat(t *testing.T) {
	for _, l := range lab.Lessons() {
		t.Run(l.Name, func(t *testing.T) {
			t.Parallel()
			var script strings.Builder
			script.WriteString("set -e\n")
			for _, s := range l.Steps {
				for _, line := range s.Keymat {
					// Deletion asks, and there is nobody to answer.
					script.WriteString(strings.Replace(line, "keymat delete-material", "keymat --yes delete-material", 1) + "\n")
				}
			}
			script.WriteString("echo all of it\n")
			if out := newShell(t)(script.String()); !strings.HasSuffix(out, "all of it\n") {
				t.Errorf("%s\n%s", script.String(), out)
			}
		})
	}
}
