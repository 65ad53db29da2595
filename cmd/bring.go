// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

type bringOptions struct {
	newKey   newKey
	key      string
	keeping  keeping
	replicas []string
	wrapping wrapping
	lifetime lifetime
	kind     importKind
	dryRun   bool
}

func newBringCmd(a *app) *cobra.Command {
	o := bringOptions{newKey: newKey{spec: material.SymmetricDefault}}
	c := &cobra.Command{
		Use:   "bring (--material <file> | --escrow-to <r> --escrow-out <file> | --out <file> | --no-escrow) (--expires <when> | --never-expires)",
		Short: "Bring material into KMS in one command",
		Long: `Do the whole procedure: take material from a file, or generate it and keep a copy
of it; create a KMS key, or take the one named by --key; fetch a wrapping key
and import token; wrap; import; and confirm.

Nothing is created or imported before a copy of the material exists that you can
bring it back from: --material names one, an escrow or a file as it is. Of
material that is generated here --escrow-out makes one, an escrow for whoever is
named with --escrow-to, --passphrase, --quorum or --seal-key, as keymat escrow
seal makes it: it is written, read back from its medium and opened again, or
nothing more happens. --identity tries the identity of a recipient on it. --out
keeps the material as it is, in a file. --no-escrow does without a copy; when such
material is deleted or expires, all that was encrypted under it is lost for good.

--replica makes the key a multi-Region key, and brings the same material into
its replicas. It can be run again with --key to go on where it ended, or to add
a Region.`,
		Example: `  keymat bring --alias alias/app --escrow-to age1… --escrow-out app.escrow --never-expires
  keymat bring --alias alias/app --quorum 3/5 --shares-dir /dev/shm/cards --escrow-out app.escrow --expires 90d
  keymat bring --alias alias/signing --material signing.der --spec RSA_3072 --expires 365d
  keymat bring --key alias/app --material app.key --expires 90d
  keymat bring --alias alias/app --escrow-to age1… --escrow-out app.escrow --never-expires --replica us-east-1,eu-west-1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.bring(cmd.Context(), o) },
	}
	o.newKey.register(c)
	c.Flags().StringVar(&o.key, "key", "", "existing `key` to bring the material into, instead of a new one")
	o.keeping.register(c)
	c.Flags().StringSliceVar(&o.replicas, "replica", nil, "also into a replica in each of these `Regions`, which is made if need be")
	o.wrapping.register(c)
	o.lifetime.register(c)
	o.kind.register(c)
	dryRunFlag(c, &o.dryRun)
	c.MarkFlagsMutuallyExclusive("new", "replica")
	for _, only := range []string{"alias", "usage", "multi-region", "description", "tag", "spec"} {
		c.MarkFlagsMutuallyExclusive("key", only)
	}
	return c
}

func (a *app) bring(ctx context.Context, o bringOptions) error {
	if err := o.keeping.check(); err != nil {
		return err
	}
	expiry, err := a.expiry(o.lifetime)
	if err != nil {
		return err
	}
	create, err := o.newKey.request()
	if err != nil {
		return err
	}
	create.MultiRegion = create.MultiRegion || len(o.replicas) > 0
	im, err := a.importer(ctx, o.key)
	if err != nil {
		return err
	}
	var key importer.Key // stays zero until created
	spec := o.newKey.spec
	if o.key != "" {
		if key, err = im.Describe(ctx, o.key); err != nil {
			return err
		}
		spec = key.Spec
		if len(o.replicas) > 0 && !key.MultiRegion {
			return &importer.SingleRegionError{KeyARN: key.ARN}
		}
	}
	pair, err := o.wrapping.chooseToUse(spec)
	if err != nil {
		return err
	}
	request := o.kind.request(expiry)
	if err := request.CheckFor(spec); err != nil {
		return err
	}
	if o.dryRun {
		return a.bringDryRun(o, key, spec, expiry)
	}
	if err := im.CheckAliasFree(ctx, create.Alias); err != nil { // before shares are dealt
		return err
	}
	m, err := a.keptMaterial(ctx, o.keeping, spec)
	if err != nil {
		return err
	}
	if o.key == "" {
		if key, err = im.Create(ctx, create); err != nil {
			return m.goOn(err, "")
		}
	}
	got, proven, err := im.Bring(ctx, key, m.Material, pair, request)
	if err != nil {
		return m.goOn(leftBehind(o, key, err), fmt.Sprintf("--key %s ", key.ARN))
	}
	result := brought{receipt: receiptOf(got, proofOf(proven)), Escrow: m.escrow}
	failed := noIfMismatch(proven)
	if failed == nil {
		result.Replicas, failed = a.bringReplicas(ctx, im, got, o.replicas, m.Material, pair)
	}
	if err := a.print(result); err != nil {
		return err
	}
	return failed
}

// leftBehind says of an error after the key was created that the key remains.
func leftBehind(o bringOptions, key importer.Key, err error) error {
	if o.key != "" {
		return err
	}
	return &importer.UnfinishedError{KeyARN: key.ARN, Err: err}
}

func (a *app) bringDryRun(o bringOptions, key importer.Key, spec material.Spec, expiry importer.Expiry) error {
	a.tellKeeping(o.keeping, spec)
	if o.key == "" {
		a.say("would create a %s key", spec)
		key = importer.Key{Spec: spec}
	}
	for _, region := range o.replicas {
		a.say("would bring it into a replica in %s", region)
	}
	a.say("would fetch, wrap and import the material; it %s", a.describeExpiry(expiry))
	return a.print(dryRun{keyFields: fieldsOf(key), DryRun: true})
}
