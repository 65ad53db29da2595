// SPDX-License-Identifier: Apache-2.0

package page_test

import (
	"html/template"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/internal/page"
)

func TestPageNeedsNothingElse(t *testing.T) {
	body, err := page.Execute(template.Must(template.New("body").Parse(`<h2>{{.}}</h2>`)), "a <b> heading")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	made := time.Date(2026, 9, 1, 12, 30, 0, 0, time.FixedZone("CEST", 2*3600))
	if err := page.Write(&b, page.Page{Title: "Keys & locks", Lead: "All of it.", Made: made, By: "keymat test", Body: body}); err != nil {
		t.Fatal(err)
	}
	html := b.String()
	for _, want := range []string{
		"<title>Keys &amp; locks</title>", "<h1>Keys &amp; locks</h1>", "<h2>a &lt;b&gt; heading</h2>",
		`<html lang="en">`, `datetime="2026-09-01T10:30:00Z"`, "1 September 2026, 10:30 UTC", "--paper: #ffffff", "default-src 'none'",
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page has no %q:\n%s", want, html)
		}
	}
	if outside := regexp.MustCompile(`(?i)<script|src="http|url\(http|@import`).FindString(html); outside != "" {
		t.Errorf("the page asks for something: %q", outside)
	}
	if strings.Contains(html, "ZgotmplZ") {
		t.Error("the page has a value that html/template refused")
	}
}
