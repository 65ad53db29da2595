// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
)

func newEscrowCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "escrow",
		Short: "Keep the copy that brings a key back",
		Long: `Seal key material into an escrow: a file that may be copied freely and that only
its recipients, a passphrase, or enough people with shares of a key can open,
with keymat or without. AWS never gives imported material back, so an escrow is
the only way back to a key whose material was deleted or has expired.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newEscrowSealCmd(a), newEscrowOpenCmd(a), newEscrowSplitCmd(a), newEscrowCombineCmd(a))
	return c
}

// readEscrow reads an escrow file.
func (a *app) readEscrow(name string) (*escrow.File, error) {
	data, err := files.ReadLimited(name, a.env.Stdin, escrow.MaxFile)
	if err != nil {
		return nil, err
	}
	f, err := escrow.Read(bytes.NewReader(data))
	if err != nil {
		return nil, inFile(name, err)
	}
	return f, nil
}

// writeEscrow keeps an escrow in a new file, and reads it back: from here on
// others rely on this copy.
func (a *app) writeEscrow(name string, f *escrow.File, force bool) error {
	var b bytes.Buffer
	if err := f.Encode(&b); err != nil {
		return err
	}
	if err := files.WritePublic(name, b.Bytes(), files.Overwrite(force)); err != nil {
		return err
	}
	return a.readBack(name, b.Bytes())
}

// readBack reads a file again from where it was written to.
func (a *app) readBack(name string, want []byte) error {
	kept, err := files.ReadLimited(name, nil, int64(len(want))+1)
	defer clear(kept)
	if err == nil && !bytes.Equal(kept, want) {
		err = fmt.Errorf("%s reads back differently from what was written", name)
	}
	return err
}

// sealing is what commands that make an escrow have in common.
type sealing struct {
	out     string
	to      addressees
	ask     bool // for a passphrase
	quorum  quorum
	keyFile string
	force   bool
}

func (s *sealing) register(c *cobra.Command) {
	c.Flags().StringVar(&s.out, "out", "", "new `file` for the escrow")
	s.to.register(c)
	c.Flags().BoolVar(&s.ask, "passphrase", false, "ask for a passphrase that opens the escrow")
	s.quorum.register(c)
	c.Flags().StringVar(&s.keyFile, "seal-key", "", "seal with AES-256-GCM under the key in this `file`: 32 bytes, or 64 hexadecimal digits")
	forceFlag(c, &s.force)
	require(c, "out")
}

// check finds what would stop the command before there is a secret.
func (s *sealing) check() error {
	chosen := 0
	for _, given := range []bool{s.to.given(), s.ask, s.quorum.of != "", s.keyFile != ""} {
		if given {
			chosen++
		}
	}
	if chosen != 1 {
		return usagef("say who can open the escrow, in one way: --recipient R, --passphrase, --quorum 3/5 or --seal-key FILE")
	}
	if err := s.quorum.check(); err != nil {
		return err
	}
	return files.Check(s.out, files.Overwrite(s.force))
}

// seal seals m, and writes first the shares, if there are any, and then the
// escrow: where there is an escrow, there is a way to open it.
func (a *app) seal(ctx context.Context, m *material.Material, s sealing) (*sealedEscrow, error) {
	result := &sealedEscrow{File: s.out}
	f, shares, err := a.sealFile(ctx, m, s)
	if err != nil {
		return nil, err
	}
	if shares != nil {
		a.say("sealed under a fresh key, which each %d of %d shares gave back", f.Shares.Threshold, f.Shares.Count)
		if result.ShareFiles, err = a.handOut(ctx, f, shares, s.quorum); err != nil {
			return nil, err
		}
	}
	if err := a.writeEscrow(s.out, f, s.force); err != nil {
		if _, missing := os.Lstat(s.out); errors.Is(missing, fs.ErrNotExist) {
			removeAll(result.ShareFiles) // they open nothing
		}
		return nil, err
	}
	result.describe(f)
	a.say("wrote the escrow %s of %s material (fingerprint %s) to %s, and read it back", f.ID, f.KeySpec, f.Fingerprint, s.out)
	return result, nil
}

func (a *app) sealFile(ctx context.Context, m *material.Material, s sealing) (*escrow.File, []escrow.Share, error) {
	created := time.Now()
	switch {
	case s.to.given():
		to, err := a.recipients(ctx, s.to)
		if err != nil {
			return nil, nil, err
		}
		f, err := escrow.SealTo(m, created, to)
		return f, nil, err
	case s.ask:
		passphrase, err := a.newPassphrase(ctx)
		if err != nil {
			return nil, nil, err
		}
		defer passphrase.Destroy()
		defer a.busy("stretching the passphrase")()
		f, err := escrow.SealPassphrase(m, created, passphrase)
		return f, nil, err
	case s.keyFile != "":
		key, err := a.readKey(s.keyFile)
		if err != nil {
			return nil, nil, err
		}
		defer key.Destroy()
		f, err := escrow.SealKey(m, created, key)
		return f, nil, err
	}
	plan, err := s.quorum.plan()
	if err != nil {
		return nil, nil, err
	}
	defer a.busy("sharing a fresh key")()
	return escrow.SealQuorum(m, created, plan)
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

func (s *sealedEscrow) text(w io.Writer) { fmt.Fprintln(w, s.ID) }
