// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/wrap"
)

type rotateOptions struct {
	keeping     keeping
	wrapping    wrapping
	lifetime    lifetime
	description string
	swapAlias   string
	dryRun      bool
}

func newRotateCmd(a *app) *cobra.Command {
	var o rotateOptions
	c := &cobra.Command{
		Use:   "rotate <key> (--material <file> | --escrow-to <r> --escrow-out <file> | --out <file>) (--expires <when> | --never-expires)",
		Short: "Rotate a key to new material",
		Long: `Import new material beside the current one, rotate the key on demand, and wait
until KMS has done so, which takes from one to several minutes. A multi-Region
key gets the new material in every Region first. Then a ciphertext of before and
one of after are decrypted, where you are allowed to.

Nothing is imported before there is a copy of the new material: --material,
--escrow-out, --out and --no-escrow mean what they mean for keymat bring.

The old material stays in the key and is needed as long as anything encrypted
under it is: keep its copy. It also keeps its expiry, and when it expires the
whole key stops.

It can be interrupted and run again with the same --material at any time: it
goes on from where it, or any other tool, left off.

KMS rotates symmetric encryption keys only, and each at most 25 times. For other
keys --swap-alias makes a new key with the new material, like the old one in
spec, usage, policy, description and tags, and then moves the alias to it.`,
		Example: `  keymat rotate alias/app --escrow-to age1… --escrow-out app-2.escrow --never-expires
  keymat rotate alias/app --material app-2.key --expires 365d
  keymat rotate alias/signing --swap-alias alias/signing --out signing-2.der --never-expires`,
		Args: oneArg("key"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.rotate(cmd.Context(), args[0], o) },
	}
	o.keeping.register(c)
	o.wrapping.register(c)
	o.lifetime.register(c)
	c.Flags().StringVar(&o.description, "material-description", "", "`text` that describes the new material")
	c.Flags().StringVar(&o.swapAlias, "swap-alias", "", "make a new key and move this `alias` to it, where KMS cannot rotate")
	dryRunFlag(c, &o.dryRun)
	c.MarkFlagsMutuallyExclusive("swap-alias", "material-description")
	return c
}

func (a *app) rotate(ctx context.Context, ref string, o rotateOptions) error {
	if err := o.keeping.check(); err != nil {
		return err
	}
	expiry, err := a.expiry(o.lifetime)
	if err != nil {
		return err
	}
	im, key, err := a.primaryOf(ctx, ref)
	if err != nil {
		return err
	}
	pair, err := o.wrapping.chooseToUse(key.Spec)
	if err != nil {
		return err
	}
	if o.swapAlias != "" {
		return a.swapAlias(ctx, im, key, o, pair, expiry)
	}
	return a.rotateOnDemand(ctx, im, key, o, pair, expiry)
}

// primaryOf finds the key, and of a replica its primary in the Region where
// that is.
func (a *app) primaryOf(ctx context.Context, ref string) (*importer.Importer, importer.Key, error) {
	im, err := a.importer(ctx, ref)
	if err != nil {
		return nil, importer.Key{}, err
	}
	key, err := im.Describe(ctx, ref)
	if err != nil || !key.Replica {
		return im, key, err
	}
	primary := key.Copies[0]
	a.say("%s is a replica: going to its primary in %s", key.ARN, importer.RegionOf(primary))
	if im, err = a.importerIn(ctx, importer.RegionOf(primary)); err != nil {
		return nil, importer.Key{}, err
	}
	key, err = im.Describe(ctx, primary)
	return im, key, err
}

func (a *app) rotateOnDemand(ctx context.Context, im *importer.Importer, key importer.Key, o rotateOptions, pair wrap.Pair, expiry importer.Expiry) error {
	state, err := im.CheckRotation(ctx, key)
	if err != nil {
		return err
	}
	pending, waits := state.Pending()
	if waits && o.keeping.generates() {
		return &importer.PendingError{KeyARN: key.ARN, MaterialID: pending.ID}
	}
	if o.dryRun {
		a.sayRotation(key, state, expiry)
		return a.print(dryRun{keyFields: fieldsOf(key), DryRun: true})
	}
	m, err := a.keptMaterial(ctx, o.keeping, key.Spec)
	if err != nil {
		return err
	}
	done, err := im.Rotate(ctx, key, importer.RotateRequest{Material: m.Material, Pair: pair, Expiry: expiry, Description: o.description})
	if err != nil {
		return m.goOn(err, "")
	}
	if done.Unchanged {
		a.say("this is the current material already: nothing was rotated")
	} else {
		a.say("keep the old material's copy, too: KMS needs it back if it is ever deleted or expires")
	}
	if err := a.print(rotatedOf(done, m.escrow)); err != nil {
		return err
	}
	return noIfNotOpened(done)
}

