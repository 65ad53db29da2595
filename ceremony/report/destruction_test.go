// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"fmt"
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
	wants(t, section, "Those who signed the record certify that every share, and every copy that the plan names, of the escrow "+c.Plan.Expected.Escrow.String(), "with the fingerprint "+c.Plan.Expected.Fingerprint,
		"(lines 3 , 4 , 5 , 6 , 7 )",
		"share 1 by NAME OF CUSTODIAN 1 (custodian-1), at safe-1 2027-12-01 09:03:00 UTC brought back and destroyed (line 3 ) it was burnt before all of us B-101 NAME OF THE LEAD (lead), NAME OF OPERATOR ONE (operator-1), NAME OF THE WITNESS (witness)",
		"share 2 by NAME OF CUSTODIAN 2 (custodian-2), at safe-2 2027-12-01 09:04:00 UTC attested to be gone (line 4 ) it is lost; we have asked all who had it",
		"copy-2 CD-R number 2, at archive-2 2027-12-01 09:07:00 UTC brought back and destroyed (line 7 ) it was broken before all of us",
		evidencetest.ReplicaARN+" "+evidencetest.ReplicaARN+" was looked up, and is PendingDeletion (line 9 )",
		"the escrow is among the evidence of the ceremony that made it", "is not part of this", "no record can show")
	if strings.Contains(section, "nobody here saw destroyed") {
		t.Error("one share that is lost is too many")
	}
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
	wants(t, section, "The destruction is not complete: DISCARDED 1 of 5.", "share 2 by NAME OF CUSTODIAN 2 (custodian-2), at safe-2 no line tells", "KMS key")
	if strings.Contains(section, "certify") {
		t.Error(section)
	}

	words := evidencetest.Again(t, t.TempDir(), first, plan.ForDestruction)
	words.Open(transcript.OfflineMachine)
	words.Pass(plan.GateOpen)
	for share := 1; share <= words.Plan.Shares.Threshold; share++ {
		words.Add("lead operator-1 witness", transcript.Discarded{Escrow: words.Plan.Expected.Escrow.String(), Share: share, How: transcript.Elsewhere, Text: "lost"})
	}
	words.Add("operator-1 witness", transcript.Attested{Target: words.Plan.Targets[0].ID, State: transcript.KeyEnabled, Text: "it is Enabled: it is still used"})
	words.Pass(plan.GateClose)
	words.Close()
	wants(t, sectionOf(t, reported(t, words), "destruction"), fmt.Sprintf("%d shares that nobody here saw destroyed would be enough to open the escrow, for it takes %[1]d", words.Plan.Shares.Threshold),
		"it is still used (line 5 )")

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
