// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"
)

// A Form is a kind of chain: what its lines tell of.
type Form[E any] struct {
	Events  func() []E              // a pointer to an empty event of each type, to read into
	Name    func(E) string          // of an event, in its line
	Resumed func(Resumed) E         // the event that tells of lines that were cut off
	Torn    func(E) (Resumed, bool) // what such an event tells
}

// An Entry is one line.
type Entry[E any] struct {
	Seq  int
	Prev Digest
	Time time.Time // UTC, to the millisecond
	Context
	Event E
}

// A Context says of an event when, where in the script and by whom.
type Context struct {
	Wall   string   // what a witness read off the wall clock, "" for nobody
	Step   string   // "" for none
	Actors []string // IDs of people
}

// Resumed says that lines before it were cut off, and do not count. There is
// more than one when writing this line was cut off, too.
type Resumed struct {
	TornLines  int    `json:"torn_lines"`
	TornBytes  int    `json:"torn_bytes"`  // with the newlines between them
	TornSHA256 Digest `json:"torn_sha256"` // of those bytes
	After      Digest `json:"after"`       // of the line before them, which they may have been too short to bind
}

// line is an entry in the order of its members.
type line struct {
	Seq    int             `json:"seq"`
	Prev   Digest          `json:"prev"`
	Time   time.Time       `json:"time"`
	Wall   string          `json:"wall,omitempty"`
	Step   string          `json:"step,omitempty"`
	Actors []string        `json:"actors"`
	Event  string          `json:"event"`
	Data   json.RawMessage `json:"data"`
}

// MaxLine is the longest line in bytes.
const MaxLine = 16 << 10

// Encode gives the one form of an entry, without a newline.
func (f Form[E]) Encode(e Entry[E]) ([]byte, error) {
	data, err := JSON(e.Event)
	if err != nil {
		return nil, err
	}
	actors := e.Actors
	if actors == nil {
		actors = []string{}
	}
	encoded, err := JSON(line{e.Seq, e.Prev, e.Time, e.Wall, e.Step, actors, f.Name(e.Event), data})
	if err == nil && len(encoded) > MaxLine {
		err = fmt.Errorf("%d bytes are too much for a line of a record, which has at most %d", len(encoded), MaxLine)
	}
	return encoded, err
}

// JSON writes a value on one line, each character as itself.
func JSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Decode reads what Encode gives. Written again, it has to be the same: so no
// member is unknown, missing, given twice or spelt in another way.
func (f Form[E]) Decode(text []byte) (Entry[E], error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return Entry[E]{}, errors.New("not the JSON of a line")
	}
	e := Entry[E]{Seq: l.Seq, Prev: l.Prev, Time: l.Time, Context: Context{l.Wall, l.Step, l.Actors}}
	known := false
	for _, into := range f.Events() {
		if f.Name(into) != l.Event {
			continue
		}
		if err := json.Unmarshal(l.Data, into); err != nil {
			return Entry[E]{}, fmt.Errorf("not the data of the event %s", l.Event)
		}
		e.Event, known = reflect.ValueOf(into).Elem().Interface().(E), true
	}
	if !known {
		return Entry[E]{}, errors.New("an unknown event")
	}
	again, err := f.Encode(e)
	if err != nil || !bytes.Equal(again, text) {
		return Entry[E]{}, errors.New("not written as a line of a record is")
	}
	return e, nil
}

// A Digest is a SHA-256, in text 64 lower-case hexadecimal digits.
type Digest [sha256.Size]byte

// String returns what sha256sum prints.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText is [Digest.String].
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [Digest.MarshalText] gives, and nothing else.
func (d *Digest) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil || len(b) != len(d) || hex.EncodeToString(b) != string(text) {
		return errors.New("not a SHA-256 in hexadecimal")
	}
	copy(d[:], b)
	return nil
}
