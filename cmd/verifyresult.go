// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/rules"
)

// ruleFields are what a rule says.
type ruleFields struct {
	ID         string         `json:"id"`
	Statement  string         `json:"statement"`
	Why        string         `json:"why"`
	Promise    rules.Promise  `json:"promise"`
	Sources    []rules.Source `json:"sources"`
	Effects    string         `json:"effects,omitempty"`
	Keys       int            `json:"keys"`
	MovesClock bool           `json:"moves_clock,omitempty"`
	TwoRegions bool           `json:"two_regions,omitempty"`
}

func ruleFieldsOf(selection []rules.Rule) []ruleFields {
	fields := make([]ruleFields, len(selection))
	for i, r := range selection {
		fields[i] = ruleFields{r.ID, r.Statement, r.Why, r.Promise, r.Sources, r.Effects, r.Keys, r.MovesClock, r.TwoRegions}
	}
	return fields
}

// A ruleList is what --list prints.
type ruleList struct {
	Rules []ruleFields `json:"rules"`
}

func (l ruleList) text(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "RULE\tPROMISE\tKEYS\tSTATEMENT")
	for _, r := range l.Rules {
		fmt.Fprintf(tw, "%s\t%s\t%d\t%s\n", r.ID, r.Promise, r.Keys, r.Statement)
	}
	tw.Flush()
}

// A verification is what a run showed.
type verification struct {
	Run     string                `json:"run"` // the value of the tag on its keys
	Target  string                `json:"target"`
	Region  string                `json:"region"`
	Second  string                `json:"second_region,omitempty"`
	Started time.Time             `json:"started"`
	Seconds float64               `json:"seconds"`
	Summary map[rules.Verdict]int `json:"summary"`
	Rules   []verifiedRule        `json:"rules"`
	Leaving []experiment.Leaving  `json:"leaving"` // keys that KMS will delete

	Incomplete string   `json:"incomplete,omitempty"` // why the run ended early
	Untested   []string `json:"untested,omitempty"`   // IDs of the rules that it did not come to the end of
	Unfinished string   `json:"unfinished,omitempty"` // what could not be cleaned up

	lasting bool // somebody may see those keys
	billed  bool // and might fear to pay for them
}

// A verifiedRule is a rule and what became of it.
type verifiedRule struct {
	ruleFields
	Verdict rules.Verdict            `json:"verdict"`
	Reason  string                   `json:"reason,omitempty"`
	Started time.Time                `json:"started,omitzero"`
	Seconds float64                  `json:"seconds"`
	Made    []string                 `json:"made"` // ARNs
	Steps   []experiment.Observation `json:"steps"`
}

// verificationOf tells what results show. stopped is why the run ended early, and
// nil if it did not.
func verificationOf(t *target, run string, results []rules.Result, stopped error) verification {
	v := verification{
		Run: run, Target: t.name, Region: t.region, Second: t.second, lasting: t.lasting, billed: t.billed,
		Summary: make(map[rules.Verdict]int), Rules: []verifiedRule{}, Leaving: []experiment.Leaving{},
	}
	if stopped != nil {
		v.Incomplete = describeError(stopped)
	}
	for _, verdict := range rules.Verdicts() {
		v.Summary[verdict] = 0
	}
	for _, r := range results {
		v.Leaving = append(v.Leaving, r.Leaving...)
		if stopped != nil && (errors.Is(r.Err, stopped) || errors.Is(stopped, r.Err)) {
			v.Untested = append(v.Untested, r.Rule.ID)
			continue
		}
		v.Summary[r.Verdict]++
		v.Rules = append(v.Rules, verifiedRuleOf(r))
	}
	return v
}

func verifiedRuleOf(r rules.Result) verifiedRule {
	v := verifiedRule{
		ruleFields: ruleFieldsOf([]rules.Rule{r.Rule})[0], Verdict: r.Verdict, Reason: r.Reason,
		Started: r.Started, Seconds: r.Seconds, Made: []string{}, Steps: append([]experiment.Observation{}, r.Steps...),
	}
	for _, k := range r.Keys {
		v.Made = append(v.Made, k.ARN)
	}
	return v
}

// groups are the rules by group, in order.
func (v verification) groups() []verifiedGroup {
	var groups []verifiedGroup
	for _, r := range v.Rules {
		name, _, _ := strings.Cut(r.ID, "/")
		if len(groups) == 0 || groups[len(groups)-1].Name != name {
			groups = append(groups, verifiedGroup{Name: name})
		}
		last := &groups[len(groups)-1]
		last.Rules = append(last.Rules, r)
	}
	return groups
}

type verifiedGroup struct {
	Name  string
	Rules []verifiedRule
}

func (v verification) text(w io.Writer) {
	width := 0
	for _, r := range v.Rules {
		width = max(width, len(r.ID))
	}
	for _, r := range v.Rules {
		fmt.Fprintf(w, "%-*s  %s\n", width, r.ID, verdictAndReason(r.Verdict, r.Reason))
	}
	fmt.Fprintf(w, "\n%s\n", v.summary())
	if missing := v.describeIncomplete(); missing != "" {
		fmt.Fprintln(w, missing)
	}
	if left := v.describeLeaving(); left != "" {
		fmt.Fprintln(w, left)
	}
}

func verdictAndReason(verdict rules.Verdict, reason string) string {
	if reason == "" {
		return string(verdict)
	}
	return string(verdict) + ": " + reason
}

// summary is the run in one line: "12 rules on AWS: 11 hold, 1 broken; 8.1 s".
func (v verification) summary() string {
	words := map[rules.Verdict]string{rules.Holds: "hold"}
	var parts []string
	for _, verdict := range rules.Verdicts() {
		n := v.Summary[verdict]
		if n == 0 {
			continue
		}
		word, ok := words[verdict]
		if !ok || n == 1 {
			word = string(verdict)
		}
		parts = append(parts, fmt.Sprintf("%d %s", n, word))
	}
	tested := count(len(v.Rules), "rule")
	if len(parts) > 0 {
		tested += ": " + strings.Join(parts, ", ")
	}
	return fmt.Sprintf("%s; %.1f s", tested, v.Seconds)
}

// describeIncomplete says what is missing from a report; "" for nothing.
func (v verification) describeIncomplete() string {
	if v.Incomplete == "" {
		return ""
	}
	return fmt.Sprintf("Incomplete: the run ended early (%s). Not tested to the end: %s.", v.Incomplete, strings.Join(v.Untested, ", "))
}

// describeLeaving says which keys are left; "" for none that matter.
func (v verification) describeLeaving() string {
	if len(v.Leaving) == 0 || !v.lasting {
		return ""
	}
	last := v.Leaving[0].Deletion
	for _, l := range v.Leaving {
		if l.Deletion.After(last) {
			last = l.Deletion
		}
	}
	left := fmt.Sprintf("keys of this run that wait for their deletion: %d, the last until %s", len(v.Leaving), seconds(last))
	if v.billed {
		left += "; AWS bills nothing for such a key"
	}
	return left
}
