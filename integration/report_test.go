// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"bytes"
	"html"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/evidence/evidencetest"
)

// TestCeremonyReport has Chromium look at the reports of a ceremony that
// verifies and of one that does not, print them, and checks the ceremony with
// the script that the first carries.
func TestCeremonyReport(t *testing.T) {
	t.Parallel()
	d := recorded(t)
	const bound = "app.escrow"
	d.keymat("escrow", "seal", "--generate", "--spec", "SYMMETRIC_DEFAULT", "--quorum", "3/5", "--shares-dir", "cards", "--out", "c/"+bound)
	d.keymat("ceremony", "report", "c", "--out", "whole.html")

	_, after, _ := bytes.Cut(d.read("whole.html"), []byte(`<pre id="verifier">`))
	script, _, _ := bytes.Cut(after, []byte("</pre>"))
	d.write("printed.sh", []byte(html.UnescapeString(string(script))))
	d.sh("sh printed.sh c")

	d.sh("cp -r c changed && sed -i s/candles/torches/ changed/transcript.jsonl")
	if o := d.try(built.keymat, "ceremony", "report", "changed", "--out", "changed.html"); o.status != 3 {
		t.Fatalf("exit code %d\n%s%s", o.status, o.stdout, o.stderr)
	}
	if o := d.try("/bin/sh", "printed.sh", "changed"); o.status == 0 {
		t.Error("the printed script finds nothing wrong with a record that was changed")
	}

	if o := d.look(d.path("whole.html"), d.path("changed.html")); o.status != 0 {
		t.Fatalf("%s%s", o.stdout, o.stderr)
	}
	for name, wants := range map[string][]string{
		"whole.pdf":   {"Plan, records, files and signatures verify.", "What this does not prove", "NAME OF THE WITNESS", "candles", "Größe", "#!/bin/sh"},
		"changed.pdf": {"The folder does not verify", "torches"},
	} {
		text := string(d.run(tool(t, "pdftotext", "poppler-utils"), "-layout", name, "-"))
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("the text of %s has no %q", name, want)
			}
		}
	}
}

// TestReportAsPDF has keymat print the report of a ceremony with Chromium: all text of the page can be taken out of the print.
func TestReportAsPDF(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.url = ""
	d.sh("mkdir eventful")
	evidencetest.Eventful(t, d.path("eventful"))
	d.keymat("ceremony", "report", "eventful", "--out", "report.html", "--pdf", "report.pdf", "--browser", tool(t, "chromium", "chromium"))

	printed := letters(string(d.run(tool(t, "pdftotext", "poppler-utils"), "-raw", "report.pdf", "-")))
	_, body, _ := strings.Cut(string(d.read("report.html")), "<body>")
	body = regexp.MustCompile(`<(title|desc)[^>]*>[^<]*<`).ReplaceAllString(body, "<") // of pictures, for those who do not see them
	texts := regexp.MustCompile(`<[^>]*>`).Split(body, -1)
	if len(texts) < 1000 {
		t.Errorf("the page has %d texts", len(texts))
	}
	for _, text := range texts {
		if text = letters(html.UnescapeString(text)); !strings.Contains(printed, text) {
			t.Errorf("not in print: %q", text)
		}
	}
}

// letters is a text without its spaces and ends of lines, of which print has others.
func letters(text string) string { return strings.Join(strings.Fields(text), "") }

// TestWholeCeremonyReports has Chromium look at the reports of ceremonies of
// several records, at a rehearsal's, and at the forms; and zbar read the codes of
// the forms from their print.
func TestWholeCeremonyReports(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.url = ""
	rehearsal := []string{"rehearsal: false", "rehearsal: true"}
	for name, play := range map[string]func(testing.TB, string, ...string) *evidencetest.Ceremony{"whole": evidencetest.Whole, "eventful": evidencetest.Eventful} {
		d.sh("mkdir " + name + " rehearsed-" + name)
		play(t, d.path(name))
		play(t, d.path("rehearsed-"+name), rehearsal...)
	}
	var pages []string
	for _, name := range []string{"whole", "eventful", "rehearsed-whole", "rehearsed-eventful"} {
		d.keymat("ceremony", "report", name, "--out", name+".html")
		pages = append(pages, d.path(name+".html"))
	}
	d.keymat("ceremony", "forms", "whole/plan.yaml", "--out-dir", "forms")
	pages = append(pages, d.path("forms/ack-custodian-2.html"), d.path("forms/blank-2.html"))
	if o := d.look(pages...); o.status != 0 {
		t.Fatalf("%s%s", o.stdout, o.stderr)
	}
	digest := strings.Fields(string(d.run(tool(t, "sha256sum", "coreutils"), "whole/plan.yaml")))[0]
	for name, wants := range map[string][]string{
		"whole.pdf":                 {"Plan, records, files and signatures verify.", "VERIFIED 2 of 2", "B-102", "NAME OF FETCHER TWO", "fetcher-1", "#!/bin/sh"},
		"eventful.pdf":              {"ThrottlingException", "what was in memory is lost", "left-at-home.txt"},
		"rehearsed-whole.pdf":       {"Rehearsal of a key ceremony", "made to be thrown away"},
		"rehearsed-eventful.pdf":    {"Rehearsal of a key ceremony"},
		"forms/ack-custodian-2.pdf": {"Acknowledgement of a custodian", "NAME OF CUSTODIAN 2 (custodian-2)", "Signature of the witness"},
		"forms/blank-2.pdf":         {"Share 2 of 3", "Write each word"},
	} {
		text := string(d.run(tool(t, "pdftotext", "poppler-utils"), "-layout", name, "-"))
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("the text of %s has no %q", name, want)
			}
		}
	}
	for name, want := range map[string]string{
		"ack-custodian-2": "keymat-ack/1 payments-2026 custodian-2 2 " + digest,
		"blank-2":         "keymat-blank/1 payments-2026 custodian-2 2 " + digest,
	} {
		d.run(tool(t, "pdftoppm", "poppler-utils"), "-r", "150", "-png", "forms/"+name+".pdf", name)
		if printed, err := filepath.Glob(d.path(name + "-*.png")); err != nil || len(printed) != 1 {
			t.Errorf("%s takes %d pages, %v", name, len(printed), err)
		}
		if got := strings.TrimSpace(string(d.run(tool(t, "zbarimg", "zbar-tools"), "-q", "--raw", name+"-1.png"))); got != want {
			t.Errorf("the code of %s says %q, want %q", name, got, want)
		}
	}
}
