// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"html/template"
	"strings"
	"time"
	"unicode"
)

// A section is what stands under one heading.
type section struct {
	ID, Title string
	Blocks    []block
}

// A block is one of these; the others are empty.
type block struct {
	Text   string
	Note   *cell // in a box
	List   []string
	Facts  []fact
	Table  *table
	Figure template.HTML
	Code   *code
}

type fact struct {
	Name  string
	Value cell
}

type table struct {
	Caption string
	Columns []string
	Rows    []row
}

type row struct {
	ID    string // what links lead to; "" for none
	Cells []cell // the first names the row
}

// A code is text to be copied as it stands.
type code struct{ ID, Text string }

// A cell is text, and the lines of the record that it rests on.
type cell struct {
	Text  string
	Class string // of internal/page: "good", "bad", "unsure", "id"; "" for none
	Lines []ref
	Whole bool // words are not broken, however narrow the column
}

func plain(text string) cell  { return cell{Text: text} }
func id(text string) cell     { return cell{Text: text, Class: "id"} }
func good(text string) cell   { return cell{Text: text, Class: "good"} }
func bad(text string) cell    { return cell{Text: text, Class: "bad"} }
func unsure(text string) cell { return cell{Text: text, Class: "unsure"} }

func (c cell) from(lines []ref) cell {
	c.Lines = lines
	return c
}

func (t *table) add(cells ...cell) { t.Rows = append(t.Rows, row{Cells: cells}) }

func (s *section) say(text string) { s.Blocks = append(s.Blocks, block{Text: text}) }

// show adds a table, or says why there is none.
func (s *section) show(t table, otherwise string) {
	if len(t.Rows) == 0 {
		s.say(otherwise)
		return
	}
	s.Blocks = append(s.Blocks, block{Table: &t})
}

// list writes texts in a row.
func list(texts []string) string {
	if len(texts) == 0 {
		return "none"
	}
	return strings.Join(texts, ", ")
}

func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// visible shows what would otherwise be seen only by what it does to the text
// around it: control characters, and those that turn the direction of writing
// and so could make a name or a number read as another.
func visible(text string) string {
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, "\ufffd") {
		if unicode.IsControl(r) || unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp) {
			fmt.Fprintf(&b, "\\u%04x", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
