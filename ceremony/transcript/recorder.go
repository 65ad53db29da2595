// SPDX-License-Identifier: Apache-2.0

package transcript

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"time"
)

// A Medium is where a record is added to: a file opened for appending.
type Medium interface {
	io.Writer
	Sync() error // returns once what was written has survived a power cut
}

// A MediumError says that a line did not get onto a medium. It may be on others,
// so that the record has to be resumed before anything is added.
type MediumError struct {
	Medium int // position among the media
	Err    error
}

func (e *MediumError) Error() string {
	return fmt.Sprintf("writing the record to medium %d: %v", e.Medium+1, e.Err)
}

func (e *MediumError) Unwrap() error { return e.Err }

// A DivergedError says that two media hold different records.
type DivergedError struct {
	Medium int // position among the media, of one that is not the beginning of the longest
	Line   int // from 1: the first that differs
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("the record on medium %d differs from the longest one at line %d", e.Medium+1, e.Line)
}

// Errors of a [Recorder] that can take no line.
var (
	ErrClosed = errors.New("the record is closed")
	ErrBroken = errors.New("a line was not written whole: resume the record")
)

// A Recorder adds lines to a record, on all its media. It is not for use by
// several goroutines.
type Recorder struct {
	media  []Medium
	now    func() time.Time
	lines  int
	prev   Digest
	opened Opened
	closed bool
	broken bool
	torn   bool
}

// Begin writes the first line of a record to empty media.
func Begin(media []Medium, now func() time.Time, o Opened, c Context) (*Recorder, error) {
	r := &Recorder{media: media, now: now}
	o.Kind, o.Version = Kind, version
	return r, r.Append(o, c)
}

// Resume goes on with a record. contents are what the media hold: those that
// fell behind, as they do in a power cut, are brought up to the longest, and if
// that one ends in a line that was cut off, the next line says so. Errors: a
// [*FaultError] if the record does not verify so far, [*DivergedError],
// [*MediumError].
func Resume(media []Medium, contents [][]byte, now func() time.Time) (*Recorder, error) {
	longest := 0
	for i, content := range contents {
		if len(content) > len(contents[longest]) {
			longest = i
		}
	}
	record := contents[longest]
	for i, content := range contents {
		if !bytes.HasPrefix(record, content) {
			return nil, &DivergedError{i, firstDifference(record, content)}
		}
	}
	lines, tail := split(record)
	whole := len(lines)
	for whole > 0 && !readable(lines[whole-1]) { // of an earlier attempt to resume
		whole--
	}
	t := check(lines[:whole])
	if len(t.Faults) > 0 {
		return nil, &FaultError{t.Faults}
	}
	r := &Recorder{media: media, now: now, lines: t.Lines, prev: t.last, opened: t.Opened, closed: t.Closed}
	for i, content := range contents {
		if err := r.add(i, record[len(content):]); err != nil {
			return nil, err
		}
	}
	before := ""
	torn := lines[whole:]
	if len(tail) > 0 {
		torn, before = append(torn, tail), "\n"
	}
	if len(torn) == 0 {
		return r, nil
	}
	r.torn = true
	r.lines, r.prev = r.lines+len(torn), sha256.Sum256(torn[len(torn)-1])
	return r, r.append(resumedAfter(lines[whole-1], torn), Context{}, before)
}

func readable(line []byte) bool {
	_, err := decode(line)
	return err == nil
}

// firstDifference is the line, from 1, in which two records differ.
func firstDifference(a, b []byte) int {
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	return bytes.Count(a[:at], []byte("\n")) + 1
}

// Opened is what the record began with.
func (r *Recorder) Opened() Opened { return r.opened }

// Resumed reports whether [Resume] found lines that were cut off.
func (r *Recorder) Resumed() bool { return r.torn }

// Closed reports whether the record takes no more lines.
func (r *Recorder) Closed() bool { return r.closed }

// Last is the digest of the last line: what comes next binds it.
func (r *Recorder) Last() Digest { return r.prev }

// Append adds a line. It is on all media when Append returns nil. After a
// [*MediumError] nothing more can be added. Other errors, and a [*SecretError],
// change nothing.
func (r *Recorder) Append(e Event, c Context) error { return r.append(e, c, "") }

// End adds the last line, which names those who have to sign the [Head].
func (r *Recorder) End(signers []string, c Context) error {
	return r.Append(Closed{Lines: r.lines + 1, Signers: signers}, c)
}

// Head is what those present sign. It is only for a closed record.
func (r *Recorder) Head() Head { return Head{r.opened.Ceremony, r.lines, r.prev} }

func (r *Recorder) append(e Event, c Context, before string) error {
	switch {
	case r.broken:
		return ErrBroken
	case r.closed:
		return ErrClosed
	}
	if err := errors.Join(checkText(e), checkText(c)); err != nil {
		return err
	}
	encoded, err := Entry{r.lines, r.prev, r.now().UTC().Truncate(time.Millisecond), c, e}.encode()
	if err != nil {
		return err
	}
	for i := range r.media {
		if err := r.add(i, fmt.Append(nil, before, string(encoded), "\n")); err != nil {
			return err
		}
	}
	r.lines, r.prev = r.lines+1, sha256.Sum256(encoded)
	switch e := e.(type) {
	case Opened:
		r.opened = e
	case Closed:
		r.closed = true
	}
	return nil
}

func (r *Recorder) add(medium int, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	_, err := r.media[medium].Write(data)
	if err == nil {
		err = r.media[medium].Sync()
	}
	if err != nil {
		r.broken = true
		return &MediumError{medium, err}
	}
	return nil
}
