// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/material/entropy"
)

type escrowSealOptions struct {
	material keyFile
	spec     material.Spec
	generate bool
	from     randomness // if generated
	sealing  sealing
}

func newEscrowSealCmd(a *app) *cobra.Command {
	var o escrowSealOptions
	c := &cobra.Command{
		Use:   "seal (--material <file> | --generate --spec <spec>) --out <escrow> (--recipient <r> | --passphrase | --quorum <k/n> | --seal-key <file>)",
		Short: "Seal key material into an escrow",
		Long: `Seal key material into an escrow file. With --generate the material is made here
and exists nowhere but in the escrow; dice, coins, files and components go into
it as into keymat generate. Nothing in the file is secret: copy it to as many
places as you like.

--recipient takes what age takes: age1…, age1pq1… (safe from quantum computers),
ssh public keys, recipients of plugins such as age-plugin-yubikey. Any one of
them opens the escrow. --quorum 3/5 seals under a fresh key and makes five
shares of it, of which any three open the escrow; every three of them are tried
before anything is written. --fips uses AES-256-GCM instead of age.

The shares go to --shares-dir, as a card to print each, or with --custodian as
an age file each for the person who will hold it; or with --show-shares to the
screen, one at a time. Print cards from a folder that is in memory only, such as
/dev/shm, and remove them.`,
		Example: `  keymat escrow seal --material app.key --spec SYMMETRIC_DEFAULT --recipient age1… --out app.escrow
  keymat escrow seal --generate --spec RSA_3072 --quorum 3/5 --shares-dir /dev/shm/cards --out app.escrow
  keymat escrow seal --material app.key --spec HMAC_256 --quorum 2/3 --fips --show-shares --out app.escrow`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.escrowSeal(cmd.Context(), o) },
	}
	o.material.register(c, ownMaterial)
	c.Flags().BoolVar(&o.generate, "generate", false, "generate new material, which exists nowhere else")
	specFlag(c, &o.spec, "`spec` of the KMS key that the material is for; key pairs say it themselves")
	o.from.register(c)
	o.sealing.register(c)
	c.MarkFlagsMutuallyExclusive("material", "generate")
	c.MarkFlagsOneRequired("material", "generate")
	return c
}

func (a *app) escrowSeal(ctx context.Context, o escrowSealOptions) error {
	if o.generate && o.spec == "" {
		return usagef("--generate: say for which key spec: --spec SYMMETRIC_DEFAULT")
	}
	if o.generate {
		if len(o.material.unlock.shares) > 0 || o.material.unlock.keyFile != "" {
			return usagef("--share and --open-key open an escrow named with --material")
		}
		o.sealing.identities = o.material.unlock.identities
	}
	if o.from.given() && !o.generate {
		return usagef("dice, coins, files to mix in, components and the record of randomness are for --generate")
	}
	o.from.overwriteRecord = o.sealing.force
	if err := o.from.check(o.spec, o.sealing.out); err != nil {
		return err
	}
	if err := o.sealing.check(); err != nil {
		return err
	}
	m, record, err := a.materialToSeal(ctx, o)
	if err != nil {
		return err
	}
	sealed, err := a.seal(ctx, m, o.sealing)
	if err != nil {
		return err
	}
	if err := a.keepRandomness(o.from, record); err != nil {
		return err
	}
	return a.print(sealed)
}

func (a *app) materialToSeal(ctx context.Context, o escrowSealOptions) (*material.Material, *entropy.Record, error) {
	if o.generate {
		return a.newMaterial(ctx, o.spec, o.from)
	}
	m, err := a.readMaterial(ctx, o.material, o.spec)
	return m, nil, err
}
