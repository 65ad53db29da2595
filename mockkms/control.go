// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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
	mux.Handle("GET "+controlPath+"events", answering(func(r *http.Request, _ struct{}) (EventPage, error) {
		q, err := eventQuery(r.URL.Query())
		if err != nil {
			return EventPage{}, &badControl{err}
		}
		return k.Events(q)
	}))
	mux.Handle("GET "+controlPath+"faults", answering(func(*http.Request, struct{}) (faultList, error) {
		return faultList{k.Faults()}, nil
	}))
	mux.Handle("POST "+controlPath+"faults", answering(func(_ *http.Request, f Fault) (faultList, error) {
		if err := k.checkFault(f); err != nil {
			return faultList{}, &badControl{err}
		}
		k.Inject(f)
		return faultList{k.Faults()}, nil
	}))
	mux.Handle("DELETE "+controlPath+"faults", answering(func(*http.Request, struct{}) (faultList, error) {
		k.ClearFaults()
		return faultList{k.Faults()}, nil
	}))
	mux.Handle("GET "+controlPath+"conditions", answering(func(*http.Request, struct{}) (conditionsReport, error) {
		return reportConditions(k.Conditions()), nil
	}))
	mux.Handle("POST "+controlPath+"conditions", answering(func(_ *http.Request, o conditionsOrder) (conditionsReport, error) {
		if err := o.check(k.operations); err != nil {
			return conditionsReport{}, &badControl{err}
		}
		k.adjust(o.apply)
		return reportConditions(k.Conditions()), nil
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

// A faultList is the faults that have yet to strike.
type faultList struct {
	Faults []Fault `json:"faults"`
}

// A conditionsReport is [Conditions] on the control path.
type conditionsReport struct {
	Latency span               `json:"latency"`
	Lag     span               `json:"lag"`
	Quotas  bool               `json:"quotas"`
	Rates   map[string]float64 `json:"rates,omitempty"`
	Flaws   []Flaw             `json:"flaws,omitempty"`
}

func reportConditions(c Conditions) conditionsReport {
	return conditionsReport{span(c.Latency), span(c.Lag), c.Quotas, c.Rates, c.Flaws}
}

func (r conditionsReport) conditions() Conditions {
	return Conditions{time.Duration(r.Latency), time.Duration(r.Lag), r.Quotas, r.Rates, r.Flaws}
}

// A conditionsOrder changes those conditions that it names.
type conditionsOrder struct {
	Latency *span               `json:"latency,omitempty"`
	Lag     *span               `json:"lag,omitempty"`
	Quotas  *bool               `json:"quotas,omitempty"`
	Rates   *map[string]float64 `json:"rates,omitempty"`
	Flaws   *[]Flaw             `json:"flaws,omitempty"`
}

func (o conditionsOrder) check(operations map[string]operation) error {
	for _, s := range []*span{o.Latency, o.Lag} {
		if s != nil && *s < 0 {
			return errors.New("latency and lag cannot be negative")
		}
	}
	if o.Rates == nil {
		return nil
	}
	for name, rate := range *o.Rates {
		if _, known := operations[name]; !known && !slices.Contains(SharedQuotas(), name) {
			return fmt.Errorf("there is no quota %q", name)
		}
		if rate < 0 {
			return fmt.Errorf("the quota %s cannot be negative", name)
		}
	}
	return nil
}

func (o conditionsOrder) apply(c *Conditions) {
	if o.Latency != nil {
		c.Latency = time.Duration(*o.Latency)
	}
	if o.Lag != nil {
		c.Lag = time.Duration(*o.Lag)
	}
	if o.Quotas != nil {
		c.Quotas = *o.Quotas
	}
	if o.Rates != nil {
		c.Rates = *o.Rates
	}
	if o.Flaws != nil {
		c.Flaws = *o.Flaws
	}
}

// eventQuery reads an [EventQuery] from the query of a URL.
func eventQuery(v url.Values) (q EventQuery, err error) {
	q.Key = v.Get("key")
	if after := v.Get("after"); after != "" {
		if q.After, err = strconv.ParseUint(after, 10, 64); err != nil {
			return q, fmt.Errorf("after: %w", err)
		}
	}
	if limit := v.Get("limit"); limit != "" {
		if q.Limit, err = strconv.Atoi(limit); err != nil {
			return q, fmt.Errorf("limit: %w", err)
		}
	}
	return q, nil
}

// values is the query of a URL that asks for the same.
func (q EventQuery) values() url.Values {
	return url.Values{"key": {q.Key}, "after": {strconv.FormatUint(q.After, 10)}, "limit": {strconv.Itoa(q.Limit)}}
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
