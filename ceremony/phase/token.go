// SPDX-License-Identifier: Apache-2.0

package phase

import (
	"slices"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
)

// Where a token keeps the material, the key in it has the place of an escrow: its
// CKA_ID is the ID, and the backups that people attest are the copies. There are no
// shares. In memory is then what is within reach: the token is unlocked. What is out
// of reach is not lost, and is found again in the token.

// tokenKey is the key in the token as the State has it.
func tokenKey(id, fingerprint string, c Condition) *Escrow {
	return &Escrow{ID: id, Fingerprint: fingerprint, Condition: c}
}

// checkKeeper reports whether a step belongs to what keeps the material: an escrow,
// or a token.
func (s *State) checkKeeper(name string, e transcript.Event) error {
	inToken := s.plan.KeptInToken()
	switch e.(type) {
	case transcript.Unlocked, transcript.Locked, transcript.BackedUp, transcript.Entrusted:
		if !inToken {
			return s.order(name, "the plan has no token")
		}
	case transcript.Recovered, transcript.Destroyed, transcript.Interrupted, transcript.Escrowed, transcript.Copied,
		transcript.Issued, transcript.ReadBack, transcript.Sealed, transcript.Retired:
		if inToken {
			return s.order(name, "a token keeps the material")
		}
	}
	return nil
}

func (s *State) checkToken(name string, e transcript.Event) error {
	switch e := e.(type) {
	case transcript.Unlocked:
		return s.checkUnlocked(name, e)
	case transcript.Locked:
		if !s.inMemory {
			return s.order(name, "the token is not unlocked")
		}
	case transcript.BackedUp:
		return s.checkBackedUp(name, e)
	case transcript.Entrusted:
		return s.checkEntrusted(name, e)
	}
	return nil
}

func (s *State) checkUnlocked(name string, e transcript.Unlocked) error {
	k := s.escrow(e.Key)
	switch {
	case k == nil:
		return s.order(name, "there is no key "+e.Key)
	case k.Condition == Dead:
		return &RuleError{N3, name, []string{"a key that is not void"}}
	case e.Fingerprint != k.Fingerprint:
		return &PlanError{name, "fingerprint", e.Fingerprint, k.Fingerprint}
	case s.inMemory:
		return s.order(name, "the token is unlocked already")
	}
	return s.gate(name, plan.GateOpen)
}

func (s *State) checkBackedUp(name string, e transcript.BackedUp) error {
	if err := s.checkWorking(name, e.Key); err != nil {
		return err
	}
	b, ok := s.plan.TokenBackup(e.Backup)
	switch {
	case !ok:
		return &PlanError{name, "backup", e.Backup, "one of the plan"}
	case e.Serial != b.Serial:
		return &PlanError{name, "serial", e.Serial, b.Serial}
	case e.Text == "":
		return &PlanError{name, "text", "", "what is attested"}
	case !s.inMemory:
		return s.order(name, "the token is not unlocked")
	}
	return s.gate(name, plan.GateIdentity)
}

func (s *State) checkEntrusted(name string, e transcript.Entrusted) error {
	if err := s.checkWorking(name, e.Key); err != nil {
		return err
	}
	if missing := s.unproven(); len(missing) > 0 {
		return &RuleError{N4, name, missing}
	}
	if !slices.Equal(e.Backups, s.working().Copies) {
		return &PlanError{name, "backups", joined(e.Backups), joined(s.working().Copies)}
	}
	if !s.passed[plan.GateIdentity] {
		return s.gate(name, plan.GateIdentity)
	}
	return s.gate(name, plan.GateSealed)
}

// checkBorn demands that a line about new material names the key in the token, if
// the plan has it made in one.
func (s *State) checkBorn(name string, e transcript.Generated) error {
	var id escrow.ID // of the same form
	switch {
	case s.plan.KeptInToken() == (e.Token.ID == ""):
		return &PlanError{name, "token.id", e.Token.ID, "the key in the token, if there is one"}
	case e.Token.ID == "":
		return nil
	case id.UnmarshalText([]byte(e.Token.ID)) != nil:
		return &PlanError{name, "token.id", e.Token.ID, "a CKA_ID of 16 bytes, in hexadecimal"}
	case e.Token.Token.Label != s.plan.Token.Label:
		return &PlanError{name, "token.token.label", e.Token.Token.Label, s.plan.Token.Label}
	case s.escrow(e.Token.ID) != nil:
		return &RuleError{N3, name, []string{"an ID that was never used"}}
	}
	return nil
}

func (s *State) applyToken(e transcript.Event) {
	switch e := e.(type) {
	case transcript.Unlocked:
		s.inMemory = true
		delete(s.passed, plan.GateIdentity)
	case transcript.Locked:
		s.inMemory = false
	case transcript.BackedUp:
		w := s.working()
		w.Copies = added(w.Copies, e.Backup)
		delete(s.passed, plan.GateSealed)
	case transcript.Entrusted:
		s.working().Condition = Kept
	}
}

// entrusting goes from the new key in the token to its backups, and the word that
// it is recoverable.
func (s *State) entrusting(w *Escrow) (tasks []Task) {
	switch {
	case !s.inMemory:
		return []Task{s.unlocking(w.ID)}
	case !s.passed[plan.GateIdentity]:
		return s.confirm(plan.GateIdentity)
	}
	for _, b := range s.plan.Token.Backups {
		if !slices.Contains(w.Copies, b.ID) {
			tasks = append(tasks, s.crew(Task{Step: BackUp, Copy: b.ID, Escrow: w.ID})...)
			t := &tasks[len(tasks)-1]
			t.People = added(t.People, b.Holder)
		}
	}
	switch {
	case len(tasks) > 0:
		return tasks
	case !s.passed[plan.GateSealed]:
		return s.confirm(plan.GateSealed)
	}
	return s.crew(Task{Step: Entrust, Escrow: w.ID})
}

// unlocking is the task to find the key in the token.
func (s *State) unlocking(id string) Task {
	t := s.crew(Task{Step: Unlock, Escrow: id})[0]
	for _, who := range s.plan.Token.PIN {
		t.People = added(t.People, who)
	}
	return t
}
