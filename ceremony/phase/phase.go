// SPDX-License-Identifier: Apache-2.0

package phase

import (
	"fmt"

	"github.com/keymat/keymat/ceremony/plan"
)

// A Phase is how far a ceremony has come.
type Phase int

// The phases, in their order.
const (
	Planned Phase = iota
	Open
	Generated       // in memory alone, or in the token alone
	Escrowed        // sealed, and the shares not all dealt
	SharesIssued    // and not all read back
	SharesConfirmed // all of them read back
	Sealed          // recoverable from what people keep
	Wrapped         // for some targets
	Closed          // wrapped for all targets, and nothing in memory
	Imported        // into some targets
	Verified        // imported into all targets, and seen to be right in some
	Void            // what was made will not be used
	Discarded       // some of what brings the material back is destroyed, or all
)

// String is such as "SHARES_ISSUED".
func (p Phase) String() string {
	names := []string{"PLANNED", "OPEN", "GENERATED", "ESCROWED", "SHARES_ISSUED", "SHARES_CONFIRMED", "SEALED", "WRAPPED", "CLOSED", "IMPORTED", "VERIFIED", "VOID", "DISCARDED"}
	if p < 0 || int(p) >= len(names) {
		return fmt.Sprintf("Phase(%d)", int(p))
	}
	return names[p]
}

// Phase is how far the ceremony has come. While shares are dealt anew, it is as
// far as those are.
func (s *State) Phase() Phase {
	switch w := s.working(); {
	case s.records == 0:
		return Planned
	case w != nil && s.plan.KeptInToken():
		return Generated
	case w != nil && len(w.ReadBack) == s.plan.Shares.Count:
		return SharesConfirmed
	case w != nil && len(w.Issued) == s.plan.Shares.Count:
		return SharesIssued
	case w != nil:
		return Escrowed
	case s.gone() > 0:
		return Discarded
	case !s.sealed() && s.void:
		return Void
	case !s.sealed() && s.made != "":
		return Generated
	case !s.sealed():
		return Open
	}
	return s.phaseOfTargets()
}

func (s *State) phaseOfTargets() Phase {
	all := len(s.targets)
	switch offline := s.open && s.part.Writer() == offlineMachine; {
	case s.plan.Purpose == plan.ForRefresh && !s.replaced():
		return Sealed
	case s.count(Target.imported) == all && s.count(Target.verified) > 0:
		return Verified
	case s.count(Target.imported) > 0:
		return Imported
	case s.count(Target.wrapped) == all && !offline && !s.inMemory:
		return Closed
	case s.count(Target.wrapped) > 0:
		return Wrapped
	}
	return Sealed
}

// Progress is the phase, with how many of the targets have come so far where
// that is of interest: "IMPORTED 1 of 2".
func (s *State) Progress() string {
	has := map[Phase]func(Target) bool{Wrapped: Target.wrapped, Imported: Target.imported, Verified: Target.verified}
	phase := s.Phase()
	if phase == Discarded {
		return fmt.Sprintf("%s %d of %d", phase, s.gone(), len(s.plan.Shares.Holders)+len(s.plan.Escrow.Copies))
	}
	if counted := has[phase]; counted != nil {
		return fmt.Sprintf("%s %d of %d", phase, s.count(counted), len(s.targets))
	}
	return phase.String()
}

func (s *State) count(has func(Target) bool) (n int) {
	for _, t := range s.targets {
		if has(*t) {
			n++
		}
	}
	return n
}

// gone is how many shares and copies are.
func (s *State) gone() (n int) {
	for _, e := range s.escrows {
		n += len(e.Discarded) + len(e.DiscardedCopies)
	}
	return n
}
