// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/importer"
)

// reimportOptions are those of reimport and renew.
type reimportOptions struct {
	material   keyFile
	materialID string
	wrapping   wrapping
	lifetime   lifetime
	allRegions bool
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
the same second; a duration while at least 95 % of it is left.

For a symmetric key the expected KeyMaterialId is always sent: that of the
material that is missing, or of the current one, or the one you name.`,
		Example: `  keymat reimport alias/app --material app.key --expires 90d
  keymat reimport alias/app --material app.escrow --identity ops.age --expires 90d
  keymat reimport alias/app --material app.key --never-expires --json
  keymat reimport alias/app --material app.key --expires 90d --all-regions`,
		Args: oneArg("key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.reimport(cmd.Context(), args[0], o)
		},
	}
	o.register(c)
	return c
}

func (o *reimportOptions) register(c *cobra.Command) {
	o.material.register(c, ownMaterial)
	c.Flags().StringVar(&o.materialID, "material-id", "", "the KeyMaterialId (`ID`) this has to be (symmetric keys)")
	o.wrapping.register(c)
	o.lifetime.register(c)
	c.Flags().BoolVar(&o.allRegions, "all-regions", false, "in every copy of a multi-Region key")
	dryRunFlag(c, &o.dryRun)
	require(c, "material")
}

func (a *app) reimport(ctx context.Context, ref string, o reimportOptions) error {
	on, request, err := a.prepareAgain(ctx, ref, o)
	switch {
	case err != nil:
		return err
	case o.dryRun:
		return a.reimportDryRun(ctx, on, o, request.Expiry)
	case o.allRegions:
		return a.printEverywhere(on.ReimportEverywhere(ctx, on.key, on.material, on.wrapping, request))
	}
	done, err := on.Reimport(ctx, on.key, on.material, on.wrapping, request)
	if err != nil {
		return err
	}
	if done.Unchanged {
		a.say("the material is there and expires as asked: nothing to do")
	}
	return a.printAgain(on.key, done)
}

// prepareAgain finds the key and reads the material.
func (a *app) prepareAgain(ctx context.Context, ref string, o reimportOptions) (on keyAndMaterial, r importer.ImportRequest, err error) {
	if r.Expiry, err = a.expiry(o.lifetime); err != nil {
		return on, r, err
	}
	r.MaterialID = o.materialID
	on, err = a.pairUp(ctx, ref, o.material, o.wrapping)
	return on, r, err
}

func (a *app) printAgain(key importer.Key, done importer.Reimported) error {
	if err := a.print(reimportedOf(key, done)); err != nil {
		return err
	}
	return noIfMismatch(done.Proof)
}

func (a *app) reimportDryRun(ctx context.Context, on keyAndMaterial, o reimportOptions, expiry importer.Expiry) error {
	copies := []importer.Copy{{Key: on.key}}
	if o.allRegions {
		copies = on.CopiesOf(ctx, on.key)
	}
	for _, c := range copies {
		if c.Err != nil {
			return c.Err
		}
		a.say("%s is in state %s, its material %s; would make it one that %s", c.Key.ARN, c.Key.State, c.Key.Expiry, a.describeExpiry(expiry))
	}
	return a.print(dryRun{keyFields: fieldsOf(on.key), DryRun: true})
}

// printEverywhere prints what became of the material in every Region.
func (a *app) printEverywhere(copies []importer.ReimportedCopy) error {
	var result reimportedEverywhere
	var failed error
	for _, c := range copies {
		region := reimportedRegion{Region: importer.RegionOf(c.Copy.Key.ARN)}
		switch {
		case c.Err != nil:
			region.reimported = reimported{receipt: receipt{KeyARN: c.Copy.Key.ARN}}
			region.Error = describeError(c.Err)
			failed = firstOf(failed, c.Err)
		default:
			region.reimported = reimportedOf(c.Copy.Key, c.Reimported)
			failed = firstOf(failed, noIfMismatch(c.Reimported.Proof))
			result.done++
		}
		result.Regions = append(result.Regions, region)
	}
	if err := a.print(result); err != nil {
		return err
	}
	if failed != nil && result.done > 0 {
		return &partlyError{err: failed}
	}
	return failed
}

func firstOf(first, next error) error {
	if first != nil {
		return first
	}
	return next
}

// partlyError is what went wrong where other things went well: exit code 4.
type partlyError struct{ err error }

func (e *partlyError) Error() string { return "partly done: " + e.err.Error() }
func (e *partlyError) Unwrap() error { return e.err }

type reimported struct {
	Changed bool `json:"changed"`
	receipt
}

func reimportedOf(key importer.Key, r importer.Reimported) reimported {
	if r.Unchanged || r.Proof.Verdict == importer.Mismatch {
		r.Receipt = importer.Receipt{KeyARN: key.ARN, KeySpec: key.Spec, MaterialID: r.Proof.MaterialID, Expiry: r.Expiry, State: key.State}
		return reimported{receipt: receiptOf(r.Receipt, proofOf(r.Proof))}
	}
	return reimported{Changed: true, receipt: receiptOf(r.Receipt, proofOf(r.Proof))}
}

func (r reimported) text(w io.Writer) { r.receipt.text(w) }

// reimportedEverywhere is the result for a key with all its copies.
type reimportedEverywhere struct {
	Regions []reimportedRegion `json:"regions"`
	done    int
}

type reimportedRegion struct {
	Region string `json:"region"`
	reimported
	Error string `json:"error,omitempty"`
}

func (r reimportedEverywhere) text(w io.Writer) {
	for n, region := range r.Regions {
		if n > 0 {
			fmt.Fprintln(w)
		}
		if region.Error != "" {
			fields(w, "key", region.KeyARN, "error", region.Error)
			continue
		}
		region.reimported.text(w)
	}
}
