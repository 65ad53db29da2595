// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// A document is a YAML text in which single values are replaced: all else stays
// as it was written, comments, order and spaces.
type document struct {
	text  []byte
	file  *ast.File
	edits []edit
}

// An edit puts other text in the place of some bytes.
type edit struct {
	from, to int // bytes of the document
	text     string
}

// A PlaceError says which value of a plan could not be replaced.
type PlaceError struct {
	Path string // such as "$.people[0].key"
	Err  error
}

func (e *PlaceError) Error() string { return "changing " + e.Path + " of the plan: " + e.Err.Error() }
func (e *PlaceError) Unwrap() error { return e.Err }

func parse(text []byte) (*document, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, fmt.Errorf("reading the plan as YAML: %w", err)
	}
	return &document{text: text, file: file}, nil
}

// node finds what is at a path; nil where there is nothing. An error is a
// [*PlaceError].
func (d *document) node(format string, args ...any) (ast.Node, string, error) {
	at := fmt.Sprintf(format, args...)
	path, err := yaml.PathString(at)
	if err != nil {
		return nil, at, &PlaceError{at, err}
	}
	n, err := path.FilterFile(d.file)
	if yaml.IsNotFoundNodeError(err) {
		return nil, at, nil
	}
	if err != nil {
		return nil, at, &PlaceError{at, err}
	}
	return n, at, nil
}

// replace puts a plain value in the place of the one at a path. An error is a
// [*PlaceError].
func (d *document) replace(value, format string, args ...any) error {
	n, at, err := d.node(format, args...)
	switch {
	case err != nil:
		return err
	case n == nil:
		return &PlaceError{at, fmt.Errorf("there is none")}
	}
	token := n.GetToken()
	from, raw := d.offset(token.Position.Line, token.Position.Column), strings.TrimSpace(token.Origin)
	if !bytes.HasPrefix(d.text[from:], []byte(raw)) || strings.Contains(raw, "\n") {
		return &PlaceError{at, fmt.Errorf("it is not on one line")}
	}
	d.edits = append(d.edits, edit{from, from + len(raw), value})
	return nil
}

// add gives a mapping at a path one more member, before the others. An error is
// a [*PlaceError].
func (d *document) add(name, value, format string, args ...any) error {
	n, at, err := d.node(format, args...)
	if err != nil {
		return err
	}
	mapping, ok := n.(*ast.MappingNode)
	if !ok || len(mapping.Values) == 0 {
		return &PlaceError{at, fmt.Errorf("it is not a mapping")}
	}
	place := mapping.Values[0].Key.GetToken().Position
	next := "\n" + strings.Repeat(" ", place.Column-1)
	if mapping.IsFlowStyle {
		next = ", "
	}
	from := d.offset(place.Line, place.Column)
	d.edits = append(d.edits, edit{from, from, name + ": " + value + next})
	return nil
}

// offset is where a place is, in bytes. Lines and columns, in characters, count
// from 1.
func (d *document) offset(line, column int) (at int) {
	for range line - 1 {
		at += bytes.IndexByte(d.text[at:], '\n') + 1
	}
	for range column - 1 {
		_, size := utf8.DecodeRune(d.text[at:])
		at += size
	}
	return at
}

// bytes is the document with all that was replaced.
func (d *document) bytes() []byte {
	slices.SortStableFunc(d.edits, func(a, b edit) int { return a.from - b.from })
	var out []byte
	at := 0
	for _, e := range d.edits {
		out = append(append(out, d.text[at:e.from]...), e.text...)
		at = e.to
	}
	return append(out, d.text[at:]...)
}
