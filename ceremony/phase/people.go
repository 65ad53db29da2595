// SPDX-License-Identifier: Apache-2.0

package phase

import (
	"slices"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// checkMachine holds a step to the machine that it belongs to.
func (s *State) checkMachine(name string, e transcript.Event) error {
	want := offlineMachine
	switch e.(type) {
	case transcript.Submitted, transcript.Refused, transcript.Imported, transcript.Verified, transcript.Forgotten:
		want = importMachine
	}
	if got := s.part.Writer(); got != want {
		return &MachineError{name, got, want}
	}
	return nil
}

// checkCrew demands two people for each step, of whom one has the role for it,
// and those whose share it is. What will not be used any more, the lead decides.
// That memory was lost, or the token left, may be told by anybody.
func (s *State) checkCrew(name string, e transcript.Event, actors []string) error {
	switch e := e.(type) {
	case transcript.Interrupted:
		return nil
	case transcript.Locked:
		if e.Reason != "" {
			return nil
		}
	}
	role := plan.Operator
	if s.part.Writer() == importMachine {
		role = plan.Importer
		if barred := s.with(plan.Fetcher, actors); len(barred) > 0 {
			return &PeopleError{Event: name, Barred: barred}
		}
	}
	if len(s.with(role, actors)) == 0 {
		return &PeopleError{Event: name, Missing: []string{string(role)}}
	}
	if !slices.ContainsFunc(actors, func(id string) bool { return id != actors[0] }) {
		return &PeopleError{Event: name, Missing: []string{"a second person"}}
	}
	switch e.(type) {
	case transcript.Voided, transcript.Retired, transcript.Discarded:
		if len(s.with(plan.Lead, actors)) == 0 {
			return &PeopleError{Event: name, Missing: []string{string(plan.Lead)}}
		}
	}
	if missing := without(s.holders(e), actors); len(missing) > 0 {
		return &PeopleError{Event: name, Missing: missing}
	}
	return nil
}

// with gives those of some people who have a role.
func (s *State) with(r plan.Role, ids []string) (with []string) {
	for _, id := range ids {
		if who, ok := s.plan.Person(id); ok && who.Has(r) {
			with = append(with, id)
		}
	}
	return with
}

// tokenHolders are those without whom a step with the token cannot be: all who know
// a part of its PIN, or who keeps the backup.
func (s *State) tokenHolders(e transcript.Event) []string {
	switch e := e.(type) {
	case transcript.Generated, transcript.Unlocked:
		return s.plan.Token.PIN
	case transcript.BackedUp:
		if b, ok := s.plan.TokenBackup(e.Backup); ok {
			return []string{b.Holder}
		}
	}
	return nil
}

// holders are those without whom a step with shares cannot be. A share for
// somebody absent goes into a bag.
func (s *State) holders(e transcript.Event) (ids []string) {
	var shares []int
	holders := s.plan.Shares.Holders
	switch e := e.(type) {
	case transcript.Issued:
		if e.Bag == "" {
			shares = []int{e.Share}
		}
	case transcript.ReadBack:
		shares = []int{e.Share}
	case transcript.Recovered:
		shares, holders = e.Shares, s.plan.Opening(e.Escrow).Holders
	}
	if s.plan.KeptInToken() {
		return s.tokenHolders(e)
	}
	for _, h := range holders {
		if slices.Contains(shares, h.Share) {
			ids = append(ids, h.Custodian)
		}
	}
	return ids
}
