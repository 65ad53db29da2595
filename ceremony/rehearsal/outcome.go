// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"fmt"
	"slices"
	"time"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// An Outcome is how a rehearsal ended.
type Outcome struct {
	Scenario   string        `json:"scenario"`
	Progress   string        `json:"progress"` // of the ceremony, as phase.State.Progress has it
	Good       bool          `json:"good"`     // everything came as it should
	Problems   []string      `json:"problems"` // what did not
	Steps      []Played      `json:"steps"`
	People     []string      `json:"people"` // IDs of those who did something, in the order of the plan
	Records    int           `json:"records"`
	Lines      int           `json:"lines"` // of all records
	Exceptions []string      `json:"exceptions"`
	Evidence   string        `json:"evidence"` // the folder with all of it
	Took       time.Duration `json:"-"`
}

// outcome looks at what there is in the end.
func (s *stage) outcome(scenario Scenario) Outcome {
	last := s.latest()
	o := Outcome{
		Scenario: scenario.Name, Steps: append([]Played{}, s.played...), Evidence: string(s.folder(last)), Problems: []string{}, Exceptions: []string{},
		People: s.people(), Records: len(s.records(last)),
	}
	state, err := phase.Fold(s.plan, s.records(last)...)
	if err != nil {
		o.Problems = append(o.Problems, "the records do not hold to the rules: "+err.Error())
	}
	o.Progress = state.Progress()
	for _, e := range s.entries(last) {
		o.Lines++
		if x, ok := e.Event.(transcript.Exception); ok {
			o.Exceptions = append(o.Exceptions, fmt.Sprintf("expected: %s; happened: %s; decided: %s", x.Expected, x.Happened, x.Decided))
		}
	}
	for _, m := range []transcript.Machine{transcript.OfflineMachine, last} {
		o.Problems = append(o.Problems, s.unverified(m)...)
	}
	o.Problems = append(o.Problems, s.otherwise(state)...)
	o.Good = len(o.Problems) == 0
	return o
}

// unverified is what an auditor would find in the folder of a machine.
func (s *stage) unverified(m transcript.Machine) (problems []string) {
	found, err := s.folder(m).Verify()
	if err != nil {
		return []string{err.Error()}
	}
	for _, f := range found.Problems {
		problems = append(problems, fmt.Sprintf("%s/%s", m, f))
	}
	return problems
}

// otherwise is what did not come as it should.
func (s *stage) otherwise(state *phase.State) (problems []string) {
	d := s.disturbed
	for _, owed := range d.owed {
		problems = append(problems, "this did not happen: "+owed)
	}
	if d.check != nil {
		problems = append(problems, d.check(s, state)...)
	}
	switch {
	case d.incident && state.Incident() == "":
		return append(problems, "the ceremony ends at "+state.Progress()+", and not as an incident")
	case d.incident:
		return problems
	case state.Incident() != "":
		return append(problems, "it ended as an incident at "+state.Incident())
	}
	return append(problems, s.unfinished(state)...)
}

// unfinished is what the ceremony was held for, and is not done.
func (s *stage) unfinished(state *phase.State) (problems []string) {
	first := phase.Condition("")
	for _, e := range state.Escrows() {
		first = e.Condition
		break
	}
	_, kept := state.Kept()
	switch purpose := s.plan.Purpose; {
	case purpose == plan.ForRefresh && (first != phase.Retired || !kept):
		problems = append(problems, "no new shares have taken the place of the old ones")
	case purpose == plan.ForDestruction && first != phase.Gone:
		problems = append(problems, "something is left that brings the material back")
	}
	for _, t := range state.Targets() {
		switch {
		case s.plan.Purpose == plan.ForDestruction && t.Attested == "":
			problems = append(problems, "nobody has said what "+t.ID+" holds")
		case s.plan.Purpose == plan.ForImport && t.Method == "":
			problems = append(problems, "nobody has verified that "+t.ID+" holds the material")
		}
	}
	return problems
}

// latest is the machine that has the most of the records.
func (s *stage) latest() transcript.Machine {
	if len(s.records(transcript.ImportMachine)) > len(s.records(transcript.OfflineMachine)) {
		return transcript.ImportMachine
	}
	return transcript.OfflineMachine
}

// people are those who took part in a step.
func (s *stage) people() []string {
	ids := []string{}
	for _, who := range s.plan.People {
		if slices.ContainsFunc(s.played, func(p Played) bool { return slices.Contains(p.People, who.ID) }) {
			ids = append(ids, who.ID)
		}
	}
	return ids
}
