// SPDX-License-Identifier: Apache-2.0

package phase

import (
	"cmp"

	"github.com/keymat/keymat/ceremony/plan"
)

// Expected is what a later ceremony expects of the material: the escrow that brings
// it back, its fingerprint, and KMS's name for it where that is known. ok is false
// if nothing brings it back.
func (s *State) Expected() (e plan.Expected, ok bool) {
	kept, ok := s.Kept()
	if !ok || e.Escrow.UnmarshalText([]byte(kept.ID)) != nil {
		return plan.Expected{}, false
	}
	e.Fingerprint = kept.Fingerprint
	if s.plan.Expected != nil {
		e.MaterialID = s.plan.Expected.MaterialID
	}
	for _, t := range s.targets {
		e.MaterialID = cmp.Or(e.MaterialID, t.MaterialID)
	}
	return e, true
}
