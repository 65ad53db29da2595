// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"bytes"
	"html"
	"strings"
	"testing"
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
		"whole.pdf":   {"Plan, record and signatures verify.", "What this does not prove", "NAME OF THE WITNESS", "candles", "Größe", "#!/bin/sh"},
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
