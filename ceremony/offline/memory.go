// SPDX-License-Identifier: Apache-2.0

package offline

import (
	"runtime"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
)

// memory is all that is secret, and what goes with it.
type memory struct {
	material *material.Material
	file     *escrow.File   // whose shares are being dealt
	encoded  []byte         // as it was written
	shares   []escrow.Share // all of them, until they are sealed
	tried    map[string]int // by copy: how many media it was written to
	seal     []byte         // the seal record, once it was made
}

// share is the one with a number, from 1.
func (h *memory) share(number int) (escrow.Share, bool) {
	for _, s := range h.shares {
		if s.Index == number {
			return s, true
		}
	}
	return escrow.Share{}, false
}

// key gives the key of the escrow, from the shares that are still here.
func (h *memory) key() (material.Secret, error) {
	return h.file.Combine(h.shares[:h.file.Shares.Threshold])
}

// forgetShares overwrites the shares, and so the key.
func (h *memory) forgetShares() {
	for _, s := range h.shares {
		s.Destroy()
	}
	h.file, h.encoded, h.shares, h.tried, h.seal = nil, nil, nil, nil, nil
}

// forget overwrites everything, and has the runtime erase what it knows of, see
// [material.Erasing].
func (h *memory) forget() {
	h.forgetShares()
	if h.material != nil {
		h.material.Destroy()
		h.material = nil
	}
	runtime.GC()
}
