// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"

	"github.com/spf13/cobra"
)

type escrowSplitOptions struct {
	escrow  string
	unlock  unlocking
	sealing sealing
}

func newEscrowSplitCmd(a *app) *cobra.Command {
	var o escrowSplitOptions
	c := &cobra.Command{
		Use:   "split <escrow> --quorum <k/n> --out <new escrow>",
		Short: "Seal the material of an escrow anew, for other people",
		Long: `Open an escrow and seal its material again, under a fresh key with fresh shares,
or for other recipients: when a custodian leaves, when shares were seen, or to
go from one person to a quorum. The material is never written anywhere.

The old escrow stays what it was, and the old shares go on opening it. Destroy
both once the new escrow was opened with the new shares.`,
		Example: `  keymat escrow split app.escrow --quorum 3/5 --shares-dir /dev/shm/cards --out app2.escrow
  keymat escrow split app.escrow --identity key.txt --quorum 2/3 --custodian age1… --custodian age1… --custodian age1… --shares-dir . --out app2.escrow`,
		Args: oneArg("escrow"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.escrow = args[0]
			return a.escrowSplit(cmd.Context(), o)
		},
	}
	o.unlock.register(c)
	o.sealing.register(c)
	return c
}

func (a *app) escrowSplit(ctx context.Context, o escrowSplitOptions) error {
	if err := o.sealing.check(); err != nil {
		return err
	}
	old, err := a.readEscrow(o.escrow)
	if err != nil {
		return err
	}
	m, err := a.openEscrow(ctx, o.escrow, old, o.unlock)
	if err != nil {
		return err
	}
	sealed, err := a.seal(ctx, m, o.sealing)
	if err != nil {
		return err
	}
	a.say("%s opens as before: destroy it and its shares once the new ones have opened %s", o.escrow, o.sealing.out)
	return a.print(sealed)
}
