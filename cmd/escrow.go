// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"

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
		Example: `  keymat escrow seal --generate --spec SYMMETRIC_DEFAULT --recipient age1… --out app.escrow
  keymat escrow drill app.escrow --offline --identity ops.age`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newEscrowSealCmd(a), newEscrowOpenCmd(a), newEscrowSplitCmd(a), newEscrowCombineCmd(a), newEscrowDrillCmd(a))
	return c
}

// readEscrow reads an escrow file.
func (a *app) readEscrow(name string) (*escrow.File, error) {
	data, err := files.ReadLimited(name, a.Stdin, escrow.MaxFile)
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

// stageEscrow writes an escrow that has yet to be tried.
func stageEscrow(name string, f *escrow.File, o files.Overwrite) (*files.Staged, error) {
	var b bytes.Buffer
	if err := f.Encode(&b); err != nil {
		return nil, err
	}
	return files.StagePublic(name, b.Bytes(), o)
}
