// SPDX-License-Identifier: Apache-2.0

package register_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/register"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
)

// TestKeyInToken: a key in a token is in the register like any other, but that there
// are no shares to drill with, and that people destroy it with the means of its maker.
func TestKeyInToken(t *testing.T) {
	drafted, err := plan.Draft(plan.Sketch{
		File: "plan.yaml", ID: "payments-2026", Title: "Payments", Date: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
		Spec: material.SymmetricDefault, Token: "ceremony", Keys: []string{arn},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Read(strings.NewReader(string(drafted)))
	if err != nil {
		t.Fatal(err)
	}
	device := transcript.Token{Label: "ceremony"}
	moves := append([]transcript.Event{opened(p, transcript.Part{})}, passed(plan.GateOpen)...)
	moves = append(moves, transcript.Generated{KeySpec: material.SymmetricDefault, Source: plan.FromPKCS11, Fingerprint: fingerprint, Token: transcript.TokenKey{ID: first, Token: device}})
	moves = append(moves, passed(plan.GateIdentity)...)
	moves = append(moves, transcript.BackedUp{Key: first, Backup: "backup-1", Serial: "SERIAL NUMBER", Text: "seen"})
	moves = append(moves, passed(plan.GateSealed)...)
	moves = append(moves, transcript.Entrusted{Key: first, Backups: []string{"backup-1"}})
	for _, e := range imported(p)[2:] { // from the bundle on
		switch e.(type) {
		case transcript.Recovered:
			continue
		case transcript.Destroyed:
			e = transcript.Locked{}
		}
		moves = append(moves, e)
	}
	added, err := register.Describe(p, after(t, p, moves...), transcript.Head{SHA256: digest(1)})
	if err != nil {
		t.Fatal(err)
	}
	if !added.Escrow.InToken() || added.Escrow.ID != first || added.State != register.Active {
		t.Errorf("got %+v", added)
	}
	if told := register.Tell(added); !strings.Contains(told, "in a token, as the key "+first) {
		t.Errorf("it is told as %q", told)
	}
	b := newBook(t).must(added, register.Scheduled{Key: added.Key, DrillEvery: 90, Reason: "policy 7"})
	r, err := register.Read(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(r.Due(days(10000)), func(d register.Due) bool { return d.Matter == register.Drill }) {
		t.Error("a drill is due, with shares that there are not")
	}
	b.must(register.Moved{Key: added.Key, From: register.Active, To: register.Deactivated, On: days(1), Reason: "decided"},
		register.Moved{Key: added.Key, From: register.Deactivated, To: register.Destroyed, On: days(2), Reason: "the token was cleared"})
}
