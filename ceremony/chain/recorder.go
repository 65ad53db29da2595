// SPDX-License-Identifier: Apache-2.0

package chain

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

// ErrBroken says that a [Recorder] can take no line.
var ErrBroken = errors.New("a line was not written whole: resume the record")

// A Recorder adds lines to a record, on all its media. It is not for use by
// several goroutines.
type Recorder[E any] struct {
	form   Form[E]
	media  []Medium
	now    func() time.Time
	lines  int
	prev   Digest
	broken bool
	torn   bool
}

// Begin is for empty media.
func (f Form[E]) Begin(media []Medium, now func() time.Time) *Recorder[E] {
	return &Recorder[E]{form: f, media: media, now: now}
}

// Resume goes on with a record, and gives what it says by then. contents are what
// the media hold: those that fell behind, as they do in a power cut, are brought
// up to the longest, and if that one ends in a line that was cut off, the next
// line says so. Errors: a [*FaultError] if the record does not verify so far,
// [*DivergedError], [*MediumError].
func (f Form[E]) Resume(media []Medium, contents [][]byte, now func() time.Time, look Look[E]) (*Recorder[E], *Chain[E], error) {
	longest := 0
	for i, content := range contents {
		if len(content) > len(contents[longest]) {
			longest = i
		}
	}
	record := contents[longest]
	for i, content := range contents {
		if !bytes.HasPrefix(record, content) {
			return nil, nil, &DivergedError{i, firstDifference(record, content)}
		}
	}
	lines, tail := split(record)
	whole := len(lines)
	for whole > 0 && !f.readable(lines[whole-1]) { // of an earlier attempt to resume
		whole--
	}
	c := f.check(lines[:whole], look)
	before := ""
	torn := lines[whole:]
	if len(tail) > 0 {
		torn, before = append(torn, tail), "\n"
	}
	var tells E
	if len(torn) > 0 && whole > 0 {
		tells = f.Resumed(resumedAfter(lines[whole-1], torn))
		for _, what := range look(whole+len(torn)+1, tells) {
			c.fault(whole+len(torn)+1, "%s", what)
		}
	}
	if len(c.Faults) > 0 {
		return nil, nil, &FaultError{c.Faults}
	}
	r := &Recorder[E]{form: f, media: media, now: now, lines: c.Lines, prev: c.Last}
	for i, content := range contents {
		if err := r.add(i, record[len(content):]); err != nil {
			return nil, nil, err
		}
	}
	if len(torn) == 0 {
		return r, c, nil
	}
	r.torn = true
	r.lines, r.prev = r.lines+len(torn), sha256.Sum256(torn[len(torn)-1])
	entry, err := r.append(tells, Context{}, before)
	c.Entries = append(c.Entries, entry)
	return r, c, err
}

func (f Form[E]) readable(line []byte) bool {
	_, err := f.Decode(line)
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

// Resumed reports whether [Form.Resume] found lines that were cut off.
func (r *Recorder[E]) Resumed() bool { return r.torn }

// Lines is how many there are.
func (r *Recorder[E]) Lines() int { return r.lines }

// Last is the digest of the last line, without its newline.
func (r *Recorder[E]) Last() Digest { return r.prev }

// Append adds a line, and gives it. It is on all media when there is no error.
// After a [*MediumError] nothing more can be added. Other errors, and a
// [*SecretError], change nothing.
func (r *Recorder[E]) Append(e E, c Context) (Entry[E], error) { return r.append(e, c, "") }

func (r *Recorder[E]) append(e E, c Context, before string) (Entry[E], error) {
	entry := Entry[E]{r.lines, r.prev, r.now().UTC().Truncate(time.Millisecond), c, e}
	if r.broken {
		return entry, ErrBroken
	}
	if err := errors.Join(checkText(e), checkText(c)); err != nil {
		return entry, err
	}
	encoded, err := r.form.Encode(entry)
	if err != nil {
		return entry, err
	}
	for i := range r.media {
		if err := r.add(i, fmt.Append(nil, before, string(encoded), "\n")); err != nil {
			return entry, err
		}
	}
	r.lines, r.prev = r.lines+1, sha256.Sum256(encoded)
	return entry, nil
}

func (r *Recorder[E]) add(medium int, data []byte) error {
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
