// SPDX-License-Identifier: Apache-2.0

package phase_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
)

// inToken is a plan whose material is made in a token, of which there is one backup.
func inToken(t *testing.T, oldAndNew ...string) *plan.Plan {
	t.Helper()
	drafted, err := plan.Draft(plan.Sketch{
		File: "plan.yaml", ID: "payments-2026", Title: "Payments: the root key", Date: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
		Spec: material.SymmetricDefault, Token: "ceremony", Keys: []string{primaryARN},
	})
	if err != nil {
		t.Fatal(err)
	}
	return altered(t, string(drafted), oldAndNew)
}

var (
	knowing = []string{"operator-1", "witness", "custodian-1", "custodian-2"} // the PIN
	device  = transcript.Token{Label: "ceremony", Serial: "1"}
)

func born(id string) transcript.Generated {
	return transcript.Generated{KeySpec: material.SymmetricDefault, Source: plan.FromPKCS11, Fingerprint: fingerprint, Token: transcript.TokenKey{ID: id, Label: "payments-2026", Token: device}}
}

func unlocks(id string) move {
	return move{transcript.Unlocked{Key: id, Fingerprint: fingerprint, Token: device}, knowing}
}

func backsUp(id string) move {
	return move{transcript.BackedUp{Key: id, Backup: "backup-1", Serial: "SERIAL NUMBER", Text: "seen"}, []string{"operator-1", "witness", "custodian-3"}}
}

// tokenDay is a ceremony with a token in which nothing goes wrong.
func tokenDay(p *plan.Plan) []move {
	moves := []move{opens(p, 0, ""), passes(p, plan.GateOpen), {born(first), knowing}, passes(p, plan.GateIdentity), backsUp(first), passes(p, plan.GateSealed)}
	moves = append(moves, by(room, transcript.Entrusted{Key: first, Backups: []string{"backup-1"}})...)
	moves = append(append(moves, fetched(p, "bundle", "primary")...), wraps("bundle", "package", "primary")...)
	moves = append(append(moves, by(room, transcript.Locked{})...), passes(p, plan.GateClose), move{transcript.Closed{}, room})
	moves = append(moves, opens(p, 1, transcript.ImportMachine), passes(p, plan.GateImport))
	return append(append(moves, imports("primary", "package")...), move{transcript.Closed{}, office})
}

// TestTokenDay goes through a ceremony with a token, and sees to it that each line is
// on the agenda before it comes.
func TestTokenDay(t *testing.T) {
	p := inToken(t)
	s := phase.Start(p)
	var progress []string
	for i, m := range tokenDay(p) {
		if err := s.Apply(m.event, m.actors); err != nil {
			t.Fatalf("move %d, %s: %v", i, transcript.Name(m.event), err)
		}
		if now := s.Progress(); len(progress) == 0 || progress[len(progress)-1] != now {
			progress = append(progress, now)
		}
	}
	want := []string{"OPEN", "GENERATED", "SEALED", "WRAPPED 1 of 1", "CLOSED", "IMPORTED 1 of 1", "VERIFIED 1 of 1"}
	if !slices.Equal(progress, want) {
		t.Errorf("progress %v, want %v", progress, want)
	}
	kept, ok := s.Kept()
	if !ok || kept.ID != first || !slices.Equal(kept.Copies, []string{"backup-1"}) || s.Fingerprint() != fingerprint {
		t.Errorf("kept %+v, %t; fingerprint %s", kept, ok, s.Fingerprint())
	}
	if a := s.Next(transcript.OfflineMachine); len(a.Here)+len(a.Elsewhere) > 0 {
		t.Errorf("still on the agenda: %v", a)
	}
}

