// SPDX-License-Identifier: Apache-2.0

// Package journal remembers on disk what a run on many keys was about to do
// and what became of it, so that the next run knows what has to be looked at
// before it is repeated.
//
// A journal is a file of JSON lines, which are only ever added. The first says
// what the file is, and each other one is an [Entry]. A lock beside it, which
// ends with its process, keeps runs apart.
package journal

import (
	"encoding/json"
	"fmt"
	"time"
)

// The form of the file.
const (
	kind    = "keymat/fleet-journal"
	version = 1

	maxLine = 64 << 10 // bytes
)

// header is the first line.
type header struct {
	Kind    string `json:"kind"`
	Version int    `json:"version"`
}

// Outcome says what became of a step.
type Outcome string

// The outcomes. An entry without one is an intent: from then on the step may
// have happened.
const (
	Intent    Outcome = ""
	Made      Outcome = "made"      // a key is there, of which the step is not done
	Done      Outcome = "done"      // the step has its effect
	Unchanged Outcome = "unchanged" // it had it before
	Failed    Outcome = "failed"    // it certainly has no effect
	Unknown   Outcome = "unknown"   // it ended, and may have its effect
)

// Entry is one line. Of Run, Torn and Change one is set.
type Entry struct {
	At time.Time `json:"at"` // UTC, by this machine's clock

	Run  *Run `json:"run,omitempty"`  // a run on a plan begins; what follows is its
	Torn int  `json:"torn,omitempty"` // so many bytes of a line that was cut short were found, and cut off

	Change   string  `json:"change,omitempty"` // name of the key in the manifest
	Step     int     `json:"step"`             // of the change, from 0
	Do       string  `json:"do,omitempty"`
	Outcome  Outcome `json:"outcome,omitempty"`
	Key      string  `json:"key,omitempty"` // its ARN, once it is known
	Material string  `json:"material,omitempty"`
	Error    string  `json:"error,omitempty"`
}

// Run is what a run works on.
type Run struct {
	Plan     string `json:"plan"` // its ID
	Manifest string `json:"manifest_sha256"`
	Changes  int    `json:"changes"`
}

// MarshalJSON leaves out the step of what is no step.
func (e Entry) MarshalJSON() ([]byte, error) {
	type plain Entry // without methods
	if e.Change != "" {
		return json.Marshal(plain(e))
	}
	return json.Marshal(struct {
		At   time.Time `json:"at"`
		Run  *Run      `json:"run,omitempty"`
		Torn int       `json:"torn,omitempty"`
	}{e.At, e.Run, e.Torn})
}

// A DamagedError says that a file is no journal, or one of a later keymat, or
// has a line that nobody wrote.
type DamagedError struct {
	Path string
	Line int // from 1
	Err  error
}

func (e *DamagedError) Error() string { return fmt.Sprintf("%s:%d: %v", e.Path, e.Line, e.Err) }
func (e *DamagedError) Unwrap() error { return e.Err }

// A LockedError says that another run works with the journal.
type LockedError struct{ Path string }

func (e *LockedError) Error() string { return "another run is at work with " + e.Path }
