// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// A Remote controls a mock that another process serves with [KMS.Server].
type Remote struct {
	url    string
	client *http.Client
}

// NewRemote makes the control of the mock served at url, which is the one KMS
// clients are given as endpoint. The client may be nil.
func NewRemote(url string, client *http.Client) *Remote {
	if client == nil {
		client = http.DefaultClient
	}
	return &Remote{strings.TrimSuffix(url, "/"), client}
}

// A NotMockError means that what answers at a URL is no mock, or an old one.
type NotMockError struct {
	URL    string
	Status int // of HTTP
}

func (e *NotMockError) Error() string {
	return fmt.Sprintf("no mock answers at %s (status %d)", e.URL, e.Status)
}

// A RemoteError is a mock's refusal of a control request.
type RemoteError struct {
	Status  int // of HTTP
	Message string
}

func (e *RemoteError) Error() string { return e.Message }

// Clock is [KMS.Clock] of the served mock.
func (r *Remote) Clock(ctx context.Context) (Clock, error) {
	var report clockReport
	err := r.do(ctx, http.MethodGet, "clock", nil, &report)
	return report.clock(), err
}

// MoveClock is [KMS.MoveClock] of the served mock.
func (r *Remote) MoveClock(ctx context.Context, m ClockMove) (Clock, error) {
	var report clockReport
	err := r.do(ctx, http.MethodPost, "clock", clockOrder{m.Reset, m.Resume, m.Set, span(m.Advance), m.Freeze}, &report)
	return report.clock(), err
}

// Events is [KMS.Events] of the served mock.
func (r *Remote) Events(ctx context.Context, q EventQuery) (EventPage, error) {
	var page EventPage
	err := r.do(ctx, http.MethodGet, "events?"+q.values().Encode(), nil, &page)
	return page, err
}

// Inject is [KMS.Inject] of the served mock. It returns what has yet to strike.
func (r *Remote) Inject(ctx context.Context, f Fault) ([]Fault, error) {
	var list faultList
	err := r.do(ctx, http.MethodPost, "faults", f, &list)
	return list.Faults, err
}

// Faults is [KMS.Faults] of the served mock.
func (r *Remote) Faults(ctx context.Context) ([]Fault, error) {
	var list faultList
	err := r.do(ctx, http.MethodGet, "faults", nil, &list)
	return list.Faults, err
}

// ClearFaults is [KMS.ClearFaults] of the served mock.
func (r *Remote) ClearFaults(ctx context.Context) error {
	return r.do(ctx, http.MethodDelete, "faults", nil, &faultList{})
}

// Conditions is [KMS.Conditions] of the served mock.
func (r *Remote) Conditions(ctx context.Context) (Conditions, error) {
	var report conditionsReport
	err := r.do(ctx, http.MethodGet, "conditions", nil, &report)
	return report.conditions(), err
}

// SetConditions is [KMS.SetConditions] of the served mock.
func (r *Remote) SetConditions(ctx context.Context, c Conditions) error {
	rates := c.Rates
	if rates == nil {
		rates = map[string]float64{}
	}
	flaws := append([]Flaw{}, c.Flaws...) // none is said, too
	order := conditionsOrder{(*span)(&c.Latency), (*span)(&c.Lag), &c.Quotas, &rates, &flaws}
	return r.do(ctx, http.MethodPost, "conditions", order, &conditionsReport{})
}

// do makes one control request. Errors: [*NotMockError], [*RemoteError], or
// that of the connection.
func (r *Remote) do(ctx context.Context, method, path string, query, answer any) error {
	var body io.Reader = http.NoBody
	if query != nil {
		raw, err := json.Marshal(query)
		if err != nil {
			return fmt.Errorf("encoding a control request: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(ctx, method, r.url+controlPath+path, body)
	if err != nil {
		return err
	}
	response, err := r.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.Header.Get("Content-Type") != "application/json" {
		return &NotMockError{r.url, response.StatusCode}
	}
	d := json.NewDecoder(response.Body)
	if response.StatusCode != http.StatusOK {
		var failure controlFailure
		if err := d.Decode(&failure); err != nil || failure.Error == "" {
			return &NotMockError{r.url, response.StatusCode}
		}
		return &RemoteError{response.StatusCode, failure.Error}
	}
	if err := d.Decode(answer); err != nil {
		return fmt.Errorf("reading the mock's answer: %w", err)
	}
	return nil
}
