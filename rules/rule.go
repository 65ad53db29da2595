// SPDX-License-Identifier: Apache-2.0

// Package rules holds what governs imported key material in AWS KMS, one rule
// after the other, each with the experiment that tests it.
package rules

import (
	"slices"
	"strings"

	"github.com/keymat/keymat/internal/experiment"
)

// A Rule is one statement about imported key material, and how to test it.
type Rule struct {
	// ID is stable: "group/rule", such as "token-reuse/other-key".
	ID string

	Statement string   // the rule in one sentence
	Why       string   // what it means for those who bring their own key
	Sources   []Source // where it is stated or was seen
	Promise   Promise  // whether KMS promises it

	// Effects says what the experiment does beyond making keys and scheduling
	// their deletion; "" for nothing.
	Effects string

	Keys       int  // KMS keys it makes, replicas included; they cost money until they are deleted
	MovesClock bool // it needs a KMS whose clock can be moved, for itself alone
	TwoRegions bool // it needs a second Region

	// Experiment makes the calls. What it expects stands beside each of them.
	Experiment func(*experiment.Trial)
}

// Promise says how firm a rule is.
type Promise string

// The kinds of promises.
const (
	Documented Promise = "documented" // AWS states it
	Observed   Promise = "observed"   // KMS was seen to do it, and may change
)

// A Source is where a rule is stated, or was seen.
type Source struct {
	Title string `json:"title"`         // "AWS KMS Developer Guide, Importing key material"
	URL   string `json:"url,omitempty"` // "" for what was observed
}

// Group is the first part of the ID: "token-reuse".
func (r *Rule) Group() string {
	group, _, _ := strings.Cut(r.ID, "/")
	return group
}

// All lists the rules in the order of the groups.
func All() []Rule {
	return slices.Concat(
		tokenReuse(), portability(), portableKeys(), sameMaterial(), rotation(), wrapping(), lifetime(), multiRegionKeys(), never(),
	)
}
