// SPDX-License-Identifier: Apache-2.0

package register

import (
	"slices"
	"time"

	"github.com/keymat/keymat/ceremony/plan"
)

// A Retired is an escrow that another has taken the place of, and that is not known
// to be destroyed: whoever has a copy and enough of its shares opens it.
type Retired struct {
	Escrow string    `json:"escrow"` // ID
	At     time.Time `json:"at"`     // when its successor was added, UTC
}

// discardWithin is how many days people have to destroy an escrow that was replaced.
const discardWithin = 30

// Retired are the escrows of the key that no ceremony has destroyed, but for the one
// that brings it back: the earliest first.
func (k *Key) Retired() (all []Retired) {
	for _, line := range k.History {
		a, ok := line.Event.(Added)
		switch {
		case !ok:
		case a.Purpose == plan.ForRefresh:
			all = append(all, Retired{a.From, line.Time})
		case a.Purpose == plan.ForDestruction:
			all = slices.DeleteFunc(all, func(r Retired) bool { return r.Escrow == a.From })
		}
	}
	return all
}
