// SPDX-License-Identifier: Apache-2.0

package register_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/register"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
)

const fingerprint = "cmac:0a1b2c3d4e"

// planned is the plan of a ceremony with the escrow first.
func planned(t *testing.T, purpose plan.Purpose, oldAndNew ...string) *plan.Plan {
	t.Helper()
	drafted, err := plan.Draft(plan.Sketch{
		File: "plan.yaml", ID: "payments-2026", Title: "Payments", Date: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC),
		Spec: material.SymmetricDefault, Threshold: 2, Count: 3, Keys: []string{arn},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Read(strings.NewReader(strings.NewReplacer(oldAndNew...).Replace(string(drafted))))
	if err != nil {
		t.Fatal(err)
	}
	var id escrow.ID
	if err := id.UnmarshalText([]byte(first)); err != nil {
		t.Fatal(err)
	}
	drafted, err = p.Reopen(plan.Reopening{ID: "payments-2027", Title: "Payments: again", Date: time.Date(2027, 12, 1, 0, 0, 0, 0, time.UTC), Purpose: purpose,
		Expected: plan.Expected{Escrow: id, Fingerprint: fingerprint}})
	if err != nil {
		t.Fatal(err)
	}
	if p, err = plan.Read(strings.NewReader(string(drafted))); err != nil {
		t.Fatal(err)
	}
	return p
}

// after is the state once some lines were added by everybody.
func after(t *testing.T, p *plan.Plan, events ...transcript.Event) *phase.State {
	t.Helper()
	s := phase.Start(p)
	for _, e := range events {
		actors := []string{"lead", "operator-1", "operator-2", "witness", "custodian-1", "custodian-2", "custodian-3"}
		if now := s.Phase(); now >= phase.Closed && now <= phase.Verified {
			actors = []string{"importer", "witness"}
		}
		if err := s.Apply(e, actors); err != nil {
			t.Fatalf("%s: %v", transcript.Name(e), err)
		}
	}
	return s
}

func opened(p *plan.Plan, part transcript.Part) transcript.Event {
	return transcript.Opened{Ceremony: p.ID, PlanSHA256: p.Digest(), Rehearsal: p.Rehearsal, Part: part}
}

func passed(gates ...plan.Gate) (all []transcript.Event) {
	for _, g := range gates {
		all = append(all, transcript.Confirmed{Gate: g, Text: "seen"})
	}
	return all
}

// imported are the lines of a ceremony that brings the material back.
func imported(p *plan.Plan) []transcript.Event {
	bundle, pack := transcript.File{Name: "bundle", SHA256: digest(1)}, transcript.File{Name: "package", SHA256: digest(2)}
	all := append([]transcript.Event{opened(p, transcript.Part{})}, passed(plan.GateOpen)...)
	all = append(all, transcript.Bundled{File: bundle, Targets: []string{"primary"}, ValidTo: "2027-12-02T09:00:00Z"})
	all = append(all, passed(plan.GateBundle)...)
	all = append(all, transcript.Recovered{Escrow: first, Shares: []int{1, 2}, Fingerprint: fingerprint},
		transcript.Wrapped{Bundle: digest(1), Escrow: first, Package: pack, Targets: []string{"primary"}}, transcript.Destroyed{})
	all = append(append(all, passed(plan.GateClose)...), transcript.Closed{}, opened(p, transcript.Part{Number: 1, Machine: transcript.ImportMachine}))
	all = append(all, passed(plan.GateImport)...)
	return append(all, transcript.Submitted{Target: "primary", Package: digest(2), Wrapped: digest(3)}, transcript.Imported{Target: "primary", MaterialID: "id"},
		transcript.Verified{Target: "primary", Method: "use"}, transcript.Closed{})
}

// discarded are the lines of one that destroys everything.
func discarded(p *plan.Plan) []transcript.Event {
	all := append([]transcript.Event{opened(p, transcript.Part{})}, passed(plan.GateOpen)...)
	for share := 1; share <= 3; share++ {
		all = append(all, transcript.Discarded{Escrow: first, Share: share, How: transcript.Returned, Text: "shredded"})
	}
	for _, id := range []string{"copy-1", "copy-2"} {
		all = append(all, transcript.Discarded{Escrow: first, Copy: id, How: transcript.Returned, Text: "broken"})
	}
	all = append(append(all, transcript.Attested{Target: "primary", State: transcript.KeyDisabled, Text: "Disabled"}), passed(plan.GateClose)...)
	return append(all, transcript.Closed{})
}

func TestDescribe(t *testing.T) {
	imports, destroys := planned(t, plan.ForImport), planned(t, plan.ForDestruction)
	aliased := planned(t, plan.ForImport, "key: "+arn, "key: alias/app")
	head := transcript.Head{SHA256: digest(9)}
	want := register.Added{
		Key: "payments-2027", Ceremony: "payments-2027", Purpose: plan.ForImport, Head: digest(9), Title: "Payments: again",
		KeySpec: material.SymmetricDefault, Usage: plan.EncryptDecrypt, Fingerprint: fingerprint, From: first,
		Escrow: register.Escrow{ID: first, Profile: escrow.Quorum, Scheme: escrow.SLIP39, Threshold: 2, Count: 3},
		Held:   []register.Held{{ARN: arn, MaterialID: "id"}}, State: register.Active,
	}
	gone, byAlias := want, want
	gone.Purpose, gone.Escrow, gone.Held, gone.State = plan.ForDestruction, register.Escrow{}, []register.Held{}, register.PreActivation
	byAlias.Held = []register.Held{{ARN: "arn:aws:kms:eu-central-1:111122223333:alias/app", MaterialID: "id"}}
	for name, tt := range map[string]struct {
		plan   *plan.Plan
		events []transcript.Event
		want   register.Added
	}{
		"imported":  {imports, imported(imports), want},
		"by alias":  {aliased, imported(aliased), byAlias},
		"destroyed": {destroys, discarded(destroys), gone},
	} {
		if got, err := register.Describe(tt.plan, after(t, tt.plan, tt.events...), head); err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s\n got %+v, %v\nwant %+v", name, got, err, tt.want)
		}
	}
}

