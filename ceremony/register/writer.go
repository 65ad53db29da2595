// SPDX-License-Identifier: Apache-2.0

package register

import (
	"time"

	"github.com/keymat/keymat/ceremony/chain"
)

// A Writer adds lines to a register. It is not for use by several goroutines.
type Writer struct {
	*Register // with the lines that were added

	chain *chain.Recorder[Event]
}

// Begin writes the first line of the register of an organisation. Errors are
// those of [Writer.Add].
func Begin(m chain.Medium, now func() time.Time, organisation string, by []string) (*Writer, error) {
	w := &Writer{&Register{}, form().Begin([]chain.Medium{m}, now)}
	return w, w.Add(Opened{Kind, version, organisation}, by)
}

// Resume goes on with a register, of which content is what the medium holds. If
// its last line was cut off, the next one says so. Errors: those of [Read], or a
// [*chain.MediumError].
func Resume(m chain.Medium, content []byte, now func() time.Time) (*Writer, error) {
	recorder, c, err := form().Resume([]chain.Medium{m}, [][]byte{content}, now, look)
	if err != nil {
		return nil, err
	}
	r, err := fold(c)
	if err != nil {
		return nil, err
	}
	w := &Writer{r, recorder}
	w.follow()
	return w, nil
}

// Add adds a line for which some people stand. It is on the medium when Add
// returns nil. Errors: those of [Register.Check], which leave everything as it
// was, or those of a chain.Recorder.
func (w *Writer) Add(e Event, by []string) error {
	if err := w.Check(e, by); err != nil {
		return err
	}
	line, err := w.chain.Append(e, chain.Context{Actors: by})
	if err != nil {
		return err
	}
	w.apply(line)
	w.follow()
	return nil
}

func (w *Writer) follow() { w.Lines, w.Last = w.chain.Lines(), w.chain.Last() }
