// SPDX-License-Identifier: Apache-2.0

package phase

import (
	"slices"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
)

// checkReceipt reports whether a step of the machine that imports comes now.
func (s *State) checkReceipt(name string, e transcript.Event) error {
	switch e := e.(type) {
	case transcript.Submitted:
		return s.checkSubmitted(name, e)
	case transcript.Refused:
		if !slices.Contains([]transcript.Remedy{transcript.SendAgain, transcript.WrapAgain, transcript.Incident}, e.Remedy) {
			return &PlanError{name, "remedy", string(e.Remedy), "again, renew or incident"}
		}
		if t := s.target(e.Target); t != nil && e.Remedy == transcript.WrapAgain && t.wrapped() && !t.imported() {
			return nil // there may have been no use in submitting it
		}
		return s.checkWaiting(name, e.Target)
	case transcript.Imported:
		if s.plan.Material.Spec.Kind() == material.Symmetric && e.MaterialID == "" {
			return &PlanError{name, "material_id", "", "that which KMS answered"}
		}
		return s.checkWaiting(name, e.Target)
	case transcript.Verified:
		return s.checkHeld(name, e.Target)
	case transcript.Forgotten:
		return s.checkHeld(name, e.Target)
	}
	return s.order(name, "it is no step")
}

// checkSubmitted lets nothing reach KMS but the bytes that came from the offline
// machine.
func (s *State) checkSubmitted(name string, e transcript.Submitted) error {
	t := s.target(e.Target)
	switch {
	case t == nil:
		return &PlanError{name, "target", e.Target, "one of the plan"}
	case s.incident != "":
		return &IncidentError{s.incident}
	case !s.sealed() || s.working() != nil:
		return &RuleError{N2, name, []string{s.recoverable()}}
	case t.imported():
		return s.order(name, e.Target+" has the material")
	case t.Package == (transcript.Digest{}) || t.Package != e.Package:
		return &RuleError{N6, name, []string{"the package that was wrapped for " + e.Target}}
	case t.Sent != (transcript.Digest{}) && t.Sent != e.Wrapped:
		return &RuleError{N6, name, []string{"the bytes that were sent before"}}
	}
	if primary := s.primary(e.Target); primary != nil && !primary.imported() {
		return s.order(name, primary.ID+", the primary, comes first")
	}
	return s.gate(name, plan.GateImport)
}

// primary is the target that another is a replica of, or nil.
func (s *State) primary(id string) *Target {
	for _, t := range s.plan.Targets {
		if t.ID == id {
			return s.target(t.ReplicaOf)
		}
	}
	return nil
}

func (s *State) checkWaiting(name, id string) error {
	switch t := s.target(id); {
	case t == nil:
		return &PlanError{name, "target", id, "one of the plan"}
	case !t.Waiting:
		return s.order(name, "nothing was submitted to "+id)
	}
	return nil
}

func (s *State) checkHeld(name, id string) error {
	switch t := s.target(id); {
	case t == nil:
		return &PlanError{name, "target", id, "one of the plan"}
	case !t.imported():
		return s.order(name, id+" does not have the material")
	}
	return nil
}

func (s *State) applyReceipt(e transcript.Event) {
	switch e := e.(type) {
	case transcript.Submitted:
		t := s.target(e.Target)
		t.Sent, t.Waiting = e.Wrapped, true
	case transcript.Refused:
		t := s.target(e.Target)
		t.Waiting = false
		switch e.Remedy {
		case transcript.WrapAgain:
			*t = Target{ID: t.ID}
		case transcript.Incident:
			s.incident = t.ID
		}
	case transcript.Imported:
		t := s.target(e.Target)
		t.Waiting, t.Held, t.MaterialID = false, true, e.MaterialID
	case transcript.Verified:
		s.target(e.Target).Method = e.Method
	case transcript.Forgotten: // escrows stay as they are
		*s.target(e.Target) = Target{ID: e.Target}
	}
}
