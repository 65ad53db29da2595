// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"bytes"
	"fmt"
	"slices"

	"golang.org/x/crypto/ssh"
)

// least is how many people each role needs at least.
func (p Purpose) least(r Role) int {
	switch {
	case p != ForImport && (r == Fetcher || r == Importer):
		return 0
	case r == Operator, r == Fetcher, r == Custodian:
		return 2
	case r == Lead, r == Witness, r == Importer:
		return 1
	}
	return 0
}

// A conflict is two roles that one person must not have.
type conflict struct {
	a, b     Role
	severity Severity
	why      string
}

func conflicts() []conflict {
	return []conflict{
		{Operator, Witness, Error, "nobody watches their own hands"},
		{Operator, Custodian, Error, "who works the machine could see every share, and must not hold one"},
		{Fetcher, Importer, Error, "a wrapping key exchanged by the one who fetched it is found out by another one who imports"},
		{Lead, Witness, Error, "the witness records the exceptions that the lead decides on"},
		{Witness, Custodian, Error, "a witness who holds a share has something at stake"},
		{Auditor, Operator, Error, "an auditor only looks on"},
		{Auditor, Fetcher, Error, "an auditor only looks on"},
		{Auditor, Importer, Error, "an auditor only looks on"},
		{Auditor, Custodian, Error, "an auditor only looks on"},
		{Auditor, Lead, Error, "an auditor only looks on"},
		{Lead, Custodian, Warning, "the lead who grants exceptions holds a share"},
		{Lead, Operator, Warning, "the lead who grants exceptions works the machine"},
		{Operator, Fetcher, Warning, "one person sees both sides of the digest that is compared aloud"},
		{Operator, Importer, Warning, "who wraps the material also submits it"},
		{Bags, Custodian, Warning, "who keeps the list of bags keeps one"},
	}
}

func (l *linter) with(r Role) []Person {
	var with []Person
	for _, p := range l.plan.People {
		if p.Has(r) {
			with = append(with, p)
		}
	}
	return with
}

func (l *linter) roles() {
	for _, role := range Roles() {
		if n, least := len(l.with(role)), l.plan.Purpose.least(role); n < least {
			l.error("role-missing", "people", remedy(fmt.Sprintf("give the role %s to %d people", role, least)), "%d with the role %s, want at least %d", n, role, least)
		}
	}
	for _, p := range l.plan.People {
		if len(p.Roles) == 0 {
			l.warn("role-none", person(p), "give a role, or leave this person out", "%s has no role", p.ID)
		}
	}
}

func (l *linter) conflicts() {
	for _, p := range l.plan.People {
		for _, c := range conflicts() {
			if p.Has(c.a) && p.Has(c.b) {
				l.note(c.severity, "role-conflict", person(p)+".roles", remedy(fmt.Sprintf("give one of the roles %s and %s to somebody else", c.a, c.b)),
					"%s is %s and %s: %s", []any{p.ID, c.a, c.b, c.why})
			}
		}
	}
}

// superiors are those above somebody, nearest first. A circle is followed once.
func (l *linter) superiors(id string) []string {
	var chain []string
	for {
		who, ok := l.plan.Person(id)
		if !ok || who.ReportsTo == "" || slices.Contains(chain, who.ReportsTo) {
			return chain
		}
		id = who.ReportsTo
		chain = append(chain, id)
	}
}

// command looks at who can tell whom what to do.
func (l *linter) command() {
	for _, p := range l.plan.People {
		above := l.superiors(p.ID)
		if slices.Contains(above, p.ID) {
			l.error("command-circle", person(p)+".reports_to", "say who is above whom", "%s is above themselves", p.ID)
			continue
		}
		for _, id := range above {
			boss, ok := l.plan.Person(id)
			if !ok {
				continue
			}
			switch {
			case p.Has(Witness) && (boss.Has(Operator) || boss.Has(Lead)):
				l.warn("command", person(p)+".reports_to", "take a witness from elsewhere", "the witness %s has to watch their superior %s", p.ID, id)
			case p.Has(Operator) && boss.Has(Operator):
				l.warn("command", person(p)+".reports_to", "take operators who can contradict each other", "the operator %s has to contradict their superior %s", p.ID, id)
			case p.Has(Importer) && boss.Has(Fetcher):
				l.warn("command", person(p)+".reports_to", "take an importer from elsewhere", "the importer %s has to find out their superior %s", p.ID, id)
			}
		}
	}
}

// keys looks at who has to sign, and with what.
func (l *linter) keys() {
	signs := map[string]string{} // why, by ID
	for _, p := range l.plan.People {
		if p.Has(Fetcher) && l.plan.Purpose == ForImport {
			signs[p.ID] = "a fetcher signs what was fetched"
		}
	}
	for _, h := range l.plan.Shares.Holders {
		if h.Mode == InFile {
			signs[h.Custodian] = "a share in a file is encrypted to its custodian's key"
		}
	}
	for _, gate := range []Gate{GatePlan, GateClose} {
		for _, id := range l.plan.Gates[gate] {
			signs[id] = fmt.Sprintf("those of the gate %s sign", gate)
		}
	}
	for i, p := range l.plan.People {
		if p.Key == nil {
			if why, ok := signs[p.ID]; ok {
				l.error("key-missing", person(p), "add the line of their .pub file as key", "%s has no key, but %s", p.ID, why)
			}
			continue
		}
		for _, other := range l.plan.People[:i] {
			if other.Key != nil && bytes.Equal(other.Key.Marshal(), p.Key.Marshal()) {
				l.error("key-shared", person(p)+".key", "let each person make a key of their own", "%s and %s have the same key", other.ID, p.ID)
			}
		}
	}
	for _, h := range l.plan.Shares.Holders {
		if who, _ := l.plan.Person(h.Custodian); h.Mode == InFile && who.Key != nil && !encrypts(who.Key) {
			l.error("key-type", person(who)+".key", "take a key of type ssh-ed25519, or another mode for the share",
				"nothing can be encrypted to a key of type %s", who.Key.Type())
		}
	}
}

// encrypts reports whether age encrypts to such an ssh key.
func encrypts(key ssh.PublicKey) bool {
	return key.Type() == ssh.KeyAlgoED25519 || key.Type() == ssh.KeyAlgoRSA
}
