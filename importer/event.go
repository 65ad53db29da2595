// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"time"

	"github.com/keymat/keymat/token"
)

// Event is something that happened on the way, for whoever tells the story.
// The set is closed: Created, Fetched, Imported, Confirmed, Waiting, LostAnswer.
type Event interface{ event() }

// Created reports a new KMS key, and its alias if one was asked for.
type Created struct {
	Key   Key
	Alias string
}

// Fetched reports checked import parameters.
type Fetched struct{ Parameters *token.Parameters }

// Imported reports material that KMS has taken.
type Imported struct{ Receipt Receipt }

// Confirmed reports what a confirmation showed.
type Confirmed struct{ Proof Proof }

// Waiting reports that KMS does not yet show what it has already accepted:
// it is eventually consistent.
type Waiting struct {
	For   string        // what is being waited for
	Bound time.Duration // at most this long
}

// LostAnswer reports that a call ended without an answer, so that its effect
// has to be looked for before anything is repeated.
type LostAnswer struct {
	Operation string
	Err       error
}

func (Created) event()    {}
func (Fetched) event()    {}
func (Imported) event()   {}
func (Confirmed) event()  {}
func (Waiting) event()    {}
func (LostAnswer) event() {}
