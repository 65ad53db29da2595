// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"slices"
	"strings"
	"time"
)

// The form of the file.
const (
	kind    = "keymat/ledger"
	version = 1
	suffix  = ".jsonl"
)

// lockOf is the name of the lock of the ledger at path. A file of its own, for
// where a lock keeps also its holder from writing through another handle.
func lockOf(path string) string { return strings.TrimSuffix(path, suffix) + ".lock" }

// A firstLine says what the file is.
type firstLine struct {
	Kind    string `json:"kind"`
	Version int    `json:"version"`
	Header
}

// A line is any other: one of its members is set.
type line struct {
	Making   string `json:"making,omitempty"`   // a Region
	NotMade  string `json:"not_made,omitempty"` // a Region
	Made     string `json:"made,omitempty"`     // an ARN
	Gone     string `json:"gone,omitempty"`     // an ARN
	Searched string `json:"searched,omitempty"` // a Region
	Moving   span   `json:"moving,omitempty"`
}

// follow brings up to date what is left.
func (l *Ledger) follow(n line) {
	left := &l.left
	switch {
	case n.Making != "":
		left.Unknown[n.Making]++
	case n.NotMade != "":
		left.known(n.NotMade)
	case n.Made != "":
		left.known(regionOf(n.Made))
		left.Keys = append(left.Keys, n.Made)
		l.made[n.Made] = true
	case n.Gone != "":
		left.Keys = slices.DeleteFunc(left.Keys, func(arn string) bool { return arn == n.Gone })
	case n.Searched != "":
		delete(left.Unknown, n.Searched)
	}
	left.Moved += time.Duration(n.Moving)
}

// known ends the doubt about one call in a Region.
func (l *Left) known(region string) {
	if l.Unknown[region]--; l.Unknown[region] <= 0 {
		delete(l.Unknown, region)
	}
}

// regionOf reads the Region out of "arn:aws:kms:us-east-1:111122223333:key/…".
func regionOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 5); len(parts) == 5 {
		return parts[3]
	}
	return ""
}

// A span is a duration as text, such as "24h0m0s".
type span time.Duration

// MarshalText implements [encoding.TextMarshaler].
func (s span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*s = span(d)
	return err
}
