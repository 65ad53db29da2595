// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"context"
	"crypto/fips140"
	"errors"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
)

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

// TestShareInFile: a custodian gets a share that only their ssh key opens. age, which
// does that, does not run where FIPS 140-3 is enforced.
func TestShareInFile(t *testing.T) {
	c := newCeremony(t, sketch{spec: material.SymmetricDefault, threshold: 2, count: 3, changes: []string{"custodian: custodian-1, mode: form", "custodian: custodian-1, mode: file"}})
	m, p := c.machine(), c.room()
	task := c.upTo(m, p, phase.Issue)
	if fips140.Enforced() {
		want[*escrow.FIPSError](c, m, p, task)
		return
	}
	c.mustHold(m, p, "")
	c.holds(p)
	if slices.Contains(p.shown, 1) {
		t.Error("a share that is a file was shown")
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

// TestBagTwice: no two shares go into one bag, whoever looked at the wrong number.
func TestBagTwice(t *testing.T) {
	c := newCeremony(t, sketch{spec: material.SymmetricDefault, threshold: 2, count: 3})
	m, p := c.machine(), c.room()
	p.bags = []string{"TE-1", "TE-1", "TE-1", "TE-2", "TE-2"}
	c.mustHold(m, p, "")
	c.holds(p)
	told := strings.Count(strings.Join(p.said, "\n"), "is in the bag TE-1: each share goes into a bag of its own")
	if told != 2 || !p.told("is in the bag TE-2: ") || len(p.bags) != 0 {
		t.Errorf("told %d times of TE-1, %q left, in\n%s", told, p.bags, strings.Join(p.said, "\n"))
	}
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

// TestVoid: when somebody has seen a share, the escrow is made anew under another key,
// or the material as well.
func TestVoid(t *testing.T) {
	for _, all := range []bool{false, true} {
		c := newCeremony(t, small)
		m, p := c.machine(), c.room()
		c.upTo(m, p, phase.Issue)
		issueAll(t, m, p)
		before, lost := c.state(), maps.Clone(p.cards)
		p.absent = []string{"lead"}
		if err := m.Void(context.Background(), p, "share 1 was seen"); err == nil {
			t.Error("it was void without the lead")
		}
		p.absent = nil
		p.decide = func(string, []string) int { return count(all) }
		if err := m.Void(context.Background(), p, "share 1 was seen"); err != nil {
			t.Fatal(err)
		}
		p.decide = nil
		c.checkForgotten(p)
		if step := m.Agenda().Here[0].Step; all && step != phase.Destroy || !all && step != phase.MakeEscrow {
			t.Errorf("the next step is %s", step)
		}
		if !p.told("shares 1 2 3 of the escrow " + before.Escrows()[0].ID + " were issued: collect them") {
			t.Error("nobody was told to destroy the cards")
		}
		c.mustHold(m, p, "")
		c.holds(p)
		if same := c.state().Fingerprint() == before.Fingerprint(); same == all {
			t.Errorf("void with the material: %t; the material is the same: %t", all, same)
		}
		if p.cards[1] == lost[1] {
			t.Error("the share that was seen is still one")
		}
		if err := m.Void(context.Background(), p, "too late"); err == nil {
			t.Error("what is sealed was given up")
		}
	}
}

// TestForgets: once they are sealed no share is left in memory.
func TestForgets(t *testing.T) {
	c := newCeremony(t, small)
	m, p := c.machine(), c.room()
	c.upTo(m, p, phase.SealSet)
	if len(p.held) != 3 || p.held[0].Text().Len() < 100 {
		t.Fatalf("%d shares were seen", len(p.held))
	}
	c.upTo(m, p, phase.Accept)
	c.checkForgotten(p)
}

// checkForgotten sees to it that no share that was shown is still in memory.
func (c *ceremony) checkForgotten(p *people) {
	c.t.Helper()
	for _, s := range p.held {
		s.Line().Expose(func(line []byte) error {
			if _, err := escrow.ParseShare(line); err == nil {
				c.t.Errorf("share %d is still in memory", s.Index)
			}
			return nil
		})
	}
}
