// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
	"time"
)

// wanted says of which roles a gate needs somebody, besides a second person.
func wanted(g Gate) []Role {
	switch g {
	case GatePlan:
		return []Role{Lead}
	case GateOpen, GateIdentity, GateSealed, GateBundle, GateClose:
		return []Role{Operator, Witness}
	case GateImport:
		return []Role{Importer}
	}
	return nil
}

// gates looks at who confirms. One person alone confirms nothing, and neither
// does one with a subordinate.
func (l *linter) gates() {
	for _, gate := range Gates() {
		path := "gates." + string(gate)
		people, given := l.plan.Gates[gate]
		if !slices.Contains(l.plan.Purpose.Gates(), gate) {
			if given {
				l.error("gate-none", path, "leave it out", "no ceremony to %s comes to this gate", l.plan.Purpose)
			}
			continue
		}
		if len(people) < 2 {
			l.error("gate-alone", path, "name at least two people", "%d confirm, want at least 2", len(people))
		}
		for _, role := range wanted(gate) {
			if !l.oneWith(people, role) {
				l.error("gate-role", path, remedy(fmt.Sprintf("add somebody with the role %s", role)), "no %s confirms", role)
			}
		}
		if boss := l.commander(people); boss != "" {
			l.warn("gate-command", path, "add somebody who reports to somebody else", "all who confirm are %s and those below", boss)
		}
	}
	submit := l.plan.Gates[GateImport]
	if len(submit) > 1 && !slices.ContainsFunc(submit, func(id string) bool { return !l.has(id, Importer) && !l.has(id, Fetcher) }) {
		l.error("gate-role", "gates.import", "add somebody who was there when the digest was read out, such as the witness",
			"only fetchers and importers confirm what is imported")
	}
	approvers := l.plan.Gates[GatePlan]
	if len(approvers) > 1 && !slices.ContainsFunc(approvers, func(id string) bool { return !l.has(id, Operator) }) {
		l.error("gate-role", "gates.plan", "add somebody who does not carry it out", "only operators approve the plan")
	}
}

func (l *linter) has(id string, r Role) bool {
	who, ok := l.plan.Person(id)
	return ok && who.Has(r)
}

func (l *linter) oneWith(ids []string, r Role) bool {
	return slices.ContainsFunc(ids, func(id string) bool { return l.has(id, r) })
}

// commander is the one of several people whom all others report to, or "".
func (l *linter) commander(ids []string) string {
	if len(ids) < 2 {
		return ""
	}
	for _, boss := range ids {
		if !slices.ContainsFunc(ids, func(id string) bool { return id != boss && !slices.Contains(l.superiors(id), boss) }) {
			return boss
		}
	}
	return ""
}

// tokenLife is how long an import token is valid (KMS guide, "Importing key
// material step 2").
const tokenLife = 24 * time.Hour

func (l *linter) limits() {
	m := l.plan.Limits
	switch {
	case l.plan.Purpose != ForImport:
		l.uselessLimits()
	case m.TokenMinRemaining >= tokenLife:
		l.error("limits", "limits.token_min_remaining", "choose a few hours", "an import token is valid for 24 h, so that no token would ever do")
	case m.ImportMargin >= tokenLife:
		l.error("limits", "limits.import_margin", "choose an hour or so", "an import token is valid for 24 h, so that no time is left for the import")
	case m.ImportMargin > m.TokenMinRemaining:
		l.error("limits", "limits.import_margin", "make it less than token_min_remaining",
			"the import would have to come before the material is wrapped, when a token has only %s left", shortened(m.TokenMinRemaining))
	}
	if m.MaxSession > tokenLife {
		l.error("limits", "limits.max_session", "choose at most 24h, and session two-day if that is not enough", "nobody stays awake for %s", shortened(m.MaxSession))
	}
}

// uselessLimits are a warning only: plans that were signed long ago have them.
func (l *linter) uselessLimits() {
	for _, path := range tokenLimits() {
		if _, given := l.plan.places[path]; given {
			l.warn("limits", path, "leave it out", "a ceremony to %s has no import token", l.plan.Purpose)
		}
	}
}
