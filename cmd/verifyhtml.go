// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/page"
	"github.com/keymat/keymat/rules"
)

//go:embed verify.html
var verifyBody string

// webPage is the report as one page that needs nothing else.
func webPage(v verification) ([]byte, error) {
	t, err := template.New("verify").Funcs(template.FuncMap{
		"class":   verdictClass,
		"regions": regions,
		"time":    seconds,
		"count":   count,
	}).Parse(verifyBody)
	if err != nil {
		return nil, fmt.Errorf("reading the page's template: %w", err)
	}
	body, err := page.Execute(t, struct {
		Run      verification
		Verdicts []rules.Verdict
		Groups   []verifiedGroup
		Missing  string
		Left     string
	}{v, rules.Verdicts(), v.groups(), v.describeIncomplete(), v.describeLeaving()})
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = page.Write(&b, page.Page{
		Title: "Rules of imported key material",
		Lead:  v.summary(),
		Made:  v.Started,
		By:    "keymat " + cli.ThisVersion().Version,
		Body:  body,
	})
	return b.Bytes(), err
}

// verdictClass is the class that shows a verdict, which is in words as well.
func verdictClass(v rules.Verdict) string {
	switch v {
	case rules.Holds:
		return "good"
	case rules.Broken, rules.Failed:
		return "bad"
	}
	return "unsure"
}
