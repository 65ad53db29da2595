// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/fleet/journal"
	"github.com/keymat/keymat/internal/cli"
)

// fleetResults tells what becomes of the keys of a plan, one at a time.
type fleetResults struct {
	app      *app
	progress fleetProgress
	first    error // why the first key is left
	left     map[fleet.Status]int
}

// observe is told by fleet, one event at a time.
func (r *fleetResults) observe(e fleet.Event) {
	switch e := e.(type) {
	case fleet.Looked:
		r.progress.looked(e)
	case fleet.Ended:
		r.ended(e.Result)
		r.progress.ended(e)
	}
}

func (r *fleetResults) ended(result fleet.Result) {
	if result.Err != nil && (r.first == nil || r.left[result.Status] == 0 && result.Status == fleet.StatusFailed) {
		r.first = result.Err
	}
	r.left[result.Status]++
	if r.app.JSON {
		r.app.Told()
		// Nobody is left to tell if this fails.
		_ = writeLine(r.app.Stdout, fleetResultOf(result))
		return
	}
	if result.Status != fleet.StatusFailed {
		return
	}
	r.progress.say(fmt.Sprintf("keymat: %s: %s", result.Change, describeError(result.Err)))
	for _, hint := range explain(result.Err).Hints {
		r.progress.say("keymat:   " + hint)
	}
}

// writeLine writes JSON in one line.
func writeLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// fleetResult is what became of a key.
type fleetResult struct {
	Event      string       `json:"event"` // "result"
	Name       string       `json:"name"`
	Place      string       `json:"place"`
	Action     fleet.Action `json:"action"`
	Status     fleet.Status `json:"status"`
	KeyARN     string       `json:"key_arn,omitempty"`
	MaterialID string       `json:"key_material_id,omitempty"`
	Expires    string       `json:"expires,omitempty"`
	Steps      int          `json:"steps"`
	Taken      int          `json:"steps_taken"`
	Error      string       `json:"error,omitempty"`
	Hints      []string     `json:"hints,omitempty"`
}

func fleetResultOf(r fleet.Result) fleetResult {
	f := fleetResult{
		Event: "result", Name: r.Change, Place: r.Place, Action: r.Action, Status: r.Status,
		KeyARN: r.KeyARN, MaterialID: r.MaterialID, Steps: r.Steps, Taken: r.Taken,
	}
	if !r.Expiry.IsZero() {
		f.Expires = r.Expiry.String()
	}
	if r.Err != nil {
		f.Error, f.Hints = describeError(r.Err), explain(r.Err).Hints
	}
	return f
}

// fleetSummary is what became of all keys.
type fleetSummary struct {
	Event     string               `json:"event"` // "summary"
	Plan      string               `json:"plan"`
	Fleet     string               `json:"fleet"`
	Shard     string               `json:"shard,omitempty"`
	Journal   string               `json:"journal"`
	Keys      int                  `json:"keys"`
	Statuses  map[fleet.Status]int `json:"statuses"`
	Calls     int                  `json:"calls"`
	Throttled int                  `json:"throttled"`
}

// sum tells all of it at the end.
func (r *fleetResults) sum(p *fleet.Plan, s fleet.Summary, path string) error {
	r.app.Told()
	sum := fleetSummary{
		Event: "summary", Plan: p.ID, Fleet: p.Manifest.Name, Shard: p.Shard.String(), Journal: path,
		Keys: len(p.Changes), Statuses: s.Changes, Calls: s.Sent, Throttled: s.Throttled,
	}
	if r.app.JSON {
		return writeLine(r.app.Stdout, sum)
	}
	sum.text(r.app.Stdout)
	return nil
}

// fleetStatuses are all, in the order in which they are told.
var fleetStatuses = []fleet.Status{fleet.StatusDone, fleet.StatusUnchanged, fleet.StatusFailed, fleet.StatusLeft, fleet.StatusCannot}

func (s fleetSummary) text(w io.Writer) {
	for _, status := range fleetStatuses {
		if n := s.Statuses[status]; n > 0 {
			fmt.Fprintf(w, "%-10s %d\n", status, n)
		}
	}
	if s.Throttled > 0 {
		fmt.Fprintf(w, "%d of %d calls were throttled\n", s.Throttled, s.Calls)
	}
}

// explainFleet covers what stops a fleet, or one of its places.
func explainFleet(err error) (cli.Advice, bool) {
	if e, ok := errors.AsType[*fleet.StoppedError](err); ok {
		advice := explain(e.Err)
		advice.Hints = append(slices.Clone(advice.Hints), "then run it again: it goes on where it stopped")
		return advice, true
	}
	if _, ok := errors.AsType[*fleet.MovedError](err); ok {
		return hint("nothing was done; make a new plan: keymat fleet plan MANIFEST --out plan.json"), true
	}
	if _, ok := errors.AsType[*otherEscrowError](err); ok {
		return hint("make a new plan: keymat fleet plan MANIFEST --out plan.json"), true
	}
	if e, ok := errors.AsType[*journal.LockedError](err); ok {
		return hint("--wait waits until it ends; the journal is %s", e.Path), true
	}
	if e, ok := errors.AsType[*journal.DamagedError](err); ok {
		return hint("somebody else wrote into it: keep %s aside, and make a new plan, which looks at what is there", e.Path), true
	}
	return cli.Advice{}, false
}
