// SPDX-License-Identifier: Apache-2.0

package phase

import (
	"slices"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// checkStep reports whether a step comes now, as far as what was made and kept
// is concerned.
func (s *State) checkStep(name string, e transcript.Event) error {
	if _, voids := e.(transcript.Voided); s.lost() && !voids && s.part.Writer() == offlineMachine {
		return &RuleError{N1, name, []string{"the word that what was lost is void"}}
	}
	if err := s.checkPurpose(name, e); err != nil {
		return err
	}
	if err := s.checkKeeper(name, e); err != nil {
		return err
	}
	switch e := e.(type) {
	case transcript.Generated:
		return s.checkGenerated(name, e)
	case transcript.Unlocked, transcript.Locked, transcript.BackedUp, transcript.Entrusted:
		return s.checkToken(name, e)
	case transcript.Recovered:
		return s.checkRecovered(name, e)
	case transcript.Destroyed:
		return s.checkDestroyed(name)
	case transcript.Voided:
		return s.checkVoided(name, e)
	case transcript.Interrupted:
		if !s.inMemory {
			return s.order(name, "there is nothing in memory")
		}
		return nil
	case transcript.Escrowed, transcript.Copied, transcript.Issued, transcript.ReadBack, transcript.Sealed, transcript.Retired:
		return s.checkCustody(name, e)
	case transcript.Discarded:
		return s.checkDiscarded(name, e)
	case transcript.Attested:
		return s.checkAttested(name, e)
	case transcript.Bundled:
		return s.checkBundled(name, e)
	case transcript.Wrapped:
		return s.checkWrapped(name, e)
	}
	return s.checkReceipt(name, e)
}

func (s *State) applyStep(e transcript.Event) {
	switch e := e.(type) {
	case transcript.Generated:
		s.made, s.inMemory, s.void = e.Fingerprint, true, false
		if e.Token.ID != "" {
			s.escrows = append(s.escrows, tokenKey(e.Token.ID, e.Fingerprint, Working))
			delete(s.passed, plan.GateSealed)
		}
		delete(s.passed, plan.GateIdentity)
	case transcript.Recovered:
		s.inMemory = true
		delete(s.passed, plan.GateIdentity)
	case transcript.Destroyed, transcript.Interrupted:
		s.inMemory = false
	case transcript.Voided:
		if w := s.escrow(e.Escrow); w != nil {
			w.Condition = Dead
		}
		if e.Material {
			s.made, s.void = "", true
		}
		if s.plan.KeptInToken() {
			s.inMemory = false // the key is gone, or never wanted again
		}
	case transcript.Bundled:
		s.bundles = append(s.bundles, bundle{sha256: e.File.SHA256, targets: e.Targets})
		delete(s.passed, plan.GateBundle)
	case transcript.Wrapped:
		s.applyWrapped(e)
	case transcript.Discarded:
		s.applyDiscarded(e)
	case transcript.Attested:
		s.target(e.Target).Attested = e.State
	default:
		s.applyCustody(e)
		s.applyToken(e)
		s.applyReceipt(e)
	}
}

func (s *State) checkGenerated(name string, e transcript.Generated) error {
	switch {
	case s.plan.Material.Source == plan.FromEscrow:
		return &PlanError{name, "source", string(e.Source), string(plan.FromEscrow)}
	case e.Source != s.plan.Material.Source:
		return &PlanError{name, "source", string(e.Source), string(s.plan.Material.Source)}
	case e.KeySpec != s.plan.Material.Spec:
		return &PlanError{name, "key_spec", string(e.KeySpec), string(s.plan.Material.Spec)}
	case e.Fingerprint == "":
		return &PlanError{name, "fingerprint", "", "that of the material"}
	case s.made != "" || s.inMemory:
		return s.order(name, "there is material already")
	}
	if err := s.checkBorn(name, e); err != nil {
		return err
	}
	return s.gate(name, plan.GateOpen)
}

// checkRecovered demands a quorum for an escrow that brings the material back.
func (s *State) checkRecovered(name string, e transcript.Recovered) error {
	w := s.escrow(e.Escrow)
	switch {
	case w == nil:
		return s.order(name, "there is no escrow "+e.Escrow)
	case w.Condition == Dead:
		return &RuleError{N3, name, []string{"an escrow that is not void"}}
	case w.Condition != Kept:
		return s.order(name, "the escrow "+e.Escrow+" is "+string(w.Condition))
	case e.Fingerprint != w.Fingerprint:
		return &PlanError{name, "fingerprint", e.Fingerprint, w.Fingerprint}
	case s.inMemory:
		return s.order(name, "the material is in memory already")
	}
	opens, distinct := s.plan.Opening(e.Escrow), map[int]bool{}
	for _, h := range opens.Holders {
		if slices.Contains(e.Shares, h.Share) {
			distinct[h.Share] = true
		}
	}
	if lack := opens.Threshold - len(distinct); lack > 0 {
		return &RuleError{N5, name, []string{shares(lack)}}
	}
	return s.gate(name, plan.GateOpen)
}

func (s *State) checkDestroyed(name string) error {
	switch {
	case s.working() != nil || s.made != "" && !s.sealed():
		missing := append(s.unproven(), "a seal, or that it is void")
		return &RuleError{N1, name, missing}
	case !s.inMemory:
		return s.order(name, "there is nothing in memory")
	}
	return nil
}

// checkVoided lets go what nothing depends on.
func (s *State) checkVoided(name string, e transcript.Voided) error {
	switch w := s.escrow(e.Escrow); {
	case e.Escrow == "" && !e.Material:
		return s.order(name, "it says nothing that is void")
	case e.Escrow != "" && w == nil:
		return s.order(name, "there is no escrow "+e.Escrow)
	case e.Material && s.sealed(), w != nil && w.Condition == Kept:
		return &RuleError{N7, name, []string{"another escrow that is sealed, and the step retire"}}
	case w != nil && w.Condition != Working:
		return s.order(name, "the escrow "+e.Escrow+" is "+string(w.Condition))
	case e.Material && s.made == "":
		return s.order(name, "there is no material")
	case e.Escrow != "" && s.plan.KeptInToken() && !e.Material:
		return s.order(name, "the key in the token is the material")
	case e.Material && w == nil && s.working() != nil:
		return s.order(name, "the escrow "+s.working().ID+" has to be void as well")
	}
	return nil
}
