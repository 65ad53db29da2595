// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/rehearsal"
	"github.com/keymat/keymat/internal/cli"
)

// rehearsed is what came of rehearsals by a plan.
type rehearsed struct {
	Ceremony   string              `json:"ceremony"`
	Folder     string              `json:"folder"`
	Differs    []plan.Change       `json:"differs"` // what the plan for practice says that the real one does not
	Rehearsals []rehearsedScenario `json:"rehearsals"`
}

type rehearsedScenario struct {
	rehearsal.Outcome
	Seconds float64 `json:"seconds"`
}

func (r rehearsed) text(w io.Writer) {
	fmt.Fprintf(w, "%s was rehearsed in %s by its plan, but that it %s\n", r.Ceremony, r.Folder, sentence(r.differences()))
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, o := range r.Rehearsals {
		verdict := "as it should be"
		if !o.Good {
			verdict = "NOT AS IT SHOULD BE"
		}
		fmt.Fprintf(tw, "%s\t%s\t%s, %s, %s\t%.1f s\t%s\n", o.Scenario, o.Progress,
			cli.Count(len(o.Steps), "step"), cli.Count(o.Lines, "line"), cli.Count(len(o.Exceptions), "exception"), o.Seconds, verdict)
	}
	tw.Flush()
	for _, o := range r.Rehearsals {
		for _, problem := range o.Problems {
			fmt.Fprintf(w, "%s: %s\n", o.Scenario, problem)
		}
	}
	for _, o := range r.Rehearsals {
		fmt.Fprintf(w, "the evidence of %s: %s\n", o.Scenario, o.Evidence)
	}
}

// differences say in words what the plan for practice says differently.
func (r rehearsed) differences() []string {
	keys, targets, other := 0, 0, []string{}
	for _, c := range r.Differs {
		switch {
		case strings.HasPrefix(c.Path, "people["):
			keys++
		case strings.HasPrefix(c.Path, "targets["):
			targets++
		case c.Path == "rehearsal":
		default:
			other = append(other, fmt.Sprintf("has the %s %s instead of %s", c.Path, c.After, c.Before))
		}
	}
	says := []string{"is for throw-away material"}
	if keys > 0 {
		says = append(says, fmt.Sprintf("gives %d simulated people new ssh keys", keys))
	}
	if targets > 0 {
		says = append(says, "names "+cli.Count(targets, "key")+" in a mock of KMS")
	}
	return append(says, other...)
}

// sentence puts parts together.
func sentence(parts []string) string {
	if n := len(parts); n > 1 {
		return strings.Join(parts[:n-1], ", ") + ", and " + parts[n-1]
	}
	return strings.Join(parts, "")
}

// scenarioList are the scenarios there are.
type scenarioList struct {
	Scenarios []rehearsal.Scenario `json:"scenarios"`
}

func (l scenarioList) text(w io.Writer) {
	for _, s := range l.Scenarios {
		fmt.Fprintf(w, "%s\n    happens  %s\n    should   %s\n", s.Name, s.Happens, s.Should)
	}
}

// explainRehearsal covers what keeps a plan from being rehearsed.
func explainRehearsal(err error) (cli.Advice, bool) {
	if _, ok := errors.AsType[*rehearsal.TakenError](err); ok {
		return hint("name another folder with --dir"), true
	}
	if _, ok := errors.AsType[*rehearsal.TokenError](err); ok {
		return cli.Hint("people rehearse it themselves, with keymat-hsm ceremony run: a plan with rehearsal: true, KMS keys in a keymat mock serve, and SoftHSM in place of the token"), true
	}
	if _, ok := errors.AsType[*rehearsal.UnfitError](err); ok {
		return cli.Advice{Hints: []string{"keymat ceremony plan lint says what to do about it"}, Exit: cli.ExitNo}, true
	}
	return cli.Advice{}, false
}
