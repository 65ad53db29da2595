// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/agessh"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/sshsig"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/material/entropy"
)

// people are a room in which everybody does as they are told, but for what a test
// has them do instead.
type people struct {
	t     *testing.T
	c     *ceremony
	cards map[int]string // what custodians wrote down, by share
	said  []string       // what everybody was told, and what was announced
	shown []int          // shares, in the order in which they were seen
	held  []escrow.Share // the same

	pins   map[string]string // parts of the PIN of the token, by who knows them
	absent []string
	wall   string // what the witness reads off the wall clock
	heard  func() string
	read   func(share int) string // "" for what is on the card
	decide func(question string, options []string) int
	medium func(what string) string // "" for the usual one
	before func(method string)      // of the room, is called
	bags   []string                 // numbers that are told first, whatever goes into a bag
}

var errNobody = errors.New("nobody answers")

func (p *people) do(method string) {
	if p.before != nil {
		p.before(method)
	}
}

func (p *people) Announce(t phase.Task) { p.said = append(p.said, t.String()) }

func (p *people) Tell(format string, args ...any) {
	p.said = append(p.said, fmt.Sprintf(format, args...))
}

// told reports whether everybody heard something.
func (p *people) told(what string) bool {
	return slices.ContainsFunc(p.said, func(s string) bool { return strings.Contains(s, what) })
}

func (p *people) Present(_ context.Context, who []string, _ string) ([]string, error) {
	p.do("present")
	return slices.DeleteFunc(slices.Clone(who), func(id string) bool { return slices.Contains(p.absent, id) }), nil
}

func (p *people) Confirm(_ context.Context, g plan.Gate, who []string, seen string) (string, error) {
	p.do("confirm")
	if seen == "" || len(who) == 0 {
		p.t.Errorf("nobody, or nothing, at the gate %s", g)
	}
	if g == plan.GateOpen {
		return strings.TrimSpace(p.wall + " on the wall; " + seen), nil
	}
	return seen, nil
}

func (p *people) Heard(_ context.Context, what string) (string, error) {
	p.do("heard")
	if p.heard != nil {
		return p.heard(), nil
	}
	for name, content := range p.c.fetched {
		if strings.Contains(what, name) {
			return strings.Join(gap.Words(content), " "), nil
		}
	}
	return "", errNobody
}

func (p *people) Decide(_ context.Context, question string, options []string) (int, error) {
	p.do("decide")
	if p.decide != nil {
		return p.decide(question, options), nil
	}
	return 0, nil
}

func (p *people) Sign(_ context.Context, who plan.Person, namespace string, message []byte) ([]byte, error) {
	p.do("sign")
	if slices.Contains(p.absent, who.ID) {
		return nil, nil
	}
	return sshsig.Sign(message, namespace, signerOf(p.t, who.ID))
}

func (p *people) Medium(_ context.Context, what string) (string, error) {
	p.do("medium")
	if p.medium != nil {
		if folder := p.medium(what); folder != "" {
			return folder, nil
		}
	}
	switch {
	case what == offline.MediumIn:
		return p.c.in, nil
	case what == offline.MediumOut, what == offline.MediumEnd:
		return p.c.newMedium("out"), nil
	}
	name, _, _ := strings.Cut(what, " (")
	return p.c.media(strings.ReplaceAll(name, " ", "-")), nil
}

func (p *people) Remount(context.Context, string, string) error {
	p.do("remount")
	return nil
}

func (p *people) ShowShare(_ context.Context, h plan.Holder, s escrow.Share, title string) error {
	p.do("show")
	if !strings.Contains(title, fmt.Sprintf("hare %d of", s.Index)) || s.Index != h.Share {
		p.t.Errorf("share %d of %s is called %q", s.Index, h.Custodian, title)
	}
	p.shown, p.held = append(p.shown, s.Index), append(p.held, s)
	return s.Text().Expose(func(text []byte) error {
		p.cards[s.Index] = string(text)
		return nil
	})
}

func (p *people) ReadShare(_ context.Context, h plan.Holder, f *escrow.File) (escrow.Share, error) {
	p.do("read")
	if p.read != nil {
		if text := p.read(h.Share); text != "" {
			return escrow.ParseShare([]byte(text))
		}
	}
	if h.Mode == plan.InFile {
		return p.decrypt(h, f)
	}
	return escrow.ParseShare([]byte(p.cards[h.Share]))
}

// decrypt opens the share that a custodian has in a file.
func (p *people) decrypt(h plan.Holder, f *escrow.File) (s escrow.Share, err error) {
	folder := p.c.media(fmt.Sprintf("the-medium-for-share-%d,-of-%s", h.Share, h.Custodian))
	names, err := filepath.Glob(filepath.Join(folder, "share-*"))
	if err != nil || len(names) == 0 {
		return s, fmt.Errorf("no share in %s: %w", folder, errNobody)
	}
	if want := evidence.ShareFile(f.ID.String(), h.Share, 1); filepath.Base(names[0]) != want {
		p.t.Errorf("the share is in %s, want %s", names[0], want)
	}
	encrypted, err := os.ReadFile(names[len(names)-1])
	if err != nil {
		return s, err
	}
	identity, err := agessh.NewEd25519Identity(keyOf(h.Custodian))
	if err != nil {
		return s, err
	}
	r, err := age.Decrypt(bytes.NewReader(encrypted), identity)
	if err != nil {
		return s, err
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return s, err
	}
	p.cards[h.Share] = string(text)
	return escrow.ParseShare(text)
}

func (p *people) Bag(_ context.Context, what string) (string, error) {
	p.do("bag")
	if len(p.bags) > 0 {
		said := p.bags[0]
		p.bags = p.bags[1:]
		return said, nil
	}
	number, _, _ := strings.Cut(strings.TrimPrefix(what, "share "), ",")
	return "B" + number, nil
}

func (p *people) Throws(context.Context, bool) ([]entropy.Input, error) {
	p.do("throws")
	in, err := entropy.NewDice([]byte(strings.Repeat("1625364152", 10)))
	return []entropy.Input{in}, err
}

func (p *people) PIN(_ context.Context, who plan.Person, _ string) ([]byte, error) {
	p.do("pin")
	return []byte(p.pins[who.ID]), nil
}

func (p *people) Component(_ context.Context, who plan.Person, spec material.Spec) (entropy.Component, entropy.Entered, error) {
	p.do("component")
	c, err := entropy.NewComponent(spec)
	return c, entropy.TypedTwice, err
}
