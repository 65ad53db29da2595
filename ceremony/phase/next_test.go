// SPDX-License-Identifier: Apache-2.0

package phase_test

import (
	"slices"
	"testing"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// step is what the agenda calls a line.
func step(e transcript.Event) phase.Step {
	switch transcript.Name(e) {
	case "open":
		return phase.Begin
	case "close":
		return phase.End
	case "import": // is what follows
		return phase.Submit
	}
	return phase.Step(transcript.Name(e))
}

// TestNextLeads follows whole ceremonies: what comes next in them has always been
// on the agenda of the right machine, with nobody missing.
func TestNextLeads(t *testing.T) {
	sameDayPlan, twoDayPlan := agreed(t), agreed(t, "session: same-day", "session: two-day")
	fromEscrow := agreed(t, "source: drbg", "source: escrow", "# expected:\n#   escrow: 32 hexadecimal digits\n#   fingerprint: cmac:0a1b2c3d4e\n#   material_id: 64 hexadecimal digits",
		"expected:\n  escrow: "+first+"\n  fingerprint: "+fingerprint)
	refresh, destroy := reopened(t, plan.ForRefresh), reopened(t, plan.ForDestruction)
	for name, ceremony := range map[string]struct {
		plan  *plan.Plan
		moves []move
	}{
		"same day": {sameDayPlan, sameDay(sameDayPlan)}, "two days": {twoDayPlan, twoDay(twoDayPlan)}, "years later": {fromEscrow, yearsLater(fromEscrow)},
		"a replica later": {sameDayPlan, replicaLater(sameDayPlan)},
		"new shares":      {refresh, renewal(refresh)}, "destruction": {destroy, destruction(destroy)},
	} {
		t.Run(name, func(t *testing.T) {
			s := phase.Start(ceremony.plan)
			machine := transcript.OfflineMachine
			for _, m := range ceremony.moves {
				if o, ok := m.event.(transcript.Opened); ok {
					machine = o.Part.Writer()
				}
				agenda := s.Next(machine)
				want := step(m.event)
				if !slices.ContainsFunc(agenda.Here, func(task phase.Task) bool {
					c, confirms := m.event.(transcript.Confirmed)
					return task.Step == want && len(task.People) > 0 && (!confirms || task.Gate == c.Gate && slices.Equal(task.People, m.actors))
				}) {
					t.Fatalf("at %s, %s is not on the agenda: %v", agenda.Progress, want, agenda.Here)
				}
				if err := s.Apply(m.event, m.actors); err != nil {
					t.Fatal(err)
				}
			}
			if agenda := s.Next(machine); len(agenda.Here)+len(agenda.Elsewhere) > 0 {
				t.Errorf("it is over, but there is %v, %v", agenda.Here, agenda.Elsewhere)
			}
		})
	}
}

func TestNext(t *testing.T) {
	p := agreed(t)
	a, b := p.Targets[0].ID, p.Targets[1].ID
	story := sameDay(p)
	at := func(name string) []move { return upTo(t, story, name) }
	expired := joined(at("submit"), by(office, transcript.Refused{Target: a, Code: "ExpiredImportTokenException", Remedy: transcript.WrapAgain}))
	both := p.Targets[0].ID + ", " + p.Targets[1].ID
	tests := []struct {
		name            string
		moves           []move
		machine         transcript.Machine
		here, elsewhere []string
	}{
		{"nothing yet", nil, transcript.OfflineMachine, []string{"begin: lead, operator-1, operator-2, witness"}, nil},
		{"a gate", at("generate"), transcript.OfflineMachine, []string{"confirm gate identity: operator-1, witness"}, nil},
		{"asked elsewhere", at("generate"), transcript.ImportMachine, nil, []string{"confirm gate identity: operator-1, witness"}},
		{"shares", at("issue"), transcript.OfflineMachine, []string{
			"readback share 1: custodian-1, operator-1, operator-2", "issue share 2: custodian-2, operator-1, operator-2", "issue share 3: custodian-3, operator-1, operator-2"}, nil},
		{"a power cut among them", joined(at("issue"), []move{power}), transcript.OfflineMachine, []string{"void: lead, operator-1, operator-2"}, nil},
		{"sealed", at("seal"), transcript.OfflineMachine, []string{"bundle " + both + ": operator-1, operator-2, witness"}, []string{"fetch " + both + ": fetcher-1, fetcher-2"}},
		{"sealed, for the fetchers", at("seal"), transcript.FetchMachine, []string{"fetch " + both + ": fetcher-1, fetcher-2"}, []string{"bundle " + both + ": operator-1, operator-2, witness"}},
		{"a power cut after the seal", joined(at("seal"), fetched(p, "bundle", a, p.Targets[1].ID), []move{power}), transcript.OfflineMachine,
			[]string{"recover: 2 of custodian-1, custodian-2, custodian-3"}, nil},
		{"a primary without its replica", joined(at("seal"), fetched(p, "bundle", a)), transcript.OfflineMachine,
			[]string{"bundle " + b + ": operator-1, operator-2, witness", "wrap " + a + ": operator-1, operator-2, witness"}, []string{"fetch " + b + ": fetcher-1, fetcher-2"}},
		{"and wrapped", joined(at("seal"), fetched(p, "bundle", a), wraps("bundle", "package", a)), transcript.OfflineMachine,
			[]string{"bundle " + b + ": operator-1, operator-2, witness", "destroy: operator-1, operator-2, witness"}, []string{"fetch " + b + ": fetcher-1, fetcher-2"}},
		{"and on its way", joined(at("seal"), fetched(p, "bundle", a), wraps("bundle", "package", a), leaves(p)), transcript.ImportMachine, []string{"begin: importer, witness"}, nil},
		{"a replica without its primary", joined(at("seal"), fetched(p, "bundle", b)), transcript.OfflineMachine,
			[]string{"bundle " + a + ": operator-1, operator-2, witness"}, []string{"fetch " + a + ": fetcher-1, fetcher-2"}},
		{"void", joined(at("generate"), []move{void("", true)}), transcript.OfflineMachine, []string{"destroy: operator-1, operator-2, witness"}, nil},
		{"to import", at("close"), transcript.ImportMachine, []string{"begin: importer, witness"}, nil},
		{"the primary first", at("submit")[:len(at("submit"))-1], transcript.ImportMachine, []string{"submit " + a + ": importer, witness"}, nil},
		{"an expired token", expired, transcript.ImportMachine, []string{"end: importer, witness"}, []string{"fetch " + a + ": fetcher-1, fetcher-2"}},
		{"and then", joined(expired, []move{{transcript.Closed{}, office}}), transcript.OfflineMachine,
			[]string{"begin: lead, operator-1, operator-2, witness"}, []string{"fetch " + a + ": fetcher-1, fetcher-2"}},
		{"an incident", joined(at("submit"), by(office, transcript.Refused{Target: a, Code: "InvalidCiphertextException", Remedy: transcript.Incident})), transcript.ImportMachine,
			[]string{"incident " + a + ": lead"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			agenda := after(t, p, tt.moves).Next(tt.machine)
			if got := said(agenda.Here); !slices.Equal(got, tt.here) {
				t.Errorf("here\n got %q\nwant %q", got, tt.here)
			}
			if got := said(agenda.Elsewhere); !slices.Equal(got, tt.elsewhere) {
				t.Errorf("elsewhere\n got %q\nwant %q", got, tt.elsewhere)
			}
		})
	}
}

func said(tasks []phase.Task) (lines []string) {
	for _, task := range tasks {
		lines = append(lines, task.String())
	}
	return lines
}

// TestNextOfRecords reads them first.
func TestNextOfRecords(t *testing.T) {
	p := agreed(t)
	agenda, err := phase.Next(p, transcript.OfflineMachine, written(t, upTo(t, sameDay(p), "generate"))...)
	if err != nil || agenda.Progress != "GENERATED" || !slices.Equal(said(agenda.Here), []string{"confirm gate identity: operator-1, witness"}) {
		t.Errorf("got %+v, %v", agenda, err)
	}
}
