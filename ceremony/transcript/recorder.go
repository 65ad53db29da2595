// SPDX-License-Identifier: Apache-2.0

package transcript

import (
	"errors"
	"time"

	"github.com/keymat/keymat/ceremony/chain"
)

// Errors of a [Recorder] that can take no line.
var (
	ErrClosed = errors.New("the record is closed")
	ErrBroken = chain.ErrBroken
)

// A Recorder adds lines to a record, on all its media. It is not for use by
// several goroutines.
type Recorder struct {
	chain  *chain.Recorder[Event]
	opened Opened
	closed bool
}

// Begin writes the first line of a record to empty media.
func Begin(media []Medium, now func() time.Time, o Opened, c Context) (*Recorder, error) {
	r := &Recorder{chain: form().Begin(media, now)}
	o.Kind, o.Version = Kind, version
	return r, r.Append(o, c)
}

// Resume goes on with a record. contents are what the media hold: those that
// fell behind, as they do in a power cut, are brought up to the longest, and if
// that one ends in a line that was cut off, the next line says so. Errors: a
// [*FaultError] if the record does not verify so far, [*DivergedError],
// [*MediumError].
func Resume(media []Medium, contents [][]byte, now func() time.Time) (*Recorder, error) {
	t := &Transcript{}
	resumed, _, err := form().Resume(media, contents, now, t.look)
	if resumed == nil {
		return nil, err
	}
	return &Recorder{resumed, t.Opened, t.Closed}, err
}

// Opened is what the record began with.
func (r *Recorder) Opened() Opened { return r.opened }

// Resumed reports whether [Resume] found lines that were cut off.
func (r *Recorder) Resumed() bool { return r.chain.Resumed() }

// Closed reports whether the record takes no more lines.
func (r *Recorder) Closed() bool { return r.closed }

// Last is the digest of the last line: what comes next binds it.
func (r *Recorder) Last() Digest { return r.chain.Last() }

// Append adds a line. It is on all media when Append returns nil. After a
// [*MediumError] nothing more can be added. Other errors, and a [*SecretError],
// change nothing.
func (r *Recorder) Append(e Event, c Context) error {
	if r.closed {
		return ErrClosed
	}
	if _, err := r.chain.Append(e, c); err != nil {
		return err
	}
	switch e := e.(type) {
	case Opened:
		r.opened = e
	case Closed:
		r.closed = true
	}
	return nil
}

// End adds the last line, which names those who have to sign the [Head].
func (r *Recorder) End(signers []string, c Context) error {
	return r.Append(Closed{Lines: r.chain.Lines() + 1, Signers: signers}, c)
}

// Head is what those present sign. It is only for a closed record.
func (r *Recorder) Head() Head { return Head{r.opened.Ceremony, r.chain.Lines(), r.chain.Last()} }
