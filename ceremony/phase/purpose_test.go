// SPDX-License-Identifier: Apache-2.0

package phase_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
)

// reopened is the plan of a later ceremony with the escrow first. For new shares,
// fetcher-1 has the third of the old ones.
func reopened(t *testing.T, purpose plan.Purpose) *plan.Plan {
	t.Helper()
	var id escrow.ID
	if err := id.UnmarshalText([]byte(first)); err != nil {
		t.Fatal(err)
	}
	drafted, err := agreed(t).Reopen(plan.Reopening{File: "again.yaml", ID: "payments-2028", Title: "Again", Date: time.Date(2028, 3, 1, 0, 0, 0, 0, time.UTC), Purpose: purpose,
		Expected: plan.Expected{Escrow: id, Fingerprint: fingerprint}})
	if err != nil {
		t.Fatal(err)
	}
	text := string(drafted)
	if purpose == plan.ForRefresh {
		text = strings.Replace(text, "{share: 3, custodian: custodian-3,", "{share: 3, custodian: fetcher-1,", 1)
	}
	p, err := plan.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var (
	oldQuorum = move{transcript.Recovered{Escrow: first, Shares: []int{1, 3}, Fingerprint: fingerprint}, []string{"operator-1", "custodian-1", "fetcher-1"}}
	retire    = move{transcript.Retired{Escrow: first, By: second}, []string{"lead", "operator-1"}}
	council   = []string{"lead", "operator-1", "witness"}
)

// renewal is a ceremony for new shares in which nothing goes wrong.
func renewal(p *plan.Plan) []move {
	begin := []move{opens(p, 0, ""), passes(p, plan.GateOpen), oldQuorum, passes(p, plan.GateIdentity)}
	return joined(begin, deals(p, second), []move{retire}, leaves(p))
}

func returns(share int) transcript.Discarded {
	return transcript.Discarded{Escrow: first, Share: share, How: transcript.Returned, Text: "shredded before all", Bag: fmt.Sprint("B", share)}
}

func attestsCopy(id string) transcript.Discarded {
	return transcript.Discarded{Escrow: first, Copy: id, How: transcript.Elsewhere, Text: "the site manager saw it burn"}
}

// destruction is a ceremony for it in which nothing goes wrong.
func destruction(p *plan.Plan) []move {
	items := by(council, returns(2), returns(1), attestsCopy("copy-1"), returns(3), attestsCopy("copy-2"))
	for _, target := range p.Targets {
		items = append(items, by(room, transcript.Attested{Target: target.ID, State: transcript.KeyPendingDeletion, Text: "PendingDeletion until 2028-03-31"})...)
	}
	return joined([]move{opens(p, 0, ""), passes(p, plan.GateOpen)}, items, []move{passes(p, plan.GateClose), {transcript.Closed{}, room}})
}

func TestPhasesOfPurposes(t *testing.T) {
	refresh, destroy := reopened(t, plan.ForRefresh), reopened(t, plan.ForDestruction)
	for name, tt := range map[string]struct {
		plan  *plan.Plan
		moves []move
		want  string
	}{
		"refresh": {refresh, renewal(refresh), "PLANNED SEALED ESCROWED SHARES_ISSUED SHARES_CONFIRMED SEALED CLOSED"},
		"destroy": {destroy, destruction(destroy), "PLANNED SEALED DISCARDED 1 of 5 DISCARDED 2 of 5 DISCARDED 3 of 5 DISCARDED 4 of 5 DISCARDED 5 of 5"},
	} {
		t.Run(name, func(t *testing.T) {
			s := phase.Start(tt.plan)
			got := []string{s.Progress()}
			for _, m := range tt.moves {
				if err := s.Apply(m.event, m.actors); err != nil {
					t.Fatalf("%s: %v", transcript.Name(m.event), err)
				}
				if now := s.Progress(); now != got[len(got)-1] {
					got = append(got, now)
				}
			}
			if got := strings.Join(got, " "); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if _, err := phase.Fold(tt.plan, written(t, tt.moves)...); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestWhatIsKept: with new shares the old ones are worth nothing, and after the
// destruction none are left.
func TestWhatIsKept(t *testing.T) {
	refresh, destroy := reopened(t, plan.ForRefresh), reopened(t, plan.ForDestruction)
	before := after(t, refresh, renewal(refresh)[:4])
	if kept, ok := before.Kept(); !ok || kept.ID != first {
		t.Errorf("before: %+v", kept)
	}
	renewed := after(t, refresh, renewal(refresh))
	if kept, ok := renewed.Kept(); !ok || kept.ID != second || renewed.Escrows()[0].Condition != phase.Retired {
		t.Errorf("after: %+v", renewed.Escrows())
	}
	sealed := after(t, refresh, joined(upTo(t, renewal(refresh), "seal"), []move{power}))
	if err := sealed.Check(recovers(second).event, recovers(second).actors); err != nil {
		t.Errorf("the new holders cannot open the new escrow: %v", err)
	}
	gone := after(t, destroy, destruction(destroy))
	if _, ok := gone.Kept(); ok || gone.Escrows()[0].Condition != phase.Gone || gone.Fingerprint() != "" {
		t.Errorf("after the destruction: %+v", gone.Escrows())
	}
	if last := after(t, destroy, destruction(destroy)[:6]); last.Escrows()[0].Condition != phase.Kept {
		t.Errorf("with a copy left: %+v", last.Escrows())
	}
}

func TestPurposeForbids(t *testing.T) {
	imports, refresh, destroy := agreed(t), reopened(t, plan.ForRefresh), reopened(t, plan.ForDestruction)
	inRefresh, inDestroy := renewal(refresh), destruction(destroy)
	generate := transcript.Generated{KeySpec: material.SymmetricDefault, Source: plan.FromDRBG, Fingerprint: fingerprint}
	bundle := transcript.Bundled{File: file("bundle"), Targets: []string{"primary"}, ValidTo: "2026-12-02T09:00:00Z"}
	twice := returns(2)
	twice.Copy = "copy-1"
	unsaid, unknown := returns(1), returns(1)
	unsaid.Text, unknown.How = "", "lost"
	for _, tt := range []struct {
		name   string
		plan   *plan.Plan
		before []move
		event  transcript.Event
		actors []string
		want   string
	}{
		{"destroy in passing", imports, makes(imports), returns(1), council, "discard is against rule N8, an escrow is destroyed in a ceremony of its own only: missing a ceremony for the destruction"},
		{"attest in passing", imports, makes(imports), transcript.Attested{Target: "primary", Text: "x"}, room, "attest does not come at SEALED: the ceremony is not held to destroy anything"},
		{"destroy the old shares at once", refresh, inRefresh, returns(1), council, "discard does not come at CLOSED: no record is open"},

		{"import with new shares", refresh, upTo(t, inRefresh, "retire"), bundle, room, "bundle does not come at SEALED: the ceremony is held to deal new shares, and nothing else"},
		{"retire without new shares", refresh, upTo(t, inRefresh, "recover"), transcript.Retired{Escrow: first}, council, "retire is against rule N8, an escrow is destroyed in a ceremony of its own only: missing a ceremony for the destruction"},
		{"retire before the seal", refresh, upTo(t, inRefresh, "seal")[:len(upTo(t, inRefresh, "seal"))-1], retire.event, council, "retire is against rule N7, an escrow is given up only for another that is sealed: missing another escrow that is sealed"},
		{"the new holder of an old share", refresh, inRefresh[:2], recovers(first).event, []string{"operator-1", "custodian-1", "custodian-3"}, "recover is not done without fetcher-1"},
		{"too few old shares", refresh, inRefresh[:2], transcript.Recovered{Escrow: first, Shares: []int{1}, Fingerprint: fingerprint}, []string{"operator-1", "custodian-1"}, "recover is against rule N5, what is wrapped comes from material that a quorum has opened: missing 1 share"},
		{"import after new shares", refresh, inRefresh, opens(refresh, 1, transcript.ImportMachine).event, office, "open does not come at CLOSED: the ceremony is not held to import anything"},

		{"open what is destroyed", destroy, inDestroy[:2], recovers(first).event, []string{"operator-1", "custodian-1", "custodian-3"}, "recover does not come at SEALED: the ceremony is held to destroy, and opens nothing"},
		{"generate instead", destroy, inDestroy[:2], generate, room, "generate does not come at SEALED: the ceremony is held to destroy, and opens nothing"},
		{"void instead", destroy, inDestroy[:3], void(first, false).event, council, "void does not come at DISCARDED: the ceremony is held to destroy, and opens nothing"},
		{"before the gate", destroy, inDestroy[:1], returns(1), council, "discard comes after the gate open, which waits for lead, operator-1, operator-2, witness"},
		{"without the lead", destroy, inDestroy[:2], returns(1), room, "discard is not done without lead"},
		{"the lead alone", destroy, inDestroy[:2], returns(1), []string{"lead"}, "discard is not done without operator"},
		{"a share twice", destroy, inDestroy[:3], returns(2), council, "discard does not come at DISCARDED: it is discarded already"},
		{"a copy twice", destroy, inDestroy[:5], attestsCopy("copy-1"), council, "discard does not come at DISCARDED: it is discarded already"},
		{"a share that is none", destroy, inDestroy[:2], returns(4), council, `discard: share is "4", want "one of the plan"`},
		{"a copy that is none", destroy, inDestroy[:2], attestsCopy("copy-3"), council, `discard: copy is "copy-3", want "one of the plan"`},
		{"a share and a copy", destroy, inDestroy[:2], twice, council, `discard: share is "2", want "a share, or a copy"`},
		{"nothing", destroy, inDestroy[:2], transcript.Discarded{Escrow: first, How: transcript.Returned, Text: "x"}, council, `discard: share is "0", want "a share, or a copy"`},
		{"somehow", destroy, inDestroy[:2], unknown, council, `discard: how is "lost", want "returned or attested"`},
		{"without a word", destroy, inDestroy[:2], unsaid, council, `discard: text is "", want "what was seen, or who attests it"`},
		{"another escrow", destroy, inDestroy[:2], transcript.Discarded{Escrow: second, Share: 1, How: transcript.Returned, Text: "x"}, council, "discard does not come at SEALED: the escrow " + second + " is none that is kept"},
		{"what is gone", destroy, inDestroy[:7], returns(1), council, "discard does not come at DISCARDED: the escrow " + first + " is none that is kept"},
		{"a KMS key that is none", destroy, inDestroy[:2], transcript.Attested{Target: "other", State: transcript.KeyEnabled, Text: "x"}, room, `attest: target is "other", want "one of the plan"`},
		{"a KMS key in no state", destroy, inDestroy[:2], transcript.Attested{Target: "primary", State: "Fine", Text: "x"}, room, `attest: state is "Fine", want "that of a KMS key"`},
		{"nothing about a KMS key", destroy, inDestroy[:2], transcript.Attested{Target: "primary", State: transcript.KeyEnabled}, room, `attest: text is "", want "what was found out"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := after(t, tt.plan, tt.before).Check(tt.event, tt.actors); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestNextOfPurposes(t *testing.T) {
	refresh, destroy := reopened(t, plan.ForRefresh), reopened(t, plan.ForDestruction)
	inRefresh, inDestroy := renewal(refresh), destruction(destroy)
	sealed := upTo(t, inRefresh, "seal")
	for name, tt := range map[string]struct {
		plan  *plan.Plan
		moves []move
		want  []string
	}{
		"the old holders":              {refresh, inRefresh[:2], []string{"recover: 2 of custodian-1, custodian-2, fetcher-1"}},
		"the new escrow":               {refresh, inRefresh[:4], []string{"escrow: operator-1, operator-2, witness"}},
		"a power cut among new shares": {refresh, joined(upTo(t, inRefresh, "issue"), []move{power}), []string{"void: lead, operator-1, operator-2"}},
		"and then the old ones again":  {refresh, joined(upTo(t, inRefresh, "issue"), []move{power, void(second, false)}), []string{"recover: 2 of custodian-1, custodian-2, fetcher-1"}},
		"retire":                       {refresh, sealed, []string{"retire: lead, operator-1, operator-2"}},
		"a power cut before it":        {refresh, joined(sealed, []move{power}), []string{"retire: lead, operator-1, operator-2"}},
		"new shares, and then":         {refresh, upTo(t, inRefresh, "retire"), []string{"destroy: operator-1, operator-2, witness"}},
		"an empty record":              {refresh, joined(inRefresh[:1], []move{{transcript.Closed{}, room}}), []string{"begin: lead, operator-1, operator-2, witness"}},
		"what is left": {destroy, inDestroy[:6], []string{"discard copy-2: lead, operator-1, operator-2, witness",
			"attest primary: operator-1, operator-2, witness", "attest replica-eu-west-1: operator-1, operator-2, witness"}},
		"nothing left":                {destroy, upTo(t, inDestroy, "close")[:9], []string{"confirm gate close: lead, operator-1, witness"}},
		"a KMS key left":              {destroy, joined(inDestroy[:8], []move{passes(destroy, plan.GateClose), {transcript.Closed{}, room}}), []string{"begin: lead, operator-1, operator-2, witness"}},
		"a day on which not all came": {destroy, joined(inDestroy[:3], []move{passes(destroy, plan.GateClose), {transcript.Closed{}, room}}), []string{"begin: lead, operator-1, operator-2, witness"}},
	} {
		if got := said(after(t, tt.plan, tt.moves).Next(transcript.OfflineMachine).Here); !slices.Equal(got, tt.want) {
			t.Errorf("%s\n got %q\nwant %q", name, got, tt.want)
		}
	}
}

// TestPlanWithoutEscrow: a plan that lint refuses has an agenda all the same.
func TestPlanWithoutEscrow(t *testing.T) {
	for _, purpose := range []plan.Purpose{plan.ForRefresh, plan.ForDestruction} {
		s := phase.Start(agreed(t, "purpose: import", "purpose: "+string(purpose)))
		for range 3 {
			here := s.Next(transcript.OfflineMachine).Here
			if len(here) == 0 || here[0].Step == phase.Discard {
				t.Errorf("%s: %v", purpose, here)
			}
			_ = s.Apply(opens(agreed(t, "purpose: import", "purpose: "+string(purpose)), 0, "").event, []string{"lead"})
			_ = s.Apply(transcript.Confirmed{Gate: plan.GateOpen, Text: "x"}, []string{"lead", "operator-1", "operator-2", "witness"})
		}
	}
}
