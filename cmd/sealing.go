// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
)

// sealing is what commands that make an escrow have in common.
type sealing struct {
	out        string
	to         addressees
	ask        bool // for a passphrase
	quorum     quorum
	keyFile    string
	force      bool
	identities []string // files, if those are at hand that shall open the escrow again
}

// register is for a command whose result is the escrow.
func (s *sealing) register(c *cobra.Command) {
	s.registerAs(c, "out", "recipient", "r")
	forceFlag(c, &s.force)
	require(c, "out")
}

// registerBeside is for a command that makes an escrow on its way.
func (s *sealing) registerBeside(c *cobra.Command) { s.registerAs(c, "escrow-out", "escrow-to", "") }

func (s *sealing) registerAs(c *cobra.Command, out, to, short string) {
	c.Flags().StringVar(&s.out, out, "", "new `file` for the escrow")
	s.to.register(c, to, short)
	c.Flags().BoolVar(&s.ask, "passphrase", false, "ask for a passphrase that opens the escrow")
	s.quorum.register(c)
	c.Flags().StringVar(&s.keyFile, "seal-key", "", "seal with AES-256-GCM under the key in this `file`: 32 bytes, or 64 hexadecimal digits")
}

// ways counts the ways that were named to open the escrow.
func (s *sealing) ways() (n int) {
	for _, given := range []bool{s.to.given(), s.ask, s.quorum.of != "", s.keyFile != ""} {
		if given {
			n++
		}
	}
	return n
}

// check finds what would stop the command before there is a secret.
func (s *sealing) check() error {
	if s.ways() != 1 {
		return usagef("say who can open the escrow, in one way: --%s R, --passphrase, --quorum 3/5 or --seal-key FILE", s.to.flag)
	}
	if err := s.quorum.check(); err != nil {
		return err
	}
	return files.Check(s.out, files.Overwrite(s.force))
}

// fresh is an escrow that was sealed a moment ago, and what is at hand to open
// it again.
type fresh struct {
	*escrow.File
	shares []escrow.Share  // of a quorum
	secret material.Secret // otherwise: the passphrase, the key, or the key of the age file
}

// seal seals m and writes first the shares, if there are any, and then the
// escrow: where there is an escrow, there is a way to open it. Before the escrow
// gets its name, and so takes the place of another, it was read back from its
// medium and opened again: others may rely on it.
func (a *app) seal(ctx context.Context, m *material.Material, s sealing) (*sealedEscrow, error) {
	f, err := a.sealFile(ctx, m, s)
	if err != nil {
		return nil, err
	}
	defer f.secret.Destroy()
	result := &sealedEscrow{File: s.out}
	if f.shares != nil {
		a.say("sealed under a fresh key, which each %d of %d shares gave back", f.Shares.Threshold, f.Shares.Count)
		if result.ShareFiles, err = a.handOut(ctx, f.File, f.shares, s.quorum); err != nil {
			return nil, err
		}
	}
	if result.ReopenedWith, err = a.keepEscrow(ctx, m, f, s); err != nil {
		if _, placed := errors.AsType[*files.UnflushedError](err); !placed {
			removeAll(result.ShareFiles) // which open nothing
		}
		return nil, err
	}
	result.describe(f.File)
	a.say("wrote the escrow %s of %s material (fingerprint %s) to %s, read it back and opened it with %s", f.ID, f.KeySpec, f.Fingerprint, s.out, result.ReopenedWith)
	if result.ReopenedWith == byFileKey {
		a.say("whether its recipients can open it only their identities show: keymat escrow drill %s --offline --identity FILE", s.out)
	}
	return result, nil
}

// keepEscrow gives the escrow its name, once it has been opened again.
func (a *app) keepEscrow(ctx context.Context, m *material.Material, f *fresh, s sealing) (reopening, error) {
	staged, err := stageEscrow(s.out, f.File, files.Overwrite(s.force))
	if err != nil {
		return "", err
	}
	defer staged.Discard()
	with, err := a.reopen(ctx, m, f, s, staged)
	if err != nil {
		return "", &unopenedError{name: s.out, err: err}
	}
	return with, staged.Place()
}

func (a *app) sealFile(ctx context.Context, m *material.Material, s sealing) (f *fresh, err error) {
	f = new(fresh)
	defer func() {
		if err != nil {
			f.secret.Destroy()
		}
	}()
	created := time.Now()
	switch {
	case s.to.given():
		to, err := a.recipients(ctx, s.to)
		if err != nil {
			return f, err
		}
		f.File, f.secret, err = escrow.SealTo(m, created, to)
		return f, err
	case s.ask:
		if f.secret, err = a.newPassphrase(ctx); err != nil {
			return f, err
		}
		defer a.busy("stretching the passphrase")()
		f.File, err = escrow.SealPassphrase(m, created, f.secret)
		return f, err
	case s.keyFile != "":
		if f.secret, err = a.readKey(s.keyFile); err != nil {
			return f, err
		}
		f.File, err = escrow.SealKey(m, created, f.secret)
		return f, err
	}
	plan, err := s.quorum.plan()
	if err != nil {
		return f, err
	}
	defer a.busy("sharing a fresh key")()
	f.File, f.shares, err = escrow.SealQuorum(m, created, plan)
	return f, err
}

// newPassphrase asks for a passphrase twice.
func (a *app) newPassphrase(ctx context.Context) (material.Secret, error) {
	first, err := a.prompter().Secret(ctx, "Passphrase for the escrow")
	if err != nil {
		return material.Secret{}, err
	}
	again, err := a.prompter().Secret(ctx, "The same passphrase again")
	defer clear(again)
	if err == nil && len(first) == 0 {
		err = errors.New("an empty passphrase protects nothing")
	}
	if err == nil && !bytes.Equal(first, again) {
		err = errors.New("the two passphrases differ, and nothing was written")
	}
	if err != nil {
		clear(first)
		return material.Secret{}, err
	}
	return material.NewSecret(first), nil
}

// sealedEscrow is an escrow that was written.
type sealedEscrow struct {
	File             string         `json:"file"`
	ID               string         `json:"id"`
	Profile          escrow.Profile `json:"profile"`
	KeySpec          material.Spec  `json:"key_spec"`
	Fingerprint      string         `json:"fingerprint"`
	ReopenedWith     reopening      `json:"reopened_with"`
	CiphertextSHA256 string         `json:"ciphertext_sha256"`
	Recipients       []string       `json:"recipients,omitempty"`
	Shares           *sealedShares  `json:"shares,omitempty"`
	ShareFiles       []string       `json:"share_files,omitempty"`
}

type sealedShares struct {
	Scheme    escrow.Scheme `json:"scheme"`
	Threshold int           `json:"threshold"`
	Count     int           `json:"count"`
}

func (s *sealedEscrow) describe(f *escrow.File) {
	s.ID, s.Profile, s.KeySpec, s.Fingerprint = f.ID.String(), f.Profile, f.KeySpec, f.Fingerprint
	s.CiphertextSHA256, s.Recipients = f.CiphertextSHA256().String(), f.Recipients
	if f.Shares != nil {
		s.Shares = &sealedShares{f.Shares.Scheme, f.Shares.Threshold, f.Shares.Count}
	}
}

// row is the escrow in the result of a command that made it on its way, and ""
// if that made none.
func (s *sealedEscrow) row() string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf("%s (reopened with %s)", s.File, s.ReopenedWith)
}

func (s *sealedEscrow) text(w io.Writer) { fmt.Fprintln(w, s.ID) }
