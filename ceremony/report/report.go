// SPDX-License-Identifier: Apache-2.0

package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/page"
)

//go:embed report.html
var body string

// sections are those of the report, in their order. To tell more, add one, or
// have one of them look at one more type of event.
func sections() []func(*Evidence) section {
	return []func(*Evidence) section{
		verification, destruction, participants, tool, summary, timeline, phases, steps, gates, exceptions,
		identity, randomness, shares, conveyance, imports, folder, controls, limits, annex,
	}
}

// Write writes the report as one page. made is when, and by what made it, such
// as "keymat v1.2.3".
func Write(w io.Writer, e *Evidence, made time.Time, by string) error {
	t, err := template.New("report").Funcs(template.FuncMap{"visible": visible}).Parse(body)
	if err != nil {
		return fmt.Errorf("reading the template of the report: %w", err)
	}
	var all []section
	for _, make := range sections() {
		if s := make(e); s.ID != "" {
			all = append(all, s)
		}
	}
	html, err := page.Execute(t, all)
	if err != nil {
		return err
	}
	return page.Write(w, page.Page{Title: what(e) + ": " + visible(e.Plan.Title), Lead: lead(e), Made: made, By: by, Body: html})
}

// what this is, so that no page of a rehearsal passes for another.
func what(e *Evidence) string {
	switch {
	case e.Plan.Rehearsal:
		return "Rehearsal of a key ceremony"
	case e.Plan.Purpose == plan.ForDestruction:
		return "Certificate of destruction"
	case e.Plan.Purpose == plan.ForRefresh:
		return "Key ceremony for new shares"
	}
	return "Key ceremony"
}

// lead is the whole report in two sentences.
func lead(e *Evidence) string {
	what := "Report of the ceremony"
	if e.Plan.Rehearsal {
		what = "Report of the rehearsal, with throw-away material,"
	}
	verdict := "Plan, records, files and signatures verify."
	if n := len(e.Problems); n > 0 {
		verdict = fmt.Sprintf("The folder does not verify: %s.", count(n, "problem"))
	}
	if e.State != nil && e.State.Incident() != "" {
		verdict += " There was an incident: the material has to be treated as exposed."
	}
	return fmt.Sprintf("%s %s, planned for %s. %s", what, e.Plan.ID, e.Plan.Date.Format(time.DateOnly), verdict)
}
