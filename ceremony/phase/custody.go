// SPDX-License-Identifier: Apache-2.0

package phase

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
)

// checkCustody reports whether a step with an escrow or its shares comes now.
func (s *State) checkCustody(name string, e transcript.Event) error {
	switch e := e.(type) {
	case transcript.Escrowed:
		return s.checkEscrowed(name, e)
	case transcript.Copied:
		return s.checkCopied(name, e)
	case transcript.Issued:
		if err := s.checkWorking(name, e.Escrow); err != nil {
			return err
		}
		if missing := s.uncopied(); len(missing) > 0 {
			return &RuleError{N4, name, missing}
		}
		if err := s.checkBag(name, e.Bag, e.Share); err != nil {
			return err
		}
		return s.checkShare(name, e.Share)
	case transcript.ReadBack:
		if err := s.checkWorking(name, e.Escrow); err != nil {
			return err
		}
		if !slices.Contains(s.working().Issued, e.Share) {
			return s.order(name, fmt.Sprintf("share %d was not issued", e.Share))
		}
		if err := s.checkBag(name, e.Bag, e.Share); err != nil {
			return err
		}
		return s.checkShare(name, e.Share)
	case transcript.Sealed:
		return s.checkSealed(name, e)
	case transcript.Retired:
		return s.checkRetired(name, e)
	}
	return nil
}

// checkBag has no two shares in one bag: whoever opens it would have both.
func (s *State) checkBag(name, bag string, share int) error {
	if other := s.ShareIn(bag); other != 0 && other != share {
		return s.order(name, fmt.Sprintf("share %d is in the bag %s", other, bag))
	}
	return nil
}

// ShareIn is the share of the escrow being dealt that is in a bag, 0 for none.
func (s *State) ShareIn(bag string) int {
	if w := s.working(); w != nil {
		return w.bags[bag]
	}
	return 0
}

// putIn notes which bag a share is in now, if it is in one.
func (e *Escrow) putIn(bag string, share int) {
	maps.DeleteFunc(e.bags, func(_ string, other int) bool { return other == share })
	if bag != "" {
		e.bags[bag] = share
	}
}

func (s *State) checkEscrowed(name string, e transcript.Escrowed) error {
	var id escrow.ID
	switch err := id.UnmarshalText([]byte(e.Escrow)); {
	case err != nil:
		return &PlanError{name, "escrow", e.Escrow, "the ID of an escrow"}
	case s.escrow(e.Escrow) != nil:
		return &RuleError{N3, name, []string{"an ID that was never used"}}
	case s.working() != nil:
		return s.order(name, "the escrow "+s.working().ID+" is neither sealed nor void")
	case !s.inMemory || s.made == "":
		return s.order(name, "there is no material in memory")
	case e.Fingerprint != s.made:
		return &PlanError{name, "fingerprint", e.Fingerprint, s.made}
	}
	return s.gate(name, plan.GateIdentity)
}

// checkWorking demands that a step is about the escrow that is being dealt.
func (s *State) checkWorking(name, id string) error {
	w := s.escrow(id)
	switch {
	case w == nil:
		return s.order(name, "there is no escrow "+id)
	case w.Condition == Dead:
		return &RuleError{N3, name, []string{"an escrow that is not void"}}
	case w.Condition != Working:
		return s.order(name, "the escrow "+id+" is "+string(w.Condition))
	}
	return nil
}

func (s *State) checkCopied(name string, e transcript.Copied) error {
	if err := s.checkWorking(name, e.Escrow); err != nil {
		return err
	}
	if !slices.ContainsFunc(s.plan.Escrow.Copies, func(c plan.Copy) bool { return c.ID == e.Copy }) {
		return &PlanError{name, "copy", e.Copy, "one of the plan"}
	}
	if e.SHA256 != s.working().SHA256 {
		return &RuleError{N4, name, []string{"a copy that reads back as it was written"}}
	}
	return nil
}

func (s *State) checkShare(name string, share int) error {
	if share < 1 || share > s.plan.Shares.Count {
		return &PlanError{name, "share", fmt.Sprint(share), fmt.Sprintf("1 to %d", s.plan.Shares.Count)}
	}
	return nil
}

func (s *State) checkSealed(name string, e transcript.Sealed) error {
	if err := s.checkWorking(name, e.Escrow); err != nil {
		return err
	}
	if missing := s.unproven(); len(missing) > 0 {
		return &RuleError{N4, name, missing}
	}
	if e.SHA256 != s.working().SHA256 {
		return &RuleError{N4, name, []string{"a seal on the escrow that was written"}}
	}
	return s.gate(name, plan.GateSealed)
}

// checkRetired gives up an escrow for another alone.
func (s *State) checkRetired(name string, e transcript.Retired) error {
	old, by := s.escrow(e.Escrow), s.escrow(e.By)
	switch {
	case old == nil || old.Condition != Kept:
		return s.order(name, "the escrow "+e.Escrow+" is none that is kept")
	case e.By == "":
		return &RuleError{N8, name, []string{"a ceremony for the destruction"}}
	case by == nil || by == old || by.Condition != Kept:
		return &RuleError{N7, name, []string{"another escrow that is sealed"}}
	}
	return nil
}

// uncopied are the copies of the escrow being dealt that were not read back, or the
// backups of the token that nobody attests.
func (s *State) uncopied() (missing []string) {
	what := "the copy "
	if s.plan.KeptInToken() {
		what = "the backup "
	}
	for _, id := range s.plan.Copies() {
		if w := s.working(); w == nil || !slices.Contains(w.Copies, id) {
			missing = append(missing, what+id)
		}
	}
	return missing
}

// unproven is what a seal needs of the escrow being dealt, in words.
func (s *State) unproven() []string {
	missing := s.uncopied()
	for share := 1; share <= s.plan.Shares.Count; share++ {
		if w := s.working(); w == nil || !slices.Contains(w.ReadBack, share) {
			missing = append(missing, fmt.Sprintf("share %d read back", share))
		}
	}
	return missing
}

func joined(ids []string) string { return strings.Join(ids, ", ") }

func shares(n int) string {
	if n == 1 {
		return "1 share"
	}
	return fmt.Sprintf("%d shares", n)
}

func (s *State) applyCustody(e transcript.Event) {
	switch e := e.(type) {
	case transcript.Escrowed:
		s.escrows = append(s.escrows, &Escrow{ID: e.Escrow, Fingerprint: e.Fingerprint, SHA256: e.File.SHA256, Condition: Working, bags: map[string]int{}})
		delete(s.passed, plan.GateSealed)
	case transcript.Copied:
		w := s.working()
		w.Copies = added(w.Copies, e.Copy)
	case transcript.Issued: // anew, when it was misread: what was read back is another card
		w := s.working()
		w.Issued = added(w.Issued, e.Share)
		w.putIn(e.Bag, e.Share)
		w.ReadBack = slices.DeleteFunc(w.ReadBack, func(share int) bool { return share == e.Share })
		delete(s.passed, plan.GateSealed)
	case transcript.ReadBack:
		w := s.working()
		w.ReadBack = added(w.ReadBack, e.Share)
		w.putIn(e.Bag, e.Share)
	case transcript.Sealed:
		s.working().Condition = Kept
	case transcript.Retired:
		s.escrow(e.Escrow).Condition = Retired
	}
}

func added[T comparable](to []T, v T) []T {
	if slices.Contains(to, v) {
		return to
	}
	return append(to, v)
}
