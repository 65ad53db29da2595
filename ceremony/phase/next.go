// SPDX-License-Identifier: Apache-2.0

package phase

import (
	"fmt"
	"slices"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// A Step is what people do; most leave the line of that name.
type Step string

// The steps.
const (
	Begin       Step = "begin"    // a record
	Confirm     Step = "confirm"  // a gate
	Generate    Step = "generate" // material
	MakeEscrow  Step = "escrow"   // the material, into an escrow
	CopyOut     Step = "copy"     // the escrow to a medium, and read it back
	Issue       Step = "issue"    // a share
	ReadShare   Step = "readback" // a share
	SealSet     Step = "seal"     // write the seal record
	VoidLost    Step = "void"     // what was lost
	Recover     Step = "recover"  // the material, with a quorum
	Fetch       Step = "fetch"    // wrapping keys and import tokens
	Accept      Step = "bundle"   // what was fetched
	Wrap        Step = "wrap"
	Destroy     Step = "destroy" // what is in memory
	Retire      Step = "retire"  // the old escrow and its shares
	Discard     Step = "discard" // a share or a copy, for good
	Attest      Step = "attest"  // what a KMS key holds
	Unlock      Step = "unlock"  // the token, and find the key in it
	BackUp      Step = "backup"  // the token, and attest it
	Entrust     Step = "entrust" // the material to the token and its backups
	Lock        Step = "lock"    // the token
	End         Step = "end"     // the record
	Submit      Step = "submit"  // what was wrapped
	Verify      Step = "verify"  // that KMS has it
	Investigate Step = "incident"
)

// A Task is something to do now.
type Task struct {
	Step    Step               `json:"step"`
	Machine transcript.Machine `json:"machine"`
	People  []string           `json:"people"`           // IDs of those it takes, or of whom it takes Quorum
	Quorum  int                `json:"quorum,omitempty"` // how many of them; 0 for all
	Gate    plan.Gate          `json:"gate,omitempty"`
	Copy    string             `json:"copy,omitempty"`    // ID
	Share   int                `json:"share,omitempty"`   // from 1
	Targets []string           `json:"targets,omitempty"` // IDs
	Escrow  string             `json:"escrow,omitempty"`  // ID
}

// An Agenda is what is to be done now, the most urgent first. Both lists are
// empty when the ceremony is over.
type Agenda struct {
	Progress  string `json:"progress"`
	Here      []Task `json:"here"`      // on the machine that was asked for
	Elsewhere []Task `json:"elsewhere"` // on others
}

// Next says who has to do what now on a machine, and what it waits for from
// others. Errors: those of [Fold].
func Next(p *plan.Plan, m transcript.Machine, records ...*transcript.Transcript) (Agenda, error) {
	s, err := Fold(p, records...)
	return s.Next(m), err
}

// Next is the function of that name for a state that was read.
func (s *State) Next(m transcript.Machine) Agenda {
	a := Agenda{Progress: s.Progress(), Here: []Task{}, Elsewhere: []Task{}}
	for _, t := range s.tasks() {
		if t.Machine == m {
			a.Here = append(a.Here, t)
		} else {
			a.Elsewhere = append(a.Elsewhere, t)
		}
	}
	return a
}

func (s *State) tasks() []Task {
	switch {
	case s.incident != "":
		return []Task{{Step: Investigate, Machine: importMachine, People: s.role(plan.Lead), Targets: []string{s.incident}}}
	case !s.open:
		return s.between()
	case s.part.Writer() == importMachine:
		return s.importing()
	case !s.passed[plan.GateOpen]:
		return s.confirm(plan.GateOpen)
	case s.lost():
		t := Task{Step: VoidLost, Machine: offlineMachine, People: append(s.role(plan.Lead), s.role(plan.Operator)...)}
		if w := s.working(); w != nil {
			t.Escrow = w.ID
		}
		return []Task{t}
	case s.working() != nil && s.plan.KeptInToken():
		return s.entrusting(s.working())
	case s.working() != nil:
		return s.dealing(s.working())
	case s.plan.Purpose != plan.ForImport && len(s.escrows) == 0: // lint refuses such a plan
		return s.ending()
	case s.plan.Purpose == plan.ForRefresh:
		return s.refreshing()
	case s.plan.Purpose == plan.ForDestruction:
		return s.discarding()
	case !s.sealed():
		return s.making()
	}
	return s.conveying()
}

// between two records: which is the next.
func (s *State) between() []Task {
	switch missing := s.awaited(); {
	case s.plan.Purpose != plan.ForImport:
		return s.betweenOffline()
	case s.records > 0 && !s.sealed() && s.void, s.records > 0 && s.count(Target.verified) == len(s.targets):
		return nil
	case s.records == 0 || !s.sealed():
		return []Task{{Step: Begin, Machine: offlineMachine, People: slices.Clone(s.plan.Gates[plan.GateOpen])}}
	case len(missing) == 0:
		return []Task{{Step: Begin, Machine: importMachine, People: slices.Clone(s.plan.Gates[plan.GateImport])}}
	default:
		return append(s.fetches(missing), Task{Step: Begin, Machine: offlineMachine, People: slices.Clone(s.plan.Gates[plan.GateOpen])})
	}
}

// betweenOffline is for ceremonies that no other machine takes part in.
func (s *State) betweenOffline() []Task {
	if s.plan.Purpose == plan.ForRefresh && s.replaced() || s.plan.Purpose == plan.ForDestruction && s.discarded() {
		return nil
	}
	return []Task{{Step: Begin, Machine: offlineMachine, People: slices.Clone(s.plan.Gates[plan.GateOpen])}}
}

func (s *State) making() []Task {
	switch {
	case s.made == "" && s.inMemory:
		return s.crew(Task{Step: Destroy})
	case s.made == "" && s.void: // people may as well begin again
		return append(s.generating(), s.ending()...)
	case s.made == "":
		return s.generating()
	case !s.passed[plan.GateIdentity]:
		return s.confirm(plan.GateIdentity)
	}
	return s.crew(Task{Step: MakeEscrow})
}

// generating takes those who know the PIN, where a token makes the material.
func (s *State) generating() []Task {
	tasks := s.crew(Task{Step: Generate})
	if s.plan.KeptInToken() {
		for _, who := range s.plan.Token.PIN {
			tasks[0].People = added(tasks[0].People, who)
		}
	}
	return tasks
}

// dealing goes through copies, shares and what proves them.
func (s *State) dealing(w *Escrow) (tasks []Task) {
	for _, c := range s.plan.Escrow.Copies {
		if !slices.Contains(w.Copies, c.ID) {
			tasks = append(tasks, s.crew(Task{Step: CopyOut, Copy: c.ID, Escrow: w.ID})...)
		}
	}
	if len(tasks) > 0 {
		return tasks
	}
	for _, h := range s.plan.Shares.Holders {
		t := Task{Step: Issue, Machine: offlineMachine, Share: h.Share, Escrow: w.ID, People: append([]string{h.Custodian}, s.role(plan.Operator)...)}
		if slices.Contains(w.Issued, h.Share) {
			t.Step = ReadShare
		}
		if !slices.Contains(w.ReadBack, h.Share) {
			tasks = append(tasks, t)
		}
	}
	switch {
	case len(tasks) > 0:
		return tasks
	case !s.passed[plan.GateSealed]:
		return s.confirm(plan.GateSealed)
	}
	return s.crew(Task{Step: SealSet, Escrow: w.ID})
}

// conveying goes from a sealed escrow to packages for all targets. Where only
// replicas were not fetched, people may as well go on without them, see awaited.
func (s *State) conveying() (tasks []Task) {
	missing := s.waiting(Target.wrapped)
	ready := slices.DeleteFunc(slices.Clone(missing), func(id string) bool { return s.fresh(id) == nil })
	unfetched := without(missing, ready)
	if len(missing) == 0 || s.leaves() {
		return s.ending()
	}
	if len(unfetched) > 0 {
		tasks = append(s.fetches(unfetched), s.crew(Task{Step: Accept, Targets: unfetched})...)
	}
	switch {
	case len(without(s.awaited(), ready)) > 0:
		return tasks
	case len(ready) == 0:
		return append(tasks, s.ending()...)
	case !s.passed[plan.GateBundle]:
		return append(tasks, s.confirm(plan.GateBundle)...)
	case !s.inMemory:
		return append(tasks, s.quorum())
	}
	return append(tasks, s.crew(Task{Step: Wrap, Targets: ready})...)
}

// leaves reports whether the offline machine is switched off before anything is
// wrapped, as on the first of two days.
func (s *State) leaves() bool {
	return s.plan.Session == plan.TwoDay && s.plan.Expected == nil && s.part.Number == 0 && len(s.bundles) == 0
}

// quorum is the task to bring the material back, with those whom it takes.
func (s *State) quorum() Task {
	kept, _ := s.Kept()
	if s.plan.KeptInToken() {
		return s.unlocking(kept.ID)
	}
	opens := s.plan.Opening(kept.ID)
	t := Task{Step: Recover, Machine: offlineMachine, Quorum: opens.Threshold, Escrow: kept.ID}
	for _, h := range opens.Holders {
		t.People = added(t.People, h.Custodian)
	}
	return t
}

// ending empties the memory and closes the offline record.
func (s *State) ending() []Task {
	switch {
	case s.inMemory && s.plan.KeptInToken():
		return s.crew(Task{Step: Lock})
	case s.inMemory:
		return s.crew(Task{Step: Destroy})
	case s.worked && !s.passed[plan.GateClose]:
		return s.confirm(plan.GateClose)
	}
	return s.crew(Task{Step: End})
}

func (s *State) importing() (tasks []Task) {
	missing := s.waiting(Target.wrapped)
	for _, id := range s.waiting(Target.imported) {
		primary := s.primary(id)
		if s.target(id).wrapped() && (primary == nil || primary.imported()) {
			tasks = append(tasks, s.importer(Task{Step: Submit, Targets: []string{id}}))
		}
	}
	if len(tasks) > 0 && !s.passed[plan.GateImport] {
		tasks = s.confirm(plan.GateImport)
	}
	for _, id := range s.waiting(Target.verified) {
		if s.target(id).imported() {
			tasks = append(tasks, s.importer(Task{Step: Verify, Targets: []string{id}}))
		}
	}
	if len(missing) > 0 {
		tasks = append(tasks, s.fetches(missing)...)
	}
	if !slices.ContainsFunc(tasks, func(t Task) bool { return t.Machine == importMachine }) {
		tasks = append(tasks, s.importer(Task{Step: End}))
	}
	return tasks
}

// awaited are the targets that have to be wrapped for before anything is imported.
// A replica that was not fetched by the time its primary was is not among them:
// there is none before the primary of a new key has its material (recorded).
func (s *State) awaited() []string {
	return slices.DeleteFunc(s.waiting(Target.wrapped), func(id string) bool {
		primary := s.primary(id)
		return primary != nil && !primary.imported() && s.fresh(id) == nil && (primary.wrapped() || s.fresh(primary.ID) != nil)
	})
}

// waiting are the IDs of targets that have not come so far.
func (s *State) waiting(has func(Target) bool) (ids []string) {
	for _, t := range s.targets {
		if !has(*t) {
			ids = append(ids, t.ID)
		}
	}
	return ids
}

func (s *State) fetches(targets []string) []Task {
	return []Task{{Step: Fetch, Machine: transcript.FetchMachine, People: s.role(plan.Fetcher), Targets: targets}}
}

func (s *State) importer(t Task) Task {
	t.Machine, t.People = importMachine, slices.Clone(s.plan.Gates[plan.GateImport])
	return t
}

// confirm is the task to pass a gate.
func (s *State) confirm(g plan.Gate) []Task {
	t := Task{Step: Confirm, Gate: g, Machine: offlineMachine, People: slices.Clone(s.plan.Gates[g])}
	if g == plan.GateImport {
		t.Machine = importMachine
	}
	return []Task{t}
}

// crew is a task of the operators, before a witness.
func (s *State) crew(t Task) []Task {
	t.Machine, t.People = offlineMachine, append(s.role(plan.Operator), s.role(plan.Witness)...)
	return []Task{t}
}

func (s *State) role(r plan.Role) (ids []string) {
	for _, p := range s.plan.People {
		if p.Has(r) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

// String says a task in one line, such as "issue share 3: custodian-3, operator-1".
func (t Task) String() string {
	text := string(t.Step)
	switch {
	case t.Gate != "":
		text += " gate " + string(t.Gate)
	case t.Share != 0:
		text += fmt.Sprintf(" share %d", t.Share)
	case t.Copy != "":
		text += " " + t.Copy
	case len(t.Targets) > 0:
		text += " " + joined(t.Targets)
	}
	if t.Quorum > 0 {
		return fmt.Sprintf("%s: %d of %s", text, t.Quorum, joined(t.People))
	}
	return text + ": " + joined(t.People)
}
