// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"
)

// A Request is what a principal wants to do.
type Request struct {
	Principal Principal
	Action    string // such as "kms:Decrypt"
	Resource  string // ARN, or "*" for actions on no particular resource
	Context   Context
}

// An Effect is what a document makes of a request.
type Effect int

// The effects, weakest first. AllowAccount is an Allow for the principal's
// account in a key policy: within that account it takes an identity policy's
// Allow as well.
const (
	NoOpinion Effect = iota
	AllowAccount
	Allow
	Deny
)

// String is the effect in words.
func (e Effect) String() string {
	return [...]string{"no opinion", "allow to the account", "allow", "deny"}[e]
}

// A Verdict is an effect and the statement that has it.
type Verdict struct {
	Effect    Effect
	Statement int    // counted from 1; 0 where none applies
	Sid       string // the statement's own name, if it has one
}

// Evaluate says what the document makes of a request: Deny if any statement
// denies, otherwise the strongest Allow, the first one of its kind.
func (d *Document) Evaluate(r *Request) Verdict {
	var v Verdict
	for i, s := range d.statements {
		if effect := s.evaluate(d, r); effect > v.Effect {
			v = Verdict{effect, i + 1, s.sid}
		}
	}
	return v
}

// evaluate is one statement's effect. What depends on a condition that cannot
// be told allows nothing, and denies.
func (s *statement) evaluate(d *Document, r *Request) Effect {
	how := s.reaches(d.kind, r.Principal)
	if how == unnamed || !s.actions.hasAction(r.Action) || !s.hasResource(d, r) {
		return NoOpinion
	}
	met := s.met(r.Context, d.variables)
	switch {
	case s.deny && met != no:
		return Deny
	case s.deny || met != yes:
		return NoOpinion
	case how == byAccount:
		return AllowAccount
	}
	return Allow
}

func (s *statement) met(context Context, variables bool) truth {
	all := yes
	for i := range s.conditions {
		all = min(all, s.conditions[i].holds(context, variables))
	}
	return all
}

// hasAction compares actions, which have no case.
func (l set) hasAction(action string) bool {
	action = strings.ToLower(action)
	return slices.ContainsFunc(l.patterns, func(p string) bool { return wildcards(strings.ToLower(p)).match(action) }) != l.not
}

func (s *statement) hasResource(d *Document, r *Request) bool {
	return slices.ContainsFunc(s.resources.patterns, func(want string) bool {
		p, ok := patternOf(want, r.Context, d.variables)
		return ok && p.match(r.Resource)
	}) != s.resources.not
}
