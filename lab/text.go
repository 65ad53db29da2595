// SPDX-License-Identifier: Apache-2.0

package lab

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// A Text writes lessons as plain text. Errors of the writer are left to it.
type Text struct {
	W     io.Writer
	Width int  // of a line in characters; 0 for 80
	Bold  bool // W shows ANSI bold
}

// The widths of lines that are pleasant to read, in characters.
const (
	usualWidth    = 80
	widestWidth   = 100
	narrowestText = 40
)

func (t Text) width() int {
	if t.Width == 0 {
		return usualWidth
	}
	return max(narrowestText, min(t.Width, widestWidth))
}

// Opening says what a lesson is about.
func (t Text) Opening(l Lesson) {
	t.heading("", fmt.Sprintf("%s (lesson %s)", l.Title, l.Name))
	t.item("", fmt.Sprintf("About %d minutes, %d steps. Afterwards you know", l.Minutes, len(l.Steps)))
	for _, what := range l.Learn {
		t.item("  - ", what)
	}
}

// Step explains a step.
func (t Text) Step(at int, s Step) {
	fmt.Fprintln(t.W)
	t.heading(fmt.Sprintf("%d. ", at+1), s.Title)
	t.paragraphs(s.Text)
}

// Commands shows how a step is done by hand and with keymat.
func (t Text) Commands(s Step) {
	if len(s.Hand) > 0 {
		fmt.Fprint(t.W, "\n   By hand:\n")
		for _, c := range s.Hand {
			t.command(c.Line)
			if c.Refused != "" {
				fmt.Fprintf(t.W, "     %s\n", c.refusal())
			}
		}
	}
	if len(s.Keymat) > 0 {
		fmt.Fprint(t.W, "\n   With keymat:\n")
		for _, line := range s.Keymat {
			t.command(line)
		}
	}
}

// refusal is a comment for a command that KMS refuses.
func (c Command) refusal() string {
	if c.Refused == AnyRefusal {
		return "# KMS refuses it"
	}
	return "# KMS refuses it: " + c.Refused
}

func (t Text) command(line string) {
	for l := range strings.SplitSeq(line, "\n") {
		fmt.Fprintf(t.W, "     %s\n", l)
	}
}

// Question asks for a prediction, with the numbers of the choices.
func (t Text) Question(q *Question) {
	if q == nil {
		return
	}
	fmt.Fprintln(t.W)
	t.item("   Predict: ", q.Text)
	for i, choice := range q.Choices {
		t.item(fmt.Sprintf("     %d  ", i+1), choice)
	}
}

// Done shows what a step did, solves its question, and concludes.
func (t Text) Done(s Step, p Played) {
	fmt.Fprintln(t.W)
	t.lines(p.Lines)
	if s.Ask != nil {
		fmt.Fprintln(t.W)
		t.item("   ", s.Ask.Verdict(p.Prediction)+" "+flow(s.Ask.Why))
	}
	if s.Then != "" {
		t.paragraphs(s.Then)
	}
}

// More tells those who asked more about a step.
func (t Text) More(s Step) {
	if s.More != "" {
		t.paragraphs(s.More)
	}
}

// Verdict compares a prediction with what is right.
func (q *Question) Verdict(prediction int) string {
	right := fmt.Sprintf("%d, %q.", q.Right+1, flow(q.Choices[q.Right]))
	switch prediction {
	case NoPrediction:
		return "The answer is " + right
	case q.Right:
		return "You were right with " + right
	}
	return fmt.Sprintf("You said %d; it is %s", prediction+1, right)
}

// lines shows names and values in two columns, marked by kind. What is too long
// for that has its value beneath.
func (t Text) lines(lines []Line) {
	column := 0
	for _, l := range lines {
		if n := utf8.RuneCountInString(l.Name); n <= widestName {
			column = max(column, n)
		}
	}
	for _, l := range lines {
		head := "   " + l.Kind.mark() + " " + l.Name
		switch n := utf8.RuneCountInString(l.Name); {
		case l.Kind == Note:
			t.item("   - ", l.Value)
		case n <= column && utf8.RuneCountInString(head)+2+column-n+utf8.RuneCountInString(l.Value) <= t.width():
			t.item(head+strings.Repeat(" ", column-n+2), l.Value)
		default:
			t.item("   "+l.Kind.mark()+" ", l.Name)
			t.item("       ", l.Value)
		}
	}
}

// widestName is the longest name that has its value beside it, in characters.
const widestName = 32

// mark stands before a line of the kind.
func (k Kind) mark() string {
	switch k {
	case Call:
		return ">" // sent to KMS
	case Same:
		return "=" // compared
	}
	return " "
}

// paragraphs writes text as paragraphs, each after an empty line.
func (t Text) paragraphs(text string) {
	for p := range strings.SplitSeq(text, "\n\n") {
		fmt.Fprintln(t.W)
		t.item("   ", flow(p))
	}
}

// item writes text behind a head, and under itself where it is longer than a
// line.
func (t Text) item(head, text string) {
	indent := utf8.RuneCountInString(head)
	if indent > t.width()/2 {
		indent = 7
	}
	fmt.Fprint(t.W, head)
	column := utf8.RuneCountInString(head)
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > t.width():
			fmt.Fprint(t.W, "\n", strings.Repeat(" ", indent))
			column = indent
		default:
			fmt.Fprint(t.W, " ")
			column++
		}
		fmt.Fprint(t.W, word)
		column += n
	}
	fmt.Fprintln(t.W)
}

// flow makes one line of text that was broken where it was written down.
func flow(text string) string { return strings.Join(strings.Fields(text), " ") }

// heading writes text that stands out.
func (t Text) heading(head, text string) {
	if t.Bold {
		fmt.Fprint(t.W, "\x1b[1m")
		defer fmt.Fprint(t.W, "\x1b[0m")
	}
	t.item(head, text)
}
