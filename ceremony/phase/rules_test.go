// SPDX-License-Identifier: Apache-2.0

package phase_test

import (
	"slices"
	"testing"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
)

// joined puts moves one after the other.
func joined(moves ...[]move) []move { return slices.Concat(moves...) }

// void are the lines with which a ceremony lets go.
func void(id string, ofMaterial bool) move {
	return move{transcript.Voided{Escrow: id, Material: ofMaterial, Reason: "power"}, []string{"lead", "operator-1"}}
}

var power = move{transcript.Interrupted{Reason: "power"}, []string{"witness"}}

// TestForbidden tries each step where it breaks a rule.
func TestForbidden(t *testing.T) {
	p := agreed(t)
	a, b := p.Targets[0].ID, p.Targets[1].ID
	story := sameDay(p)
	at := func(name string) []move { return upTo(t, story, name) }
	inOffice := upTo(t, story, "submit")[:len(upTo(t, story, "submit"))-1]
	generate := transcript.Generated{KeySpec: material.SymmetricDefault, Source: plan.FromDRBG, Fingerprint: fingerprint}
	escrowed := func(id string) transcript.Event {
		return transcript.Escrowed{Escrow: id, Fingerprint: fingerprint, File: file(id)}
	}
	unwell := func(r transcript.Remedy) []move {
		return by(office, transcript.Refused{Target: a, Code: "SomeException", Remedy: r})
	}
	again := []move{passes(p, plan.GateImport)}
	tests := []struct {
		name   string
		before []move
		event  transcript.Event
		actors []string
		want   string
	}{
		{"destroy what is not sealed", at("generate"), transcript.Destroyed{}, room,
			"destroy is against rule N1, nothing is destroyed before it is sealed or void: missing the copy copy-1, the copy copy-2, share 1 read back, share 2 read back, share 3 read back, a seal, or that it is void"},
		{"destroy with one share to go", at("seal")[:len(at("seal"))-3], transcript.Destroyed{}, room,
			"destroy is against rule N1, nothing is destroyed before it is sealed or void: missing share 3 read back, a seal, or that it is void"},
		{"close what is not sealed", at("escrow"), transcript.Closed{}, room,
			"close is against rule N1, nothing is destroyed before it is sealed or void: missing a seal, or that it is void"},
		{"go on after a power cut", joined(at("copy"), []move{power}), transcript.Issued{Escrow: first, Share: 1}, []string{"operator-1", "custodian-1"},
			"issue is against rule N1, nothing is destroyed before it is sealed or void: missing the word that what was lost is void"},
		{"close with material in memory", at("wrap"), transcript.Closed{}, room, "close does not come at WRAPPED: the material is still in memory"},

		{"fetch first", at("generate"), transcript.Bundled{File: file("bundle"), Targets: []string{a}, ValidTo: "2026-12-02T09:00:00Z"}, room,
			"bundle is against rule N2, nothing is fetched, wrapped or imported before the material is sealed: missing a sealed escrow"},
		{"wrap first", at("escrow"), transcript.Wrapped{Bundle: digest("bundle"), Escrow: first, Package: file("package"), Targets: []string{a}}, room,
			"wrap is against rule N2, nothing is fetched, wrapped or imported before the material is sealed: missing a sealed escrow"},
		{"import from nothing", joined(at("generate"), []move{void("", true)}, leaves(p)), opens(p, 1, transcript.ImportMachine).event, office,
			"open is against rule N2, nothing is fetched, wrapped or imported before the material is sealed: missing a sealed escrow"},

		{"an ID of a void escrow", joined(at("escrow"), []move{void(first, false)}), escrowed(first), room,
			"escrow is against rule N3, nothing is overwritten and no ID used again: missing an ID that was never used"},
		{"shares of a void escrow", joined(at("copy"), []move{void(first, false)}), transcript.Issued{Escrow: first, Share: 1}, []string{"operator-1", "custodian-1"},
			"issue is against rule N3, nothing is overwritten and no ID used again: missing an escrow that is not void"},
		{"a bundle twice", at("bundle"), story[len(at("bundle"))-1].event, room,
			"bundle is against rule N3, nothing is overwritten and no ID used again: missing a bundle that was not accepted before"},
		{"a package twice", joined(at("wrap"), fetched(p, "other", a)), transcript.Wrapped{Bundle: digest("other"), Escrow: first, Package: file("package"), Targets: []string{a}}, room,
			"wrap is against rule N3, nothing is overwritten and no ID used again: missing a package that is another one"},

		{"a copy that reads otherwise", at("escrow"), transcript.Copied{Escrow: first, Copy: "copy-1", SHA256: digest("torn")}, room,
			"copy is against rule N4, a file counts once it was read back and is the same: missing a copy that reads back as it was written"},
		{"shares before copies", at("copy"), transcript.Issued{Escrow: first, Share: 1}, []string{"operator-1", "custodian-1"},
			"issue is against rule N4, a file counts once it was read back and is the same: missing the copy copy-2"},
		{"a seal on shares nobody read back", at("issue"), transcript.Sealed{Escrow: first, SHA256: digest(first)}, room,
			"seal is against rule N4, a file counts once it was read back and is the same: missing share 1 read back, share 2 read back, share 3 read back"},
		{"the gate on shares nobody read back", at("readback"), passes(p, plan.GateSealed).event, p.Gates[plan.GateSealed],
			"confirm is against rule N4, a file counts once it was read back and is the same: missing share 2 read back, share 3 read back"},
		{"a card that was written anew", joined(at("seal")[:len(at("seal"))-2], by([]string{"operator-1", "custodian-2"}, transcript.Issued{Escrow: first, Share: 2})), passes(p, plan.GateSealed).event, p.Gates[plan.GateSealed],
			"confirm is against rule N4, a file counts once it was read back and is the same: missing share 2 read back"},
		{"a seal on another file", at("seal")[:len(at("seal"))-1], transcript.Sealed{Escrow: first, SHA256: digest("other")}, room,
			"seal is against rule N4, a file counts once it was read back and is the same: missing a seal on the escrow that was written"},

		{"wrap without a quorum", joined(at("seal"), fetched(p, "bundle", a), []move{power}), transcript.Wrapped{Bundle: digest("bundle"), Escrow: first, Package: file("package"), Targets: []string{a}}, room,
			"wrap is against rule N5, what is wrapped comes from material that a quorum has opened: missing 2 shares"},
		{"a quorum of one", joined(at("seal"), []move{power}), transcript.Recovered{Escrow: first, Shares: []int{2, 2, 4}, Fingerprint: fingerprint}, []string{"operator-1", "custodian-2"},
			"recover is against rule N5, what is wrapped comes from material that a quorum has opened: missing 1 share"},

		{"other bytes", joined(inOffice, submits(a, "package"), unwell(transcript.SendAgain)), transcript.Submitted{Target: a, Package: digest("package"), Wrapped: digest("other")}, office,
			"submit is against rule N6, what is submitted again is the same bytes, and a new token takes a new package: missing the bytes that were sent before"},
		{"a package wrapped elsewhere", inOffice, transcript.Submitted{Target: a, Package: digest("other"), Wrapped: digest("x")}, office,
			"submit is against rule N6, what is submitted again is the same bytes, and a new token takes a new package: missing the package that was wrapped for " + a},
		{"an expired token again", joined(inOffice, submits(a, "package"), unwell(transcript.WrapAgain)), submits(a, "package")[0].event, office,
			"submit is against rule N6, what is submitted again is the same bytes, and a new token takes a new package: missing the package that was wrapped for " + a},
		{"a token twice", at("wrap"), transcript.Wrapped{Bundle: digest("bundle"), Escrow: first, Package: file("second"), Targets: []string{a}}, room,
			"wrap is against rule N6, what is submitted again is the same bytes, and a new token takes a new package: missing a new token for " + a},
		{"a bundle that nobody accepted", at("bundle"), transcript.Wrapped{Bundle: digest("other"), Escrow: first, Package: file("package"), Targets: []string{a}}, room,
			"wrap is against rule N6, what is submitted again is the same bytes, and a new token takes a new package: missing a bundle that was accepted"},
		{"anything after an incident", joined(inOffice, submits(a, "package"), unwell(transcript.Incident)), submits(a, "package")[0].event, office,
			"KMS could not open what was wrapped for " + a + ": the material has to be treated as exposed"},

		{"a sealed escrow made void", at("seal"), void(first, false).event, []string{"lead", "operator-1"},
			"void is against rule N7, an escrow is given up only for another that is sealed: missing another escrow that is sealed, and the step retire"},
		{"sealed material made void", at("seal"), void("", true).event, []string{"lead", "operator-1"},
			"void is against rule N7, an escrow is given up only for another that is sealed: missing another escrow that is sealed, and the step retire"},
		{"the old shares before the new", joined(at("seal"), []move{passes(p, plan.GateIdentity)}, by(room, escrowed(second))), transcript.Retired{Escrow: first, By: second}, []string{"lead", "operator-1"},
			"retire is against rule N7, an escrow is given up only for another that is sealed: missing another escrow that is sealed"},
		{"an escrow for itself", at("seal"), transcript.Retired{Escrow: first, By: first}, []string{"lead", "operator-1"},
			"retire is against rule N7, an escrow is given up only for another that is sealed: missing another escrow that is sealed"},
		{"an escrow for nothing", at("seal"), transcript.Retired{Escrow: first}, []string{"lead", "operator-1"},
			"retire is against rule N8, an escrow is destroyed in a ceremony of its own only: missing a ceremony for the destruction"},

		{"generate before the gate", at("open"), generate, room, "generate comes after the gate open, which waits for lead, operator-1, operator-2, witness"},
		{"a gate with one missing", at("open"), passes(p, plan.GateOpen).event, []string{"lead", "operator-1", "witness"}, "confirm comes after the gate open, which waits for operator-2"},
		{"escrow before the fingerprint was read", at("generate"), escrowed(first), room, "escrow comes after the gate identity, which waits for operator-1, witness"},
		{"seal before the gate", at("seal")[:len(at("seal"))-2], transcript.Sealed{Escrow: first, SHA256: digest(first)}, room, "seal comes after the gate sealed, which waits for lead, operator-1, witness"},
		{"wrap before the digest was compared", at("bundle"), wraps("bundle", "package", a)[0].event, room, "wrap comes after the gate bundle, which waits for operator-2, witness"},
		{"wrap a later bundle under an earlier gate", joined(at("seal"), fetched(p, "bundle", a), by(room, transcript.Bundled{File: file("later"), Targets: []string{b}, ValidTo: "2026-12-02T09:00:00Z"})),
			wraps("later", "package", b)[0].event, room, "wrap comes after the gate bundle, which waits for operator-2, witness"},
		{"submit before the digest was compared", inOffice[:len(inOffice)-1], submits(a, "package")[0].event, office, "submit comes after the gate import, which waits for importer, witness"},
		{"close before the gate", at("destroy"), transcript.Closed{}, room, "close comes after the gate close, which waits for lead, operator-1, witness"},

		{"one alone", at("confirm"), generate, []string{"operator-1", "operator-1"}, "generate is not done without a second person"},
		{"no operator", at("confirm"), generate, []string{"lead", "witness"}, "generate is not done without operator"},
		{"a stranger", at("confirm"), generate, []string{"operator-1", "mallory"}, `generate: actors is "mallory", want "somebody of the plan"`},
		{"a share without its custodian", joined(at("copy"), by(room, transcript.Copied{Escrow: first, Copy: "copy-2", SHA256: digest(first)})), transcript.Issued{Escrow: first, Share: 2}, room,
			"issue is not done without custodian-2"},
		{"a quorum without a custodian", joined(at("seal"), []move{power}), recovers(first).event, []string{"operator-1", "custodian-1"}, "recover is not done without custodian-3"},
		{"void without the lead", at("escrow"), void(first, false).event, room, "void is not done without lead"},
		{"a fetcher imports", inOffice, submits(a, "package")[0].event, []string{"importer", "fetcher-1"}, "submit is not for fetcher-1"},
		{"generate on the wrong machine", inOffice, generate, room, "generate is for the offline machine, not for the import machine"},
		{"import on the wrong machine", at("seal"), transcript.Imported{Target: a, MaterialID: "id"}, office, "import is for the import machine, not for the offline machine"},

		{"other material than planned", at("confirm"), transcript.Generated{KeySpec: material.RSA2048, Source: plan.FromDRBG, Fingerprint: fingerprint}, room, `generate: key_spec is "RSA_2048", want "SYMMETRIC_DEFAULT"`},
		{"material twice", at("generate"), generate, room, "generate does not come at GENERATED: there is material already"},
		{"an escrow of something else", at("seal")[:4], transcript.Escrowed{Escrow: first, Fingerprint: "cmac:ffffffffff"}, room, `escrow: fingerprint is "cmac:ffffffffff", want "cmac:0a1b2c3d4e"`},
		{"a bag with a share in it", at("seal")[:len(at("seal"))-4], transcript.Issued{Escrow: first, Share: 3, Bag: "B1"}, room, "issue does not come at ESCROWED: share 1 is in the bag B1"},
		{"two shares in a bag", at("seal")[:len(at("seal"))-3], transcript.ReadBack{Escrow: first, Share: 3, Bag: "B2"}, []string{"operator-1", "custodian-3"}, "readback does not come at SHARES_ISSUED: share 2 is in the bag B2"},
		{"a replica first", inOffice, submits(b, "package")[0].event, office, "submit does not come at CLOSED: " + a + ", the primary, comes first"},
		{"an answer to nothing", inOffice, transcript.Imported{Target: a, MaterialID: "id"}, office, "import does not come at CLOSED: nothing was submitted to " + a},
		{"verify what is not there", inOffice, transcript.Verified{Target: a, Method: "use"}, office, "verify does not come at CLOSED: " + a + " does not have the material"},
		{"anything in a closed record", at("close"), transcript.Destroyed{}, room, "destroy does not come at CLOSED: no record is open"},
		{"the gate of the plan", at("open"), transcript.Confirmed{Gate: plan.GatePlan}, []string{"lead", "witness"}, "confirm does not come at OPEN: the gate plan is not one to confirm"},
		{"too late for nothing", joined(inOffice, imports(a, "package")), transcript.Refused{Target: a, Remedy: transcript.WrapAgain}, office, "refuse does not come at IMPORTED: nothing was submitted to " + a},
		{"a remedy that is none", joined(inOffice, submits(a, "package")), transcript.Refused{Target: a, Code: "X"}, office, `refuse: remedy is "", want "again, renew or incident"`},
		{"material without its ID", joined(inOffice, submits(a, "package")), transcript.Imported{Target: a}, office, `import: material_id is "", want "that which KMS answered"`},
		{"import twice", joined(inOffice, imports(a, "package"), again), submits(a, "package")[0].event, office, "submit does not come at IMPORTED: " + a + " has the material"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := after(t, p, tt.before)
			progress := s.Progress()
			err := s.Apply(tt.event, tt.actors)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
			if s.Progress() != progress {
				t.Errorf("it went on to %s", s.Progress())
			}
		})
	}
}

