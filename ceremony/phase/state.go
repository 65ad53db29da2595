// SPDX-License-Identifier: Apache-2.0

package phase

import (
	"slices"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

const (
	offlineMachine = transcript.OfflineMachine
	importMachine  = transcript.ImportMachine
)

// A State is what the records of a ceremony add up to. [Start] and [Fold] make
// it.
type State struct {
	plan *plan.Plan

	records int // that were begun
	open    bool
	part    transcript.Part   // of the latest record
	end     transcript.Digest // of the latest record, when it is closed
	passed  map[plan.Gate]bool
	worked  bool // the latest record has steps, not only remarks

	made     string // the fingerprint of the material, "" for none
	inMemory bool
	void     bool

	escrows  []*Escrow
	targets  []*Target
	bundles  []bundle
	packages map[transcript.Digest]bool
	incident string // ID of the target, "" for none
}

// A Condition is what an escrow with its shares is good for.
type Condition string

// The conditions.
const (
	Working Condition = "working" // shares are being dealt
	Kept    Condition = "kept"    // brings the material back
	Dead    Condition = "dead"    // void, and so is its ID
	Retired Condition = "retired" // another has taken its place
	Gone    Condition = "gone"    // every share and copy was destroyed
)

// An Escrow is a recoverable copy, and the shares that open it; or the key in the
// token, and its backups, see [plan.Plan.KeptInToken].
type Escrow struct {
	ID          string // 32 hexadecimal digits
	Fingerprint string
	SHA256      transcript.Digest // of the file; zero for an escrow of an earlier ceremony
	Condition   Condition
	Copies      []string // IDs of those that were read back and opened; of backups, those that people attest
	Issued      []int    // numbers of the shares that custodians have
	ReadBack    []int    // numbers of the shares that are right

	bags map[string]int // the share in each bag, by serial number

	Discarded       []int    // numbers of the shares that are gone
	DiscardedCopies []string // IDs of the copies that are
}

// A Target is how far the material has come into a KMS key.
type Target struct {
	ID         string
	Bundle     transcript.Digest   // whose token was used for Package; zero before it is wrapped
	Package    transcript.Digest   // that may be submitted; zero for none
	Sent       transcript.Digest   // the bytes that were submitted of Package; zero for none
	Waiting    bool                // it was submitted, and no answer is known
	Held       bool                // KMS has the material
	MaterialID string              // KMS's KeyMaterialId, which symmetric encryption keys have
	Method     string              // how it was verified, "" for not
	Attested   transcript.KeyState // what people found out when the escrow was destroyed, "" for nothing
}

func (t Target) wrapped() bool  { return t.Package != (transcript.Digest{}) || t.imported() }
func (t Target) imported() bool { return t.Held }
func (t Target) verified() bool { return t.Method != "" }
func (t Target) attested() bool { return t.Attested != "" }

// A bundle is what was fetched for some targets.
type bundle struct {
	sha256  transcript.Digest
	targets []string
	used    []string // targets that its tokens were used for
}

// Start is the state of a ceremony of which there is no record yet. One that
// takes its material from an escrow, or has its key in the token, begins with that.
func Start(p *plan.Plan) *State {
	s := &State{plan: p, passed: map[plan.Gate]bool{}, packages: map[transcript.Digest]bool{}}
	if p.KeptInToken() && p.Expected != nil {
		s.made = p.Expected.Fingerprint
		s.escrows = []*Escrow{tokenKey(p.Expected.Escrow.String(), s.made, Kept)}
	}
	if p.Material.Source == plan.FromEscrow && p.Expected != nil {
		s.made = p.Expected.Fingerprint
		s.escrows = []*Escrow{{ID: p.Expected.Escrow.String(), Fingerprint: s.made, Condition: Kept}}
	}
	for _, t := range p.Targets {
		s.targets = append(s.targets, &Target{ID: t.ID})
	}
	return s
}

// InMemory reports whether the offline machine holds the material in memory, or the
// token that has it is unlocked. A program that starts and finds this has to record
// [transcript.Interrupted], or [transcript.Locked], first: the memory, and the
// session with the token, were those of another.
func (s *State) InMemory() bool { return s.inMemory }

// Fingerprint is that of the material, "" if there is none.
func (s *State) Fingerprint() string { return s.made }

// Escrows are all there ever were, the dead ones too.
func (s *State) Escrows() (all []Escrow) {
	for _, e := range s.escrows {
		c := *e
		c.Copies, c.Issued, c.ReadBack = slices.Clone(e.Copies), slices.Clone(e.Issued), slices.Clone(e.ReadBack)
		c.Discarded, c.DiscardedCopies = slices.Clone(e.Discarded), slices.Clone(e.DiscardedCopies)
		all = append(all, c)
	}
	return all
}

// Targets are those of the plan, in its order.
func (s *State) Targets() (all []Target) {
	for _, t := range s.targets {
		all = append(all, *t)
	}
	return all
}

// Incident is the ID of the target whose KMS key could not open what was wrapped
// for it, "" for none. Nothing can be submitted any more.
func (s *State) Incident() string { return s.incident }

// Kept is the latest escrow that brings the material back.
func (s *State) Kept() (e Escrow, ok bool) {
	for _, e := range slices.Backward(s.Escrows()) {
		if e.Condition == Kept {
			return e, true
		}
	}
	return Escrow{}, false
}

func (s *State) escrow(id string) *Escrow {
	for _, e := range s.escrows {
		if e.ID == id {
			return e
		}
	}
	return nil
}

// working is the escrow whose shares are being dealt, or nil.
func (s *State) working() *Escrow {
	for _, e := range s.escrows {
		if e.Condition == Working {
			return e
		}
	}
	return nil
}

// sealed reports whether the material is recoverable.
func (s *State) sealed() bool {
	return slices.ContainsFunc(s.escrows, func(e *Escrow) bool { return e.Condition == Kept })
}

// recoverable is what has to be there before KMS gets the material, in words.
func (s *State) recoverable() string {
	if s.plan.KeptInToken() {
		return "a key in the token whose backups are attested"
	}
	return "a sealed escrow"
}

func (s *State) target(id string) *Target {
	for _, t := range s.targets {
		if t.ID == id {
			return t
		}
	}
	return nil
}

// lost reports whether there is something that nothing but voiding is left for:
// it was in memory alone, or its shares were not all dealt.
func (s *State) lost() bool {
	return !s.plan.KeptInToken() && !s.inMemory && (s.working() != nil || s.made != "" && !s.sealed())
}
