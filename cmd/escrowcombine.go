// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
)

type escrowCombineOptions struct {
	escrow string
	unlock unlocking
	out    string
	force  bool
}

func newEscrowCombineCmd(a *app) *cobra.Command {
	var o escrowCombineOptions
	c := &cobra.Command{
		Use:   "combine [--escrow <escrow>] --out <file>",
		Short: "Get the key of an escrow out of its shares",
		Long: `Put shares together and write the key that they share: 64 hexadecimal digits,
which are the passphrase of the escrow's age file, or its key for AES-256-GCM.
To get at the material, keymat escrow open does it in one step; this is for
opening it with other tools.

With --escrow each share is first compared with its commitment there, so that a
wrong one is named. Without, some wrong shares only show in a key that opens
nothing.`,
		Example: `  keymat escrow combine --escrow app.escrow --share 1.txt --share 4.txt --out app.passphrase
  keymat escrow combine --escrow app.escrow --out -  | other-tool`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.escrowCombine(cmd.Context(), o) },
	}
	c.Flags().StringVar(&o.escrow, "escrow", "", "escrow `file` that the shares open")
	o.unlock.registerShares(c)
	c.Flags().StringVar(&o.out, "out", "", "new `file` for the key; - for standard output, unless that is a terminal")
	forceFlag(c, &o.force)
	require(c, "out")
	return c
}

func (a *app) escrowCombine(ctx context.Context, o escrowCombineOptions) error {
	if err := a.checkSecretOut(o.out, o.force); err != nil {
		return err
	}
	var f *escrow.File // stays nil without --escrow
	if o.escrow != "" {
		var err error
		if f, err = a.readEscrow(o.escrow); err != nil {
			return err
		}
	} else {
		a.warn("without --escrow the shares cannot be compared with what was dealt")
	}
	key, indices, err := a.combine(ctx, f, o.unlock)
	if err != nil {
		return err
	}
	defer key.Destroy()
	line := keyLine(key)
	defer clear(line)
	if o.out == files.Stdin {
		_, err := a.Stdout.Write(line)
		return err
	}
	if err := files.WriteSecret(o.out, line, files.Overwrite(o.force)); err != nil {
		return err
	}
	a.say("wrote the key of shares %d to %s", indices, o.out)
	return a.print(combined{File: o.out, Shares: indices})
}

// keyLine is a key as people and stock tools take it.
func keyLine(key material.Secret) (line []byte) {
	key.Expose(func(b []byte) error {
		line = append(hex.AppendEncode(make([]byte, 0, hex.EncodedLen(len(b))+1), b), '\n')
		return nil
	})
	return line
}

type combined struct {
	File   string `json:"file"`
	Shares []int  `json:"shares"`
}

func (c combined) text(w io.Writer) { fmt.Fprintln(w, c.File) }
