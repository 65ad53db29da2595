// SPDX-License-Identifier: Apache-2.0

package lab

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/keymat/keymat/internal/page"
)

//go:embed page.html
var pageBody string

// WritePage writes a transcript as one HTML page that needs nothing else. by
// is what made it: "keymat v1.2.3".
func WritePage(w io.Writer, t Transcript, by string) error {
	body, err := template.New("lesson").Funcs(template.FuncMap{
		"number":     func(at int) int { return at + 1 },
		"paragraphs": paragraphs,
		"step":       func(p Played) Step { return t.Lesson.Steps[p.At] },
		"verdict":    func(q *Question, p Played) string { return q.Verdict(p.Prediction) + " " + flow(q.Why) },
		"kind":       func(k Kind) string { return kinds[k] },
		"flow":       flow,
		"refusal":    Command.refusal,
	}).Parse(pageBody)
	if err != nil {
		return fmt.Errorf("reading the page's body: %w", err)
	}
	html, err := page.Execute(body, t)
	if err != nil {
		return err
	}
	return page.Write(w, page.Page{
		Title: t.Lesson.Title,
		Lead:  fmt.Sprintf("Lesson %s of keymat lab, as it was played: %d of %d steps.", t.Lesson.Name, len(t.Steps), len(t.Lesson.Steps)),
		Made:  t.Ended, By: by, Body: html,
	})
}

// kinds stands before the name of a line in the table.
var kinds = map[Kind]string{Call: "KMS:", Fact: "seen:", Same: "compared:", Note: "note"}

func paragraphs(text string) (all []string) {
	for p := range strings.SplitSeq(text, "\n\n") {
		if p = flow(p); p != "" {
			all = append(all, p)
		}
	}
	return all
}
