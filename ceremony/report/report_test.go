// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/report"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
)

const title = "Payments: the root key"

// sectionOf is the HTML of one section, with entities put back and tags as
// spaces.
func sectionOf(t *testing.T, page, id string) string {
	t.Helper()
	_, after, ok := strings.Cut(page, `<section aria-labelledby="`+id+`">`)
	if !ok {
		t.Fatalf("the report has no section %s", id)
	}
	section, _, _ := strings.Cut(after, "</section>")
	text := html.UnescapeString(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(section, " "))
	return strings.Join(strings.Fields(text), " ")
}

func wants(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in: %s", want, text)
		}
	}
}

func TestSections(t *testing.T) {
	page := write(t, newEvidence(t, title))
	var got []string
	for _, m := range regexp.MustCompile(`<h2 id="([^"]*)">`).FindAllStringSubmatch(page, -1) {
		got = append(got, m[1])
	}
	want := []string{
		"verification", "participants", "tool", "plan", "timeline", "phases", "steps", "gates", "exceptions",
		"identity", "randomness", "shares", "conveyance", "imports", "files", "controls", "limits", "annex",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	var linked []string
	for _, m := range regexp.MustCompile(`<li><a href="#([^"]*)">`).FindAllStringSubmatch(page, -1) {
		linked = append(linked, m[1])
	}
	if !slices.Equal(linked, want) {
		t.Errorf("the contents are %v", linked)
	}
	wants(t, page, "<h1>Key ceremony: Payments: the root key</h1>", "payments-2026, planned for 2026-12-01. Plan, records, files and signatures verify.")
}

// TestLinks: every link leads to a place that is there once.
func TestLinks(t *testing.T) {
	sealed, random := made(t)
	e := newEvidence(t, title, doing{noting(sealed, random), "operator-1 witness"}, doing{confirm(plan.GateSealed), "lead operator-1 witness"})
	e.Files = []report.File{sealed, random}
	page := write(t, e)
	ids := make(map[string]int)
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		ids[m[1]]++
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%d places are called %s", n, id)
		}
	}
	for _, m := range regexp.MustCompile(` href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if ids[m[1]] != 1 {
			t.Errorf("a link leads to %s, which is nowhere", m[1])
		}
	}
}

func confirm(g plan.Gate) transcript.Event { return transcript.Confirmed{Gate: g, Text: "compared"} }

// hostile is in every place that people can write to.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>'{{.}}` + "\u202ecba\x07\u2028"

func TestHostile(t *testing.T) {
	e := newEvidence(t, hostile[:len(hostile)-4]+"x", doing{transcript.Noted{Text: hostile, Files: []transcript.File{{Name: hostile}}}, "lead <script>"},
		doing{transcript.Exception{Expected: hostile, Happened: hostile, Decided: hostile}, hostile})
	e.Files = []report.File{report.Recognise(hostile, []byte(hostile))}
	e.Problems = problems(hostile)
	e.Records[0].Signers = append(e.Records[0].Signers, plan.Approval{Person: hostile, Problem: hostile})
	e.Approvals = append(e.Approvals, plan.Approval{Person: hostile, Problem: hostile})
	page := write(t, e)
	if at := regexp.MustCompile(`(?i)<script|<img|<iframe|<object|<link[^>]+stylesheet|src="|url\(|@import|javascript:| on[a-z]+="|ZgotmplZ|\x{202e}|\x07|\x{2028}`).FindString(page); at != "" {
		t.Errorf("the report has %q", at)
	}
	wants(t, page, "&lt;script&gt;alert(1)", `\u202ecba\u0007\u2028`)
	wellFormed(t, page)
}

// TestNeedsNothing: nothing is asked for from elsewhere.
func TestNeedsNothing(t *testing.T) {
	page := write(t, newEvidence(t, title))
	for _, m := range regexp.MustCompile(`(?:href|src|xlink:href)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(m[1], "#") && m[1] != "data:," {
			t.Errorf("the report refers to %s", m[1])
		}
	}
	wants(t, page, "default-src 'none'")
}

// wellFormed reads what the report adds to its frame, in which each element has
// to end where it should.
func wellFormed(t *testing.T, page string) {
	t.Helper()
	_, after, _ := strings.Cut(page, "<main>")
	main, _, _ := strings.Cut(after, "</main>")
	for d := xml.NewDecoder(strings.NewReader("<main>" + main + "</main>")); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestBinding(t *testing.T) {
	sealed, random := made(t)
	secret := report.Recognise("app.key", []byte("0123456789abcdef0123456789abcdef"))
	other := random
	other.SHA256[0] ^= 1
	e := newEvidence(t, title, doing{noting(sealed, other), "operator-1"}, doing{noting(report.File{Name: "gone.bundle", Size: 3}), "operator-1"})
	e.Files = []report.File{secret, sealed, random, report.Recognise("plan.yaml", []byte("plan"))}
	page := write(t, e)
	files := sectionOf(t, page, "files")
	wants(t, files, "payments.escrow escrow "+fmt.Sprint(sealed.Size)+" "+sealed.SHA256.String()+" as the record has it (line 2 )",
		"payments.randomness record of randomness "+fmt.Sprint(random.Size)+" "+random.SHA256.String()+" not the one that the record names (line 2 )",
		"app.key of no kind that is known here 32 left out not named in the record", "gone.bundle (line 3 ) 3", "plan.yaml plan 4")
	if strings.Contains(page, secret.SHA256.String()) {
		t.Error("the digest of what may be a key is in the report")
	}
	wants(t, sectionOf(t, page, "shares"), "3 of 5 shares, SLIP-0039 (words) one share less than the threshold leaves 224 of the 256 bits")
}

func TestIdentity(t *testing.T) {
	sealed, random := made(t)
	e := newEvidence(t, title)
	e.Files = []report.File{sealed, random}
	const differ = "They are not all of one key"
	if text := sectionOf(t, write(t, e), "identity"); strings.Contains(text, differ) {
		t.Error(text)
	}
	_, foreign := made(t)
	e.Files = []report.File{sealed, foreign}
	wants(t, sectionOf(t, write(t, e), "identity"), differ)
}

func TestGates(t *testing.T) {
	e := newEvidence(t, title, doing{confirm(plan.GateSealed), "lead operator-1 witness"}, doing{confirm(plan.GateIdentity), "operator-1"})
	page := write(t, e)
	wants(t, sectionOf(t, page, "gates"), "plan NAME OF THE LEAD (lead), NAME OF THE WITNESS (witness) signed by all",
		"sealed NAME OF THE LEAD (lead), NAME OF OPERATOR ONE (operator-1), NAME OF THE WITNESS (witness) confirmed by all (line 2 )",
		"identity NAME OF OPERATOR ONE (operator-1), NAME OF THE WITNESS (witness) not by everybody (line 3 )", "not in this record")
	wants(t, sectionOf(t, page, "exceptions"), "The record tells of no exception.", "The gate identity names no confirmation of NAME OF THE WITNESS (witness). (line 3 )",
		"The gate identity comes after the gate sealed. (line 3 )")
}

func TestExceptions(t *testing.T) {
	e := newEvidence(t, title, doing{transcript.Exception{Expected: "light", Happened: "dark", Decided: "candles"}, "lead mallory"})
	entries(e)[2].Time = begin
	page := write(t, e)
	wants(t, sectionOf(t, page, "exceptions"), "exception: expected: light; happened: dark; decided: candles", "The machine's clock went back. (line 3 )")
	wants(t, sectionOf(t, page, "participants"), "mallory nobody of the plan")
}

// TestLongSession is at the limit of 10 hours, and a minute above.
func TestLongSession(t *testing.T) {
	e := newEvidence(t, title, doing{confirm(plan.GateOpen), "lead operator-1 operator-2 witness"}, doing{confirm(plan.GateClose), "lead operator-1 witness"})
	const long = "The offline session took"
	for took, want := range map[int]bool{600: false, 601: true} {
		entries(e)[2].Time = entries(e)[1].Time.Add(minutes(took))
		if got := strings.Contains(sectionOf(t, write(t, e), "exceptions"), long); got != want {
			t.Errorf("%d minutes: got %v", took, got)
		}
	}
}

// TestControls: what the tool supports is covered by lines, or not at all.
func TestControls(t *testing.T) {
	const generation = "strong keys are generated"
	e := newEvidence(t, title)
	wants(t, sectionOf(t, write(t, e), "controls"), generation+" not covered the line in which the material was generated, and the record of randomness beside it nothing in this record",
		"destroyed not covered an escrow is retired", "custodians acknowledge their duties by procedure", "accountability and audit supported by tool each line names whose doing it is; lines are chained, and the last is signed (lines 1 , 2 )")
	sealed, random := made(t)
	e = newEvidence(t, title, doing{noting(random, sealed), "operator-1"})
	e.Files = []report.File{random, sealed}
	wants(t, sectionOf(t, write(t, e), "controls"), generation+" supported by tool the line in which the material was generated, and the record of randomness beside it (line 2 )")
	e.Problems = problems("something")
	wants(t, sectionOf(t, write(t, e), "controls"), "accountability and audit not covered")
}

func TestProblems(t *testing.T) {
	e := newEvidence(t, title)
	e.Problems = problems("head.json: missing")
	page := write(t, e)
	wants(t, page, "The folder does not verify: 1 problem.")
	wants(t, sectionOf(t, page, "verification"), "The folder does not verify. What follows is what it says, and may have been changed.", "head.json: missing")
}

// TestNoRecord: there is a report, too, of a folder that has nothing but a plan.
func TestNoRecord(t *testing.T) {
	e := newEvidence(t, title)
	e.Records[0].Transcript = transcript.Verify(nil)
	page := write(t, e)
	wants(t, sectionOf(t, page, "steps"), "The record has no lines that could be read.")
	wants(t, sectionOf(t, page, "tool"), "The record does not say what wrote it.")
	wellFormed(t, page)
}

// unknown is an event of a type to come.
type unknown struct {
	transcript.Event `json:"-"`
	Bag              string `json:"bag"`
	Weight           int    `json:"weight"`
}

func TestUnknownEvent(t *testing.T) {
	e := newEvidence(t, title)
	entries(e)[1].Event = unknown{transcript.Noted{}, "B-17", 3}
	wants(t, sectionOf(t, write(t, e), "steps"), "note bag: B-17; weight: 3")
}

// overclaims must not be said by a report, whatever happened.
var overclaims = regexp.MustCompile(`(?i)FIPS validated|validated|complian|certified|hardware entropy|tamper-?proof|guarantee|erased|unbreakable|identical to AWS|ISO.?19592|passed (the )?(tests|NIST)|NIST.tested|800-22|\bHSMs?\b`)

func TestClaims(t *testing.T) {
	sealed, random := made(t)
	e := newEvidence(t, title, doing{noting(sealed, random), "operator-1"}, doing{confirm(plan.GateIdentity), "operator-1 witness"})
	e.Files = []report.File{sealed, random}
	page := write(t, e)
	if claim := overclaims.FindString(page); claim != "" {
		t.Errorf("the report claims %q", claim)
	}
	wants(t, sectionOf(t, page, "randomness"), "a separate sample of 1048576 bytes from the same source showed no stuck or grossly biased output", "as the record has it (line 2 )")
}

// TestClaimsOfEveryEvent has a line of each type of event, whether the rules would
// let it come or not.
func TestClaimsOfEveryEvent(t *testing.T) {
	const who = "operator-1 witness"
	all := []doing{{transcript.Confirmed{Gate: plan.GateSealed, Text: "seen"}, who}, {transcript.Noted{Text: "seen"}, who}, {transcript.Exception{Expected: "a", Happened: "b", Decided: "c"}, who}}
	for _, event := range []transcript.Event{
		transcript.Generated{KeySpec: material.SymmetricDefault, Source: plan.FromDRBG}, transcript.Generated{KeySpec: material.HMAC512, Source: plan.FromPKCS11}, transcript.Generated{KeySpec: material.RSA4096, Source: plan.FromComponents},
		transcript.Escrowed{}, transcript.Copied{}, transcript.Issued{Bag: "B"}, transcript.ReadBack{Bag: "B"}, transcript.Sealed{}, transcript.Recovered{}, transcript.Bundled{}, transcript.Wrapped{},
		transcript.Destroyed{}, transcript.Voided{Material: true}, transcript.Interrupted{}, transcript.Retired{},
		transcript.Submitted{}, transcript.Refused{Remedy: transcript.SendAgain}, transcript.Refused{Remedy: transcript.WrapAgain}, transcript.Refused{Remedy: transcript.Incident},
		transcript.Imported{}, transcript.Verified{}, transcript.Forgotten{},
	} {
		all = append(all, doing{event, who})
	}
	page := write(t, newEvidence(t, title, all...))
	if claim := overclaims.FindString(page); claim != "" {
		t.Errorf("the report claims %q", claim)
	}
	wants(t, sectionOf(t, page, "steps"), "destroyed the program cleared material and key in its memory", "forgotten", "retired")
}

func TestAnnex(t *testing.T) {
	page := write(t, newEvidence(t, title))
	_, after, _ := strings.Cut(page, `<pre id="verifier">`)
	script, _, _ := strings.Cut(after, "</pre>")
	if html.UnescapeString(script) != transcript.Shell() {
		t.Error("the script cannot be taken from the page as it is")
	}
}
