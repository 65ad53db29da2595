// SPDX-License-Identifier: Apache-2.0

package phase

import (
	"fmt"
	"strings"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// A Rule is one of those by which nothing is lost.
type Rule string

// The rules.
const (
	N1 Rule = "N1" // material and key are not destroyed before they are sealed, unless they are void
	N2 Rule = "N2" // nothing is fetched, wrapped or imported before the material is sealed: KMS never has the only copy
	N3 Rule = "N3" // nothing is overwritten, and no ID used again, that of a void escrow least of all
	N4 Rule = "N4" // an artefact counts once it was read back from its medium and found to be the same
	N5 Rule = "N5" // bundles and packages are disposable: a kept escrow and a quorum make them anew
	N6 Rule = "N6" // what is submitted again is the same bytes; a new token takes a new package from the offline machine
	N7 Rule = "N7" // an escrow and its shares are given up only for another that is sealed
	N8 Rule = "N8" // what happens to the key in KMS does not touch the escrow; destroying that is a ceremony of its own
)

// Statement is the rule in words.
func (r Rule) Statement() string {
	return map[Rule]string{
		N1: "nothing is destroyed before it is sealed or void",
		N2: "nothing is fetched, wrapped or imported before the material is sealed",
		N3: "nothing is overwritten and no ID used again",
		N4: "a file counts once it was read back and is the same",
		N5: "what is wrapped comes from material that a quorum has opened",
		N6: "what is submitted again is the same bytes, and a new token takes a new package",
		N7: "an escrow is given up only for another that is sealed",
		N8: "an escrow is destroyed in a ceremony of its own only",
	}[r]
}

// A RuleError says that a step would break a rule.
type RuleError struct {
	Rule    Rule
	Event   string   // as in the record
	Missing []string // what would have to be there first, in words
}

func (e *RuleError) Error() string {
	text := fmt.Sprintf("%s is against rule %s, %s", e.Event, e.Rule, e.Rule.Statement())
	if len(e.Missing) > 0 {
		text += ": missing " + strings.Join(e.Missing, ", ")
	}
	return text
}

// An OrderError says that a step does not come now.
type OrderError struct {
	Event string
	Phase Phase
	Want  string // what comes before, in words
}

func (e *OrderError) Error() string {
	return fmt.Sprintf("%s does not come at %s: %s", e.Event, e.Phase, e.Want)
}

// A GateError says that a gate is not passed.
type GateError struct {
	Event   string
	Gate    plan.Gate
	Missing []string // IDs of those who have to confirm
}

func (e *GateError) Error() string {
	return fmt.Sprintf("%s comes after the gate %s, which waits for %s", e.Event, e.Gate, strings.Join(e.Missing, ", "))
}

// A PeopleError says that those who did a step must not, or not alone.
type PeopleError struct {
	Event   string
	Missing []string // IDs, or roles, of those who have to be there
	Barred  []string // IDs of those who must not do it
}

func (e *PeopleError) Error() string {
	if len(e.Barred) > 0 {
		return fmt.Sprintf("%s is not for %s", e.Event, strings.Join(e.Barred, ", "))
	}
	return fmt.Sprintf("%s is not done without %s", e.Event, strings.Join(e.Missing, ", "))
}

// A MachineError says that a step belongs to another machine.
type MachineError struct {
	Event     string
	Got, Want transcript.Machine
}

func (e *MachineError) Error() string {
	return fmt.Sprintf("%s is for the %s machine, not for the %s machine", e.Event, e.Want, e.Got)
}

// A PlanError says that a step departs from the plan, or from what was made.
type PlanError struct {
	Event     string
	Field     string
	Got, Want string
}

func (e *PlanError) Error() string {
	return fmt.Sprintf("%s: %s is %q, want %q", e.Event, e.Field, e.Got, e.Want)
}

// An IncidentError says that nothing may be submitted any more: KMS could not
// open bytes that are those wrapped offline, so that the wrapping key may have
// been exchanged, and the material be exposed.
type IncidentError struct {
	Target string // where it happened
}

func (e *IncidentError) Error() string {
	return "KMS could not open what was wrapped for " + e.Target + ": the material has to be treated as exposed"
}

// A LineError says which line of the records breaks a rule.
type LineError struct {
	Record int // from 1
	Line   int // from 1
	Err    error
}

func (e *LineError) Error() string {
	return fmt.Sprintf("record %d, line %d: %v", e.Record, e.Line, e.Err)
}

func (e *LineError) Unwrap() error { return e.Err }
