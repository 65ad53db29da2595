// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/importer"
)

type reimportOptions struct {
	material   keyFile
	materialID string
	wrapping   wrapping
	lifetime   lifetime
	dryRun     bool
}

func newReimportCmd(a *app) *cobra.Command {
	var o reimportOptions
	c := &cobra.Command{
		Use:   "reimport <key> --material <file> (--expires <when> | --never-expires)",
		Short: "Bring back material that was deleted or has expired",
		Long: `Import the same material again: after it was deleted or has expired, or to give
it another expiry. KMS takes back only the bytes the key had.

It can be run at any time and any number of times. When the material is there
and expires as asked it says so, changes nothing and succeeds. A date is met by
the same second; a duration while at least 95 % of it is left.`,
		Example: `  keymat reimport alias/app --material app.key --expires 90d
  keymat reimport alias/app --material app.key --never-expires --json`,
		Args: oneArg("key"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.reimport(cmd.Context(), args[0], o) },
	}
	o.material.register(c, ownMaterial)
	c.Flags().StringVar(&o.materialID, "material-id", "", "the KeyMaterialId (`ID`) this has to be (symmetric keys)")
	o.wrapping.register(c)
	o.lifetime.register(c)
	dryRunFlag(c, &o.dryRun)
	require(c, "material")
	return c
}

func (a *app) reimport(ctx context.Context, ref string, o reimportOptions) error {
	expiry, err := a.expiry(o.lifetime)
	if err != nil {
		return err
	}
	on, err := a.pairUp(ctx, ref, o.material, o.wrapping)
	if err != nil {
		return err
	}
	request := importer.ImportRequest{Expiry: expiry, MaterialID: o.materialID}
	if o.dryRun {
		a.say("%s is in state %s, its material %s; would make it one that %s", on.key.ARN, on.key.State, on.key.Expiry, a.describeExpiry(expiry))
		return a.print(dryRun{keyFields: fieldsOf(on.key), DryRun: true})
	}
	done, err := on.Reimport(ctx, on.key, on.material, on.wrapping, request)
	if err != nil {
		return err
	}
	if done.Unchanged {
		a.say("the material is there and expires as asked: nothing to do")
	}
	if err := a.print(reimportedOf(on.key, done)); err != nil {
		return err
	}
	return noIfMismatch(done.Proof)
}

type reimported struct {
	Changed bool `json:"changed"`
	receipt
}

func reimportedOf(key importer.Key, r importer.Reimported) reimported {
	if r.Unchanged || r.Proof.Verdict == importer.Mismatch {
		r.Receipt = importer.Receipt{KeyARN: key.ARN, KeySpec: key.Spec, MaterialID: key.MaterialID, Expiry: key.Expiry, State: key.State}
		return reimported{receipt: receiptOf(r.Receipt, proofOf(r.Proof))}
	}
	return reimported{Changed: true, receipt: receiptOf(r.Receipt, proofOf(r.Proof))}
}

func (r reimported) text(w io.Writer) { r.receipt.text(w) }
