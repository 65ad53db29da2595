// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"path"
	"slices"
)

// An UnknownError says that no rule has this name.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string { return fmt.Sprintf("there is no rule %q", e.Name) }

// Select picks the rules that have one of the names, in the order in which they
// are given: an ID, a group, or a pattern of IDs such as "portability/*", as of
// [path.Match]. Without names it picks all. Errors: *[UnknownError], or
// [path.ErrBadPattern], wrapped.
func Select(all []Rule, names ...string) ([]Rule, error) {
	if len(names) == 0 {
		return all, nil
	}
	picked := make([]bool, len(all))
	for _, name := range names {
		known := false
		for i, r := range all {
			match, err := path.Match(name, r.ID)
			if err != nil {
				return nil, fmt.Errorf("rule %q: %w", name, err)
			}
			if match || name == r.Group() {
				known, picked[i] = true, true
			}
		}
		if !known {
			return nil, &UnknownError{name}
		}
	}
	var selection []Rule
	for i, r := range all {
		if picked[i] {
			selection = append(selection, r)
		}
	}
	return selection, nil
}

// Groups lists the groups of rules in their order.
func Groups(all []Rule) []string {
	var groups []string
	for _, r := range all {
		if !slices.Contains(groups, r.Group()) {
			groups = append(groups, r.Group())
		}
	}
	return groups
}
