// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"github.com/keymat/keymat/ceremony/plan"
)

// A Scenario is something that may go wrong in a ceremony, or come after it.
type Scenario struct {
	Name    string       `json:"name"`
	Happens string       `json:"happens"` // what goes wrong, or what comes later
	Should  string       `json:"should"`  // what has to come of it
	Session plan.Session `json:"-"`       // in place of that of the plan, "" for that

	deals   bool                      // it is about shares that are dealt
	conveys bool                      // it is about what goes to KMS
	disturb func(*stage) *disturbance // nil for none
	sequels []sequel                  // later ceremonies with the key
}

// imports are how often material is brought into KMS.
func (s Scenario) imports() int {
	n := 1
	for _, q := range s.sequels {
		if q.purpose == plan.ForImport {
			n++
		}
	}
	return n
}

// Misfit says in words what keeps a scenario from happening by a plan, "" for
// nothing.
func (s Scenario) Misfit(p *plan.Plan) string {
	switch {
	case s.sequels != nil && p.Material.Source == plan.FromEscrow:
		return "is for a later ceremony itself"
	case s.deals && p.Material.Source == plan.FromEscrow && p.Purpose != plan.ForRefresh:
		return "deals no shares"
	case s.conveys && p.Purpose != plan.ForImport:
		return "brings nothing into KMS"
	}
	return ""
}

// ByPlan is the name of the scenario in which nothing goes wrong.
const ByPlan = "by-plan"

// Scenarios returns all of them, the one in which nothing goes wrong first.
func Scenarios() []Scenario {
	return []Scenario{
		{Name: ByPlan, Happens: "nothing goes wrong", Should: "the material is in KMS, sealed, and verified in every target, or what else the plan is for is done"},
		{
			Name: "absent-custodian", Happens: "a custodian is not there when the shares are dealt, nor when they are read back",
			Should: "nothing is sealed before they have come and read their share back; it waits for them in a sealed bag if it is printed or in a file",
			deals:  true, disturb: absentCustodian,
		},
		{
			Name: "misread-share", Happens: "a custodian has copied a word of their share wrong, and then the card gets lost",
			Should: "the share is named, shown once more, then issued anew; an exception is recorded for each",
			deals:  true, disturb: misreadShare,
		},
		{
			Name: "damaged-copy", Happens: "a medium does not give back the escrow that was written to it",
			Should: "it does not count as a copy, and the escrow goes to another medium",
			deals:  true, disturb: damagedCopy,
		},
		{
			Name: "medium-altered", Happens: "somebody adds a file to the medium between the machines, takes one away, changes one",
			Should:  "the medium is refused each time, with the name of the file",
			conveys: true, disturb: mediumAltered,
		},
		{
			Name: "wrong-digest-heard", Happens: "a word of a digest is misheard at the offline machine, and at the one that imports",
			Should:  "the gate stays shut until the digest is heard right",
			conveys: true, disturb: wrongDigest,
		},
		{
			Name: "expired-token", Happens: "the import token ends before anything is wrapped, and the next one before it is imported",
			Should:  "both are refused, new ones are fetched, and a quorum opens the escrow to wrap again",
			conveys: true, disturb: expiredToken,
		},
		{
			Name: "two-day", Happens: "the session ends before anything is fetched, and goes on the next day",
			Should:  "a quorum opens the escrow on the second day",
			Session: plan.TwoDay, conveys: true, disturb: twoDay,
		},
		{
			Name: "power-cut", Happens: "a machine is switched off after each step, and the offline machine in the middle of each",
			Should:  "what was in memory alone is void and made anew; what was sealed, a quorum opens; no rule is broken",
			disturb: powerCut,
		},
		{
			Name: "throttled", Happens: "KMS is too busy to import",
			Should:  "the same bytes go again until it takes them",
			conveys: true, disturb: throttled,
		},
		{
			Name: "connection-lost", Happens: "the connection breaks after the import has happened",
			Should:  "it is found that it has, and nothing goes wrong by asking twice",
			conveys: true, disturb: connectionLost,
		},
		{
			Name: "substitution", Happens: "somebody on the fetching machine puts their own wrapping key in the place of that of KMS",
			Should:  "KMS refuses what was wrapped, this is an incident, and nothing more is submitted",
			conveys: true, disturb: substitution,
		},
		{
			Name: "re-import", Happens: "a year later the material is gone from KMS, where somebody has deleted it or it has expired",
			Should:  "in a ceremony of its own a quorum opens the escrow, and the same material is in every target again",
			sequels: broughtBack(),
		},
		{
			Name: "refresh", Happens: "a custodian leaves, and new shares are dealt; when the material is brought back a year later, somebody brings an old one",
			Should:  "the old escrow is retired for one that is sealed, whose shares the old ones are not; the old one is refused, and new ones bring the material back",
			sequels: newShares(),
		},
		{
			Name: "destruction", Happens: "the material is deleted in KMS for good; people bring what they have, one share was destroyed elsewhere, and a copy is lost",
			Should:  "every share and copy has a line that says how it went, and each KMS key one that it holds nothing: a certificate of destruction",
			sequels: destruction(),
		},
		{
			Name: "rehearsal-to-aws", Happens: "somebody tries to import the rehearsal into AWS",
			Should:  "both online machines refuse any KMS but a mock on this machine, and keymat import does not read the files",
			conveys: true, disturb: rehearsalToAWS,
		},
	}
}

// Find is the scenario of a name.
func Find(name string) (Scenario, bool) {
	for _, s := range Scenarios() {
		if s.Name == name {
			return s, true
		}
	}
	return Scenario{}, false
}
