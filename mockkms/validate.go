// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// violations collects what a request breaks of the model's constraints. KMS
// tells all of them in one message (recorded), naming members in lower camel
// case, with the value except where that is a blob.
type violations []string

func (v *violations) add(format string, args ...any) {
	*v = append(*v, fmt.Sprintf(format, args...))
}

// refusal is the one ValidationException for all violations, or nil.
func (v violations) refusal() *apiError {
	switch len(v) {
	case 0:
		return nil
	case 1:
		return validation("1 validation error detected: %s", v[0])
	}
	return validation("%d validation errors detected: %s", len(v), strings.Join(v, "; "))
}

func (v *violations) checkString(s shape, value, path string) {
	shown := " '" + value + "'"
	v.checkLength(s, utf8.RuneCountInString(value), shown, path)
	if s.enum != nil && !slices.Contains(s.enum, value) {
		v.add("Value%s at '%s' failed to satisfy constraint: Member must satisfy enum value set: [%s]",
			shown, path, strings.Join(s.enum, ", "))
	}
	if !s.class.matches(value) {
		v.add("Value%s at '%s' failed to satisfy constraint: Member must satisfy regular expression pattern: %s",
			shown, path, s.class.expr)
	}
}

// checkEnumList judges the members of a list against their enumeration. One
// sentence shows the list as a whole, in the style of the framework KMS is
// built on (assumed).
func (v *violations) checkEnumList(s shape, list []string, path string) {
	for _, value := range list {
		if s.enum != nil && !slices.Contains(s.enum, value) {
			v.add("Value '[%s]' at '%s' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [%s]]",
				strings.Join(list, ", "), path, strings.Join(s.enum, ", "))
			return
		}
	}
}

// checkLength judges characters of a string, bytes of a blob or items of a
// list; shown is the value as the message has it, with a leading space.
func (v *violations) checkLength(s shape, n int, shown, path string) {
	if n < s.min {
		v.add("Value%s at '%s' failed to satisfy constraint: Member must have length greater than or equal to %d", shown, path, s.min)
	}
	if s.max > 0 && n > s.max {
		v.add("Value%s at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", shown, path, s.max)
	}
}

func (v *violations) checkRange(s shape, n int, path string) {
	if n < s.min {
		v.add("Value '%d' at '%s' failed to satisfy constraint: Member must have value greater than or equal to %d", n, path, s.min)
	}
	if s.max > 0 && n > s.max {
		v.add("Value '%d' at '%s' failed to satisfy constraint: Member must have value less than or equal to %d", n, path, s.max)
	}
}
