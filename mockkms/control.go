// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"fmt"
	"net/http"
	"time"
)

// control is the control path: GET looks, POST changes and tells the outcome.
func (k *KMS) control() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+controlPath+"clock", answering(func(*http.Request, struct{}) (clockReport, error) {
		c, err := k.Clock()
		return clockReport{c.Time, span(c.Offset), c.Frozen}, err
	}))
	mux.Handle("POST "+controlPath+"clock", answering(func(_ *http.Request, m clockOrder) (clockReport, error) {
		c, err := k.MoveClock(m.move())
		return clockReport{c.Time, span(c.Offset), c.Frozen}, err
	}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		replyError(w, http.StatusNotFound, fmt.Errorf("there is nothing to %s at %s", r.Method, r.URL.Path))
	})
	return mux
}

// A clockReport is a [Clock] on the control path.
type clockReport struct {
	Time   time.Time `json:"time"`
	Offset span      `json:"offset"`
	Frozen bool      `json:"frozen"`
}

func (r clockReport) clock() Clock { return Clock{r.Time, time.Duration(r.Offset), r.Frozen} }

// A clockOrder is a [ClockMove] on the control path.
type clockOrder struct {
	Reset   bool      `json:"reset,omitempty"`
	Resume  bool      `json:"resume,omitempty"`
	Set     time.Time `json:"set,omitzero"`
	Advance span      `json:"advance,omitempty"`
	Freeze  bool      `json:"freeze,omitempty"`
}

func (o clockOrder) move() ClockMove {
	return ClockMove{o.Reset, o.Resume, o.Set, time.Duration(o.Advance), o.Freeze}
}

// A span is a duration on the control path, such as "1h30m".
type span time.Duration

// MarshalText implements [encoding.TextMarshaler].
func (s span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *span) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*s = span(d)
	return err
}
