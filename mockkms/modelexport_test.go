// SPDX-License-Identifier: Apache-2.0

package mockkms

// Enumeration lists the values of an enumeration of the model.
func Enumeration(shape string) []string { return shapes[shape].enum }

// A Pattern is a regular expression of the model, as told and as judged.
type Pattern struct {
	Expr    string
	Matches func(string) bool
}

// Patterns lists the patterns of all shapes that have one.
func Patterns() map[string]Pattern {
	list := make(map[string]Pattern)
	for name, s := range shapes {
		if s.class.expr != "" {
			list[name] = Pattern{s.class.expr, s.class.matches}
		}
	}
	return list
}
