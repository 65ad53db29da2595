// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/rules"
)

// sampleRun has a rule of every verdict, and text that each form has to escape.
func sampleRun() verification {
	at := time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	source := rules.Source{Title: "AWS KMS Developer Guide, <Importing> & more", URL: "https://docs.aws.amazon.com/kms/?a=1&b=2"}
	step := func(what, operation, expected, observed string) experiment.Observation {
		return experiment.Observation{What: what, Operation: operation, Region: "eu-central-1", Expected: expected, Observed: observed,
			AsExpected: expected == observed, RequestID: "r", At: at, Seconds: 0.25}
	}
	rule := func(id string, promise rules.Promise) rules.Rule {
		return rules.Rule{ID: id, Statement: "A|B is *not* <C> & [D].", Why: "Because of `it`.", Promise: promise, Sources: []rules.Source{source, {Title: "recorded"}}, Keys: 1}
	}
	results := []rules.Result{{
		Rule: rule("one/holds", rules.Documented), Verdict: rules.Holds, Started: at, Seconds: 0.5,
		Steps:   []experiment.Observation{step("create key A", "CreateKey", "success", "success")},
		Keys:    []experiment.Key{{ARN: testKey}},
		Leaving: []experiment.Leaving{{ARN: testKey, Deletion: at.AddDate(0, 0, 7)}},
	}, {
		Rule: rule("one/broken", rules.Observed), Verdict: rules.Broken, Reason: "decrypt <it>: expected A, observed B", Started: at, Seconds: 1,
		Steps: []experiment.Observation{step("decrypt <it>", "Decrypt", "InvalidCiphertextException", "success"), step("the state", "", "Enabled", "Enabled")},
	}, {
		Rule: rule("two/skipped", rules.Documented), Verdict: rules.Skipped, Reason: "it needs a second Region, and none is given",
	}, {
		Rule: rule("two/failed", rules.Documented), Verdict: rules.Failed, Reason: "KMSInternalException", Started: at,
	}}
	t := &target{name: "the mock & more", region: "eu-central-1", second: "us-east-1", lasting: true, billed: true}
	v := verificationOf(t, "20260901T120000Z-run", results, nil)
	v.Started, v.Seconds = at, 2.5
	return v
}

// written is the report of a run that is always the same, in one of its forms.
func written(t *testing.T, write func(verification) ([]byte, error)) []byte {
	t.Helper()
	content, err := write(sampleRun())
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// golden compares with a file of testdata/report, which -update rewrites.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "report", name)
	want, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	if f := flag.Lookup("update"); f != nil && f.Value.String() == "true" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestJUnit reads the report as a build server does, and compares it byte by byte.
func TestJUnit(t *testing.T) {
	content := written(t, junit)
	golden(t, "junit.xml", content)

	type outcome struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
	type attributes struct {
		Tests, Failures, Errors, Skipped string
	}
	var got struct {
		XMLName xml.Name   `xml:"testsuites"`
		Attrs   []xml.Attr `xml:",any,attr"`
		Suites  []struct {
			Attrs []xml.Attr `xml:",any,attr"`
			Cases []struct {
				Name    string   `xml:"name,attr"`
				Class   string   `xml:"classname,attr"`
				Time    string   `xml:"time,attr"`
				Failure *outcome `xml:"failure"`
				Error   *outcome `xml:"error"`
				Skipped *outcome `xml:"skipped"`
				Output  string   `xml:"system-out"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(content, &got); err != nil {
		t.Fatal(err)
	}
	counts := func(attrs []xml.Attr) (a attributes) {
		for _, attr := range attrs {
			switch attr.Name.Local {
			case "tests":
				a.Tests = attr.Value
			case "failures":
				a.Failures = attr.Value
			case "errors":
				a.Errors = attr.Value
			case "skipped":
				a.Skipped = attr.Value
			}
		}
		return a
	}
	if a := counts(got.Attrs); a != (attributes{"4", "1", "1", "1"}) {
		t.Errorf("counts of all %+v", a)
	}
	for i, want := range []attributes{{"2", "1", "0", "0"}, {"2", "0", "1", "1"}} {
		if a := counts(got.Suites[i].Attrs); a != want {
			t.Errorf("counts of suite %d %+v, want %+v", i, a, want)
		}
	}
	one, two := got.Suites[0].Cases, got.Suites[1].Cases
	if one[0].Name != "one/holds" || one[0].Class != "keymat.one" || one[0].Failure != nil || one[0].Error != nil || one[0].Skipped != nil {
		t.Errorf("the rule that holds: %+v", one[0])
	}
	if one[1].Failure == nil || one[1].Failure.Message != "decrypt <it>: expected A, observed B" || !strings.Contains(one[1].Output, "(Decrypt): expected InvalidCiphertextException, observed success\n") {
		t.Errorf("the broken rule: %+v", one[1])
	}
	if two[0].Skipped == nil || two[1].Error == nil || two[1].Error.Message != "KMSInternalException" {
		t.Errorf("the others: %+v", two)
	}
}

func TestMarkdownReport(t *testing.T) {
	content := string(written(t, markdown))
	golden(t, "report.md", []byte(content))
	for line := range strings.Lines(content) { // rows of a table have as many cells as its head
		if cells := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"); cells != 0 && cells != 5 && cells != 6 {
			t.Errorf("a row of %d cells: %s", cells-1, line)
		}
	}
}

// TestWebPage reads the page as far as its structure matters to those who do
// not see it: headings in order, labelled parts, tables with heads.
func TestWebPage(t *testing.T) {
	content := written(t, webPage)
	d := xml.NewDecoder(bytes.NewReader(content))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var ids, refs []string
	rank, headings := 0, 0
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attr := map[string]string{}
		for _, a := range e.Attr {
			attr[a.Name.Local] = a.Value
		}
		if id, ok := attr["id"]; ok {
			ids = append(ids, id)
		}
		if by, ok := attr["aria-labelledby"]; ok {
			refs = append(refs, by)
		}
		if fragment, ok := strings.CutPrefix(attr["href"], "#"); ok {
			id, err := url.PathUnescape(fragment)
			if err != nil {
				t.Error(err)
			}
			refs = append(refs, id)
		}
		switch name := e.Name.Local; name {
		case "h1", "h2", "h3":
			next, _ := strconv.Atoi(name[1:])
			if next > rank+1 {
				t.Errorf("%s follows a heading of rank %d", name, rank)
			}
			rank = next
			headings++
		case "th":
			if attr["scope"] == "" {
				t.Error("a table head without scope")
			}
		case "script", "img", "iframe":
			t.Errorf("the page has a %s", name)
		}
	}
	if headings != 1+1+2+4 {
		t.Errorf("%d headings, want 8: the title, the summary, 2 groups, 4 rules", headings)
	}
	for _, ref := range refs {
		if !slices.Contains(ids, ref) {
			t.Errorf("nothing has the id %q", ref)
		}
	}
	if unique := slices.Compact(slices.Sorted(slices.Values(ids))); len(unique) != len(ids) {
		t.Errorf("ids are not unique: %q", ids)
	}
	for _, want := range []string{
		"the mock &amp; more", "&lt;Importing&gt; &amp; more", "otherwise: success", "A|B is *not* &lt;C&gt; &amp; [D].",
		"it needs a second Region", "wait for their deletion: 1", `<a href="https://docs.aws.amazon.com/kms/?a=1&amp;b=2">`,
	} {
		if !bytes.Contains(content, []byte(want)) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if bytes.Contains(content, []byte("ZgotmplZ")) {
		t.Error("the page has a value that html/template refused")
	}
}
