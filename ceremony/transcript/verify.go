// SPDX-License-Identifier: Apache-2.0

package transcript

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
)

// MaxFile is the largest record in bytes that is looked at.
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

// A Transcript is a record that was read.
type Transcript struct {
	Opened  Opened
	Entries []Entry // of the lines that could be read
	Lines   int     // all that end in a newline
	Closed  bool    // the last line closes it
	Faults  []Fault // in the order of the lines

	last Digest
}

// Head is what those present sign, of a record that is closed and has no
// faults.
func (t *Transcript) Head() Head { return Head{t.Opened.Ceremony, t.Lines, t.last} }

// Verify reads a record and says where it was changed: bytes, or lines that are
// missing, added or moved. That the end is missing shows only in that it is not
// closed, and what was changed consistently only in its [Head]. There is always
// a transcript, of what could be read.
func Verify(record []byte) *Transcript {
	lines, tail := split(record)
	t := check(lines)
	if len(record) > MaxFile {
		t.fault(0, "larger than %d bytes", MaxFile)
	}
	if len(tail) > 0 {
		t.fault(t.Lines+1, "cut off: it does not end in a newline")
	}
	if !t.Closed {
		t.fault(0, "the record is not closed: lines may be missing at its end")
	}
	return t
}

func (t *Transcript) fault(line int, format string, args ...any) {
	t.Faults = append(t.Faults, Fault{line, fmt.Sprintf(format, args...)})
}

// split gives the lines that end in a newline, without it, and what follows
// them.
func split(record []byte) (lines [][]byte, tail []byte) {
	lines = bytes.Split(record, []byte("\n"))
	return lines[:len(lines)-1], lines[len(lines)-1]
}

// check reads whole lines.
func check(lines [][]byte) *Transcript {
	t := &Transcript{Lines: len(lines)}
	if len(lines) == 0 {
		t.fault(0, "the record is empty")
	}
	entries, errs := make([]Entry, len(lines)), make([]error, len(lines))
	for i, text := range lines {
		entries[i], errs[i] = decode(text)
	}
	void := torn(lines, entries)
	shift := 0 // of the numbers in the lines, by those that are missing or added
	for i, text := range lines {
		switch {
		case void[i]: // whatever it says, it was not written whole
		case errs[i] != nil:
			t.fault(i+1, "%v", errs[i])
		default:
			shift = t.follow(i, shift, entries[i])
			t.checkEvent(i+1, entries[i], i > 0 && void[i-1])
		}
		t.last = sha256.Sum256(text)
	}
	return t
}

// torn finds the lines that a later one says were cut off.
func torn(lines [][]byte, entries []Entry) []bool {
	void := make([]bool, len(lines))
	for i, e := range entries {
		r, ok := e.Event.(Resumed)
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

// follow checks an entry against its place, t.last being the digest of the line
// before, and returns the new shift.
func (t *Transcript) follow(i, shift int, e Entry) int {
	n := i + 1
	switch expected := i + shift; {
	case e.Seq > expected:
		t.fault(n, "it says that %d lines come before it, but there are %d: %s missing or moved", e.Seq, expected, plural(e.Seq-expected))
	case e.Seq < expected:
		t.fault(n, "it says that %d lines come before it, but there are %d: %s added or moved", e.Seq, expected, plural(expected-e.Seq))
	case e.Prev != t.last:
		t.fault(n, "its prev is not the digest of line %d: that line was changed, or another stood before this one", i)
	}
	t.Entries = append(t.Entries, e)
	return e.Seq - i
}

func plural(n int) string {
	if n == 1 {
		return "1 is"
	}
	return fmt.Sprintf("%d are", n)
}

// checkEvent checks what only certain lines may say.
func (t *Transcript) checkEvent(n int, e Entry, afterTorn bool) {
	if t.Closed {
		t.fault(n, "it comes after the record was closed")
	}
	opened, opens := e.Event.(Opened)
	switch {
	case opens && n > 1:
		t.fault(n, "a record is opened in its first line only")
	case opens && (opened.Kind != Kind || opened.Version != version):
		t.fault(n, "%+q version %d, want %s version %d", strings.ToValidUTF8(opened.Kind, "?"), opened.Version, Kind, version)
	case opens:
		t.Opened = opened
	case n == 1:
		t.fault(n, "a record begins with the event open")
	}
	switch event := e.Event.(type) {
	case Resumed:
		if !afterTorn {
			t.fault(n, "it tells of lines that were cut off, but those before it are not they")
		}
	case Closed:
		if event.Lines != n {
			t.fault(n, "it closes a record of %d lines", event.Lines)
		}
		t.Closed = true
	}
}
