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
	"github.com/keymat/keymat/material"
)

func TestWrongWordHeard(t *testing.T) {
	c := newCeremony(t, small)
	m, p := c.machine(), c.room()
	task := c.gate(m, p, plan.GateBundle)
	words := gap.Words(c.fetched["bundle-1.json"])
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
	m = c.machine() // another process knows what the witness saw
	c.fetch(1, 75*time.Hour, "primary")
	want[*offline.TokenError](c, m, p, task)
	c.fetch(1, 96*time.Hour, "primary")
	c.mustHold(m, p, "")
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

// TestTwoBundles: what comes in two bundles is read aloud in two, and wrapped in two
// packages.
func TestTwoBundles(t *testing.T) {
	c := newCeremony(t, sketch{spec: material.SymmetricDefault, threshold: 2, count: 3, arns: []string{primaryARN, replicaARN}})
	m, p := c.machine(), c.room()
	ids := c.allTargets()
	c.upTo(m, p, phase.Accept)
	for n, id := range ids {
		c.fetch(n+1, 24*time.Hour, id)
		task := m.Agenda().Here[0]
		if !slices.Contains(task.Targets, id) {
			t.Errorf("the next step is %s, want %s", task, id)
		}
		if err := m.Perform(context.Background(), p, task); err != nil {
			t.Fatal(err)
		}
	}
	second := c.fetched["bundle-2.json"]
	task := m.Agenda().Here[0]
	p.heard = func() string { return strings.Join(gap.Words(second), " ") } // which is right for one of them
	want[*gap.HeardError](c, m, p, task)
	p.heard = nil
	c.mustHold(m, p, "")
	out := evidence.Folder(c.lastOut())
	if numbers, err := out.Packages(); err != nil || !slices.Equal(numbers, []int{1, 2}) {
		t.Fatalf("packages %v, error %v", numbers, err)
	}
	made := c.recovered(p)
	for i, id := range ids {
		if got := c.unwrapped(string(out), id, i+1, i); !got.Equal(made.Secret()) {
			t.Errorf("%s gets other material", id)
		}
	}
}
