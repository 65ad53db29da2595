// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"slices"
	"time"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// steps is the record, line by line.
func steps(e *Evidence) section {
	s := section{ID: "steps", Title: "Steps"}
	t := table{Caption: "Every line of the record that counts, in its order", Columns: []string{"Line", "Machine clock", "Wall clock", "Step", "By", "Event", "What"}}
	for _, entry := range e.Transcript.Entries {
		what := tell(entry.Event)
		name := plain(what.name)
		if what.exceptional {
			name = bad(what.name)
		}
		name.Whole = true
		n := lineOf(entry)
		t.Rows = append(t.Rows, row{fmt.Sprintf("line-%d", n), []cell{
			plain(fmt.Sprint(n)), plain(utc(entry.Time)), plain(entry.Wall), plain(entry.Step), plain(list(entry.Actors)), name, plain(what.text + about(what.files)),
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
	for _, gate := range plan.Gates() {
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
	t := table{Caption: "Departures from plan and script, as the record tells them", Columns: []string{"Line", "Machine clock", "By", "What"}}
	for _, entry := range e.Transcript.Entries {
		if what := tell(entry.Event); what.exceptional {
			t.add(cell{Lines: []int{lineOf(entry)}}, plain(utc(entry.Time)), plain(list(e.calledAll(entry.Actors))), plain(what.name+": "+what.text))
		}
	}
	s.show(t, "The record tells of no exception.")
	for _, o := range e.observations() {
		s.Blocks = append(s.Blocks, block{Note: &o})
	}
	return s
}

// observations are what nobody recorded as an exception, though it looks like
// one.
func (e *Evidence) observations() (all []cell) {
	entries := e.Transcript.Entries
	for i := 1; i < len(entries); i++ {
		if entries[i].Time.Before(entries[i-1].Time) {
			all = append(all, unsure("The machine's clock went back.").from([]int{lineOf(entries[i])}))
		}
	}
	var last plan.Gate
	for _, entry := range entries {
		c, ok := entry.Event.(transcript.Confirmed)
		if !ok {
			continue
		}
		if absent := e.absent(entry, c.Gate); len(absent) > 0 {
			all = append(all, bad(fmt.Sprintf("The gate %s names no confirmation of %s.", c.Gate, list(e.calledAll(absent)))).from([]int{lineOf(entry)}))
		}
		if slices.Index(plan.Gates(), c.Gate) < slices.Index(plan.Gates(), last) {
			all = append(all, unsure(fmt.Sprintf("The gate %s comes after the gate %s.", c.Gate, last)).from([]int{lineOf(entry)}))
		}
		last = c.Gate
	}
	return append(all, e.session()...)
}

// session holds the time between the gates open and close against the plan.
func (e *Evidence) session() []cell {
	opened, closed := e.first(plan.GateOpen), e.first(plan.GateClose)
	if opened == nil || closed == nil || e.Plan.Session != plan.SameDay {
		return nil
	}
	took := closed.Time.Sub(opened.Time)
	if took <= e.Plan.Limits.MaxSession {
		return nil
	}
	return []cell{bad(fmt.Sprintf("The offline session took %s by the machine's clock, and the plan allows %s.",
		took.Round(time.Minute), e.Plan.Limits.MaxSession)).from([]int{lineOf(*opened), lineOf(*closed)})}
}

// first is the first entry that passes a gate, or nil.
func (e *Evidence) first(gate plan.Gate) *transcript.Entry {
	for i, entry := range e.Transcript.Entries {
		if c, ok := entry.Event.(transcript.Confirmed); ok && c.Gate == gate {
			return &e.Transcript.Entries[i]
		}
	}
	return nil
}
