// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"strings"
)

// A Severity says whether a ceremony may be held with a plan nevertheless.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // it must not
	Warning Severity = "warning" // somebody has to have thought about it
)

// A Finding is something wrong with what a plan says.
type Finding struct {
	Code     string   `json:"code"` // stable, such as "role-conflict"
	Severity Severity `json:"severity"`
	Place             // of the member at Path, or of the nearest that exists
	Path     string   `json:"path"`
	Found    string   `json:"found"` // what is wrong
	Do       string   `json:"do"`    // what to do about it
}

// CodeFormat is the code of findings that are faults of the form.
const CodeFormat = "format"

// Findings are the faults as findings.
func (e *FormatError) Findings() []Finding {
	findings := make([]Finding, len(e.Faults))
	for i, f := range e.Faults {
		findings[i] = Finding{CodeFormat, Error, f.Place, f.Path, f.Reason, "put it right as the file's format wants it"}
	}
	return findings
}

// Lint finds what is wrong with a plan, in the order of the file. It knows no
// clock: the plan names its day.
func (p *Plan) Lint() []Finding {
	l := &linter{plan: p}
	rules := []func(){
		l.references, l.purpose, l.material, l.components, l.expected, l.opening,
		l.targets, l.replicas,
		l.roles, l.conflicts, l.command, l.keys, l.token,
		l.gates, l.limits,
	}
	if p.Material.Source != FromPKCS11 {
		rules = append(rules, l.shares)
	}
	switch {
	case p.Material.Source == FromPKCS11:
		rules = append(rules, l.expiry)
	case p.Purpose != ForDestruction: // of what is destroyed nobody chooses any more where it is kept
		rules = append(rules, l.expiry, l.custody, l.sites, l.copies, l.recovery)
	}
	for _, rule := range rules {
		rule()
	}
	slices.SortStableFunc(l.findings, func(a, b Finding) int { return a.Place.compare(b.Place) })
	return l.findings
}

// HasErrors reports whether a ceremony must not be held with a plan.
func HasErrors(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == Error })
}

type linter struct {
	plan     *Plan
	findings []Finding
}

// A remedy is what to do about a finding.
type remedy string

func (l *linter) error(code, path string, do remedy, found string, args ...any) {
	l.note(Error, code, path, do, found, args)
}

func (l *linter) warn(code, path string, do remedy, found string, args ...any) {
	l.note(Warning, code, path, do, found, args)
}

func (l *linter) note(s Severity, code, path string, do remedy, found string, args []any) {
	l.findings = append(l.findings, Finding{code, s, l.place(path), path, fmt.Sprintf(found, args...), string(do)})
}

// place is where a member stands, or else the nearest one around it.
func (l *linter) place(path string) Place {
	for path != "" {
		if place, ok := l.plan.places[path]; ok {
			return place
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return Place{1, 1}
}

// references finds IDs of nobody and nothing.
func (l *linter) references() {
	p := l.plan
	person := func(path, id string) {
		if _, ok := p.Person(id); !ok {
			l.error("unknown-person", path, "name somebody of the list of people", "nobody is called %s", id)
		}
	}
	site := func(path, id string) {
		if !slices.ContainsFunc(p.Sites, func(s Site) bool { return s.ID == id }) {
			l.error("unknown-site", path, "name a place of the list of sites", "no site is called %s", id)
		}
	}
	for _, id := range p.Material.Components {
		person("material.components", id)
	}
	for _, c := range p.Escrow.Copies {
		site(fmt.Sprintf("escrow.copies[%s].site", c.ID), c.Site)
	}
	for _, h := range p.Shares.Holders {
		person(holder(h)+".custodian", h.Custodian)
		site(holder(h)+".site", h.Site)
	}
	if p.Token != nil {
		site("token.site", p.Token.Site)
		for _, id := range p.Token.PIN {
			person("token.pin", id)
		}
		for _, b := range p.Token.Backups {
			person(backup(b)+".holder", b.Holder)
			site(backup(b)+".site", b.Site)
		}
	}
	if p.Expected != nil {
		for _, h := range p.Expected.Holders {
			person("expected."+holders(h)+".custodian", h.Custodian)
			site("expected."+holders(h)+".site", h.Site)
		}
	}
	for _, s := range p.Sites {
		for _, need := range s.Needs {
			if need != TheKey {
				site(fmt.Sprintf("sites[%s].needs", s.ID), need)
			}
		}
	}
	for _, who := range p.People {
		if who.Site != "" {
			site(fmt.Sprintf("people[%s].site", who.ID), who.Site)
		}
	}
	for _, gate := range Gates() {
		for _, id := range p.Gates[gate] {
			person("gates."+string(gate), id)
		}
	}
}

func holder(h Holder) string  { return "shares." + holders(h) }
func holders(h Holder) string { return fmt.Sprintf("holders[%d]", h.Share) }
func backup(b Backup) string  { return fmt.Sprintf("token.backups[%s]", b.ID) }
func target(t Target) string  { return fmt.Sprintf("targets[%s]", t.ID) }
func person(p Person) string  { return fmt.Sprintf("people[%s]", p.ID) }
