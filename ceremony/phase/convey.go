// SPDX-License-Identifier: Apache-2.0

package phase

import (
	"slices"
	"time"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

func (s *State) checkBundled(name string, e transcript.Bundled) error {
	if !s.sealed() || s.working() != nil {
		return &RuleError{N2, name, []string{s.recoverable()}}
	}
	if s.bundle(e.File.SHA256) != nil {
		return &RuleError{N3, name, []string{"a bundle that was not accepted before"}}
	}
	if _, err := time.Parse(time.RFC3339, e.ValidTo); err != nil {
		return &PlanError{name, "valid_to", e.ValidTo, "a time"}
	}
	return s.checkTargets(name, e.Targets)
}

// checkTargets demands targets of the plan that have no material.
func (s *State) checkTargets(name string, ids []string) error {
	if len(ids) == 0 {
		return &PlanError{name, "targets", "", "one of the plan at least"}
	}
	for _, id := range ids {
		switch t := s.target(id); {
		case t == nil:
			return &PlanError{name, "targets", id, "one of the plan"}
		case t.imported():
			return s.order(name, id+" has the material")
		}
	}
	return nil
}

func (s *State) checkWrapped(name string, e transcript.Wrapped) error {
	b, kept := s.bundle(e.Bundle), s.escrow(e.Escrow)
	switch {
	case !s.sealed() || s.working() != nil:
		return &RuleError{N2, name, []string{s.recoverable()}}
	case kept == nil || kept.Condition != Kept:
		return s.order(name, "the escrow "+e.Escrow+" is none that is kept")
	case !s.inMemory && s.plan.KeptInToken():
		return &RuleError{N5, name, []string{"the token, unlocked"}}
	case !s.inMemory:
		return &RuleError{N5, name, []string{shares(s.plan.Shares.Threshold)}}
	case b == nil:
		return &RuleError{N6, name, []string{"a bundle that was accepted"}}
	case s.packages[e.Package.SHA256]:
		return &RuleError{N3, name, []string{"a package that is another one"}}
	}
	if err := s.checkTargets(name, e.Targets); err != nil {
		return err
	}
	for _, id := range e.Targets {
		switch {
		case !slices.Contains(b.targets, id):
			return &PlanError{name, "targets", id, "one of the bundle"}
		case slices.Contains(b.used, id):
			return &RuleError{N6, name, []string{"a new token for " + id}}
		}
	}
	return s.gate(name, plan.GateBundle)
}

func (s *State) applyWrapped(e transcript.Wrapped) {
	b := s.bundle(e.Bundle)
	b.used = append(b.used, e.Targets...)
	s.packages[e.Package.SHA256] = true
	for _, id := range e.Targets {
		*s.target(id) = Target{ID: id, Bundle: e.Bundle, Package: e.Package.SHA256}
	}
}

func (s *State) bundle(sha256 transcript.Digest) *bundle {
	for i := range s.bundles {
		if s.bundles[i].sha256 == sha256 {
			return &s.bundles[i]
		}
	}
	return nil
}

// fresh is the latest bundle whose token for a target was not used, or nil.
func (s *State) fresh(id string) *bundle {
	for i := len(s.bundles) - 1; i >= 0; i-- {
		if b := &s.bundles[i]; slices.Contains(b.targets, id) {
			if slices.Contains(b.used, id) {
				return nil
			}
			return b
		}
	}
	return nil
}
