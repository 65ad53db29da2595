// SPDX-License-Identifier: Apache-2.0

package online_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremony/online"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
)

// insiders are the people around the offline machine, and all media.
type insiders struct {
	*people
	t        *testing.T
	cards    map[int]string
	media    map[string]string
	returned bool // the machine that imports has sent its record
	bundles  evidence.Folder
}

func (p *insiders) Confirm(_ context.Context, g plan.Gate, _ []string, seen string) (string, error) {
	if g == plan.GateOpen {
		return time.Now().UTC().Format(time.RFC3339) + " on the wall; " + seen, nil
	}
	return seen, nil
}

func (p *insiders) Heard(_ context.Context, what string) (string, error) {
	_, name, _ := strings.Cut(what, "the SHA-256 of ")
	name, _, _ = strings.Cut(name, ",")
	return strings.Join(gap.Words(readFile(p.t, string(p.bundles), name)), " "), nil
}

func (p *insiders) Medium(_ context.Context, what string) (string, error) {
	if p.media[what] == "" {
		p.media[what] = quickFolder(p.t)
	}
	return p.media[what], nil
}

func (p *insiders) Decide(_ context.Context, question string, options []string) (int, error) {
	if strings.Contains(question, "written a record since") && p.returned {
		return 1, nil
	}
	if len(options) == 3 && strings.HasPrefix(options[2], "go on without replica") {
		return 2, nil
	}
	return 0, nil
}

func (p *insiders) ShowShare(_ context.Context, h plan.Holder, s escrow.Share, _ string) error {
	return s.Text().Expose(func(text []byte) error {
		p.cards[h.Share] = string(text)
		return nil
	})
}

func (p *insiders) ReadShare(_ context.Context, h plan.Holder, _ *escrow.File) (escrow.Share, error) {
	return escrow.ParseShare([]byte(p.cards[h.Share]))
}

func (p *insiders) Bag(_ context.Context, what string) (string, error) {
	number, _, _ := strings.Cut(strings.TrimPrefix(what, "share "), ",")
	return "B" + number, nil
}

// machine is what all three are.
type machine interface {
	Agenda() phase.Agenda
	Perform(context.Context, room.Room, phase.Task) error
	Close() error
}

// works does what is on the agenda of a machine, up to a step.
func works(t *testing.T, m machine, r room.Room, until phase.Step) {
	t.Helper()
	for {
		tasks := m.Agenda().Here
		if len(tasks) == 0 || tasks[0].Step == until {
			break
		}
		if err := m.Perform(t.Context(), r, tasks[0]); err != nil {
			t.Fatalf("%s: %v", tasks[0], err)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
}

// three are three machines that share nothing but media.
type three struct {
	*bench
	inside *insiders
}

func newThree(t *testing.T, create importer.CreateRequest, keys func(arn string) []string) (*three, importer.Key) {
	t.Helper()
	b := newBench(t)
	mock := mockkms.New() // a wrapping key for each fetch
	t.Cleanup(func() { mock.Close() })
	b.mock = mock
	b.service.In = func(_ context.Context, region string) (online.KMS, error) {
		return clientOf(mockkms.Transport(mock), region), nil
	}
	k := b.create(t, create)
	b.agree(t, create.Spec, keys(k.ARN), "profile: quorum ", "profile: fips-quorum ")
	b.people.heard = func(what string) string { return b.readOut(t, what) }
	inside := &insiders{people: b.people, t: t, cards: map[int]string{}, media: map[string]string{}, bundles: evidence.Folder(b.fetching)}
	return &three{b, inside}, k
}

// session is one on the offline machine, with what was fetched, and with the records
// of the machine that imports, if any came: of those it cannot know by itself.
func (c *three) session(t *testing.T, fetched, records string) (out string) {
	t.Helper()
	m, err := offline.Open(c.desk.folder, nil, time.Now, transcript.Tool{})
	if err != nil {
		t.Fatal(err)
	}
	c.inside.media[offline.MediumOut] = ""
	if c.inside.returned = records != ""; c.inside.returned {
		c.inside.media[offline.MediumIn] = records
		begin := phase.Task{Step: phase.Begin, Machine: transcript.OfflineMachine, People: c.plan.Gates[plan.GateOpen]}
		if err := m.Perform(t.Context(), c.inside, begin); err != nil {
			t.Fatal(err)
		}
	}
	c.inside.media[offline.MediumIn] = fetched
	works(t, m, c.inside, "")
	return c.inside.media[offline.MediumOut]
}

// TestThreeMachines holds a whole ceremony. The first import token ends before the
// import, so that it goes around once more, with a quorum.
func TestThreeMachines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _ := newThree(t, importer.CreateRequest{Spec: material.HMAC512}, func(arn string) []string { return []string{arn} })
		out, back := c.session(t, c.fetch(t), ""), quickFolder(t)
		time.Sleep(24 * time.Hour)
		wantRemedy(t, c.run(t, out), transcript.WrapAgain)
		if err := c.run(t, back); err != nil {
			t.Fatal(err)
		}
		if err := c.run(t, c.session(t, c.fetch(t), back)); err != nil {
			t.Fatal(err)
		}
		s := c.state(t)
		if got := fmt.Sprint(s.Progress(), ": ", s.Targets()[0].Method); got != "VERIFIED 1 of 1: "+online.MethodMAC {
			t.Error(got)
		}
	})
}

// TestNewMultiRegionKey: there is no replica before the primary has its material, so
// that the offline machine goes on without, and comes back to it.
func TestNewMultiRegionKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, k := newThree(t, importer.CreateRequest{Spec: material.SymmetricDefault, MultiRegion: true}, func(arn string) []string { return []string{arn, replicaOf(arn)} })
		out, back := c.session(t, c.fetch(t, "primary"), ""), quickFolder(t)
		if err := c.run(t, out, back); err != nil {
			t.Fatal(err)
		}
		wantEvents(t, c.bench, 2, "open", "confirm", "submit", "import", "verify", "close")
		c.replicate(t, k)
		if err := c.run(t, c.session(t, c.fetch(t, c.plan.Targets[1].ID), back)); err != nil {
			t.Fatal(err)
		}
		targets := c.state(t).Targets()
		if targets[0].MaterialID != targets[1].MaterialID || targets[1].Method != online.MethodUse {
			t.Errorf("got %+v", targets)
		}
	})
}
