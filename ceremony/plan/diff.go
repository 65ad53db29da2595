// SPDX-License-Identifier: Apache-2.0

package plan

import "slices"

// A Term is one thing that a plan says.
type Term struct {
	Path  string `json:"path"` // such as "shares.threshold" or "people[alice].roles"
	Value string `json:"value"`
}

// Terms returns all that the plan says, in the order of the file. Lists whose
// order means nothing are sorted, and their items called by ID: so two plans that
// say the same have the same terms, however they are laid out.
func (p *Plan) Terms() []Term { return slices.Clone(p.terms) }

// A Change is a term that differs between two plans.
type Change struct {
	Path   string `json:"path"`
	Before string `json:"before"` // "" if the older plan says nothing
	After  string `json:"after"`  // "" if the newer plan says nothing
}

// Diff returns what a newer plan says differently: first what was changed or
// left out, in the order of the older plan, then what was added, in that of the
// newer.
func Diff(older, newer *Plan) []Change {
	before, after := byPath(older), byPath(newer)
	var changes []Change
	for _, t := range older.terms {
		if after[t.Path] != t.Value {
			changes = append(changes, Change{t.Path, t.Value, after[t.Path]})
		}
	}
	for _, t := range newer.terms {
		if _, ok := before[t.Path]; !ok {
			changes = append(changes, Change{t.Path, "", t.Value})
		}
	}
	return changes
}

func byPath(p *Plan) map[string]string {
	terms := make(map[string]string, len(p.terms))
	for _, t := range p.terms {
		terms[t.Path] = t.Value
	}
	return terms
}
