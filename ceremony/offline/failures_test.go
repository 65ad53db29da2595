// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
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
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/files"
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

func TestWrongWordHeard(t *testing.T) {
	c := newCeremony(t, small)
	m, p := c.machine(), c.room()
	task := c.gate(m, p, plan.GateBundle)
	words := gap.Words(c.fetched)
	p.heard = func() string { return strings.Join(append([]string{"aardvark"}, words[1:]...), " ") }
	if e := want[*gap.HeardError](c, m, p, task); e.Position != 1 {
		t.Errorf("word %d, want 1", e.Position)
	}
	for _, said := range p.said {
		if strings.Contains(said, words[0]+" "+words[1]) {
			t.Errorf("people were shown what they should hear: %s", said)
		}
	}
	p.decide = func(question string, _ []string) int { return count(strings.HasPrefix(question, "What was heard")) }
	if err := m.Perform(context.Background(), p, task); err != nil {
		t.Fatal(err)
	}
	if lines := c.lines(); lines[len(lines)-1] != "exception" {
		t.Errorf("the refusal is not recorded, but %v", lines)
	}
	if here := m.Agenda().Here; len(here) != 1 || here[0].Step != phase.Accept || !slices.Equal(here[0].Targets, c.allTargets()) {
		t.Fatalf("the agenda is %v, want another bundle", here)
	}
	c.fetch(2, 24*time.Hour, c.allTargets()...)
	p.heard, p.decide = nil, nil
	c.mustHold(m, p, "")
	c.holds(p)
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// TestMediaRefused: what comes on a medium is what its manifest says, by this plan,
// signed, new and in time.
func TestMediaRefused(t *testing.T) {
	c := newCeremony(t, small)
	m, p := c.machine(), c.room()
	task := c.upTo(m, p, phase.Accept)
	again := func() { c.fetch(1, 24*time.Hour, "primary") }

	again()
	c.write(c.in, "autorun.inf", []byte("x"))
	if e := want[*gap.MediumError](c, m, p, task); !slices.Equal(e.Extra, []string{"autorun.inf"}) {
		t.Errorf("error %v", e)
	}
	again()
	c.write(c.in, "params-1-primary.json", []byte("{}"))
	if e := want[*gap.MediumError](c, m, p, task); !slices.Equal(e.Altered, []string{"params-1-primary.json"}) {
		t.Errorf("error %v", e)
	}
	c.finish(c.in, gap.In)
	want[*gap.AlteredError](c, m, p, task)

	again()
	if err := os.Remove(filepath.Join(c.in, gap.ManifestFile)); err != nil {
		t.Fatal(err)
	}
	if err := m.Perform(context.Background(), p, task); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}

	again()
	if err := os.Remove(filepath.Join(c.in, "bundle-1.json.fetcher-2.sig")); err != nil {
		t.Fatal(err)
	}
	c.finish(c.in, gap.In)
	if e := want[*offline.SignatureError](c, m, p, task); e.Error() != "bundle-1.json: fetcher-2 has not signed" {
		t.Errorf("error %v", e)
	}

	again()
	c.finish(c.in, gap.Out)
	want[*gap.MismatchError](c, m, p, task)

	other := newCeremony(t, sketch{spec: material.SymmetricDefault, threshold: 2, count: 2})
	other.fetch(1, 24*time.Hour, "primary")
	p.medium = func(string) string { return other.in }
	want[*gap.OtherPlanError](c, m, p, task)
	p.medium = nil

	c.fetch(1, 3*time.Hour, "primary")
	if e := want[*offline.TokenError](c, m, p, task); e.Need != 4*time.Hour || e.Remaining >= 4*time.Hour {
		t.Errorf("error %v", e)
	}
	c.in = c.newMedium("in")
	c.write(c.in, "hello", []byte("x"))
	c.finish(c.in, gap.In)
	if e := want[*offline.BundlesError](c, m, p, task); e.New != 0 {
		t.Errorf("error %v", e)
	}

	again()
	c.mustHold(m, p, "")
	c.holds(p)
}

// TestWrappingKeyTwice: KMS makes a new wrapping key for each request.
func TestWrappingKeyTwice(t *testing.T) {
	c := newCeremony(t, small)
	m, p := c.machine(), c.room()
	task := c.gate(m, p, plan.GateBundle)
	c.keys = c.keys[:0]
	c.fetch(2, 24*time.Hour, "primary")
	task.Step, task.Gate = phase.Accept, ""
	task.People = []string{"operator-1", "witness"}
	if e := want[*offline.WrappingKeyError](c, m, p, task); e.Target != "primary" {
		t.Errorf("error %v", e)
	}
}

