// SPDX-License-Identifier: Apache-2.0

package manifest

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	yamltoken "github.com/goccy/go-yaml/token"
)

// A syntax tree takes some thirty times the memory of its text. So the list of
// keys is parsed in pieces of some pieceSize bytes, cut between its items; what
// stands around it is parsed as one.
const pieceSize = 32 << 10

// maxPiece is how many bytes, line breaks left out, may stand around the list of
// keys, or in one key: the parser takes time that grows with the square of what
// is in one mapping.
const maxPiece = 256 << 10

// maxDepth is how deep brackets may nest; a manifest needs three levels.
const maxDepth = 32

// A piece is a part of the file that is YAML by itself.
type piece struct {
	text  []byte
	above int // lines of the file before it
}

// split cuts the file into the mapping, with the list of keys left out where it
// is a block of its own lines, and the pieces of that list. Items of a block
// list begin with "-" in one and the same column, and nothing that belongs to
// an item may stand as far left (YAML 1.2.2, sections 6.1 and 8.2.1).
func split(text []byte) (rest piece, items []piece) {
	start, list := findList(text)
	if list == nil {
		return piece{text: text}, nil
	}
	above := bytes.Count(text[:start], newline)
	indent := -1
	var current piece
	end := 0
	for line := range bytes.Lines(list) {
		content, at := bytes.TrimLeft(line, " "), 0
		at = len(line) - len(content)
		blank := len(bytes.TrimSpace(content)) == 0 || content[0] == '#'
		item := !blank && content[0] == '-' && (len(content) == 1 || bytes.IndexByte([]byte(" \r\n"), content[1]) >= 0)
		if indent < 0 && item {
			indent = at
		}
		if !blank && (indent < 0 || at < indent || at == indent && !item) {
			break
		}
		if item && at == indent && len(current.text) >= pieceSize {
			items = append(items, current)
			current = piece{}
		}
		if len(current.text) == 0 {
			current.above = above
		}
		current.text = list[end-len(current.text) : end+len(line)]
		end += len(line)
		above++
	}
	if indent < 0 {
		return piece{text: text}, nil
	}
	items = append(items, current)
	hollow := append(bytes.Clone(text[:start]), bytes.Repeat(newline, bytes.Count(list[:end], newline))...)
	return piece{text: append(hollow, list[end:]...)}, items
}

var newline = []byte("\n")

// findList finds the line "keys:" of the mapping, and gives what follows it and
// where that starts; nil if there is none.
func findList(text []byte) (start int, list []byte) {
	for line := range bytes.Lines(text) {
		start += len(line)
		value, found := bytes.CutPrefix(line, []byte("keys:"))
		if !found {
			continue
		}
		if value = bytes.TrimSpace(value); len(value) == 0 || value[0] == '#' {
			return start, text[start:]
		}
	}
	return 0, nil
}

// parse gives the syntax tree of a piece; nil if it is empty. What is wrong is
// noted, without the line of the file that the library would quote.
func (r *reader) parse(p piece) ast.Node {
	r.above = p.above
	if len(p.text)-bytes.Count(p.text, newline) > maxPiece {
		r.problems.add(Problem{Line: p.above + 1, Column: 1, Reason: fmt.Sprintf("more than %d bytes in one key, or around the keys: list them one below the other, each from a \"-\"", maxPiece)})
		return nil
	}
	file, err := parser.ParseBytes(p.text, 0)
	if err != nil {
		r.syntax(err)
		return nil
	}
	switch docs := file.Docs; {
	case len(docs) == 0:
		return nil
	case len(docs) > 1 || docs[0].Start != nil && p.above > 0:
		start := docs[len(docs)-1].Start
		if start == nil {
			start = docs[0].Body.GetToken()
		}
		r.problems.add(Problem{Line: p.above + start.Position.Line, Column: 1, Reason: "a manifest is one YAML document, and this is several"})
		return nil
	}
	return file.Docs[0].Body
}

func (r *reader) syntax(err error) {
	located, ok := err.(interface {
		GetToken() *yamltoken.Token
		GetMessage() string
	})
	if !ok || located.GetToken() == nil {
		r.problems.add(Problem{Line: r.above + 1, Column: 1, Reason: "not YAML"})
		return
	}
	at := located.GetToken().Position
	r.problems.add(Problem{Line: r.above + at.Line, Column: at.Column, Reason: located.GetMessage()})
}

// checkText refuses what the parser would read in ways nobody expects.
func checkText(text []byte) *Problem {
	if len(text) > MaxSize {
		return &Problem{Line: 1, Column: 1, Reason: fmt.Sprintf("larger than %d bytes", MaxSize)}
	}
	line, column, depth := 1, 0, 0
	for i := 0; i < len(text); {
		c, size := rune(text[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRune(text[i:])
		}
		i += size
		column++
		var wrong string
		switch {
		case c == '\n':
			line, column = line+1, 0
		case c == '[' || c == '{':
			if depth++; depth > maxDepth {
				wrong = fmt.Sprintf("more than %d brackets within each other", maxDepth)
			}
		case (c == ']' || c == '}') && depth > 0:
			depth--
		case c == utf8.RuneError && size == 1:
			wrong = "not UTF-8"
		case c == '\r' && i < len(text) && text[i] == '\n', c == '\t':
		case c < ' ', c >= 0x7f && c < 0xa0, c == 0x2028, c == 0x2029, c == 0xfeff:
			wrong = "a control character"
		}
		if wrong != "" {
			return &Problem{Line: line, Column: column, Reason: wrong}
		}
	}
	return nil
}