// TestNothingLost goes through what may break, and how it goes on.
func TestNothingLost(t *testing.T) {
	p := agreed(t)
	a, b := p.Targets[0].ID, p.Targets[1].ID
	story := sameDay(p)
	at := func(name string) []move { return upTo(t, story, name) }
	renewed := joined(
		[]move{{transcript.Closed{}, office}, opens(p, 2, transcript.OfflineMachine), passes(p, plan.GateOpen), recovers(first)},
		fetched(p, "later", a), wraps("later", "later package", a), leaves(p), []move{opens(p, 3, transcript.ImportMachine), passes(p, plan.GateImport)}, imports(a, "later package"))
	tests := []struct {
		name  string
		moves []move
		want  phase.Phase
	}{
		{"power before the escrow", joined(at("generate"), []move{power, void("", true)}), phase.Void},
		{"and new material", joined(at("generate"), []move{power, void("", true)}, makes(p)[2:]), phase.Sealed},
		{"power among the shares", joined(at("issue"), []move{power, void(first, true)}), phase.Void},
		{"and the record closed", joined(at("issue"), []move{power, void(first, true), passes(p, plan.GateClose), {transcript.Closed{}, room}}), phase.Void},
		{"somebody saw a share", joined(at("issue"), []move{void(first, false)}), phase.Generated},
		{"and new shares", joined(at("issue"), []move{void(first, false)}, deals(p, second)), phase.Sealed},
		{"power after the seal", joined(at("seal"), []move{power}), phase.Sealed},
		{"and a quorum", joined(at("seal"), []move{power}, fetched(p, "bundle", a, b), []move{recovers(first)}, wraps("bundle", "package", a, b)), phase.Wrapped},
		{"a custodian is absent", joined(at("seal")[:len(at("seal"))-4], by(room, transcript.Issued{Escrow: first, Share: 3, Bag: "B9"})), phase.SharesIssued},
		{"a card written anew", joined(at("seal")[:len(at("seal"))-2], by([]string{"operator-1", "custodian-2"}, transcript.Issued{Escrow: first, Share: 2})), phase.SharesIssued},
		{"a token expires before the import", joined(at("submit"), by(office, transcript.Refused{Target: a, Code: "ExpiredImportTokenException", Remedy: transcript.WrapAgain}), renewed), phase.Imported},
		{"KMS is too busy", joined(at("submit"), by(office, transcript.Refused{Target: a, Code: "ThrottlingException", Remedy: transcript.SendAgain}), imports(a, "package")), phase.Imported},
		{"no answer comes", joined(at("submit"), imports(a, "package")), phase.Imported},
		{"the deadline passes before the import", joined(at("submit")[:len(at("submit"))-1], by(office, transcript.Refused{Target: a, Remedy: transcript.WrapAgain}), renewed), phase.Imported},
		{"the key expires in KMS", joined(at("verify"), by(office, transcript.Forgotten{Target: a, Reason: "expired"}), renewed), phase.Imported},
		{"shares dealt anew", joined(at("seal"), []move{passes(p, plan.GateIdentity)}, deals(p, second), by([]string{"lead", "operator-1"}, transcript.Retired{Escrow: first, By: second})), phase.Sealed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := after(t, p, tt.moves).Phase(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// TestKMSDoesNotTouchTheEscrow is rule N8: whatever KMS forgets, the escrow
// brings back.
func TestKMSDoesNotTouchTheEscrow(t *testing.T) {
	p := agreed(t)
	s := after(t, p, upTo(t, sameDay(p), "verify"))
	if err := s.Apply(transcript.Forgotten{Target: p.Targets[0].ID, Reason: "deleted"}, office); err != nil {
		t.Fatal(err)
	}
	if got := s.Escrows(); len(got) != 1 || got[0].Condition != phase.Kept || len(got[0].ReadBack) != 3 {
		t.Errorf("got %+v", got)
	}
	if got := s.Targets()[0]; got.MaterialID != "" || got.Method != "" {
		t.Errorf("got %+v", got)
	}
}
