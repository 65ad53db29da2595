// SPDX-License-Identifier: Apache-2.0

package transcript

import "github.com/keymat/keymat/ceremony/plan"

// Kind is the "kind" that the first line of a record names.
const Kind = "keymat/transcript"

const version = 1

// An Event is what a line tells of: one of the types below, of the steps of the
// offline machine, or of the receipts of the one that imports.
type Event interface{ event() string }

// Name is what an event is called in its line, such as "confirm".
func Name(e Event) string { return e.event() }

// Opened begins a record.
type Opened struct {
	Kind       string   `json:"kind"`    // [Kind]; set by [Begin]
	Version    int      `json:"version"` // set by [Begin]
	Ceremony   string   `json:"ceremony"`
	PlanSHA256 Digest   `json:"plan_sha256"`
	Approvers  []string `json:"approvers"` // IDs of those whose signatures the plan asks for
	Rehearsal  bool     `json:"rehearsal"`
	Tool       Tool     `json:"tool"`
	Part       Part     `json:"part,omitzero"`
}

// A Tool is the program that wrote a record, as far as it knows itself.
type Tool struct {
	Version    string `json:"version"`
	Revision   string `json:"revision"`
	Go         string `json:"go"`
	Platform   string `json:"platform"`
	FIPSModule string `json:"fips_module"`
	FIPS       bool   `json:"fips"`
	SHA256     Digest `json:"sha256"` // of the executable
}

// Confirmed says that the actors let the ceremony pass a gate.
type Confirmed struct {
	Gate plan.Gate `json:"gate"`
	Text string    `json:"text"` // what they compared or saw
}

// Noted is anything worth telling.
type Noted struct {
	Text  string `json:"text"`
	Files []File `json:"files"` // that it is about
}

// A File is what a file was.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"` // bytes
	SHA256 Digest `json:"sha256"`
}

// An Exception is a departure from the plan or the script.
type Exception struct {
	Expected string `json:"expected"`
	Happened string `json:"happened"`
	Decided  string `json:"decided"`
}

// Resumed says that lines before it were cut off, and do not count. There is
// more than one when writing this line was cut off, too.
type Resumed struct {
	TornLines  int    `json:"torn_lines"`
	TornBytes  int    `json:"torn_bytes"`  // with the newlines between them
	TornSHA256 Digest `json:"torn_sha256"` // of those bytes
	After      Digest `json:"after"`       // of the line before them, which they may have been too short to bind
}

// Closed ends a record.
type Closed struct {
	Lines   int      `json:"lines"`   // with this one
	Signers []string `json:"signers"` // IDs of those whose signatures the plan asks for
}

func (Opened) event() string    { return "open" }
func (Confirmed) event() string { return "confirm" }
func (Noted) event() string     { return "note" }
func (Exception) event() string { return "exception" }
func (Resumed) event() string   { return "resume" }
func (Closed) event() string    { return "close" }

// events makes an empty event of each type, to read into.
func events() []Event {
	return []Event{
		&Opened{}, &Confirmed{}, &Noted{}, &Exception{}, &Resumed{}, &Closed{},
		&Generated{}, &Escrowed{}, &Copied{}, &Issued{}, &ReadBack{}, &Sealed{}, &Recovered{}, &Bundled{}, &Wrapped{},
		&Destroyed{}, &Voided{}, &Interrupted{}, &Retired{}, &Discarded{}, &Attested{},
		&Unlocked{}, &Locked{}, &BackedUp{}, &Entrusted{},
		&Submitted{}, &Refused{}, &Imported{}, &Verified{}, &Forgotten{},
	}
}
