// SPDX-License-Identifier: Apache-2.0

package transcript

import (
	"fmt"
	"strings"
)

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
	t := &Transcript{}
	c := form().Read(record, t.look)
	t.Entries, t.Lines, t.Faults, t.last = c.Entries, c.Lines, c.Faults, c.Last
	if !t.Closed {
		t.Faults = append(t.Faults, Fault{What: "the record is not closed: lines may be missing at its end"})
	}
	return t
}

// look checks what only certain lines may say.
func (t *Transcript) look(n int, e Event) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if t.Closed {
		fault("it comes after the record was closed")
	}
	opened, opens := e.(Opened)
	switch {
	case opens && n > 1:
		fault("a record is opened in its first line only")
	case opens && (opened.Kind != Kind || opened.Version != version):
		fault("%+q version %d, want %s version %d", strings.ToValidUTF8(opened.Kind, "?"), opened.Version, Kind, version)
	case opens:
		t.Opened = opened
	case n == 1:
		fault("a record begins with the event open")
	}
	if closed, closes := e.(Closed); closes {
		if closed.Lines != n {
			fault("it closes a record of %d lines", closed.Lines)
		}
		t.Closed = true
	}
	return faults
}
