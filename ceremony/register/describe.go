// SPDX-License-Identifier: Apache-2.0

package register

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// Describe says for a register what a ceremony that is over shows of its key: by
// its plan, the state that its records add up to, and the head of the last of
// them. Key and State are those of a new key. Errors: [*RehearsalError],
// [*UnfinishedError].
func Describe(p *plan.Plan, s *phase.State, last transcript.Head) (Added, error) {
	a := Added{Key: p.ID, Ceremony: p.ID, Purpose: p.Purpose, Head: last.SHA256, Title: p.Title, KeySpec: p.Material.Spec, Usage: p.Material.Usage,
		Fingerprint: s.Fingerprint(), Held: []Held{}, State: PreActivation}
	if p.Expected != nil {
		a.From, a.Fingerprint = p.Expected.Escrow.String(), p.Expected.Fingerprint
	}
	switch {
	case p.Rehearsal:
		return a, &RehearsalError{p.ID}
	case s.Incident() != "":
		return a, &UnfinishedError{p.ID, "it ended with an incident at " + s.Incident() + ", which is to be investigated"}
	}
	if agenda := s.Next(transcript.OfflineMachine); len(agenda.Here)+len(agenda.Elsewhere) > 0 {
		return a, &UnfinishedError{p.ID, "still to come: " + append(agenda.Here, agenda.Elsewhere...)[0].String()}
	}
	kept, ok := s.Kept()
	gone := slices.ContainsFunc(s.Escrows(), func(e phase.Escrow) bool { return e.Condition == phase.Gone })
	switch {
	case ok:
		a.Escrow = Escrow{kept.ID, p.Escrow.Profile, p.Escrow.Scheme, p.Shares.Threshold, p.Shares.Count}
	case !gone:
		return a, &UnfinishedError{p.ID, "nothing that it made is recoverable"}
	}
	for i, t := range s.Targets() {
		if !t.Held {
			continue
		}
		a.State = Active
		a.Held = append(a.Held, Held{arn(p.Targets[i]), t.MaterialID, p.Targets[i].ValidTo})
	}
	return a, nil
}

// Place makes of what a ceremony shows a line of the register: of the key that the
// ceremony began with, if there is one, which stays in its state unless the
// ceremony has activated it.
func (r *Register) Place(a Added) Added {
	if k := r.ofFormer(a.From); k != nil {
		a.Key = k.Added.Key
		if a.From != k.Escrow.ID && a.Escrow.ID == "" { // one that was replaced is destroyed
			a.Escrow = k.Escrow
		}
		if k.State != PreActivation || a.State != Active {
			a.State = k.State
		}
	}
	return a
}

// arn names a KMS key, be it by an alias.
func arn(t plan.Target) string {
	if strings.HasPrefix(t.Key, "arn:") {
		return t.Key
	}
	return fmt.Sprintf("arn:%s:kms:%s:%s:%s", t.Partition, t.Region, t.Account, t.Key)
}
