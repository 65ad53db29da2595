// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// phases are how far the ceremony had come when.
func phases(e *Evidence) section {
	s := section{ID: "phases", Title: "Phases"}
	if e.State == nil {
		s.say("No steps of machines are in the records, or they are damaged: so there is nothing that they add up to.")
		return s
	}
	t := table{Caption: "How far the ceremony had come, by the rules, and since when", Columns: []string{"Phase", "Machine clock", "Line"}}
	before := ""
	for i, r := range e.Records {
		records := make([]*transcript.Transcript, i+1)
		for j := range records {
			records[j] = e.Records[j].Transcript
		}
		for n := range r.Transcript.Entries {
			last := &transcript.Transcript{Entries: r.Transcript.Entries[:n+1]}
			state, err := phase.Fold(e.Plan, append(records[:i:i], last)...)
			if err != nil {
				s.show(t, "")
				s.Blocks = append(s.Blocks, block{Note: &cell{Text: "From the next line on the records break the rules: see the verification.", Class: "bad"}})
				return s
			}
			if now := state.Progress(); now != before {
				t.add(plain(now), plain(utc(r.Transcript.Entries[n].Time)), cell{Lines: []ref{e.ref(i+1, r.Transcript.Entries[n].Seq+1)}})
				before = now
			}
		}
	}
	s.show(t, "")
	return s
}

// steps are the records, line by line.
func steps(e *Evidence) section {
	s := section{ID: "steps", Title: "Steps"}
	t := table{Caption: "Every line of the records that counts, in its order", Columns: []string{"Line", "Machine clock", "Wall clock", "Step", "By", "Event", "What"}}
	for _, l := range e.lines() {
		what := tell(l.Event)
		name := plain(what.Name)
		if what.Exceptional {
			name = bad(what.Name)
		}
		by := plain(list(l.Actors))
		name.Whole, by.Whole = true, true
		t.Rows = append(t.Rows, row{l.ref.ID, []cell{
			plain(l.ref.Text), plain(utc(l.Time)), plain(l.Wall), plain(l.Step), by, name, plain(what.Text + about(what.Files)),
		}})
	}
	s.show(t, "The record has no lines that could be read.")
	return s
}

// about names files.
func about(files []transcript.File) string {
	text := ""
	for _, f := range files {
		text += "; " + f.Name
	}
	return text
}

// gates holds the record against those whom the plan has confirm.
func gates(e *Evidence) section {
	s := section{ID: "gates", Title: "Gates and confirmations"}
	s.say("At a gate the ceremony goes on only when everybody whom the plan names has confirmed. The record says that they did, and not how they were recognised.")
	t := table{Caption: "What each gate asks for, and what the record says", Columns: []string{"Gate", "Who has to confirm", "Passed"}}
	for _, gate := range e.Plan.Purpose.Gates() {
		t.add(plain(string(gate)), plain(list(e.calledAll(e.Plan.Gates[gate]))), e.passing(gate))
	}
	s.show(t, "")
	return s
}

// passing says whether a gate was passed.
func (e *Evidence) passing(gate plan.Gate) cell {
	if gate == plan.GatePlan {
		if plan.Approved(e.Approvals) {
			return good("signed by all")
		}
		return bad("not signed by all")
	}
	if lines := e.passed(gate); len(lines) > 0 {
		return good("confirmed by all").from(lines)
	}
	some := e.linesWith(func(entry transcript.Entry) bool {
		c, ok := entry.Event.(transcript.Confirmed)
		return ok && c.Gate == gate
	})
	if len(some) > 0 {
		return bad("not by everybody").from(some)
	}
	return unsure("not in this record")
}

// exceptions are what people recorded as such, and what the lines show.
func exceptions(e *Evidence) section {
	s := section{ID: "exceptions", Title: "Exceptions"}
	if note := e.incident(); note != nil {
		s.Blocks = append(s.Blocks, block{Note: note})
	}
	t := table{Caption: "Departures from plan and script, what was void, refused or lost, as the records tell it", Columns: []string{"Line", "Machine clock", "By", "What"}}
	for _, l := range e.lines() {
		if what := tell(l.Event); what.Exceptional {
			t.add(cell{Lines: []ref{l.ref}}, plain(utc(l.Time)), plain(list(e.calledAll(l.Actors))), plain(what.Name+": "+what.Text))
		}
	}
	s.show(t, "The record tells of no exception.")
	for _, o := range e.observations() {
		s.Blocks = append(s.Blocks, block{Note: &o})
	}
	return s
}

// incident is what has to be said when KMS could not open what was wrapped for it,
// or nil.
func (e *Evidence) incident() *cell {
	if e.State == nil || e.State.Incident() == "" {
		return nil
	}
	lines := e.linesWith(func(entry transcript.Entry) bool {
		r, ok := entry.Event.(transcript.Refused)
		return ok && r.Remedy == transcript.Incident
	})
	note := bad(fmt.Sprintf("Incident: KMS could not open what was wrapped for %s, though the bytes are those that were wrapped. "+
		"The wrapping key may have been exchanged: the material has to be treated as exposed.", e.State.Incident())).from(lines)
	return &note
}

// observations are what nobody recorded as an exception, though it looks like
// one.
func (e *Evidence) observations() (all []cell) {
	lines := e.lines()
	var last plan.Gate
	for i, l := range lines {
		if i == 0 || lines[i-1].record != l.record {
			last = ""
		} else if l.Time.Before(lines[i-1].Time) {
			all = append(all, unsure("The machine's clock went back.").from([]ref{l.ref}))
		}
		c, ok := l.Event.(transcript.Confirmed)
		if !ok {
			continue
		}
		if absent := e.absent(l.Entry, c.Gate); len(absent) > 0 {
			all = append(all, bad(fmt.Sprintf("The gate %s names no confirmation of %s.", c.Gate, list(e.calledAll(absent)))).from([]ref{l.ref}))
		}
		if slices.Index(plan.Gates(), c.Gate) < slices.Index(plan.Gates(), last) {
			all = append(all, unsure(fmt.Sprintf("The gate %s comes after the gate %s.", c.Gate, last)).from([]ref{l.ref}))
		}
		last = c.Gate
	}
	for i := range e.Records {
		all = append(all, e.session(i+1)...)
	}
	return all
}

// session holds the time between the gates open and close of a record against the
// plan. One record of a ceremony on two days has two sessions in it.
func (e *Evidence) session(record int) []cell {
	opened, closed := e.first(record, plan.GateOpen), e.first(record, plan.GateClose)
	if opened == nil || closed == nil || e.Plan.Session == plan.TwoDay && len(e.Records) == 1 {
		return nil
	}
	took := closed.Time.Sub(opened.Time)
	if took <= e.Plan.Limits.MaxSession {
		return nil
	}
	return []cell{bad(fmt.Sprintf("The offline session took %s by the machine's clock, and the plan allows %s.",
		took.Round(time.Minute), e.Plan.Limits.MaxSession)).from([]ref{opened.ref, closed.ref})}
}

// first is the first line of a record that passes a gate, or nil.
func (e *Evidence) first(record int, gate plan.Gate) *line {
	for _, l := range e.lines() {
		if c, ok := l.Event.(transcript.Confirmed); ok && l.record == record && c.Gate == gate {
			return &l
		}
	}
	return nil
}
