// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
)

// small is a ceremony with no more shares than it takes two of.
var small = sketch{spec: material.SymmetricDefault, threshold: 2, count: 3}

// want demands an error of a type, that the state is what it was before, and that
// nothing was recorded but exceptions and notes.
func want[E error](c *ceremony, m *offline.Machine, p *people, task phase.Task) (e E) {
	c.t.Helper()
	before := c.lines()
	progress := m.Agenda().Progress
	err := m.Perform(context.Background(), p, task)
	e, ok := errors.AsType[E](err)
	if !ok {
		c.t.Fatalf("%s: error %v, want a %T", task, err, e)
	}
	if after := m.Agenda().Progress; after != progress {
		c.t.Errorf("%s: from %s to %s in spite of an error", task, progress, after)
	}
	for _, added := range c.lines()[len(before):] {
		if added != "exception" && added != "note" {
			c.t.Errorf("%s: the line %s was added", task, added)
		}
	}
	return e
}

// lines are the names of all lines of the records.
func (c *ceremony) lines() (names []string) {
	c.t.Helper()
	records, err := c.folder.Records()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, r := range records {
		for _, e := range r.Entries {
			names = append(names, transcript.Name(e.Event))
		}
	}
	return names
}

// upTo holds a ceremony up to a step, which is next.
func (c *ceremony) upTo(m *offline.Machine, p *people, step phase.Step) phase.Task {
	c.t.Helper()
	c.mustHold(m, p, step)
	a := m.Agenda()
	if len(a.Here) == 0 || a.Here[0].Step != step {
		c.t.Fatalf("the agenda is %v, want %s", a, step)
	}
	return a.Here[0]
}

// gate holds a ceremony up to a gate.
func (c *ceremony) gate(m *offline.Machine, p *people, g plan.Gate) phase.Task {
	c.t.Helper()
	for range most {
		if task := m.Agenda().Here[0]; task.Gate == g {
			return task
		} else if task.Step == phase.Accept && c.in == "" {
			c.fetch(1, 24*time.Hour, c.allTargets()...)
		}
		if err := m.Perform(context.Background(), p, m.Agenda().Here[0]); err != nil {
			c.t.Fatal(err)
		}
	}
	c.t.Fatalf("the gate %s does not come", g)
	return phase.Task{}
}

// TestSessionEnds: people may leave before anything is wrapped, or have to, and go on
// another day with a quorum.
func TestSessionEnds(t *testing.T) {
	for name, leave := range map[string]func(*ceremony, *people){
		"they want to": func(_ *ceremony, p *people) {
			p.decide = func(question string, _ []string) int { return count(strings.Contains(question, "session end")) }
		},
		"it is late": func(c *ceremony, _ *people) { c.clock = c.clock.Add(11 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCeremony(t, small)
			m, p := c.machine(), c.room()
			task := c.upTo(m, p, phase.Accept)
			leave(c, p)
			if name == "it is late" {
				want[*offline.SessionError](c, m, p, task)
			}
			c.in = "not yet"
			c.mustHold(m, p, phase.Begin)
			if lines := c.lines(); !slices.Equal(lines[len(lines)-3:], []string{"destroy", "confirm", "close"}) {
				t.Errorf("the record ends in %v", lines[len(lines)-3:])
			}
			if late := p.told("the session has lasted"); late != (name == "it is late") {
				t.Errorf("people were told that it is late: %t", late)
			}
			p.decide, p.wall, c.in = nil, c.clock.Format(time.RFC3339), ""
			c.mustHold(m, p, "")
			c.holds(p)
		})
	}
}

// TestBeginRefuses: no ceremony is held by a plan that nobody approved.
func TestBeginRefuses(t *testing.T) {
	c := newCeremony(t, small)
	if err := os.Remove(c.folder.Path("plan.yaml.witness.sig")); err != nil {
		t.Fatal(err)
	}
	m, p := c.machine(), c.room()
	if e := want[*offline.SignatureError](c, m, p, m.Agenda().Here[0]); e.Error() != "plan.yaml: witness has not signed" {
		t.Errorf("error %v", e)
	}
	faulty := newCeremony(t, sketch{spec: material.SymmetricDefault, threshold: 2, count: 3, changes: []string{"custodian: custodian-2", "custodian: custodian-1"}})
	m = faulty.machine()
	want[*offline.FaultyPlanError](faulty, m, faulty.room(), m.Agenda().Here[0])
}

// TestOutgoingMedium has to be empty, and can be asked for once more.
func TestOutgoingMedium(t *testing.T) {
	c := newCeremony(t, small)
	m, p := c.machine(), c.room()
	task := c.upTo(m, p, phase.End)
	used := c.media("used")
	c.write(used, "holiday.jpg", []byte("x"))
	p.medium = func(what string) string {
		if what == offline.MediumOut {
			return used
		}
		return ""
	}
	err := m.Perform(context.Background(), p, task)
	if e, ok := errors.AsType[*gap.MediumError](err); !ok || !slices.Equal(e.Extra, []string{"holiday.jpg"}) {
		t.Fatalf("error %v", err)
	}
	if here := m.Agenda().Here; len(here) != 1 || here[0].Step != phase.End {
		t.Fatalf("the agenda is %v", here)
	}
	if entries, err := os.ReadDir(used); err != nil || len(entries) != 1 {
		t.Errorf("the medium now has %v, error %v", entries, err)
	}
	p.medium = nil
	c.mustHold(m, p, "")
	c.holds(p)
	if err := m.Export(context.Background(), p); err != nil {
		t.Fatal(err)
	}
	c.holds(p)
}

// TestSignLater: a ceremony does not wait for those who sign later.
func TestSignLater(t *testing.T) {
	c := newCeremony(t, small)
	m, p := c.machine(), c.room()
	c.mustHold(m, p, phase.SealSet)
	p.before = func(method string) {
		p.absent = nil
		if method == "sign" {
			p.absent = []string{"lead"}
		}
	}
	c.mustHold(m, p, "")
	signatures, err := c.folder.Signatures(evidence.HeadFile(1))
	if err != nil || len(signatures) != 2 {
		t.Errorf("%d signatures, error %v", len(signatures), err)
	}
	if !p.told("lead signs later") {
		t.Error("nobody was told who signs later")
	}
}

// TestRemarks: notes and exceptions go to the record; secrets do not.
func TestRemarks(t *testing.T) {
	c := newCeremony(t, small)
	m, p := c.machine(), c.room()
	ctx, who := context.Background(), []string{"lead"}
	if err := m.Note(ctx, p, "too early"); err == nil {
		t.Error("a note was taken before there was a record")
	}
	c.upTo(m, p, phase.Generate)
	if err := errors.Join(m.Note(ctx, p, "the machine has no network"), m.Except(ctx, p, who, transcript.Exception{Expected: "a", Happened: "b", Decided: "c"})); err != nil {
		t.Fatal(err)
	}
	if lines := c.lines(); !slices.Equal(lines[len(lines)-2:], []string{"note", "exception"}) {
		t.Errorf("the lines are %v", lines)
	}
	if _, ok := errors.AsType[*transcript.SecretError](m.Note(ctx, p, "AGE-SECRET-KEY-1")); !ok {
		t.Error("a secret was recorded")
	}
}
