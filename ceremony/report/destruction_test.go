// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/evidence/evidencetest"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

func TestCertificate(t *testing.T) {
	c := evidencetest.Destruction(t, t.TempDir(), evidencetest.Whole(t, t.TempDir()))
	page := reported(t, c)
	wants(t, page, "<h1>Certificate of destruction: Payments: again</h1>")
	section := sectionOf(t, page, "destruction")
	wants(t, section, "Those who signed the record certify that every share and every copy of the escrow "+c.Plan.Expected.Escrow.String(), "with the fingerprint "+c.Plan.Expected.Fingerprint,
		"(lines 3 , 4 , 5 , 6 , 7 )",
		"share 1 NAME OF CUSTODIAN 1 (custodian-1) safe-1 brought back and destroyed (line 3 ) it was burnt before all of us B-101 NAME OF THE LEAD (lead), NAME OF OPERATOR ONE (operator-1), NAME OF THE WITNESS (witness)",
		"share 2 NAME OF CUSTODIAN 2 (custodian-2) safe-2 attested to be gone (line 4 ) it is lost; we have asked all who had it",
		"copy-2 CD-R number 2 archive-2 brought back and destroyed (line 7 ) it was broken before all of us",
		evidencetest.ReplicaARN+" "+evidencetest.ReplicaARN+" was looked up, and is PendingDeletion (line 9 )",
		"no record can show")
	wants(t, sectionOf(t, page, "shares"), "gone: every share and copy was destroyed, or is attested to be")
	wants(t, sectionOf(t, page, "phases"), "SEALED", "DISCARDED 1 of 5", "DISCARDED 5 of 5")
	wants(t, sectionOf(t, page, "controls"), "keys are retired, replaced or destroyed supported by tool")
	wants(t, sectionOf(t, page, "steps"), "discarded share 2 of")
	decided := sectionOf(t, page, "plan")
	wants(t, decided, "to destroy what brings material back")
	if !strings.Contains(decided, "offline session") || strings.Contains(decided, "import token") {
		t.Error(decided)
	}
	if gates := sectionOf(t, page, "gates"); strings.Contains(gates, "bundle") || !strings.Contains(gates, "close") {
		t.Error(gates)
	}
}

func TestCertificateRefused(t *testing.T) {
	first := evidencetest.Whole(t, t.TempDir())
	if page := reported(t, first); strings.Contains(page, "Certificate of destruction") || strings.Contains(page, "id=\"destruction\"") {
		t.Error("a ceremony that makes a key certifies that one was destroyed")
	}
	part := evidencetest.Again(t, t.TempDir(), first, plan.ForDestruction)
	part.Open(transcript.OfflineMachine)
	part.Pass(plan.GateOpen)
	part.Add("lead operator-1 witness", transcript.Discarded{Escrow: part.Plan.Expected.Escrow.String(), Share: 1, How: transcript.Returned, Text: "shredded"})
	part.Pass(plan.GateClose)
	part.Close()
	section := sectionOf(t, reported(t, part), "destruction")
	wants(t, section, "The destruction is not complete: DISCARDED 1 of 5.", "share 2 NAME OF CUSTODIAN 2 (custodian-2) safe-2 no line tells", "KMS key")
	if strings.Contains(section, "certify") {
		t.Error(section)
	}

	unsigned := evidencetest.Destruction(t, t.TempDir(), first)
	unsigned.Write("head.json.witness.sig", []byte("none"))
	wants(t, sectionOf(t, reported(t, unsigned), "destruction"), "This is no certificate: the folder does not verify.")

	whole := evidencetest.Destruction(t, t.TempDir(), first)
	content, err := whole.Folder.Read("transcript.jsonl", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	whole.Write("transcript.jsonl", []byte(strings.Replace(string(content), "it is lost", "it is kept", 1)))
	wants(t, sectionOf(t, reported(t, whole), "destruction"), "This is no certificate: the folder does not verify.")
}
