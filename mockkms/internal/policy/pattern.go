// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"
)

// A pattern is a string with wildcards: anyRunes for any number of runes,
// oneRune for exactly one. Both lie outside of Unicode, so that what a variable
// stands for is never taken for a wildcard.
type pattern []rune

const (
	anyRunes rune = -1
	oneRune  rune = -2
)

// wildcards reads * and ? as wildcards, and all else as itself.
func wildcards(s string) pattern {
	p := pattern(s)
	for i, r := range p {
		switch r {
		case '*':
			p[i] = anyRunes
		case '?':
			p[i] = oneRune
		}
	}
	return p
}

// expand reads a policy string: wildcards, and variables such as
// ${aws:username}, which may have a default after a comma. ${*}, ${?} and ${$}
// are these characters. It is false when a variable has no value, or more than
// one: then the string matches nothing (IAM User Guide, policy variables).
func expand(s string, context Context) (pattern, bool) {
	var p pattern
	for {
		before, rest, found := strings.Cut(s, "${")
		if !found {
			return append(p, wildcards(s)...), true
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return append(p, wildcards(s)...), true
		}
		value, ok := variable(name, context)
		if !ok {
			return nil, false
		}
		p = append(append(p, wildcards(before)...), []rune(value)...)
		s = after
	}
}

func variable(name string, context Context) (string, bool) {
	switch name {
	case "*", "?", "$":
		return name, true
	}
	name, standard, hasDefault := strings.Cut(name, ",")
	values, _ := context(strings.TrimSpace(name))
	standard = strings.TrimSpace(standard)
	switch {
	case len(values) == 1:
		return values[0], true
	case hasDefault && len(values) == 0 && len(standard) >= 2 && standard[0] == '\'' && standard[len(standard)-1] == '\'':
		return standard[1 : len(standard)-1], true
	}
	return "", false
}

// match reports whether all of s fits. It goes back to the latest wildcard
// only, so that its time is at most the product of both lengths.
func (p pattern) match(s string) bool {
	text := []rune(s)
	i, star, resume := 0, -1, 0
	for j := 0; j < len(text); {
		switch {
		case i < len(p) && p[i] == anyRunes:
			star, resume = i, j
			i++
		case i < len(p) && (p[i] == oneRune || p[i] == text[j]):
			i++
			j++
		case star >= 0:
			resume++
			i, j = star+1, resume
		default:
			return false
		}
	}
	for i < len(p) && p[i] == anyRunes {
		i++
	}
	return i == len(p)
}

// split cuts a pattern into n parts at the first colons.
func (p pattern) split(n int) []pattern {
	var parts []pattern
	start := 0
	for i, r := range p {
		if r == ':' && len(parts) < n-1 {
			parts = append(parts, p[start:i])
			start = i + 1
		}
	}
	return append(parts, p[start:])
}

// arnParts is the number of parts of an ARN that colons separate; the last one
// may have more colons.
const arnParts = 6

// matchARN compares ARNs part by part: a wildcard does not reach across the
// colons between them (IAM User Guide, ARN condition operators).
func (p pattern) matchARN(arn string) bool {
	want, got := p.split(arnParts), strings.SplitN(arn, ":", arnParts)
	if len(want) != arnParts || len(got) != arnParts {
		return false
	}
	for i := range want {
		if !want[i].match(got[i]) {
			return false
		}
	}
	return true
}

// literal is the pattern as a string, its wildcards as the characters they are
// written with: operators that compare for equality have none.
func (p pattern) literal() string {
	runes := slices.Clone([]rune(p))
	for i, r := range runes {
		switch r {
		case anyRunes:
			runes[i] = '*'
		case oneRune:
			runes[i] = '?'
		}
	}
	return string(runes)
}

// variableNames lists the condition keys whose variables s has.
func variableNames(s string) (names []string) {
	for {
		_, rest, found := strings.Cut(s, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !found || !closed {
			return names
		}
		name, _, _ = strings.Cut(name, ",")
		if name = strings.TrimSpace(name); name != "*" && name != "?" && name != "$" {
			names = append(names, name)
		}
		s = after
	}
}
