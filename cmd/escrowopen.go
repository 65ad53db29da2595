// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/material"
)

type escrowOpenOptions struct {
	escrow string
	unlock unlocking
	out    string
	force  bool
}

func newEscrowOpenCmd(a *app) *cobra.Command {
	var o escrowOpenOptions
	c := &cobra.Command{
		Use:   "open <escrow> --out <file>",
		Short: "Get the material out of an escrow",
		Long: `Get the material out of an escrow, and write it to a new file that only you can
read: raw bytes, or PKCS #8 DER for key pairs. What the header says, the
fingerprint above all, is checked against what was sealed.

What opens the escrow is given with --identity, --share or --open-key; what is
missing is asked for: a passphrase, or the shares, word by word. Four letters of
a word are enough; - takes the last word back.

Most commands that take --material take the escrow itself, so that there need
not be a file of the material at all.`,
		Example: `  keymat escrow open app.escrow --identity ~/.config/age/key.txt --out app.key
  keymat escrow open app.escrow --out app.key
  keymat escrow open app.escrow --share 1.txt --share 4.txt --share 5.txt --out - | next-command`,
		Args: oneArg("escrow"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.escrow = args[0]
			return a.escrowOpen(cmd.Context(), o)
		},
	}
	o.unlock.register(c)
	c.Flags().StringVar(&o.out, "out", "", "new `file` for the material; - for standard output, unless that is a terminal")
	forceFlag(c, &o.force)
	require(c, "out")
	return c
}

func (a *app) escrowOpen(ctx context.Context, o escrowOpenOptions) error {
	if err := a.checkSecretOut(o.out, o.force); err != nil {
		return err
	}
	f, err := a.readEscrow(o.escrow)
	if err != nil {
		return err
	}
	m, err := a.openEscrow(ctx, o.escrow, f, o.unlock)
	if err != nil {
		return err
	}
	a.say("opened %s: %s material with the fingerprint %s", o.escrow, m.Spec(), m.Fingerprint())
	if o.out == files.Stdin {
		return m.Secret().Expose(func(b []byte) error { _, err := a.Stdout.Write(b); return err })
	}
	if err := a.writeMaterial(o.out, m, files.Overwrite(o.force)); err != nil {
		return err
	}
	return a.print(openedEscrow{Escrow: o.escrow, ID: f.ID.String(), KeySpec: m.Spec(), Fingerprint: f.Fingerprint, File: o.out, Bytes: m.Secret().Len()})
}

// checkSecretOut finds what would stop a secret from being written: a terminal
// above all.
func (a *app) checkSecretOut(out string, force bool) error {
	if out != files.Stdin {
		return files.Check(out, files.Overwrite(force))
	}
	if a.JSON {
		return usagef("--out - and --json both want standard output")
	}
	if term.IsTerminal(a.Stdout) {
		return usagef("a secret is not shown on a terminal: name a file, or pipe it somewhere")
	}
	return nil
}

// openEscrow opens an escrow with what was given, and asks for the rest.
func (a *app) openEscrow(ctx context.Context, name string, f *escrow.File, u unlocking) (*material.Material, error) {
	m, err := a.unlock(ctx, name, f, u)
	if err != nil {
		return nil, inFile(name, err)
	}
	a.AtEnd(func() error { m.Destroy(); return nil })
	return m, nil
}

type openedEscrow struct {
	Escrow      string        `json:"escrow"`
	ID          string        `json:"id"`
	KeySpec     material.Spec `json:"key_spec"`
	Fingerprint string        `json:"fingerprint"`
	File        string        `json:"file"`
	Bytes       int           `json:"bytes"`
}

func (o openedEscrow) text(w io.Writer) { fmt.Fprintln(w, o.Fingerprint) }
