// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/files"
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
	c.AddCommand(newEscrowSealCmd(a), newEscrowOpenCmd(a), newEscrowSplitCmd(a), newEscrowCombineCmd(a), newEscrowDrillCmd(a))
	return c
}

// readEscrow reads an escrow file.
func (a *app) readEscrow(name string) (*escrow.File, error) {
	data, err := files.ReadLimited(name, a.env.Stdin, escrow.MaxFile)
	if err != nil {
		return nil, err
	}
	return parseEscrow(name, data)
}

func parseEscrow(name string, data []byte) (*escrow.File, error) {
	f, err := escrow.Read(bytes.NewReader(data))
	if err != nil {
		return nil, inFile(name, err)
	}
	return f, nil
}

// writeEscrow keeps an escrow in a file.
func writeEscrow(name string, f *escrow.File, o files.Overwrite) error {
	var b bytes.Buffer
	if err := f.Encode(&b); err != nil {
		return err
	}
	return files.WritePublic(name, b.Bytes(), o)
}

// readBack reads a file again from where it was written to.
func readBack(name string, want []byte) error {
	kept, err := files.ReadBack(name, int64(len(want))+1)
	defer clear(kept)
	if err == nil && !bytes.Equal(kept, want) {
		err = fmt.Errorf("%s reads back differently from what was written", name)
	}
	return err
}
