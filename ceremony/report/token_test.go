// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/evidence/evidencetest"
	"github.com/keymat/keymat/ceremony/transcript"
)

// TestInToken: the report says which token it was, in its own words, and what nobody
// has seen of it.
func TestInToken(t *testing.T) {
	for name, test := range map[string]struct {
		device transcript.Token
		change []string
		want   []string // in the section of the token
	}{
		"SoftHSM": {transcript.Token{Label: "ceremony", Maker: "SoftHSM project", Model: "SoftHSM v2", Firmware: "2.6", Serial: "7", SoftHSM: true}, nil,
			[]string{"ceremony (SoftHSM 2.6, a program, serial number 7) (line 3 )", "backup-1 BACKUP TOKEN NUMBER 1 SERIAL NUMBER archive-2 NAME OF CUSTODIAN 3 (custodian-3) attested (line 7 )", "no program has seen one of them"}},
		"a device": {transcript.Token{Label: "ceremony", Maker: "M", Model: "X", Firmware: "1.2", Serial: "7"}, nil, []string{"ceremony (M X, firmware 1.2, serial number 7) (line 3 )"}},
		"no backup": {transcript.Token{Label: "ceremony", Maker: "M", Model: "X", Firmware: "1.2", Serial: "7"},
			[]string{"  backups:            # or [], and without_backup: why there is none\n    - {id: backup-1, label: BACKUP TOKEN NUMBER 1, serial: SERIAL NUMBER, site: archive-2, holder: custodian-3}\n", "  backups: []\n  without_backup: it lives for a day\n"},
			[]string{"The plan has no backup of the token: it lives for a day."}},
	} {
		t.Run(name, func(t *testing.T) {
			c := evidencetest.NewInToken(t, t.TempDir(), test.change...)
			c.MakeInToken(test.device)
			page := reported(t, c)
			wants(t, page, "Plan, records, files and signatures verify.")
			wants(t, sectionOf(t, page, "shares"), append(test.want, "there is no escrow, and there are no shares", evidencetest.KeyInToken+" payments-2026 cmac:0a1b2c3d4e",
				"CKA_LOCAL, CKA_ALWAYS_SENSITIVE kept: the token brings the material back", "When the key was found in the token again")...)
			wants(t, sectionOf(t, page, "plan"), "Token ceremony, with")
			wants(t, sectionOf(t, page, "randomness"), "its maker's word: nothing is claimed")
			wants(t, sectionOf(t, page, "limits"), "no program has seen them. People attest it.", "under a key of their own")
			wants(t, sectionOf(t, page, "identity"), "in the record (lines 3 , 5 )")
			wants(t, sectionOf(t, page, "exceptions"), "locked: nobody is logged in to the token any more: the power was cut")
		})
	}
	if whole := reported(t, evidencetest.Whole(t, t.TempDir())); strings.Contains(whole, "no program has seen") {
		t.Error("the report of a ceremony with an escrow speaks of backups of a token")
	}
}
