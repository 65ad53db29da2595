// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"cmp"
	"fmt"
)

// A Place is where something stands in a plan.
type Place struct {
	Line   int `json:"line"`   // from 1
	Column int `json:"column"` // from 1, in characters
}

// compare orders places as a file does.
func (p Place) compare(q Place) int {
	return cmp.Or(cmp.Compare(p.Line, q.Line), cmp.Compare(p.Column, q.Column))
}

// String is such as "12:5".
func (p Place) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

// A Fault is one thing that keeps a file from being a plan.
type Fault struct {
	Place
	Path   string // such as "people[alice].key"; "" for the file as a whole
	Reason string
}

func (f Fault) Error() string {
	if f.Path == "" {
		return fmt.Sprintf("%s: %s", f.Place, f.Reason)
	}
	return fmt.Sprintf("%s: %s: %s", f.Place, f.Path, f.Reason)
}

// A FormatError says that a file is no plan, and lists all that is wrong.
type FormatError struct {
	Faults []Fault // at least one, in the order of the file
}

func (e *FormatError) Error() string {
	if more := len(e.Faults) - 1; more > 0 {
		return fmt.Sprintf("%s (and %d more)", e.Faults[0].Error(), more)
	}
	return e.Faults[0].Error()
}
