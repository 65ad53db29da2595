// SPDX-License-Identifier: Apache-2.0

// Package page writes self-contained HTML pages: reports and transcripts that
// are read on a phone, printed, and handed in. A page needs nothing but itself:
// no scripts, no fonts, no images from elsewhere.
package page

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"
)

// Page is what a page says. Body is HTML from a template of the caller's; it
// begins with headings of the second rank, and style.css says which classes
// there are.
type Page struct {
	Title string        // also the only heading of the first rank
	Lead  string        // one or two sentences beneath it
	Made  time.Time     // UTC
	By    string        // what made it: "keymat v1.2.3"
	Body  template.HTML // escaped by its own template
}

// Execute runs a template into the form that Page.Body takes.
func Execute(t *template.Template, data any) (template.HTML, error) {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return "", fmt.Errorf("writing the page: %w", err)
	}
	return template.HTML(b.String()), nil
}

// Write writes the page as one HTML document in UTF-8.
func Write(w io.Writer, p Page) error {
	t, err := template.New("page").Parse(frame)
	if err != nil {
		return fmt.Errorf("reading the page's frame: %w", err)
	}
	if err := t.Execute(w, struct {
		Page
		Style template.CSS
	}{p, template.CSS(style)}); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

var (
	//go:embed frame.html
	frame string
	//go:embed style.css
	style string
)