// sayRotation tells what a rotation would do.
func (a *app) sayRotation(key importer.Key, state importer.Rotation, expiry importer.Expiry) {
	a.say("%s was rotated on demand %d times of %d", key.ARN, state.Used, importer.MaxOnDemandRotations)
	pending, waits := state.Pending()
	switch {
	case !state.Started.IsZero():
		a.say("KMS has been rotating it since %s", seconds(state.Started))
	case waits:
		a.say("material %s waits for rotation; would go on with that, if it is the same", pending.ID)
	default:
		a.say("would import the new material; it %s", a.describeExpiry(expiry))
	}
	for _, arn := range key.Copies {
		if arn != key.ARN {
			a.say("would import it into the replica in %s", importer.RegionOf(arn))
		}
	}
	a.say("would rotate the key on demand, and wait")
}

// rotated is the result of a rotation.
type rotated struct {
	KeyARN    string        `json:"key_arn"`
	Changed   bool          `json:"changed"`
	Resumed   bool          `json:"resumed,omitempty"`
	From      string        `json:"previous_key_material_id,omitempty"`
	To        string        `json:"key_material_id"`
	RotatedAt string        `json:"rotated_at,omitempty"`
	Used      int           `json:"on_demand_rotations"`
	Limit     int           `json:"on_demand_rotations_limit"`
	Regions   []rotatedCopy `json:"regions"`
	Escrow    *sealedEscrow `json:"escrow,omitempty"`
}

type rotatedCopy struct {
	Region  string `json:"region"`
	KeyARN  string `json:"key_arn"`
	Expires string `json:"expires"`
	Opens   string `json:"ciphertexts_open"` // proven, not proven or mismatch
	Reason  string `json:"reason,omitempty"`
}

func rotatedOf(r importer.Rotated, made *sealedEscrow) rotated {
	result := rotated{
		KeyARN:  r.KeyARN,
		Changed: !r.Unchanged,
		Resumed: r.Resumed,
		To:      r.To,
		Used:    r.Used,
		Limit:   importer.MaxOnDemandRotations,
		Escrow:  made,
	}
	if !r.Unchanged {
		result.From, result.RotatedAt = r.From, r.At.Format(time.RFC3339)
	}
	for _, c := range r.Copies {
		result.Regions = append(result.Regions, rotatedCopy{
			Region:  importer.RegionOf(c.Receipt.KeyARN),
			KeyARN:  c.Receipt.KeyARN,
			Expires: c.Receipt.Expiry.String(),
			Opens:   string(c.Opening.Verdict),
			Reason:  c.Opening.Reason,
		})
	}
	return result
}

func (r rotated) text(w io.Writer) {
	fields(w,
		"key", r.KeyARN,
		"material", r.To,
		"before", r.From,
		"rotated", r.RotatedAt,
		"rotations", fmt.Sprintf("%d of %d", r.Used, r.Limit),
		"escrow", r.Escrow.row(),
	)
	for _, c := range r.Regions {
		fmt.Fprintf(w, "%s: expires %s; ciphertexts %s\n", c.Region, c.Expires, c.opens())
	}
}

func (c rotatedCopy) opens() string {
	switch importer.Verdict(c.Opens) {
	case importer.Proven:
		return "of before and after the rotation open"
	case importer.Mismatch:
		return "do not open as they should: " + c.Reason
	}
	return "were not tried: " + c.Reason
}

// errNotOpened is the answer no of a rotation, already told.
var errNotOpened = &cli.NoError{Reason: "a ciphertext did not open as it should"}

func noIfNotOpened(r importer.Rotated) error {
	for _, c := range r.Copies {
		if c.Opening.Verdict == importer.Mismatch {
			return errNotOpened
		}
	}
	return nil
}