func TestDescribeRefuses(t *testing.T) {
	p, rehearsal := planned(t, plan.ForImport), planned(t, plan.ForImport, "rehearsal: false", "rehearsal: true")
	events := imported(p)
	n := len(events) - 3
	incident := append(events[:n:n], transcript.Refused{Target: "primary", Code: "InvalidCiphertextException", Remedy: transcript.Incident})
	if _, err := register.Describe(rehearsal, after(t, rehearsal, imported(rehearsal)...), transcript.Head{}); !is[*register.RehearsalError](err) {
		t.Errorf("a rehearsal: %v", err)
	}
	if _, err := register.Describe(p, after(t, p, incident...), transcript.Head{}); !is[*register.UnfinishedError](err) {
		t.Errorf("an incident: %v", err)
	}
	if _, err := register.Describe(p, after(t, p, events[:n]...), transcript.Head{}); err == nil || err.Error() != "payments-2027: still to come: submit primary: importer, witness" {
		t.Errorf("before the import: %v", err)
	}
	nothing := planned(t, plan.ForImport)
	nothing.Material.Source, nothing.Expected = plan.FromDRBG, nil
	void := append(events[:2:2], transcript.Generated{KeySpec: material.SymmetricDefault, Source: plan.FromDRBG, Fingerprint: fingerprint},
		transcript.Voided{Material: true, Reason: "seen"}, transcript.Destroyed{}, transcript.Confirmed{Gate: plan.GateClose, Text: "seen"}, transcript.Closed{})
	if _, err := register.Describe(nothing, after(t, nothing, void...), transcript.Head{}); !is[*register.UnfinishedError](err) {
		t.Errorf("nothing made: %v", err)
	}
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

func TestPlace(t *testing.T) {
	b := newBook(t).must(made())
	again := made()
	again.Key, again.From, again.State = "payments-2027", first, register.PreActivation
	if got := b.Place(again); got.Key != "payments" || got.State != register.Active {
		t.Errorf("got %s, %s", got.Key, got.State)
	}
	b.must(moved(register.Active, register.Suspended))
	again.State = register.Active
	if got := b.Place(again); got.State != register.Suspended {
		t.Errorf("imported again it is %s", got.State)
	}
	again.From = second
	if got := b.Place(again); got.Key != "payments-2027" || got.State != register.Active {
		t.Errorf("a key that the register does not know is %s, %s", got.Key, got.State)
	}
	unused := made()
	unused.State = register.PreActivation
	again.From = first
	if got := newBook(t).must(unused).Place(again); got.State != register.Active {
		t.Errorf("after the first import it is %s", got.State)
	}
}
