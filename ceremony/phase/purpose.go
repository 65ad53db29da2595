// SPDX-License-Identifier: Apache-2.0

package phase

import (
	"fmt"
	"slices"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// checkPurpose reports whether a step belongs to what the ceremony is held for.
func (s *State) checkPurpose(name string, e transcript.Event) error {
	purpose := s.plan.Purpose
	switch e.(type) {
	case transcript.Discarded:
		if purpose != plan.ForDestruction {
			return &RuleError{N8, name, []string{"a ceremony for the destruction"}}
		}
		return nil
	case transcript.Attested:
		if purpose != plan.ForDestruction {
			return s.order(name, "the ceremony is not held to destroy anything")
		}
		return nil
	case transcript.Bundled, transcript.Wrapped:
		if purpose == plan.ForRefresh {
			return s.order(name, "the ceremony is held to deal new shares, and nothing else")
		}
	}
	if purpose == plan.ForDestruction {
		return s.order(name, "the ceremony is held to destroy, and opens nothing")
	}
	return nil
}

// replaced reports whether another escrow has taken the place of the one that a
// ceremony for new shares began with.
func (s *State) replaced() bool {
	return len(s.escrows) > 0 && s.escrows[0].Condition == Retired
}

// refreshing goes from the old shares to the new ones.
func (s *State) refreshing() []Task {
	renewed := slices.ContainsFunc(s.escrows[1:], func(e *Escrow) bool { return e.Condition == Kept })
	switch {
	case renewed && !s.replaced():
		return []Task{{Step: Retire, Machine: offlineMachine, People: s.deciders(), Escrow: s.escrows[0].ID}}
	case renewed:
		return s.ending()
	case !s.inMemory:
		return []Task{s.quorum()}
	case !s.passed[plan.GateIdentity]:
		return s.confirm(plan.GateIdentity)
	}
	return s.crew(Task{Step: MakeEscrow})
}

// deciders are those who let something go that was kept.
func (s *State) deciders() []string { return append(s.role(plan.Lead), s.role(plan.Operator)...) }

// discarded reports whether a ceremony for the destruction is done.
func (s *State) discarded() bool {
	return len(s.escrows) > 0 && s.escrows[0].Condition == Gone && s.count(Target.attested) == len(s.targets)
}

// discarding goes through all that brings the material back, and then through
// the KMS keys.
func (s *State) discarding() (tasks []Task) {
	w, people := s.escrows[0], append(s.deciders(), s.role(plan.Witness)...)
	for _, h := range s.plan.Shares.Holders {
		if !slices.Contains(w.Discarded, h.Share) {
			tasks = append(tasks, Task{Step: Discard, Machine: offlineMachine, People: people, Share: h.Share, Escrow: w.ID})
		}
	}
	for _, c := range s.plan.Escrow.Copies {
		if !slices.Contains(w.DiscardedCopies, c.ID) {
			tasks = append(tasks, Task{Step: Discard, Machine: offlineMachine, People: people, Copy: c.ID, Escrow: w.ID})
		}
	}
	for _, id := range s.waiting(Target.attested) {
		tasks = append(tasks, s.crew(Task{Step: Attest, Targets: []string{id}})...)
	}
	if len(tasks) > 0 {
		return tasks
	}
	return s.ending()
}

func (s *State) checkDiscarded(name string, e transcript.Discarded) error {
	w := s.escrow(e.Escrow)
	switch {
	case w == nil || w.Condition != Kept:
		return s.order(name, "the escrow "+e.Escrow+" is none that is kept")
	case (e.Share == 0) == (e.Copy == ""):
		return &PlanError{name, "share", fmt.Sprint(e.Share), "a share, or a copy"}
	case e.Share != 0 && !slices.ContainsFunc(s.plan.Shares.Holders, func(h plan.Holder) bool { return h.Share == e.Share }):
		return &PlanError{name, "share", fmt.Sprint(e.Share), "one of the plan"}
	case e.Copy != "" && !slices.ContainsFunc(s.plan.Escrow.Copies, func(c plan.Copy) bool { return c.ID == e.Copy }):
		return &PlanError{name, "copy", e.Copy, "one of the plan"}
	case slices.Contains(w.Discarded, e.Share), slices.Contains(w.DiscardedCopies, e.Copy):
		return s.order(name, "it is discarded already")
	case e.How != transcript.Returned && e.How != transcript.Elsewhere:
		return &PlanError{name, "how", string(e.How), "returned or attested"}
	case e.Text == "":
		return &PlanError{name, "text", "", "what was seen, or who attests it"}
	}
	return s.gate(name, plan.GateOpen)
}

// applyDiscarded keeps the escrow until nobody has any of it: before that,
// enough of it may come together.
func (s *State) applyDiscarded(e transcript.Discarded) {
	w := s.escrow(e.Escrow)
	if e.Copy != "" {
		w.DiscardedCopies = added(w.DiscardedCopies, e.Copy)
	} else {
		w.Discarded = added(w.Discarded, e.Share)
	}
	if len(w.Discarded) == len(s.plan.Shares.Holders) && len(w.DiscardedCopies) == len(s.plan.Escrow.Copies) {
		w.Condition, s.made = Gone, ""
	}
}

func (s *State) checkAttested(name string, e transcript.Attested) error {
	switch {
	case s.target(e.Target) == nil:
		return &PlanError{name, "target", e.Target, "one of the plan"}
	case !e.State.Known():
		return &PlanError{name, "state", string(e.State), "that of a KMS key"}
	case e.Text == "":
		return &PlanError{name, "text", "", "what was found out"}
	}
	return s.gate(name, plan.GateOpen)
}