// TestClockWrong: deadlines are held against the clock on the wall.
func TestClockWrong(t *testing.T) {
	c := newCeremony(t, small)
	m, p := c.machine(), c.room()
	p.wall = c.clock.Add(72 * time.Hour).Format(time.RFC3339)
	c.mustHold(m, p, phase.Accept)
	if !p.told("the clock of this machine is wrong by 71h59m0s") {
		t.Error("nobody was told that the clock is wrong")
	}
	task := m.Agenda().Here[0]
	c.fetch(1, 24*time.Hour, "primary")
	if e := want[*offline.TokenError](c, m, p, task); e.Remaining > 0 {
		t.Errorf("error %v", e)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	c.fetch(1, 96*time.Hour, "primary")
	c.mustHold(c.machine(), p, "") // another process knows what the witness saw
	c.holds(p)
}

// TestTokenAges between the bundle and the wrapping.
func TestTokenAges(t *testing.T) {
	c := newCeremony(t, sketch{spec: material.SymmetricDefault, threshold: 2, count: 3, changes: []string{"max_session: 10h", "max_session: 24h"}})
	m, p := c.machine(), c.room()
	c.mustHold(m, p, phase.Accept)
	c.fetch(1, 5*time.Hour, "primary")
	task := c.upTo(m, p, phase.Wrap)
	c.clock = c.clock.Add(2 * time.Hour)
	want[*offline.TokenError](c, m, p, task)
}

// TestShareMisread: what is on a card and was not dealt is found. It is shown once
// more, then issued anew, and no share is taken for another.
func TestShareMisread(t *testing.T) {
	c := newCeremony(t, small)
	m, p := c.machine(), c.room()
	c.upTo(m, p, phase.Issue)
	issueAll(t, m, p)
	before := len(c.lines())
	p.shown = nil
	p.read = func(share int) string { return p.cards[2] }
	task := m.Agenda().Here[0]
	err := m.Perform(context.Background(), p, task)
	if e, ok := errors.AsType[*offline.MisreadError](err); !ok || e.Share != 1 || err.Error() != "readback: share 1 was read wrong again: it is share 2, not 1" {
		t.Errorf("error %v", err)
	}
	if added := c.lines()[before:]; !slices.Equal(added, []string{"exception", "exception", "issue", "exception"}) {
		t.Errorf("the lines %v were added", added)
	}
	if !slices.Equal(p.shown, []int{1, 1}) {
		t.Errorf("the shares %v were shown, want 1 twice", p.shown)
	}
	p.read = nil
	c.mustHold(m, p, "")
	c.holds(p)
}

// issueAll issues all shares, before any is read back.
func issueAll(t *testing.T, m *offline.Machine, p *people) {
	t.Helper()
	for _, task := range m.Agenda().Here {
		if task.Step == phase.Issue {
			if err := m.Perform(context.Background(), p, task); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestCustodianAbsent: what nobody needs to see goes into a bag, and is read back by
// whom it belongs to.
func TestCustodianAbsent(t *testing.T) {
	c := newCeremony(t, sketch{spec: material.SymmetricDefault, threshold: 2, count: 3, changes: []string{"custodian: custodian-2, mode: form", "custodian: custodian-2, mode: print"}})
	m, p := c.machine(), c.room()
	p.absent = []string{"custodian-1", "custodian-2"}
	task := c.upTo(m, p, phase.Issue)
	if e := want[*offline.AbsentError](c, m, p, task); e.Person != "custodian-1" {
		t.Errorf("error %v", e)
	}
	p.absent = p.absent[1:]
	c.mustHold(m, p, phase.ReadShare)
	for _, task := range m.Agenda().Here {
		if task.Step == phase.Issue && task.Share == 2 {
			want[*offline.AbsentError](c, m, p, task) // postponed
		}
	}
	p.decide = func(question string, _ []string) int { return count(strings.Contains(question, "bag")) }
	issueAll(t, m, p)
	p.decide = nil
	for _, task := range m.Agenda().Here {
		if task.Share == 2 {
			want[*offline.AbsentError](c, m, p, task)
		}
	}
	p.absent = nil
	c.mustHold(m, p, "")
	c.holds(p)
}

// TestCopies: two copies are on two media, and each is read from its medium.
func TestCopies(t *testing.T) {
	c := newCeremony(t, small)
	m, p := c.machine(), c.room()
	task := c.upTo(m, p, phase.CopyOut)
	if err := m.Perform(context.Background(), p, task); err != nil {
		t.Fatal(err)
	}
	p.medium = func(string) string { return c.media("copy-1") }
	if e := want[*offline.SameMediumError](c, m, p, m.Agenda().Here[0]); e.Copy != "copy-2" {
		t.Errorf("error %v", e)
	}
	p.medium = nil
	p.before = func(method string) { // a medium that keeps something else
		if names, _ := filepath.Glob(filepath.Join(c.media("copy-2"), "*.escrow")); method == "remount" && len(names) == 1 {
			c.write("", names[0], []byte("decayed"))
		}
	}
	want[*files.ChangedError](c, m, p, m.Agenda().Here[0])
	p.before = nil
	want[*files.ExistsError](c, m, p, m.Agenda().Here[0])
	p.medium = func(what string) string {
		if strings.HasPrefix(what, "copy-2") {
			return c.media("another-copy-2")
		}
		return ""
	}
	c.mustHold(m, p, "")
	if got := c.state().Phase(); got != phase.Closed {
		t.Errorf("the ceremony is %s", got)
	}
}

// TestRecoverWithOthers: a card that is wrong is named, and another custodian asked.
func TestRecoverWithOthers(t *testing.T) {
	c := newCeremony(t, sketch{spec: material.SymmetricDefault, threshold: 2, count: 3, changes: []string{"session: same-day", "session: two-day"}})
	m, p := c.machine(), c.room()
	task := c.upTo(m, p, phase.Recover)
	p.absent = []string{"custodian-1", "custodian-2"}
	if e := want[*escrow.MissingSharesError](c, m, p, task); !slices.Equal(e.Have, []int{3}) {
		t.Errorf("error %v", e)
	}
	p.absent = []string{"custodian-3"}
	p.read = func(share int) string { return p.cards[2] }
	if e := want[*escrow.MissingSharesError](c, m, p, task); !slices.Equal(e.Have, []int{2}) {
		t.Errorf("error %v", e)
	}
	p.absent = nil
	p.read = func(share int) string { return p.cards[max(share, 2)] }
	c.mustHold(m, p, "")
	c.holds(p)
	if !p.told("share 1, of custodian-1, as it was dealt; happened: it is share 2, not 1") {
		t.Error("nobody was told which card is wrong")
	}
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
