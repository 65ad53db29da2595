// SPDX-License-Identifier: Apache-2.0

package register

import (
	"fmt"
	"time"

	"github.com/keymat/keymat/ceremony/chain"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
)

// Kind is the "kind" that the first line of a register names.
const Kind = "keymat/register"

const version = 1

// An Event is what a line tells of: one of the types below.
type Event interface{ event() string }

// Name is what an event is called in its line, such as "add".
func Name(e Event) string { return e.event() }

// Opened begins a register.
type Opened struct {
	Kind         string `json:"kind"`    // [Kind]
	Version      int    `json:"version"` // 1
	Organisation string `json:"organisation"`
}

// Added says what the evidence of a ceremony shows of a key: of a new one, or of
// one whose escrow the ceremony began with. [Describe] makes it.
type Added struct {
	Key         string        `json:"key"`      // ID in the register
	Ceremony    string        `json:"ceremony"` // ID
	Purpose     plan.Purpose  `json:"purpose"`
	Head        chain.Digest  `json:"head"` // of its last record
	Title       string        `json:"title"`
	KeySpec     material.Spec `json:"key_spec"`
	Usage       plan.Usage    `json:"usage"`
	Fingerprint string        `json:"fingerprint"`
	From        string        `json:"from"`            // ID of the escrow that the ceremony began with, "" for none
	Escrow      Escrow        `json:"escrow,omitzero"` // that brings the key back from now on; zero for none
	Held        []Held        `json:"held"`            // KMS keys that the ceremony brought the material into
	State       State         `json:"state"`           // of the key from now on
}

// An Escrow is a recoverable copy, and the set of shares that opens it; or a key in a
// token, which has no shares.
type Escrow struct {
	ID        string         `json:"id"`               // 32 hexadecimal digits
	Profile   escrow.Profile `json:"profile,omitzero"` // "" for a key in a token, as all that follows
	Scheme    escrow.Scheme  `json:"scheme,omitzero"`
	Threshold int            `json:"threshold"` // shares that open it
	Count     int            `json:"count"`     // shares that there are
}

// InToken reports whether it is a key in a token.
func (e Escrow) InToken() bool { return e.ID != "" && e.Threshold == 0 }

// String says what it is and what brings the key back from it.
func (e Escrow) String() string {
	if e.InToken() {
		return "a token, as the key " + e.ID
	}
	return fmt.Sprintf("the escrow %s, which %d of %d shares open", e.ID, e.Threshold, e.Count)
}

// Held says that a KMS key holds the material.
type Held struct {
	ARN        string    `json:"arn"` // of the key, or of the alias that the plan names it by
	MaterialID string    `json:"material_id"`
	ValidTo    time.Time `json:"valid_to,omitzero"` // when KMS forgets the material, UTC; zero for never
}

// Scheduled sets until when a key does what. What is zero has no end.
type Scheduled struct {
	Key        string    `json:"key"`
	Protects   time.Time `json:"protects_until,omitzero"` // the end of its originator-usage period (SP 800-57 part 1, 5.3.6), UTC
	Review     time.Time `json:"review,omitzero"`         // UTC
	DrillEvery int       `json:"drill_every_days"`        // 0 for never
	Reason     string    `json:"reason"`
}

// Moved says that a key went into another state.
type Moved struct {
	Key    string    `json:"key"`
	From   State     `json:"from"`
	To     State     `json:"to"`
	On     time.Time `json:"on"` // when it was so, UTC: a compromise may be found out later
	Reason string    `json:"reason"`
}

// Drilled tells of a drill with the escrow of a key.
type Drilled struct {
	Key     string              `json:"key"`
	Escrow  string              `json:"escrow"`
	At      time.Time           `json:"at"` // UTC
	By      string              `json:"by"` // as the drill's record has it
	Verdict escrow.DrillVerdict `json:"verdict"`
	KMS     string              `json:"kms"`    // ARN of the key it was compared with, "" for none
	SHA256  chain.Digest        `json:"sha256"` // of the drill's record
}

// resumed tells of lines that were cut off.
type resumed chain.Resumed

func (Opened) event() string    { return "open" }
func (Added) event() string     { return "add" }
func (Scheduled) event() string { return "schedule" }
func (Moved) event() string     { return "state" }
func (Drilled) event() string   { return "drill" }
func (resumed) event() string   { return "resume" }

func form() chain.Form[Event] {
	return chain.Form[Event]{
		Events: func() []Event {
			return []Event{&Opened{}, &Added{}, &Scheduled{}, &Moved{}, &Drilled{}, &resumed{}}
		},
		Name:    Name,
		Resumed: func(r chain.Resumed) Event { return resumed(r) },
		Torn: func(e Event) (chain.Resumed, bool) {
			r, ok := e.(resumed)
			return chain.Resumed(r), ok
		},
	}
}