// TestTokenAgenda: what is next, after each line of the offline machine.
func TestTokenAgenda(t *testing.T) {
	p := inToken(t)
	day := tokenDay(p)
	for _, test := range []struct {
		moves []move
		want  string
	}{
		{upTo(t, day, "confirm"), "generate: operator-1, operator-2, witness, custodian-1, custodian-2"},
		{upTo(t, day, "generate"), "confirm gate identity: operator-1, witness"},
		{append(upTo(t, day, "generate"), passes(p, plan.GateIdentity)), "backup backup-1: operator-1, operator-2, witness, custodian-3"},
		{upTo(t, day, "backup"), "confirm gate sealed: lead, operator-1, witness"},
		{append(upTo(t, day, "backup"), passes(p, plan.GateSealed)), "entrust: operator-1, operator-2, witness"},
		{upTo(t, day, "entrust"), "bundle primary: operator-1, operator-2, witness"},
		{upTo(t, day, "wrap"), "lock: operator-1, operator-2, witness"},
		{upTo(t, day, "lock"), "confirm gate close: lead, operator-1, witness"},

		// After a power cut the key is looked for in the token, and compared anew.
		{append(upTo(t, day, "generate"), move{transcript.Locked{Reason: "power"}, nil}), "unlock: operator-1, operator-2, witness, custodian-1, custodian-2"},
		{append(upTo(t, day, "backup"), move{transcript.Locked{Reason: "power"}, nil}, unlocks(first)), "confirm gate identity: operator-1, witness"},
		{append(append(upTo(t, day, "bundle"), passes(p, plan.GateBundle)), move{transcript.Locked{Reason: "power"}, nil}), "unlock: operator-1, operator-2, witness, custodian-1, custodian-2"},
		{append(upTo(t, day, "generate"), move{transcript.Voided{Escrow: first, Material: true, Reason: "alone"}, []string{"lead", "operator-1"}}), "generate: operator-1, operator-2, witness, custodian-1, custodian-2"},
	} {
		s := after(t, p, test.moves)
		if here := s.Next(transcript.OfflineMachine).Here; len(here) == 0 || here[0].String() != test.want {
			t.Errorf("after %s: %v, want %s", transcript.Name(test.moves[len(test.moves)-1].event), here, test.want)
		}
	}
	two := inToken(t, "session: same-day", "session: two-day")
	if here := after(t, two, upTo(t, tokenDay(two), "entrust")).Next(transcript.OfflineMachine).Here; here[0].Step != phase.Lock {
		t.Errorf("on the first of two days, after the seal: %v", here)
	}
}

