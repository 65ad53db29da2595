// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/keymat/keymat/rules"
)

// A verifyPlan is what a run would do.
type verifyPlan struct {
	Target     string   `json:"target"`
	Region     string   `json:"region"`
	Second     string   `json:"second_region,omitempty"`
	Rules      []string `json:"rules"` // IDs of those that can be tested there
	Skipped    []string `json:"skipped"`
	Keys       int      `json:"keys"`
	Cost       float64  `json:"cost_usd"` // at most
	MovesClock bool     `json:"moves_clock"`
	Effects    []string `json:"effects"`     // beyond making keys
	Actions    []string `json:"iam_actions"` // for the rules that are not skipped
}

// Prices of KMS. "Each AWS KMS key that you create in AWS KMS costs $1/month
// (prorated hourly)", keys "that are scheduled for deletion" nothing (AWS KMS
// pricing page, 2026). Material that a rotation adds costs like a key.
const (
	keyPrice     = 1.0     // USD a month
	monthHours   = 28 * 24 // of the shortest
	billedHours  = 2       // a run of minutes can begin in one hour and end in the next
	mostVersions = 3       // of one key's material that cost: the first and two rotations
)

// planOf is the plan for rules on a target.
func planOf(t *target, selection []rules.Rule) verifyPlan {
	p := verifyPlan{
		Target: t.name, Region: t.region, Second: t.second,
		Rules: []string{}, Skipped: []string{}, Effects: []string{},
	}
	var tested []rules.Rule
	for _, r := range selection {
		if r.MovesClock && t.clock == nil || r.TwoRegions && t.second == "" {
			p.Skipped = append(p.Skipped, r.ID)
			continue
		}
		tested = append(tested, r)
		p.Rules = append(p.Rules, r.ID)
		p.Keys += r.Keys
		p.MovesClock = p.MovesClock || r.MovesClock
		if r.Effects != "" && !slices.Contains(p.Effects, r.Effects) {
			p.Effects = append(p.Effects, r.Effects)
		}
	}
	p.Actions = ofKMS(slices.Sorted(slices.Values(verifyActions(tested))))
	if t.billed {
		p.Cost = float64(p.Keys) * keyPrice * mostVersions * billedHours / monthHours
	}
	return p
}

func (p verifyPlan) describeKeys() string {
	where := p.Region
	if p.Second != "" {
		where += " and " + p.Second
	}
	return count(p.Keys, "key") + " in " + where
}

func (p verifyPlan) describeCost() string {
	if p.Cost == 0 {
		return "it costs nothing"
	}
	return fmt.Sprintf("AWS bills a key USD %.0f a month, by the hour, until its deletion is scheduled: at most USD %.2f in all if nothing goes wrong; a key that stays costs on", keyPrice, p.Cost)
}

func (p verifyPlan) text(w io.Writer) {
	fields(w,
		"KMS", p.Target,
		"rules", fmt.Sprintf("%d, and %d to be skipped there", len(p.Rules), len(p.Skipped)),
		"keys", p.describeKeys(),
		"cost", p.describeCost(),
		"also", strings.Join(p.Effects, "; "),
	)
	fmt.Fprintln(w, "\nThe rules:")
	for _, id := range p.Rules {
		fmt.Fprintf(w, "  %s\n", id)
	}
	for _, id := range p.Skipped {
		fmt.Fprintf(w, "  %s (skipped)\n", id)
	}
	fmt.Fprintln(w, "\nThe IAM actions that these rules take (keymat help iam prints a policy for all):")
	for _, action := range p.Actions {
		fmt.Fprintf(w, "  %s\n", action)
	}
	fmt.Fprintln(w, "\nNothing was made.")
}

// A costError says that a run may cost more than was allowed.
type costError struct{ cost, most float64 }

func (e *costError) Error() string {
	return fmt.Sprintf("this may cost up to USD %.2f, which is more than USD %.2f", e.cost, e.most)
}
