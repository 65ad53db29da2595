// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/goccy/go-yaml/ast"
)

// Read reads a manifest. The error is an [*Error].
func Read(text []byte) (*Manifest, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // some editors on Windows put it there
	if bytes.ContainsRune(text, '\r') {                   // which the library counts as a line of its own in quoted text
		text = bytes.ReplaceAll(text, []byte("\r\n"), newline)
	}
	if p := checkText(text); p != nil {
		return nil, &Error{Problems: []Problem{*p}}
	}
	r := &reader{names: map[string]int{}, refs: map[placed]int{}}
	rest, items := split(text)
	tree := r.parse(rest)
	r.readFile(tree, items != nil)
	for _, p := range items {
		if tree == nil {
			break // all else would follow from that
		}
		if list := r.parse(p); list != nil {
			r.at = ""
			readKeys(r, list)
		}
	}
	if err := r.problems.err(); err != nil {
		return nil, err
	}
	return &r.manifest, nil
}

// reader turns syntax trees into a manifest.
type reader struct {
	manifest Manifest
	defaults draft
	problems problems

	above int    // lines of the file before the tree at hand
	at    string // what is being read, for messages

	kind    string
	version int
	names   map[string]int // of keys, and their lines
	refs    map[placed]int
}

// placed is a key as the manifest names it, in its place.
type placed struct{ place, ref string }

func (r *reader) wrong(n ast.Node, format string, args ...any) {
	at := n.GetToken().Position
	r.problems.add(Problem{Line: r.above + at.Line, Column: at.Column, At: r.at, Reason: fmt.Sprintf(format, args...)})
}

// A field is a key that a mapping may have, and how its value is read into v.
type field[T any] struct {
	name string
	read func(r *reader, n ast.Node, v *T)
}

// readMapping reads a mapping, whose fields may come in any order.
func readMapping[T any](r *reader, n ast.Node, fields []field[T], v *T) {
	outside := r.at
	for _, pair := range r.pairs(n) {
		name := keyOf(pair)
		i := slices.IndexFunc(fields, func(f field[T]) bool { return f.name == name })
		if i < 0 {
			r.wrong(pair.Key, "unknown key %s%s", shown(name), meant(name, fields))
			continue
		}
		if outside != "" {
			r.at = outside + ": "
		}
		r.at += name
		fields[i].read(r, pair.Value, v)
		r.at = outside
	}
}

// shown is a name, unless it may be something else that ended up in its place.
func shown(name string) string {
	if len(name) > 40 || strings.ContainsAny(name, "\r\n") {
		return "(of " + strconv.Itoa(len(name)) + " bytes)"
	}
	return strconv.Quote(name)
}

// secretWords begin to tell that somebody puts a secret into the manifest.
var secretWords = []string{"passphrase", "password", "secret", "identity", "material", "token", "share", "pin", "access-key", "credential"}

// meant says what may have been meant by an unknown key.
func meant[T any](name string, fields []field[T]) string {
	lower := strings.ToLower(name)
	if slices.ContainsFunc(secretWords, func(w string) bool { return strings.HasPrefix(lower, w) }) {
		return ": secrets do not belong in a manifest, and what opens an escrow is given when it is applied"
	}
	for _, f := range fields {
		if levenshtein.ComputeDistance(lower, f.name) <= 2 {
			return fmt.Sprintf("; did you mean %s?", f.name)
		}
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	return "; there are " + strings.Join(names, ", ")
}

// pairs are the parts of a mapping, whose keys are texts.
func (r *reader) pairs(n ast.Node) []*ast.MappingValueNode {
	pairs, ok := pairsOf(n)
	if !ok {
		r.wrong(n, "%s, where keys with values belong", kindOf(n))
	}
	for i, pair := range pairs {
		if _, plain := pair.Key.(*ast.StringNode); !plain {
			r.wrong(pair.Key, "a key that is no text")
			return pairs[:i]
		}
	}
	return pairs
}

func pairsOf(n ast.Node) (pairs []*ast.MappingValueNode, ok bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// keyOf is the key of a pair; "" if it is no text.
func keyOf(pair *ast.MappingValueNode) string {
	if s, ok := pair.Key.(*ast.StringNode); ok {
		return s.Value
	}
	return ""
}

// items are the parts of a list.
func (r *reader) items(n ast.Node) []ast.Node {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		r.wrong(n, "%s, where a list belongs", kindOf(n))
		return nil
	}
	return list.Values
}

// text reads a scalar that has to be text; "" when it is not.
func (r *reader) text(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		if n.Value == "" {
			r.wrong(n, "empty")
		}
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		r.wrong(n, "%s, where text belongs: put it in quotes", kindOf(n))
		return ""
	}
	r.wrong(n, "%s, where text belongs", kindOf(n))
	return ""
}

// kindOf says what a node is, for messages.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case *ast.NullNode:
		return "nothing"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys with values"
	}
	return "an anchor, alias or tag of YAML, which a manifest does without"
}
