// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/evidence/evidencetest"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/report"
	"github.com/keymat/keymat/ceremony/transcript"
)

// reported is the page of a ceremony that was played.
func reported(t *testing.T, c *evidencetest.Ceremony) string {
	t.Helper()
	findings, err := c.Folder.Verify()
	if err != nil {
		t.Fatal(err)
	}
	e := &report.Evidence{Findings: findings}
	files, err := os.ReadDir(string(c.Folder))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		content, err := c.Folder.Read(f.Name(), 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		e.Files = append(e.Files, report.Recognise(f.Name(), content))
	}
	page := write(t, e)
	wellFormed(t, page)
	links(t, page)
	if claim := overclaims.FindString(page); claim != "" {
		t.Errorf("the report claims %q", claim)
	}
	return page
}

func TestWhole(t *testing.T) {
	page := reported(t, evidencetest.Whole(t, t.TempDir()))
	wants(t, page, "<h1>Key ceremony: Payments: the root key</h1>", "Plan, records, files and signatures verify.")
	wants(t, sectionOf(t, page, "verification"), "NAME OF THE WITNESS (witness) record 2 verifies", "NAME OF FETCHER TWO (fetcher-2) bundle bundle-1.json verifies", "seal record seal-")
	wants(t, sectionOf(t, page, "tool"), "1 (line 1.1 ) offline keymat v1.0.0", "2 (line 2.1 ) import keymat v1.0.0")
	wants(t, sectionOf(t, page, "phases"), "OPEN 2026-12-01 09:01:00 UTC (line 1.1 )", "SEALED 2026-12-01 09:15:00 UTC (line 1.15 )", "WRAPPED 2 of 2", "CLOSED", "IMPORTED 1 of 2", "VERIFIED 2 of 2 2026-12-01 09:29:00 UTC (line 2.8 )")
	wants(t, sectionOf(t, page, "steps"), "1.3 2026-12-01 09:03:00 UTC operator-1, witness generated SYMMETRIC_DEFAULT material, from the generator of the machine, with the fingerprint cmac:",
		"2.3 2026-12-01 09:24:00 UTC importer, witness submitted to primary: bytes with the SHA-256")
	wants(t, sectionOf(t, page, "gates"), "import NAME OF THE IMPORTER (importer), NAME OF THE WITNESS (witness) confirmed by all (line 2.2 )")
	wants(t, sectionOf(t, page, "exceptions"), "The record tells of no exception.")
	wants(t, sectionOf(t, page, "identity"), "records, as the machine calculated it SYMMETRIC_DEFAULT cmac:", "in the record (line 1.3 )")
	wants(t, sectionOf(t, page, "shares"), "kept: it brings the material back 3 3 (lines 1.5 , 1.15 )", "2 NAME OF CUSTODIAN 2 (custodian-2) once (line 1.10 ) as it was issued (line 1.11 ) B-102",
		"copy-1 CD-R number 1 archive-1 as it was written (line 1.6 )")
	wants(t, sectionOf(t, page, "conveyance"), "bundle-1.json primary 2026-12-01 09:15:00 UTC arn:aws:sts::111122223333:assumed-role/fetch/fetcher-1 f0e1d2c3-0000-4000-8000-000000000001 SYMMETRIC_DEFAULT, EXTERNAL, PendingImport as the record has it (line 1.16 )",
		"package-1.json replica-eu-west-1 existing never expires 0")
	wants(t, sectionOf(t, page, "imports"), "primary 1 time (line 2.3 ) taken (line 2.4 ) "+strings.Repeat("0a", 32)+" KeyMaterialId recorded; encrypt and decrypt (line 2.5 ) KMS took the very bytes that were wrapped offline, and says so itself")
	wants(t, sectionOf(t, page, "files"), "params-1-primary.json import parameters", "head-2.json.witness.sig signature of head-2.json", "transcript-2.jsonl record", "The folder holds every file that the record names.")
	if text := sectionOf(t, page, "files"); strings.Contains(text, "not named in the record") || strings.Contains(text, "of no kind") {
		t.Error(text)
	}
	wants(t, sectionOf(t, page, "controls"), "keys are not substituted supported by tool", "accountability and audit supported by tool each line names whose doing it is; lines are chained, and the last is signed (lines 1.1 , 1.21 , 2.1 , 2.9 )")
	wants(t, sectionOf(t, page, "annex"), "the last of 21 lines of the record 1", "package package-1.json", "bundle bundle-1.json")
}

// links demands that each link leads to a place that is there once.
func links(t *testing.T, page string) {
	t.Helper()
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

func TestEventful(t *testing.T) {
	page := reported(t, evidencetest.Eventful(t, t.TempDir()))
	wants(t, sectionOf(t, page, "exceptions"), "resumed: after 1 line cut off", "interrupted: what was in memory is lost: the power was cut", "void: the material and what was kept as",
		"expected: power; happened: none for a minute; decided: begin again with new material", "refused: by KMS for primary: ThrottlingException; the same bytes may be sent again")
	wants(t, sectionOf(t, page, "shares"), "void: nothing of it was issued 0 0", "2 times: only the last counts", "B-202")
	wants(t, sectionOf(t, page, "imports"), "primary 2 times", "replica-eu-west-1 1 time (line 3.8 ) refused: ExpiredImportTokenException (line 3.9 ) not in this record")
	wants(t, sectionOf(t, page, "files"), "minutes.txt of no kind that is known here", "left-at-home.txt (line 1.27 ) 3")
	wants(t, sectionOf(t, page, "phases"), "VOID", "SEALED")
	if text := sectionOf(t, page, "identity"); strings.Contains(text, "They are not all of one key") {
		t.Errorf("material that is void counts: %s", text)
	}
}

// TestRehearsal: nobody may take the report of a rehearsal for another.
func TestRehearsal(t *testing.T) {
	page := reported(t, evidencetest.Whole(t, t.TempDir(), "rehearsal: false", "rehearsal: true"))
	wants(t, page, "<h1>Rehearsal of a key ceremony: Payments: the root key</h1>", "Report of the rehearsal, with throw-away material,")
	wants(t, sectionOf(t, page, "verification"), "Rehearsal: the material was made to be thrown away")
	wants(t, sectionOf(t, page, "imports"), "params-1-primary.json import parameters")
}

// TestIncident: it stands in front.
func TestIncident(t *testing.T) {
	c := evidencetest.New(t, t.TempDir())
	c.HoldOffline()
	c.Open(transcript.ImportMachine)
	c.Pass(plan.GateImport)
	c.Submit("primary")
	c.Add("importer witness", transcript.Refused{Target: "primary", Code: "InvalidCiphertextException", Remedy: transcript.Incident})
	c.Close()
	page := reported(t, c)
	wants(t, page, "There was an incident: the material has to be treated as exposed.")
	for _, id := range []string{"verification", "exceptions"} {
		wants(t, sectionOf(t, page, id), "Incident: KMS could not open what was wrapped for primary", "(line 2.4 )")
	}
	wants(t, sectionOf(t, page, "imports"), "primary 1 time (line 2.3 ) refused: InvalidCiphertextException (line 2.4 )")
}

// TestChanged: a report of what was damaged says so, and adds nothing up.
func TestChanged(t *testing.T) {
	c := evidencetest.Whole(t, t.TempDir())
	content, err := c.Folder.Read(evidence.RecordFile(1), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	c.Write(evidence.RecordFile(1), []byte(strings.Replace(string(content), "B-102", "B-103", 1)))
	page := reported(t, c)
	wants(t, page, "The folder does not verify: ")
	wants(t, sectionOf(t, page, "phases"), "there is nothing that they add up to")
}
