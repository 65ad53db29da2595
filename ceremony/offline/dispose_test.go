// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
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
	"github.com/keymat/keymat/material"
)

// reopen is a later ceremony with what an earlier one has kept. Changes are of its
// drafted plan: old, new, …
func (c *ceremony) reopen(purpose plan.Purpose, changes ...string) *ceremony {
	c.t.Helper()
	kept, ok := c.state().Kept()
	if !ok {
		c.t.Fatal("nothing is kept")
	}
	var id escrow.ID
	if err := id.UnmarshalText([]byte(kept.ID)); err != nil {
		c.t.Fatal(err)
	}
	drafted, err := c.plan.Reopen(plan.Reopening{File: "again.yaml", ID: "payments-2027", Title: "Payments: again", Date: morning.AddDate(1, 0, 0).Truncate(24 * time.Hour), Purpose: purpose,
		Expected: plan.Expected{Escrow: id, Fingerprint: kept.Fingerprint}})
	if err != nil {
		c.t.Fatal(err)
	}
	text := string(drafted)
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			c.t.Fatalf("the plan has no %q", changes[i])
		}
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	again := &ceremony{t: c.t, base: quickFolder(c.t), clock: morning.AddDate(1, 0, 0)}
	again.folder = evidence.Folder(again.media("own"))
	again.write(string(again.folder), evidence.PlanFile, []byte(text))
	if again.plan, err = again.folder.Plan(); err != nil {
		c.t.Fatal(err)
	}
	for _, id := range again.plan.Gates[plan.GatePlan] {
		again.sign(string(again.folder), evidence.PlanFile, plan.Namespace, id)
	}
	return again
}

// later are people who bring what they have from an earlier ceremony: its cards,
// for as long as nobody has any new ones, and a copy of its escrow.
func (c *ceremony) later(earlier *ceremony, cards map[int]string) *people {
	p := c.room()
	p.read = func(share int) string {
		if len(p.cards) > 0 {
			return ""
		}
		return cards[share]
	}
	p.medium = func(what string) string {
		if strings.HasPrefix(what, "a medium with the escrow ") {
			return earlier.media("copy-1")
		}
		return ""
	}
	return p
}

// held is a ceremony that was held up to its end, and its cards.
func held(t *testing.T, s sketch) (*ceremony, map[int]string) {
	t.Helper()
	c := newCeremony(t, s)
	p := c.room()
	m := c.machine()
	c.mustHold(m, p, "")
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return c, p.cards
}

