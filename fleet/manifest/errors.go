// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// maxProblems is how many problems an Error tells of; more help nobody.
const maxProblems = 20

// An Error says what is wrong with a manifest: everything, as far as one
// problem does not hide another.
type Error struct {
	Problems []Problem // in the order of the file
	More     int       // how many are left out
}

// A Problem is one thing that is wrong. It repeats names of keys and words that
// stand for a choice, and no other content of the file.
type Problem struct {
	Line, Column int    // from 1
	At           string // such as "keys app: expires"; empty for the file
	Reason       string
}

// String is such as "3:5: keys app: expires: …".
func (p Problem) String() string {
	if p.At == "" {
		return fmt.Sprintf("%d:%d: %s", p.Line, p.Column, p.Reason)
	}
	return fmt.Sprintf("%d:%d: %s: %s", p.Line, p.Column, p.At, p.Reason)
}

func (e *Error) Error() string {
	lines := make([]string, len(e.Problems), len(e.Problems)+1)
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", e.More))
	}
	return strings.Join(lines, "\n")
}

// problems collects what is wrong.
type problems struct {
	found []Problem
	more  int
}

func (p *problems) add(problem Problem) {
	if len(p.found) == maxProblems {
		p.more++
		return
	}
	p.found = append(p.found, problem)
}

func (p *problems) err() error {
	if len(p.found) == 0 {
		return nil
	}
	slices.SortStableFunc(p.found, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	return &Error{Problems: p.found, More: p.more}
}
