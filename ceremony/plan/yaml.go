// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agnivade/levenshtein"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxOpening is how many brackets a plan may have: the parser takes time that
// grows with the square of how deep they are nested.
const maxOpening = 500

// parse reads one YAML document, which has to be a mapping. An error is a
// [*FormatError].
func parse(data []byte) (*ast.MappingNode, error) {
	whole := func(reason string, args ...any) error {
		return &FormatError{[]Fault{{Place: Place{1, 1}, Reason: fmt.Sprintf(reason, args...)}}}
	}
	switch {
	case len(data) > MaxFile:
		return nil, whole("larger than %d bytes", MaxFile)
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return nil, whole("begins with a byte order mark")
	case !utf8.Valid(data):
		return nil, whole("not UTF-8 text")
	case bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > maxOpening:
		return nil, whole("more than %d brackets", maxOpening)
	}
	if at := bytes.IndexFunc(data, hidden); at >= 0 {
		return nil, &FormatError{[]Fault{{Place: placeOf(data[:at]), Reason: "a character that cannot be seen"}}}
	}
	file, err := parser.ParseBytes(data, 0)
	if e, ok := errors.AsType[yaml.Error](err); ok {
		at := e.GetToken().Position
		return nil, &FormatError{[]Fault{{Place: Place{at.Line, at.Column}, Reason: unquoted(e.GetMessage())}}}
	}
	if err != nil {
		return nil, whole("not YAML")
	}
	if len(file.Docs) != 1 {
		return nil, whole("%d YAML documents, want 1", len(file.Docs))
	}
	root, ok := file.Docs[0].Body.(*ast.MappingNode)
	if !ok {
		return nil, whole("not a mapping")
	}
	return root, nil
}

// unquoted leaves out what the parser quotes: somebody may have given the file
// of a key instead of a plan.
func unquoted(message string) string {
	return regexp.MustCompile(`"[^"]*"`).ReplaceAllString(message, "…")
}

// hidden tells characters that make a file look other than it is: those who
// sign a plan shall see what they sign.
func hidden(r rune) bool {
	return r != '\n' && !unicode.IsPrint(r)
}

func placeOf(before []byte) Place {
	line := bytes.Count(before, []byte("\n"))
	last := before[bytes.LastIndexByte(before, '\n')+1:]
	return Place{line + 1, utf8.RuneCount(last) + 1}
}

// A reader reads the members of a plan and goes on after a fault, so that all
// are found at once.
type reader struct {
	faults []Fault
	places map[string]Place
	terms  []Term
}

// A value is a node and the path to it.
type value struct {
	node ast.Node
	path string
}

func (v value) place() Place {
	at := v.node.GetToken().Position
	return Place{at.Line, at.Column}
}

func (v value) member(name string) string {
	if v.path == "" {
		return name
	}
	return v.path + "." + name
}

func (r *reader) fault(v value, format string, args ...any) {
	r.faults = append(r.faults, Fault{v.place(), v.path, fmt.Sprintf(format, args...)})
}

// A member is one of a mapping, and how it is read.
type member struct {
	name     string
	optional bool
	read     func(value)
}

func required(name string, read func(value)) member { return member{name, false, read} }
func optional(name string, read func(value)) member { return member{name, true, read} }

// object reads a mapping that has these members and no others.
func (r *reader) object(v value, members ...member) {
	pairs, ok := mapping(v.node)
	if !ok {
		r.fault(v, "not a mapping")
		return
	}
	if _, named := r.places[v.path]; !named { // the file itself, or an item of a list
		r.places[v.path] = v.place()
		if len(pairs) > 0 { // a mapping's own token is its first colon
			r.places[v.path] = value{node: pairs[0].Key}.place()
		}
	}
	found := map[string]bool{}
	for _, pair := range pairs {
		key, ok := pair.Key.(*ast.StringNode)
		if !ok {
			r.fault(value{pair.Key, v.path}, "a member that is no plain name")
			continue
		}
		i := slices.IndexFunc(members, func(m member) bool { return m.name == key.Value })
		if i < 0 {
			r.fault(value{key, v.member(printable(key.Value))}, "unknown%s", suggestion(key.Value, members))
			continue
		}
		found[key.Value] = true
		r.places[v.member(key.Value)] = value{node: key}.place()
		members[i].read(value{pair.Value, v.member(key.Value)})
	}
	for _, m := range members {
		if !found[m.name] && !m.optional {
			r.faults = append(r.faults, Fault{r.places[v.path], v.member(m.name), "missing"})
		}
	}
}

func mapping(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// suggestion is for a name that was mistyped.
func suggestion(name string, members []member) string {
	for _, m := range members {
		if levenshtein.ComputeDistance(name, m.name) <= 2 {
			return fmt.Sprintf(", did you mean %s?", m.name)
		}
	}
	return ""
}

// printable is a name from a file as an error may show it.
func printable(name string) string {
	const longest = 40
	if len(name) > longest {
		return fmt.Sprintf("%+q…", name[:longest])
	}
	return strings.Trim(fmt.Sprintf("%+q", name), `"`)
}

// list reads a sequence. Items that are mappings are called by their member
// key in paths, so that two plans can be compared whatever the order.
func (r *reader) list(key string, item func(value)) func(value) {
	return func(v value) {
		sequence, ok := v.node.(*ast.SequenceNode)
		if !ok {
			r.fault(v, "not a list")
			return
		}
		seen := map[string]bool{}
		for i, n := range sequence.Values {
			name := r.nameOf(n, key)
			if name == "" {
				name = fmt.Sprintf("#%d", i+1)
			}
			entry := value{n, fmt.Sprintf("%s[%s]", v.path, printable(name))}
			if seen[name] {
				r.fault(entry, "%s %s is given twice", key, printable(name))
				continue
			}
			seen[name] = true
			item(entry)
		}
	}
}

func (r *reader) nameOf(n ast.Node, key string) string {
	pairs, _ := mapping(n)
	for _, pair := range pairs {
		if k, ok := pair.Key.(*ast.StringNode); ok && k.Value == key {
			text, _ := scalar(pair.Value)
			return text
		}
	}
	return ""
}

// scalar gives the text of a value as it is written: YAML's own idea of types
// would make a number of an account, and nothing of a null.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// parsed reads a value of one line with a function that says what is wrong
// with it. What the value comes to is noted as a term.
func parsed[T any](r *reader, to *T, read func(string) (T, error)) func(value) {
	return func(v value) {
		text, ok := scalar(v.node)
		if !ok {
			r.fault(v, "not a plain value")
			return
		}
		got, err := read(text)
		if err != nil {
			r.fault(v, "%v", err)
			return
		}
		*to = got
		r.terms = append(r.terms, Term{v.path, canonical(got)})
	}
}

// words reads a list of values, of which none may come twice and whose order
// means nothing.
func words[T ~string](r *reader, to *[]T, read func(string) (T, error)) func(value) {
	return func(v value) {
		before := len(r.terms)
		r.list("", func(item value) {
			var one T
			parsed(r, &one, read)(item)
			if slices.Contains(*to, one) {
				r.fault(item, "%s is given twice", one)
			}
			*to = append(*to, one)
		})(v)
		r.terms = append(r.terms[:before], Term{v.path, join(slices.Sorted(slices.Values(*to)))})
	}
}
