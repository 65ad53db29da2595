// SPDX-License-Identifier: Apache-2.0

package phase_test

import (
	"slices"
	"testing"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// TestPowerCutAnywhere cuts the power after each line: then either the material
// is recoverable, or nothing is left to do with it but to say that it is void,
// and KMS never has what people do not.
func TestPowerCutAnywhere(t *testing.T) {
	p := agreed(t)
	refresh := reopened(t, plan.ForRefresh)
	for _, ceremony := range []struct {
		plan  *plan.Plan
		story []move
	}{{p, sameDay(p)}, {p, twoDay(p)}, {refresh, renewal(refresh)}} {
		for n := range ceremony.story {
			s := after(t, ceremony.plan, ceremony.story[:n+1])
			if s.InMemory() {
				if err := s.Apply(power.event, power.actors); err != nil {
					t.Fatal(err)
				}
			}
			kept := slices.ContainsFunc(s.Escrows(), func(e phase.Escrow) bool { return e.Condition == phase.Kept })
			imported := slices.ContainsFunc(s.Targets(), func(target phase.Target) bool { return target.MaterialID != "" })
			here := s.Next(transcript.OfflineMachine).Here
			void := len(here) == 1 && here[0].Step == phase.VoidLost
			if made := s.Fingerprint() != ""; made && kept == void && ceremony.plan.Purpose == plan.ForImport {
				t.Errorf("%d lines, %s: recoverable is %t, and the agenda %v", n+1, s.Progress(), kept, here)
			}
			if imported && !kept {
				t.Errorf("%d lines: KMS alone has the material", n+1)
			}
			if ceremony.plan.Purpose == plan.ForRefresh && !kept {
				t.Errorf("%d lines, %s: neither the old shares nor the new ones are good for anything", n+1, s.Progress())
			}
			if void && ceremony.plan.Purpose == plan.ForImport {
				goesOn(t, s, here[0])
			}
		}
	}
}

// goesOn follows the agenda from a loss to new material.
func goesOn(t *testing.T, s *phase.State, task phase.Task) {
	t.Helper()
	if err := s.Apply(transcript.Voided{Escrow: task.Escrow, Material: true, Reason: "power"}, task.People); err != nil {
		t.Error(err)
	}
	if here := s.Next(transcript.OfflineMachine).Here; len(here) == 0 || here[0].Step != phase.Generate {
		t.Errorf("after a loss comes %v", here)
	}
}
