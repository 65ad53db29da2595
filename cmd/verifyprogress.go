// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"fmt"
	"slices"

	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/rules"
)

// verifyProgress says how far a run is: on a terminal in one line that changes
// and one that stays for each rule that does not hold, elsewhere in a line for
// each rule.
type verifyProgress struct {
	a       *app
	live    *term.Progress // nil elsewhere
	all     int
	ended   int
	running []string // IDs
}

func (a *app) newVerifyProgress(all int) *verifyProgress {
	p := &verifyProgress{a: a, all: all}
	if term.Color(a.Stderr, a.Getenv) && !a.Quiet {
		p.live = term.NewProgress(a.Stderr, true)
	}
	return p
}

// observe is told by the runner, one event at a time.
func (p *verifyProgress) observe(e rules.Event) {
	switch e := e.(type) {
	case rules.Began:
		p.running = append(p.running, e.Rule.ID)
	case rules.Ended:
		p.ended++
		p.running = slices.DeleteFunc(p.running, func(id string) bool { return id == e.Result.Rule.ID })
		p.tell(e.Result)
	case rules.Stepped:
		return
	}
	if len(p.running) > 0 {
		p.live.Update(fmt.Sprintf("keymat: %d of %d rules; %s", p.ended, p.all, p.running[0]))
	}
}

// tell says what became of a rule. What ends the run is told once, at the end.
func (p *verifyProgress) tell(r rules.Result) {
	switch {
	case r.EndsRun():
	case p.live == nil:
		p.a.say("%s: %s (%.1f s)", r.Rule.ID, r.Verdict, r.Seconds)
	case r.Verdict != rules.Holds:
		p.live.Done(fmt.Sprintf("keymat: %s: %s", r.Rule.ID, r.Verdict))
	}
}

func (p *verifyProgress) done() { p.live.Done("") }
