// SPDX-License-Identifier: Apache-2.0

package chain

import (
	"bytes"
	"crypto/sha256"
	"fmt"
)

// MaxFile is the largest chain in bytes that is looked at.
const MaxFile = 16 << 20

// A Fault is one thing that is wrong with a record.
type Fault struct {
	Line int    `json:"line"` // from 1; 0 for the record as a whole
	What string `json:"what"`
}

// String is such as "line 3: cut off".
func (f Fault) String() string {
	if f.Line == 0 {
		return f.What
	}
	return fmt.Sprintf("line %d: %s", f.Line, f.What)
}

// A FaultError says that a record does not verify.
type FaultError struct {
	Faults []Fault // at least one
}

func (e *FaultError) Error() string {
	if more := len(e.Faults) - 1; more > 0 {
		return fmt.Sprintf("the record is damaged: %s (and %d more)", e.Faults[0], more)
	}
	return "the record is damaged: " + e.Faults[0].String()
}

// A Chain is what was read.
type Chain[E any] struct {
	Entries []Entry[E] // of the lines that could be read
	Lines   int        // all that end in a newline
	Last    Digest     // of the last line, without its newline
	Faults  []Fault    // in the order of the lines
}

// A Look says what is wrong with an event in its place: the line counts from 1.
type Look[E any] func(line int, event E) (faults []string)

// Read reads a record and says where it was changed: bytes, or lines that are
// missing, added or moved. look is shown the events in their order. What was
// changed consistently does not show, and neither do lines that are missing at
// the end. There is always a chain, of what could be read.
func (f Form[E]) Read(record []byte, look Look[E]) *Chain[E] {
	lines, tail := split(record)
	c := f.check(lines, look)
	if len(record) > MaxFile {
		c.fault(0, "larger than %d bytes", MaxFile)
	}
	if len(tail) > 0 {
		c.fault(c.Lines+1, "cut off: it does not end in a newline")
	}
	return c
}

func (c *Chain[E]) fault(line int, format string, args ...any) {
	c.Faults = append(c.Faults, Fault{line, fmt.Sprintf(format, args...)})
}

// split gives the lines that end in a newline, without it, and what follows
// them.
func split(record []byte) (lines [][]byte, tail []byte) {
	lines = bytes.Split(record, []byte("\n"))
	return lines[:len(lines)-1], lines[len(lines)-1]
}

// check reads whole lines.
func (f Form[E]) check(lines [][]byte, look Look[E]) *Chain[E] {
	c := &Chain[E]{Lines: len(lines)}
	if len(lines) == 0 {
		c.fault(0, "the record is empty")
	}
	entries, errs := make([]Entry[E], len(lines)), make([]error, len(lines))
	for i, text := range lines {
		entries[i], errs[i] = f.Decode(text)
	}
	void := f.torn(lines, entries, errs)
	shift := 0 // of the numbers in the lines, by those that are missing or added
	for i, text := range lines {
		switch {
		case void[i]: // whatever it says, it was not written whole
		case errs[i] != nil:
			c.fault(i+1, "%v", errs[i])
		default:
			shift = c.follow(i, shift, entries[i])
			if _, ok := f.Torn(entries[i].Event); ok && (i == 0 || !void[i-1]) {
				c.fault(i+1, "it tells of lines that were cut off, but those before it are not they")
			}
			for _, what := range look(i+1, entries[i].Event) {
				c.fault(i+1, "%s", what)
			}
		}
		c.Last = sha256.Sum256(text)
	}
	return c
}

// torn finds the lines that a later one says were cut off.
func (f Form[E]) torn(lines [][]byte, entries []Entry[E], errs []error) []bool {
	void := make([]bool, len(lines))
	for i, e := range entries {
		if errs[i] != nil {
			continue
		}
		r, ok := f.Torn(e.Event)
		if !ok || r.TornLines < 1 || r.TornLines > i {
			continue
		}
		if from := i - r.TornLines; from > 0 && r == resumedAfter(lines[from-1], lines[from:i]) {
			for j := from; j < i; j++ {
				void[j] = true
			}
		}
	}
	return void
}

// resumedAfter tells of lines that were cut off after the line last.
func resumedAfter(last []byte, torn [][]byte) Resumed {
	all := bytes.Join(torn, []byte("\n"))
	return Resumed{len(torn), len(all), sha256.Sum256(all), sha256.Sum256(last)}
}

// follow checks an entry against its place, c.Last being the digest of the line
// before, and returns the new shift.
func (c *Chain[E]) follow(i, shift int, e Entry[E]) int {
	n := i + 1
	switch expected := i + shift; {
	case e.Seq > expected:
		c.fault(n, "it says that %d lines come before it, but there are %d: %s missing or moved", e.Seq, expected, plural(e.Seq-expected))
	case e.Seq < expected:
		c.fault(n, "it says that %d lines come before it, but there are %d: %s added or moved", e.Seq, expected, plural(expected-e.Seq))
	case e.Prev != c.Last:
		c.fault(n, "its prev is not the digest of line %d: that line was changed, or another stood before this one", i)
	}
	c.Entries = append(c.Entries, e)
	return e.Seq - i
}

func plural(n int) string {
	if n == 1 {
		return "1 is"
	}
	return fmt.Sprintf("%d are", n)
}
