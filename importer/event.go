// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"time"

	"github.com/keymat/keymat/token"
)

// Event is something that happened on the way, for whoever tells the story.
// The set is closed: Created, Replicated, AliasMoved, Fetched, Imported,
// Confirmed, Rotating, Waiting, LostAnswer.
type Event interface{ event() }

// Created reports a new KMS key, and its alias if one was asked for.
type Created struct {
	Key   Key
	Alias string
}

// Replicated reports a new copy of a multi-Region key in another Region.
type Replicated struct{ Key Key }

// AliasMoved reports that an alias names another key now.
type AliasMoved struct{ Alias, From, To string }

// Fetched reports checked import parameters.
type Fetched struct{ Parameters *token.Parameters }

// Imported reports material that KMS has taken.
type Imported struct{ Receipt Receipt }

// Confirmed reports what a confirmation showed.
type Confirmed struct{ Proof Proof }

// Rotating reports that KMS rotates the key to a material: it was asked to just
// now, or Since says when it was asked before.
type Rotating struct {
	KeyARN, MaterialID string
	Since              time.Time // UTC; zero when asked just now
}

// Waiting reports that KMS does not yet show what it has already accepted: it
// is eventually consistent. It comes again now and then while the wait lasts.
type Waiting struct {
	For     string        // what is being waited for
	Bound   time.Duration // at most this long
	Elapsed time.Duration // zero when the wait begins
}

// LostAnswer reports that a call ended without an answer, so that its effect
// has to be looked for before anything is repeated.
type LostAnswer struct {
	Operation string
	Err       error
}

func (Created) event()    {}
func (Replicated) event() {}
func (AliasMoved) event() {}
func (Fetched) event()    {}
func (Rotating) event()   {}
func (Imported) event()   {}
func (Confirmed) event()  {}
func (Waiting) event()    {}
func (LostAnswer) event() {}
