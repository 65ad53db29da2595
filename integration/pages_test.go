// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestPages has Chromium look at what keymat writes as HTML: see
// testdata/pages/look.js.
func TestPages(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.url = ""                       // they need no KMS but the one inside
	pages := make(map[string]string) // what must be in the text of each

	d.keymat("verify", "--html", "rules.html")
	pages["rules.html"] = "An import token serves only the key it was fetched for."

	strict, err := serve(d.dir, "--memory", "--single-use-tokens", "--shared-wrapping-keys")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(strict.kill)
	if o := d.try(built.keymat, "verify", "token-reuse", "--html", "broken.html", "--endpoint-url", strict.url, "--yes", "--no-input"); o.status != 3 {
		t.Fatalf("exit code %d\n%s%s", o.status, o.stdout, o.stderr)
	}
	pages["broken.html"] = "token-reuse/twice: broken"

	var list struct {
		Lessons []struct{ Name, Title string }
	}
	d.keymatJSON(&list, "lab", "--list")
	for _, l := range list.Lessons {
		d.keymat("lab", l.Name, "--html", l.Name+".html")
		pages[l.Name+".html"] = l.Title
	}

	d.keymat("escrow", "seal", "--generate", "--spec", "SYMMETRIC_DEFAULT", "--quorum", "2/3", "--shares-dir", "cards", "--out", "app.escrow")
	cards, err := filepath.Glob(d.path("cards/*.html"))
	if err != nil || len(cards) != 3 {
		t.Fatalf("%d cards, %v", len(cards), err)
	}
	pages[filepath.Join("cards", filepath.Base(cards[0]))] = "Share 1 of 3"

	var files []string
	for name := range pages {
		files = append(files, d.path(name))
	}
	if o := d.look(files...); o.status != 0 {
		t.Fatalf("%s%s", o.stdout, o.stderr)
	}
	for name, want := range pages {
		text := d.run(tool(t, "pdftotext", "poppler-utils"), strings.TrimSuffix(name, ".html")+".pdf", "-")
		if !strings.Contains(string(text), want) {
			t.Errorf("the text of %s printed has no %q", name, want)
		}
	}
}

// TestLookFindsFaults shows look.js a page with every fault it is to find.
func TestLookFindsFaults(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	bad := `<!doctype html><html><head><style>body{width:2000px;user-select:none} p{color:#ccc;background:#fff}</style></head>
<body><p>` + strings.Repeat("hard to read ", 30) + `</p><img src="http://192.0.2.1/pixel.png"><script>console.error("a complaint"); nobody.home()</script></body></html>`
	d.write("bad.html", []byte(bad))
	o := d.look(d.path("bad.html"))
	if o.status == 0 {
		t.Fatal("look.js found nothing")
	}
	for _, want := range []string{
		"console: a complaint", "error: nobody is not defined", "asks for http://192.0.2.1/pixel.png", "pixels wide",
		"color-contrast", "image-alt", "document-title", "html-has-lang", "characters can be selected",
	} {
		if !strings.Contains(string(o.stdout), want) {
			t.Errorf("look.js does not say %q:\n%s%s", want, o.stdout, o.stderr)
		}
	}
}

// look runs look.js on pages.
func (d *desk) look(files ...string) outcome {
	d.t.Helper()
	folder, err := filepath.Abs(filepath.Join("testdata", "pages"))
	if err != nil {
		d.t.Fatal(err)
	}
	installModules(d.t, folder)
	args := append([]string{filepath.Join(folder, "look.js"), tool(d.t, "chromium", "chromium")}, files...)
	return d.try(tool(d.t, "node", "nodejs"), args...)
}
