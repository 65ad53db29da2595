// SPDX-License-Identifier: Apache-2.0

package transcript

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"
)

// An Entry is one line.
type Entry struct {
	Seq  int
	Prev Digest
	Time time.Time // UTC, to the millisecond
	Context
	Event Event
}

// A Context says of an event when, where in the script and by whom.
type Context struct {
	Wall   string   // what a witness read off the wall clock, "" for nobody
	Step   string   // "" for none
	Actors []string // IDs of people
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

// encode gives the one form of an entry, without a newline.
func (e Entry) encode() ([]byte, error) {
	data, err := compact(e.Event)
	if err != nil {
		return nil, err
	}
	actors := e.Actors
	if actors == nil {
		actors = []string{}
	}
	encoded, err := compact(line{e.Seq, e.Prev, e.Time, e.Wall, e.Step, actors, e.Event.event(), data})
	if err == nil && len(encoded) > MaxLine {
		err = fmt.Errorf("%d bytes are too much for a line of a record, which has at most %d", len(encoded), MaxLine)
	}
	return encoded, err
}

func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// decode reads what encode gives. Written again, it has to be the same: so no
// member is unknown, missing, given twice or spelt in another way.
func decode(text []byte) (Entry, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return Entry{}, errors.New("not the JSON of a line")
	}
	e := Entry{l.Seq, l.Prev, l.Time, Context{l.Wall, l.Step, l.Actors}, nil}
	for _, into := range events() {
		if into.event() != l.Event {
			continue
		}
		if err := json.Unmarshal(l.Data, into); err != nil {
			return Entry{}, fmt.Errorf("not the data of the event %s", l.Event)
		}
		e.Event = reflect.ValueOf(into).Elem().Interface().(Event)
	}
	if e.Event == nil {
		return Entry{}, errors.New("an unknown event")
	}
	again, err := e.encode()
	if err != nil || !bytes.Equal(again, text) {
		return Entry{}, errors.New("not written as a line of a record is")
	}
	return e, nil
}
