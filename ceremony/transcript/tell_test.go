// SPDX-License-Identifier: Apache-2.0

package transcript_test

import (
	"reflect"
	"testing"

	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
)

// TestTell has words for each type of event, and points out those that should not
// have happened.
func TestTell(t *testing.T) {
	file := transcript.File{Name: "a.file", Size: 12}
	files := []transcript.File{file}
	after := transcript.Digest{1}
	softHSM := transcript.Token{Label: "t", Maker: "SoftHSM project", Model: "SoftHSM v2", Firmware: "2.6", Serial: "7", SoftHSM: true}
	for _, test := range []struct {
		event transcript.Event
		want  transcript.Told
	}{
		{transcript.Opened{Ceremony: "c", Rehearsal: true, Tool: transcript.Tool{Version: "v1"}},
			transcript.Told{Name: "opened", Text: "record of c, by the plan with the SHA-256 " + transcript.Digest{}.String() + ", with keymat v1; a rehearsal"}},
		{transcript.Opened{Ceremony: "c", Tool: transcript.Tool{Version: "v1"}, Part: transcript.Part{Number: 1, Machine: transcript.ImportMachine, After: after}},
			transcript.Told{Name: "opened", Text: "record 2 of c, on the import machine, after the line with the SHA-256 " + after.String() + ", by the plan with the SHA-256 " + transcript.Digest{}.String() + ", with keymat v1"}},
		{transcript.Confirmed{Gate: "open", Text: "all there"}, transcript.Told{Name: "gate open", Text: "all there"}},
		{transcript.Noted{Text: "seen", Files: files}, transcript.Told{Name: "noted", Text: "seen", Files: files}},
		{transcript.Exception{Expected: "light", Happened: "dark", Decided: "candles"}, transcript.Told{Name: "exception", Text: "expected: light; happened: dark; decided: candles", Exceptional: true}},
		{transcript.Resumed{TornLines: 2, TornBytes: 9}, transcript.Told{Name: "resumed", Text: "after 2 lines cut off, 9 bytes with the SHA-256 " + transcript.Digest{}.String(), Exceptional: true}},
		{transcript.Closed{}, transcript.Told{Name: "closed", Text: "to be signed by nobody"}},

		{transcript.Generated{KeySpec: material.SymmetricDefault, Source: "drbg", Fingerprint: "cmac:00"},
			transcript.Told{Name: "generated", Text: "SYMMETRIC_DEFAULT material, from the generator of the machine, with the fingerprint cmac:00"}},
		{transcript.Recovered{Escrow: "e", Shares: []int{3, 1}, Fingerprint: "cmac:00"},
			transcript.Told{Name: "recovered", Text: "the escrow e was opened with the shares 1, 3; the material has the fingerprint cmac:00"}},
		{transcript.Destroyed{}, transcript.Told{Name: "destroyed", Text: "the program cleared material and key in its memory"}},
		{transcript.Voided{Escrow: "e", Reason: "seen"}, transcript.Told{Name: "void", Text: "what was kept as e will not be used: seen", Exceptional: true}},
		{transcript.Voided{Material: true, Reason: "seen"}, transcript.Told{Name: "void", Text: "the material will not be used: seen", Exceptional: true}},
		{transcript.Voided{Escrow: "e", Material: true, Reason: "seen"}, transcript.Told{Name: "void", Text: "the material and what was kept as e will not be used: seen", Exceptional: true}},
		{transcript.Interrupted{Reason: "power"}, transcript.Told{Name: "interrupted", Text: "what was in memory is lost: power", Exceptional: true}},

		{transcript.Escrowed{Escrow: "e", Fingerprint: "cmac:00", File: file}, transcript.Told{Name: "escrowed", Text: "the material with the fingerprint cmac:00, in the escrow e", Files: files}},
		{transcript.Copied{Escrow: "e", Copy: "copy-1", SHA256: after}, transcript.Told{Name: "copied", Text: "the escrow e to copy-1, read back and opened; SHA-256 " + after.String()}},
		{transcript.Issued{Escrow: "e", Share: 3}, transcript.Told{Name: "share issued", Text: "share 3 of e"}},
		{transcript.Issued{Escrow: "e", Share: 3, Bag: "B7"}, transcript.Told{Name: "share issued", Text: "share 3 of e, into the bag B7 for somebody absent"}},
		{transcript.ReadBack{Escrow: "e", Share: 3, Bag: "B7"}, transcript.Told{Name: "share read back", Text: "share 3 of e, then into the bag B7"}},
		{transcript.Sealed{Escrow: "e", SHA256: after, Record: file}, transcript.Told{Name: "sealed", Text: "the material is recoverable from the escrow e, with the SHA-256 " + after.String(), Files: files}},
		{transcript.Retired{Escrow: "e", By: "f"}, transcript.Told{Name: "retired", Text: "the escrow e with its shares, in favour of f"}},
		{transcript.Discarded{Escrow: "e", Share: 3, Bag: "B7", Text: "shredded"}, transcript.Told{Name: "discarded", Text: "share 3 of e, from the bag B7: shredded"}},
		{transcript.Discarded{Escrow: "e", Copy: "copy-1", Text: "lost"}, transcript.Told{Name: "discarded", Text: "copy-1 of e: lost"}},
		{transcript.Attested{Target: "primary", State: transcript.KeyDisabled, Text: "Disabled"}, transcript.Told{Name: "attested", Text: "of primary: Disabled"}},

		{transcript.Generated{KeySpec: material.SymmetricDefault, Source: "pkcs11", Fingerprint: "cmac:00", Token: transcript.TokenKey{ID: "k", Label: "c", Attributes: []string{"CKA_LOCAL", "CKA_SENSITIVE"}, Token: softHSM}},
			transcript.Told{Name: "generated", Text: `SYMMETRIC_DEFAULT material, from a token, with the fingerprint cmac:00; it is the key k, "c", of the token t (SoftHSM 2.6, a program, serial number 7), which says of it: CKA_LOCAL, CKA_SENSITIVE`}},
		{transcript.Unlocked{Key: "k", Fingerprint: "cmac:00", Token: transcript.Token{Label: "t", Maker: "M", Model: "X", Firmware: "1.2", Serial: "7"}},
			transcript.Told{Name: "unlocked", Text: "the token t (M X, firmware 1.2, serial number 7), in which the key k has the fingerprint cmac:00"}},
		{transcript.Locked{}, transcript.Told{Name: "locked", Text: "nobody is logged in to the token any more"}},
		{transcript.Locked{Reason: "power"}, transcript.Told{Name: "locked", Text: "nobody is logged in to the token any more: power", Exceptional: true}},
		{transcript.BackedUp{Key: "k", Backup: "backup-1", Serial: "8", Text: "we have seen it"},
			transcript.Told{Name: "backup attested", Text: "backup-1 of the key k, in the token with the serial number 8, which this program has not seen: we have seen it"}},
		{transcript.Entrusted{Key: "k", Backups: []string{"backup-1", "backup-2"}}, transcript.Told{Name: "sealed", Text: "the material is the key k of the token; attested backups: backup-1, backup-2"}},
		{transcript.Entrusted{Key: "k"}, transcript.Told{Name: "sealed", Text: "the material is the key k of the token; attested backups: none"}},

		{transcript.Bundled{File: file, Targets: []string{"primary", "replica"}, ValidTo: "noon"}, transcript.Told{Name: "bundle accepted", Text: "for primary, replica, with import tokens valid to noon", Files: files}},
		{transcript.Wrapped{Bundle: after, Escrow: "e", Package: file, Targets: []string{"primary"}},
			transcript.Told{Name: "wrapped", Text: "for primary, with the bundle that has the SHA-256 " + after.String() + "; kept as e", Files: files}},

		{transcript.Submitted{Target: "primary", Package: after}, transcript.Told{Name: "submitted", Text: "to primary: bytes with the SHA-256 " + transcript.Digest{}.String() + ", of the package that has " + after.String()}},
		{transcript.Refused{Target: "primary", Code: "ThrottlingException", Remedy: transcript.SendAgain}, transcript.Told{Name: "refused", Text: "by KMS for primary: ThrottlingException; the same bytes may be sent again", Exceptional: true}},
		{transcript.Refused{Target: "primary", Code: "InvalidCiphertextException", Remedy: transcript.Incident},
			transcript.Told{Name: "incident", Text: "by KMS for primary: InvalidCiphertextException; the material has to be treated as exposed, and nothing more is sent", Exceptional: true}},
		{transcript.Imported{Target: "primary", MaterialID: "id"}, transcript.Told{Name: "imported", Text: "into primary, as the KeyMaterialId id"}},
		{transcript.Imported{Target: "primary"}, transcript.Told{Name: "imported", Text: "into primary"}},
		{transcript.Verified{Target: "primary", Method: "use"}, transcript.Told{Name: "verified", Text: "primary: use"}},
		{transcript.Forgotten{Target: "primary", Reason: "expired"}, transcript.Told{Name: "forgotten", Text: "primary no longer has the material: expired", Exceptional: true}},
	} {
		if got := transcript.Tell(test.event); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", transcript.Name(test.event), got, test.want)
		}
	}
}
