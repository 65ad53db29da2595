// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A want is what an answer must be: one of some refusals, or success with some
// members. Values are patterns, see [names].
type want struct {
	refusals []string          // "Code: message", without colon where there is no message; none: success
	members  map[string]string // by their paths, as in Rotations.0.KeyId
}

const (
	anything = "{}" // matches any value that is there
	absent   = "-"  // matches a member that is not there
)

// answers wants success with these members and values.
func answers(members ...string) want { return want{}.and(members...) }

// and adds members and values, or replaces them.
func (w want) and(members ...string) want {
	if w.members == nil {
		w.members = make(map[string]string)
	}
	for i := 0; i < len(members); i += 2 {
		w.members[members[i]] = members[i+1]
	}
	return w
}

// refuses wants one of these refusals: which of several faults KMS tells is
// rarely known. Empty ones are none, and without any there is no refusal.
func refuses(faults ...string) want {
	return want{refusals: slices.DeleteFunc(faults, func(s string) bool { return s == "" })}
}

func (w want) refused() bool { return len(w.refusals) > 0 }

// unmet compares an answer with what was wanted, and says what is wrong.
func (w want) unmet(got answer, n *names) string {
	if got.Type != "" || w.refused() {
		said := strings.TrimSuffix(got.Type+": "+got.message(), ": ")
		if slices.ContainsFunc(w.refusals, func(refusal string) bool { return n.match(refusal, said) }) {
			return ""
		}
		expected := "success"
		if w.refused() {
			expected = strings.Join(w.refusals, "\n       or ")
		}
		return fmt.Sprintf("wanted %s\n  got    %s", expected, n.show(cmp.Or(said, "success")))
	}
	var all any
	if got.body != "" {
		if err := json.Unmarshal([]byte(got.body), &all); err != nil {
			return err.Error()
		}
	}
	for _, path := range slices.Sorted(maps.Keys(w.members)) {
		if value := member(all, path); !n.match(w.members[path], value) {
			return fmt.Sprintf("wanted %s: %s\n  got    %s", path, w.members[path], n.show(value))
		}
	}
	return ""
}

// member finds a part of an answer, as text.
func member(v any, path string) string {
	for part := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[part]
		case []any:
			if i, err := strconv.Atoi(part); err == nil && i < len(in) {
				v = in[i]
			} else {
				v = nil
			}
		default:
			v = nil
		}
	}
	switch v := v.(type) {
	case nil:
		return absent
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

// names says what the names in braces stand for. A name means whatever is
// first found in its place, and from then on nothing else; nor has a thing two
// names. So it is an error if KMS gives the same material another ID, or the
// same ID to other material.
type names struct {
	values map[string]string // by name, with its braces
	names  map[string]string // by value
}

func newNames() *names {
	n := &names{make(map[string]string), make(map[string]string)}
	n.bind("{no key}", "arn:aws:kms:"+region+":"+account+":key/00000000-0000-4000-8000-000000000000")
	n.bind("{id of no key}", "00000000-0000-4000-8000-000000000000")
	n.bind("{no material}", strings.Repeat("0", 64))
	return n
}

// bind has a name mean a value, if it can.
func (n *names) bind(name, value string) bool {
	if old, ok := n.values[name]; ok {
		return old == value
	}
	if _, ok := n.names[value]; ok || value == absent {
		return false
	}
	n.values[name], n.names[value] = value, name
	return true
}

// A name, in a text that may be JSON; or the braces that stand for anything.
var naming = regexp.MustCompile(`\{[a-z][^{}"]*\}|\{\}`)

// fill puts values in the place of names.
func (n *names) fill(text string) string {
	return naming.ReplaceAllStringFunc(text, func(name string) string {
		if value, ok := n.values[name]; ok {
			return value
		}
		return name
	})
}

// match compares a text with a pattern, and learns what new names mean.
func (n *names) match(pattern, text string) bool {
	pattern = n.fill(pattern)
	found := naming.FindAllString(pattern, -1)
	if len(found) == 0 {
		return pattern == text
	}
	literal := naming.Split(pattern, -1)
	for i := range literal {
		literal[i] = regexp.QuoteMeta(literal[i])
	}
	parts := regexp.MustCompile(`(?s)^` + strings.Join(literal, `(.+)`) + `$`).FindStringSubmatch(text)
	if parts == nil {
		return false
	}
	for i, name := range found {
		if name == anything && parts[i+1] == absent || name != anything && !n.bind(name, parts[i+1]) {
			return false
		}
	}
	return true
}

// show puts names in the place of values, and shortens what has none.
func (n *names) show(text string) string {
	for _, value := range slices.SortedFunc(maps.Keys(n.names), func(a, b string) int { return len(b) - len(a) }) {
		text = strings.ReplaceAll(text, value, n.names[value])
	}
	if len(text) > 300 {
		text = text[:300] + "…"
	}
	return text
}
