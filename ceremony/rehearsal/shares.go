// SPDX-License-Identifier: Apache-2.0

package rehearsal

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"filippo.io/age"
	"filippo.io/age/agessh"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/material/entropy"
)

// ShowShare has a custodian write a share down, in place of any other that they have.
func (p *players) ShowShare(ctx context.Context, h plan.Holder, s escrow.Share, title string) error {
	if err := p.asked(ctx, fmt.Sprintf("show share %d", h.Share)); err != nil {
		return err
	}
	p.Tell("%s: only %s may look; it is written down", title, h.Custodian)
	text := s.Text()
	defer text.Destroy()
	return text.Expose(func(words []byte) error { return p.cast.keep(h.Custodian, shareFile(p.task.Escrow, h.Share), words) })
}

// ReadShare has a custodian type what they have written down, or open their file.
// What is no share at all they look at again.
func (p *players) ReadShare(ctx context.Context, h plan.Holder, f *escrow.File) (s escrow.Share, err error) {
	for range attempts {
		if err := p.asked(ctx, fmt.Sprintf("read share %d", h.Share)); err != nil {
			return s, err
		}
		text, err := p.keptShare(h, f.ID.String())
		if err != nil {
			return s, err
		}
		if p.disturbed.read != nil {
			text = p.disturbed.read(h, f.ID.String(), text)
		}
		s, err = escrow.ParseShare(text)
		clear(text)
		if err == nil {
			return s, nil
		}
		p.Tell("%s: %v", h.Custodian, err)
	}
	return s, err
}

// attempts are how often a custodian looks at what they keep.
const attempts = 3

// keptShare is what a custodian has of a share.
func (s *stage) keptShare(h plan.Holder, id string) ([]byte, error) {
	text, err := s.cast.kept(h.Custodian, shareFile(id, h.Share))
	if errors.Is(err, fs.ErrNotExist) {
		text, err = s.opened(h, id)
	}
	if errors.Is(err, fs.ErrNotExist) && s.before != nil {
		return s.before.keptShare(h, id)
	}
	if err != nil {
		return nil, fmt.Errorf("share %d of %s: %w", h.Share, h.Custodian, err)
	}
	return text, nil
}

// shareOf is the share that a custodian has of an escrow.
func (s *stage) shareOf(h plan.Holder, id string) (escrow.Share, error) {
	text, err := s.keptShare(h, id)
	if err != nil {
		return escrow.Share{}, err
	}
	defer clear(text)
	return escrow.ParseShare(text)
}

// opened is a share from the file on its custodian's medium, which their ssh key
// opens.
func (s *stage) opened(h plan.Holder, id string) ([]byte, error) {
	key, err := s.cast.kept(h.Custodian, keyFile)
	if err != nil {
		return nil, err
	}
	identity, err := agessh.ParseIdentity(key)
	if err != nil {
		return nil, err
	}
	medium := evidence.Folder(s.mediumOf(h.Custodian))
	latest := 1
	for medium.Has(evidence.ShareFile(id, h.Share, latest+1)) {
		latest++
	}
	encrypted, err := medium.Read(evidence.ShareFile(id, h.Share, latest), maxKept)
	if err != nil {
		return nil, err
	}
	plain, err := age.Decrypt(bytes.NewReader(encrypted), identity)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	_, err = text.ReadFrom(plain)
	return text.Bytes(), err
}

// thrown is how often people throw a die: more than enough for 256 bits.
const thrown = 100

// Throws are those of a die, where they are wanted.
func (p *players) Throws(ctx context.Context, required bool) ([]entropy.Input, error) {
	if err := p.asked(ctx, "throws"); err != nil {
		return nil, err
	}
	var dice []byte
	for len(dice) < thrown {
		one := make([]byte, 1)
		rand.Read(one)
		if one[0] < 252 { // of which each face has as many
			dice = append(dice, '1'+one[0]%6)
		}
	}
	in, err := entropy.NewDice(dice)
	return []entropy.Input{in}, err
}

// PIN is asked of nobody: no rehearsal has a token.
func (p *players) PIN(context.Context, plan.Person, string) ([]byte, error) {
	return nil, errors.New("nobody here knows the PIN of a token")
}

// Component is one that somebody has drawn before, and types with its check value.
func (p *players) Component(ctx context.Context, who plan.Person, spec material.Spec) (entropy.Component, entropy.Entered, error) {
	if err := p.asked(ctx, "component"); err != nil {
		return entropy.Component{}, "", err
	}
	text, err := p.cast.kept(who.ID, componentFile)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = p.drawn(who.ID, spec)
	}
	if err != nil {
		return entropy.Component{}, "", err
	}
	defer clear(text)
	c, _, err := entropy.ParseComponent(spec, text)
	return c, entropy.TypedWithCheck, err
}

// drawn is a new component, which somebody keeps.
func (p *players) drawn(person string, spec material.Spec) (text []byte, err error) {
	c, err := entropy.NewComponent(spec)
	if err != nil {
		return nil, err
	}
	defer c.Destroy()
	kept := c.Text()
	defer kept.Destroy()
	err = kept.Expose(func(digits []byte) error {
		text = slices.Clone(digits)
		return p.cast.keep(person, componentFile, digits)
	})
	return text, err
}
