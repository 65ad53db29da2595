// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// TestProblems: what should have happened and did not is told, and so is what an
// auditor would find.
func TestProblems(t *testing.T) {
	t.Parallel()
	drafted, err := os.ReadFile("testdata/plan.yaml")
	if err != nil {
		t.Fatal(err)
	}
	own, err := plan.Read(strings.NewReader(string(drafted)))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		disturb func(*stage, *disturbance)
		want    []string
	}{
		"otherwise": {func(_ *stage, d *disturbance) {
			d.incident = true
			d.owe("a flood")
			d.owe("a fire")
			d.met("a fire")
			d.check = func(_ *stage, s *phase.State) []string { return []string{"at " + s.Progress()} }
		}, []string{"this did not happen: a flood", "at VERIFIED 1 of 1", "the ceremony ends at VERIFIED 1 of 1, and not as an incident"}},
		"no signature": {func(s *stage, d *disturbance) {
			d.after = func(task phase.Task) error {
				if task.Step != phase.End || task.Machine != transcript.ImportMachine {
					return nil
				}
				return os.Remove(s.folder(transcript.ImportMachine).Path(evidence.SignatureFile(evidence.HeadFile(2), "witness")))
			}
		}, []string{"import/head-2.json: witness has not signed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := Rehearsal{Plan: own, Dir: t.TempDir()}.Play(t.Context(), Scenario{Name: "a-test", disturb: func(s *stage) *disturbance {
				d := &disturbance{}
				test.disturb(s, d)
				return d
			}})
			if err != nil || !slices.Equal(o.Problems, test.want) || o.Good {
				t.Errorf("good %t, problems %q, error %v", o.Good, o.Problems, err)
			}
		})
	}
}