// escrowOf is an escrow from a medium.
func escrowOf(t *testing.T, folder, id string) *escrow.File {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(folder, evidence.EscrowFile(id)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := escrow.Read(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// opens brings the material back with some cards.
func opens(f *escrow.File, cards map[int]string) (*material.Material, error) {
	var shares []escrow.Share
	for _, number := range slices.Sorted(maps.Keys(cards)) {
		s, err := escrow.ParseShare([]byte(cards[number]))
		if err != nil {
			return nil, err
		}
		if len(shares) < f.Shares.Threshold {
			shares = append(shares, s)
		}
	}
	key, err := f.Combine(shares)
	if err != nil {
		return nil, err
	}
	return f.OpenKey(key)
}

// newShares are changes of a plan: another threshold, and the third share for
// somebody else.
var newShares = []string{
	"shares:\n  threshold: 2\n", "shares:\n  threshold: 3\n",
	"    - {share: 3, custodian: custodian-3, mode: form, site: safe-3}\n\nsites", "    - {share: 3, custodian: newcomer, mode: form, site: safe-3}\n\nsites",
	"\npeople:\n", "\npeople:\n  - id: newcomer\n    name: N\n    roles: [custodian]\n",
}

// TestNewShares: the material stays, the old shares open nothing that is kept, and
// the new ones do.
func TestNewShares(t *testing.T) {
	first, old := held(t, small)
	c := first.reopen(plan.ForRefresh, newShares...)
	p := c.later(first, old)
	m := c.machine()
	usual := p.medium
	p.medium = func(what string) string { // what is destroyed later
		if strings.HasPrefix(what, "copy-1 ") {
			return first.media("copy-1")
		}
		return usual(what)
	}
	err := c.hold(m, p, "")
	if e, ok := errors.AsType[*offline.OldMediumError](err); !ok || e.Copy != "copy-1" || e.Escrow != c.plan.Expected.Escrow.String() {
		t.Fatalf("the old medium is taken for a new one: error %v", err)
	}
	p.medium = usual
	c.mustHold(m, p, "")
	s := c.state()
	all := s.Escrows()
	if len(all) != 2 || all[0].Condition != phase.Retired || all[1].Condition != phase.Kept || s.Progress() != "CLOSED" || s.InMemory() {
		t.Fatalf("%s: %+v", s.Progress(), all)
	}
	want, err := opens(escrowOf(t, first.media("copy-2"), all[0].ID), old)
	if err != nil {
		t.Fatal(err)
	}
	renewed := escrowOf(t, c.media("copy-2"), all[1].ID)
	got, err := opens(renewed, p.cards)
	if err != nil || !got.Secret().Equal(want.Secret()) {
		t.Errorf("the new shares bring something else back, error %v", err)
	}
	if renewed.Shares.Threshold != 3 || slices.Contains(p.shown, 0) || len(p.shown) != 3 {
		t.Errorf("%d of the shares %v open it", renewed.Shares.Threshold, p.shown)
	}
	if _, err := opens(renewed, old); err == nil {
		t.Error("the old shares open the new escrow")
	}
	if !p.told("is retired; as long as anybody has a copy") {
		t.Errorf("nobody heard that the old shares are still there: %q", p.said)
	}
	c.checkSigned(string(c.folder), evidence.SealFile(all[1].ID), gap.NamespaceSeal)
	c.checkHeads(c.lastOut())
	c.verifies()
}

// TestNewSharesPowerCuts: whenever the power fails while new shares are dealt, the
// old ones are not given up before the new ones are sealed, and in the end they are.
func TestNewSharesPowerCuts(t *testing.T) {
	first, old := held(t, sketch{spec: material.SymmetricDefault, threshold: 2, count: 2, changes: []string{"scheme: slip39", "scheme: shamir"}})
	c := first.reopen(plan.ForRefresh)
	p := c.later(first, old)
	var moments []moment
	p.before = func(method string) {
		moments = c.capture(p, fmt.Sprintf("%s after the line %v", method, last(c.lines())), moments)
	}
	c.mustHold(c.machine(), p, "")
	if len(moments) < 40 {
		t.Fatalf("the power was cut %d times", len(moments))
	}
	for _, now := range moments {
		c.revive(now)
		p := c.later(first, old)
		p.cards = maps.Clone(now.cards)
		p.read = func(share int) string { // of the old ones until there are new ones to read
			if c.state().Phase() == phase.Sealed {
				return old[share]
			}
			return ""
		}
		m := c.machine()
		if kept, ok := c.state().Kept(); !ok || kept.ID != c.plan.Expected.Escrow.String() && len(kept.ReadBack) != 2 {
			t.Fatalf("%s: kept is %+v", now.when, kept)
		}
		c.mustHold(m, p, "")
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		kept, ok := c.state().Kept()
		if !ok || c.state().Escrows()[0].Condition != phase.Retired {
			t.Fatalf("%s: %+v", now.when, c.state().Escrows())
		}
		if _, err := opens(escrowOf(t, c.media("copy-1"), kept.ID), p.cards); err != nil {
			t.Fatalf("%s: %v", now.when, err)
		}
	}
}

// verifies demands that the folder does.
func (c *ceremony) verifies() {
	c.t.Helper()
	findings, err := c.folder.Verify()
	if err != nil {
		c.t.Fatal(err)
	}
	if len(findings.Problems) > 0 {
		c.t.Errorf("problems %v", findings.Problems)
	}
}

// discarded are what the records say is gone, and what people attest of KMS keys.
func (c *ceremony) discarded() (all []transcript.Discarded, attested []transcript.Attested, exceptions int) {
	c.t.Helper()
	records, err := c.folder.Records()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, r := range records {
		for _, e := range r.Entries {
			switch e := e.Event.(type) {
			case transcript.Discarded:
				all = append(all, e)
			case transcript.Attested:
				attested = append(attested, e)
			case transcript.Exception:
				exceptions++
			}
		}
	}
	return all, attested, exceptions
}

// TestDestruction destroys what there is, and takes down what is said of the rest;
// nobody sees or enters a share.
func TestDestruction(t *testing.T) {
	first, _ := held(t, small)
	c := first.reopen(plan.ForDestruction)
	kept, _ := first.state().Kept()
	_, seal, err := first.folder.Seal(kept.ID)
	if err != nil {
		t.Fatal(err)
	}
	c.write(string(c.folder), evidence.SealFile(kept.ID), bytes.Replace(seal, []byte(`"bag": "B3"`), []byte(`"bag": "B9"`), 1))
	p := c.room()
	p.before = func(method string) {
		if slices.Contains([]string{"show", "read", "throws", "component"}, method) {
			t.Errorf("a ceremony for the destruction asks to %s", method)
		}
	}
	p.decide = func(question string, options []string) int {
		switch {
		case strings.HasPrefix(question, "share 2"):
			return 1
		case strings.HasPrefix(question, "copy-2"):
			return 2
		}
		return 0
	}
	m := c.machine()
	c.mustHold(m, p, "")
	s := c.state()
	if e := s.Escrows()[0]; len(s.Escrows()) != 1 || e.Condition != phase.Gone || s.Progress() != "DISCARDED 5 of 5" {
		t.Fatalf("%s: %+v", s.Progress(), e)
	}
	got, attested, exceptions := c.discarded()
	want := []transcript.Discarded{
		{Escrow: kept.ID, Share: 1, How: transcript.Returned, Text: "share 1, of custodian-1, was brought back, and destroyed before all of us", Bag: "B1"},
		{Escrow: kept.ID, Share: 2, How: transcript.Elsewhere, Text: "share 2, of custodian-2, was destroyed before, or elsewhere; we have seen it, or what shows it, and attest it"},
		{Escrow: kept.ID, Share: 3, How: transcript.Returned, Text: "share 3, of custodian-3, was brought back, and destroyed before all of us", Bag: "B3"},
		{Escrow: kept.ID, Copy: "copy-1", How: transcript.Returned, Text: "copy-1 (CD-R number 1) was brought back, and destroyed before all of us", Bag: "Bcopy-1 (CD-R number 1)"},
		{Escrow: kept.ID, Copy: "copy-2", How: transcript.Elsewhere, Text: "copy-2 (CD-R number 2) is lost; we have asked all who had it, and attest it"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if exceptions != 1 {
		t.Errorf("%d exceptions, want that of the bag", exceptions)
	}
	if len(attested) != 1 || attested[0].Text != primaryARN+" in eu-central-1 was looked up, and is PendingDeletion: KMS deletes it" {
		t.Errorf("got %+v", attested)
	}
	c.checkHeads(c.lastOut())
	c.verifies()
}

// TestDestructionLater: what people leave for later stays on the agenda, on another
// day too.
func TestDestructionLater(t *testing.T) {
	first, _ := held(t, small)
	c := first.reopen(plan.ForDestruction)
	p := c.room()
	m := c.machine()
	c.mustHold(m, p, phase.Discard)
	share := m.Agenda().Here[0]
	tasks := m.Agenda().Here
	attest := tasks[len(tasks)-1]
	p.decide = func(_ string, options []string) int { return len(options) - 1 }
	if e := want[*offline.PostponedError](c, m, p, share); e.What != "share 1, of custodian-1" {
		t.Errorf("got %v", e)
	}
	if e := want[*offline.PostponedError](c, m, p, attest); e.What != "primary" {
		t.Errorf("got %v", e)
	}
	p.decide = nil
	p.absent = []string{"lead"}
	if e := want[*phase.PeopleError](c, m, p, share); !slices.Equal(e.Missing, []string{"lead"}) {
		t.Errorf("got %v", e)
	}
	p.absent = nil
	if got := m.Agenda().Here; len(got) != len(tasks) {
		t.Errorf("got %v, want %v", got, tasks)
	}
	c.mustHold(m, p, "")
}

// TestDestructionBags: which bags shares went into is on the copies of the escrow,
// and people are asked for one once.
func TestDestructionBags(t *testing.T) {
	first, _ := held(t, small)
	kept, _ := first.state().Kept()
	hold := func(archive string, answer int) (*ceremony, *people, int) {
		c := first.reopen(plan.ForDestruction)
		p := c.later(first, nil)
		asked := 0
		p.medium = func(what string) string {
			if strings.HasPrefix(what, "a medium with the escrow ") {
				return archive
			}
			return ""
		}
		p.decide = func(question string, _ []string) int {
			if strings.HasPrefix(question, "The seal record ") {
				asked++
				return answer
			}
			return 0
		}
		m := c.machine()
		if err := c.hold(m, p, ""); err != nil {
			e, ok := errors.AsType[*gap.MismatchError](err)
			if !ok || e.Field != "escrow" {
				t.Fatal(err)
			}
			return c, p, -1
		}
		c.verifies()
		return c, p, asked
	}

	c, _, asked := hold(first.media("copy-2"), 0)
	all, _, exceptions := c.discarded()
	if !c.folder.Has(evidence.SealFile(kept.ID)) || asked != 1 || exceptions != 0 || all[2].Bag != "B3" {
		t.Errorf("asked %d times, %d exceptions, %+v", asked, exceptions, all)
	}
	if c, _, asked = hold("", 1); asked != 1 || c.folder.Has(evidence.SealFile(kept.ID)) {
		t.Errorf("where nobody has one: asked %d times", asked)
	}
	if _, p, asked := hold(first.media("empty"), 0); asked != 1 || !p.told("nobody can say which bags") {
		t.Errorf("where there is none on the copy: asked %d times, %q", asked, p.said)
	}
	other, _ := held(t, small)
	theirs, _ := other.state().Kept()
	_, seal, err := other.folder.Seal(theirs.ID)
	if err != nil {
		t.Fatal(err)
	}
	first.write(first.media("wrong"), evidence.SealFile(kept.ID), seal)
	if _, _, asked := hold(first.media("wrong"), 0); asked != -1 {
		t.Error("the seal record on another escrow passes")
	}
}

// TestDestructionPowerCuts: whenever the power fails, each thing that a line says is
// gone stays so and has that line alone, the escrow is kept until nothing is left of it
// (rule N8), and in the end nothing is.
func TestDestructionPowerCuts(t *testing.T) {
	first, _ := held(t, sketch{spec: material.SymmetricDefault, threshold: 2, count: 2, changes: []string{"scheme: slip39", "scheme: shamir"}})
	c := first.reopen(plan.ForDestruction)
	p := c.later(first, nil)
	var moments []moment
	p.before = func(method string) {
		moments = c.capture(p, fmt.Sprintf("%s after the line %v", method, last(c.lines())), moments)
	}
	c.mustHold(c.machine(), p, "")
	if len(moments) < 20 {
		t.Fatalf("the power was cut %d times", len(moments))
	}
	for _, now := range moments {
		c.revive(now)
		m := c.machine() // which repairs a line that was cut off
		gone, _, _ := c.discarded()
		e := c.state().Escrows()[0]
		if whole := len(gone) == 4; (e.Condition == phase.Gone) != whole || (e.Condition == phase.Kept) == whole {
			t.Fatalf("%s: with %d things gone the escrow is %s", now.when, len(gone), e.Condition)
		}
		c.mustHold(m, c.later(first, nil), "")
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		all, attested, _ := c.discarded()
		if len(all) != 4 || !slices.Equal(all[:len(gone)], gone) || len(attested) != 1 || c.state().Escrows()[0].Condition != phase.Gone {
			t.Fatalf("%s: %+v, after %+v", now.when, all, gone)
		}
	}
}