// TestTokenRules: what is refused, and for which reason.
func TestTokenRules(t *testing.T) {
	p := inToken(t)
	day := tokenDay(p)
	other := transcript.Unlocked{Key: first, Fingerprint: "cmac:ffffffffff", Token: device}
	elsewhere := born(first)
	elsewhere.Token.Token.Label = "another"
	nameless := born("")
	locked := append(upTo(t, day, "generate"), move{transcript.Locked{Reason: "power"}, nil})
	void := append(slices.Clone(locked), move{transcript.Voided{Escrow: first, Material: true, Reason: "alone"}, []string{"lead", "operator-1"}})
	for name, test := range map[string]struct {
		moves []move
		next  move
		want  string // the beginning of the error
	}{
		"without all of the PIN":   {upTo(t, day, "confirm"), move{born(first), knowing[:3]}, "*phase.PeopleError generate is not done without custodian-2"},
		"in another token":         {upTo(t, day, "confirm"), move{elsewhere, knowing}, `*phase.PlanError generate: token.token.label is "another"`},
		"in no token":              {upTo(t, day, "confirm"), move{nameless, knowing}, `*phase.PlanError generate: token.id is ""`},
		"with a short ID":          {upTo(t, day, "confirm"), move{born("1234"), knowing}, `*phase.PlanError generate: token.id is "1234"`},
		"twice":                    {upTo(t, day, "generate"), move{born(second), knowing}, "*phase.OrderError generate does not come at GENERATED"},
		"a void ID":                {void, move{born(first), knowing}, "*phase.RuleError generate is against rule N3"},
		"an escrow":                {upTo(t, day, "generate"), move{transcript.Escrowed{Escrow: second, Fingerprint: fingerprint}, room}, "*phase.OrderError escrow does not come at GENERATED: a token keeps the material"},
		"a share":                  {upTo(t, day, "generate"), move{transcript.Issued{Escrow: first, Share: 1}, room}, "*phase.OrderError issue"},
		"a seal":                   {upTo(t, day, "backup"), move{transcript.Sealed{Escrow: first}, room}, "*phase.OrderError seal"},
		"memory":                   {upTo(t, day, "wrap"), move{transcript.Destroyed{}, room}, "*phase.OrderError destroy"},
		"a backup unseen":          {append(upTo(t, day, "generate"), passes(p, plan.GateIdentity)), move{backsUp(first).event, room}, "*phase.PeopleError backup is not done without custodian-3"},
		"another backup":           {append(upTo(t, day, "generate"), passes(p, plan.GateIdentity)), move{transcript.BackedUp{Key: first, Backup: "backup-2", Text: "seen"}, knowing}, `*phase.PlanError backup: backup is "backup-2"`},
		"another serial number":    {append(upTo(t, day, "generate"), passes(p, plan.GateIdentity)), move{transcript.BackedUp{Key: first, Backup: "backup-1", Serial: "1", Text: "seen"}, backsUp(first).actors}, `*phase.PlanError backup: serial is "1"`},
		"a backup without a word":  {append(upTo(t, day, "generate"), passes(p, plan.GateIdentity)), move{transcript.BackedUp{Key: first, Backup: "backup-1", Serial: "SERIAL NUMBER"}, backsUp(first).actors}, `*phase.PlanError backup: text is ""`},
		"a backup too early":       {upTo(t, day, "generate"), backsUp(first), "*phase.GateError backup comes after the gate identity"},
		"no backup":                {append(upTo(t, day, "generate"), passes(p, plan.GateIdentity)), passes(p, plan.GateSealed), "*phase.RuleError confirm is against rule N4, a file counts once it was read back and is the same: missing the backup backup-1"},
		"entrusted too early":      {upTo(t, day, "backup"), move{transcript.Entrusted{Key: first, Backups: []string{"backup-1"}}, room}, "*phase.GateError entrust comes after the gate sealed"},
		"entrusted to others":      {append(upTo(t, day, "backup"), passes(p, plan.GateSealed)), move{transcript.Entrusted{Key: first}, room}, `*phase.PlanError entrust: backups is ""`},
		"a bundle too early":       {upTo(t, day, "backup"), fetched(p, "bundle", "primary")[0], "*phase.RuleError bundle is against rule N2"},
		"wrapped without a token":  {append(append(upTo(t, day, "bundle"), passes(p, plan.GateBundle)), move{transcript.Locked{Reason: "power"}, nil}), wraps("bundle", "package", "primary")[0], "*phase.RuleError wrap is against rule N5"},
		"another key":              {locked, move{other, knowing}, `*phase.PlanError unlock: fingerprint is "cmac:ffffffffff"`},
		"no such key":              {locked, unlocks(second), "*phase.OrderError unlock does not come at GENERATED: there is no key " + second},
		"a void key":               {void, unlocks(first), "*phase.RuleError unlock is against rule N3"},
		"unlocked twice":           {upTo(t, day, "generate"), unlocks(first), "*phase.OrderError unlock"},
		"locked twice":             {locked, move{transcript.Locked{}, room}, "*phase.OrderError lock"},
		"locked by nobody":         {upTo(t, day, "wrap"), move{transcript.Locked{}, nil}, "*phase.PeopleError lock"},
		"closed unlocked":          {upTo(t, day, "wrap"), passes(p, plan.GateClose), "*phase.OrderError confirm does not come at WRAPPED: the token is still unlocked"},
		"closed unsealed":          {locked, move{transcript.Closed{}, room}, "*phase.RuleError close is against rule N1"},
		"void after the seal":      {upTo(t, day, "entrust"), move{transcript.Voided{Escrow: first, Material: true, Reason: "late"}, []string{"lead", "operator-1"}}, "*phase.RuleError void is against rule N7"},
		"the key without material": {locked, move{transcript.Voided{Escrow: first, Reason: "half"}, []string{"lead", "operator-1"}}, "*phase.OrderError void"},
		"material without the key": {locked, move{transcript.Voided{Material: true, Reason: "half"}, []string{"lead", "operator-1"}}, "*phase.OrderError void"},
	} {
		s := after(t, p, test.moves)
		before := s.Progress()
		err := s.Apply(test.next.event, test.next.actors)
		if got := fmt.Sprintf("%T %v", err, err); !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: error %s, want %s", name, got, test.want)
		}
		if s.Progress() != before {
			t.Errorf("%s: from %s to %s in spite of it", name, before, s.Progress())
		}
	}
	escrowed := agreed(t)
	for _, m := range []move{unlocks(first), {transcript.Locked{Reason: "power"}, nil}, {transcript.Entrusted{Key: first}, room}, backsUp(first)} {
		err := after(t, escrowed, upTo(t, sameDay(escrowed), "confirm")).Check(m.event, m.actors)
		if !errors.As(err, new(*phase.OrderError)) {
			t.Errorf("%s by a plan with an escrow: error %v", transcript.Name(m.event), err)
		}
	}
	if err := after(t, escrowed, upTo(t, sameDay(escrowed), "confirm")).Check(born(first), room); !errors.As(err, new(*phase.PlanError)) {
		t.Errorf("born in a token by a plan with an escrow: error %v", err)
	}
}

// TestTokenAgain: where the plan names a key that is in the token already, that is
// sealed, and nothing is made.
func TestTokenAgain(t *testing.T) {
	p := inToken(t, "# expected:\n#   token_key: 32 hexadecimal digits\n#   fingerprint: cmac:0a1b2c3d4e", "expected:\n  token_key: "+first+"\n  fingerprint: "+fingerprint)
	moves := append([]move{opens(p, 0, ""), passes(p, plan.GateOpen)}, fetched(p, "bundle", "primary")...)
	moves = append(append(moves, unlocks(first)), wraps("bundle", "package", "primary")...)
	if s := after(t, p, moves); s.Phase() != phase.Wrapped || s.Fingerprint() != fingerprint {
		t.Errorf("got %s with the fingerprint %s", s.Progress(), s.Fingerprint())
	}
	if err := after(t, p, moves[:2]).Check(born(second), knowing); !errors.As(err, new(*phase.OrderError)) {
		t.Errorf("another key is made: error %v", err)
	}
}
