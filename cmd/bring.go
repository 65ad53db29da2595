// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

type bringOptions struct {
	newKey   newKey
	key      string
	material keyFile
	out      string
	noEscrow bool
	replicas []string
	wrapping wrapping
	lifetime lifetime
	kind     importKind
	dryRun   bool
}

func newBringCmd(a *app) *cobra.Command {
	o := bringOptions{newKey: newKey{spec: material.SymmetricDefault}}
	c := &cobra.Command{
		Use:   "bring (--material <file> | --out <file> | --no-escrow) (--expires <when> | --never-expires)",
		Short: "Bring material into KMS in one command",
		Long: `Do the whole procedure: take material from a file, or generate it and keep it in
a new one; create a KMS key, or take the one named by --key; fetch a wrapping
key and import token; wrap; import; and confirm.

Nothing is imported before a copy of the material exists that you can bring it
back from: --material names one, --out makes one. --no-escrow does without;
when such material is deleted or expires, all that was encrypted under it is
lost for good.

--replica makes the key a multi-Region key, and brings the same material into
its replicas. It can be run again with --key to go on where it ended, or to add
a Region.`,
		Example: `  keymat bring --alias alias/app --out app.key --never-expires
  keymat bring --alias alias/signing --material signing.der --spec RSA_3072 --expires 365d
  keymat bring --key alias/app --material app.key --expires 90d
  keymat bring --alias alias/app --out app.key --never-expires --replica us-east-1,eu-west-1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.bring(cmd.Context(), o) },
	}
	o.newKey.register(c)
	c.Flags().StringVar(&o.key, "key", "", "existing `key` to bring the material into, instead of a new one")
	o.material.register(c, ownMaterial)
	c.Flags().StringVar(&o.out, "out", "", "generate the material and keep it in this new `file`")
	c.Flags().BoolVar(&o.noEscrow, "no-escrow", false, "generate the material and keep no copy at all")
	c.Flags().StringSliceVar(&o.replicas, "replica", nil, "also into a replica in each of these `Regions`, which is made if need be")
	o.wrapping.register(c)
	o.lifetime.register(c)
	o.kind.register(c)
	dryRunFlag(c, &o.dryRun)
	c.MarkFlagsMutuallyExclusive("material", "out", "no-escrow")
	c.MarkFlagsMutuallyExclusive("new", "replica")
	for _, only := range []string{"alias", "usage", "multi-region", "description", "tag", "spec"} {
		c.MarkFlagsMutuallyExclusive("key", only)
	}
	return c
}

func (a *app) bring(ctx context.Context, o bringOptions) error {
	if o.material.name == "" && o.out == "" && !o.noEscrow {
		return usagef("say where the material is, or is to be kept: --material FILE, --out FILE to generate it, or --no-escrow")
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
	m, err := a.materialToBring(ctx, o, spec)
	if err != nil {
		return err
	}
	if o.key == "" {
		if key, err = im.Create(ctx, create); err != nil {
			return err
		}
	}
	got, proven, err := im.Bring(ctx, key, m, pair, request)
	if err != nil {
		return leftBehind(o, key, err)
	}
	result := brought{receipt: receiptOf(got, proofOf(proven))}
	failed := noIfMismatch(proven)
	if failed == nil {
		result.Replicas, failed = a.bringReplicas(ctx, im, got, o.replicas, m, pair)
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

// materialToBring reads or generates the material. When it returns, a copy
// exists on disk, unless the user wants none.
func (a *app) materialToBring(ctx context.Context, o bringOptions, spec material.Spec) (*material.Material, error) {
	if o.material.name != "" || o.out != "" {
		return a.keptMaterial(ctx, o.material, o.out, spec)
	}
	if err := a.confirm(ctx, "Import material of which no copy is kept anywhere"); err != nil {
		return nil, err
	}
	m, err := a.generateMaterial(spec)
	if err != nil {
		return nil, err
	}
	a.warn("no copy of this material is kept: once deleted or expired it can never come back")
	return m, nil
}

func (a *app) bringDryRun(o bringOptions, key importer.Key, spec material.Spec, expiry importer.Expiry) error {
	switch {
	case o.material.name != "":
		a.say("would read %s material from %s", spec, o.material.name)
	case o.out != "":
		a.say("would generate %s material and keep it in %s", spec, o.out)
	default:
		a.say("would generate %s material and keep no copy", spec)
	}
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
