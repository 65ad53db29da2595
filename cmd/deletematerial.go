// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/spf13/cobra"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/inventory"
)

type deleteOptions struct {
	materialID string
	material   keyFile
	escrows    escrowFinder
	dryRun     bool
}

func newDeleteMaterialCmd(a *app) *cobra.Command {
	var o deleteOptions
	c := &cobra.Command{
		Use:   "delete-material <key>",
		Short: "Delete imported material from a KMS key, at once",
		Long: `Delete imported key material. It takes effect at once and cannot be undone: the
key goes to PendingImport, and whatever it encrypted cannot be read until the
same bytes are imported again. The key itself, its policy and aliases remain.

First it says who will notice, as far as KMS tells: when the key was last used,
its aliases, the grants on it, its materials. Then it asks for the key's alias,
or ID if it has none, to be typed; --yes does without.

AWS keeps no copy. With --escrow it says which escrow in a file or folder holds
the material, how that is known, and when it was last drilled. Name a copy with
--material and it is checked first; with key pairs and HMAC keys it is compared
with the key.`,
		Example: `  keymat delete-material alias/app --material app.key
  keymat delete-material alias/app --escrow /mnt/escrow --dry-run`,
		Args: oneArg("key"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.deleteMaterial(cmd.Context(), args[0], o) },
	}
	c.Flags().StringVar(&o.materialID, "material-id", "", "the KeyMaterialId (`ID`) to delete (default: the current one)")
	o.material.register(c, "`file` with your copy, to be checked before anything is deleted")
	o.escrows.register(c)
	dryRunFlag(c, &o.dryRun)
	return c
}

func (a *app) deleteMaterial(ctx context.Context, ref string, o deleteOptions) error {
	if err := o.escrows.look(a); err != nil {
		return err
	}
	im, err := a.importer(ctx, ref)
	if err != nil {
		return err
	}
	key, err := im.Describe(ctx, ref)
	if err != nil {
		return err
	}
	if key.Origin != types.OriginTypeExternal {
		return &importer.OriginError{KeyARN: key.ARN, Origin: key.Origin}
	}
	if err := a.checkCopy(ctx, im, key, o); err != nil {
		return err
	}
	client, err := a.connectIn(ctx, importer.RegionOf(key.ARN))
	if err != nil {
		return err
	}
	d := inventory.Place{KMS: client, Now: a.now, PublicKeys: o.escrows.publicKeys()}.DependentsOf(ctx, key)
	a.sayWhatStops(d, o)
	a.sayWhoNotices(d)
	known := o.escrows.of(d.Item, o.target(key))
	a.sayWhatBringsItBack(known, o)
	if o.dryRun {
		return a.print(deletionOf(d, known, a.now()))
	}
	if err := a.confirmByName(ctx, "This deletes the key material of "+key.ARN, nameToType(ref, d.Item)); err != nil {
		return err
	}
	done, err := im.DeleteMaterial(ctx, key, o.materialID)
	if err != nil {
		return err
	}
	return a.print(deleted{KeyARN: done.KeyARN, MaterialID: done.MaterialID, KeyState: string(done.State), knownEscrows: known})
}

// target is the material that is to be deleted.
func (o deleteOptions) target(key importer.Key) string { return cmp.Or(o.materialID, key.MaterialID) }

// nameToType is what has to be typed: the alias the user named, or another one
// of the key, or its ID.
func nameToType(ref string, i inventory.Item) string {
	if strings.HasPrefix(ref, "alias/") {
		return ref
	}
	return i.Name()
}

// checkCopy compares the user's copy with the key, as far as that goes without
// touching the key, and refuses to go on when it is another one.
func (a *app) checkCopy(ctx context.Context, im *importer.Importer, key importer.Key, o deleteOptions) error {
	if o.material.name == "" {
		return nil
	}
	m, err := a.readMaterial(ctx, o.material, key.Spec)
	if err != nil || key.State != types.KeyStateEnabled {
		return err
	}
	p, err := im.Confirm(ctx, key, m, importer.ConfirmOptions{})
	if err == nil && p.Verdict == importer.Mismatch {
		return fmt.Errorf("%s is no copy, nothing was deleted: %w", o.material.name, errNo)
	}
	return err
}

// sayWhatStops says what the deletion does to the key.
func (a *app) sayWhatStops(d inventory.Dependents, o deleteOptions) {
	key := d.Item.Key
	target := o.target(key)
	for _, m := range d.Item.Materials {
		if m.ID == target && m.Pending() {
			a.say("material %s of %s only waits for rotation: it is forgotten, and the key goes on", m.ID, key.ARN)
			return
		}
	}
	switch {
	case key.State == types.KeyStatePendingImport:
		a.say("%s has no usable material; nothing stops working", key.ARN)
	case target != key.MaterialID:
		a.say("deletes material %s of %s: the whole key stops working at once, although it is not the current one", target, key.ARN)
	default:
		a.say("%s stops working at once: what it encrypted cannot be decrypted, and it signs nothing, until the same material is back", key.ARN)
	}
}

// sayWhoNotices says who uses the key, as far as KMS tells.
func (a *app) sayWhoNotices(d inventory.Dependents) {
	i := d.Item
	if use := detailsOf(i, escrowFinder{}, a.now()).lastUse(); use != "" {
		a.say("last use: %s", use)
	}
	if len(i.Aliases) > 0 {
		a.say("aliases: %s", list(i.Aliases))
	}
	for _, g := range d.Grants {
		a.say("grant: %s may %s", g.Grantee, list(g.Operations))
	}
	if n := len(i.Materials); n > 1 {
		a.say("it has %d materials, and needs them all", n)
	}
	for _, arn := range i.Key.Copies {
		if arn != i.Key.ARN {
			a.say("its copy %s keeps its own material", arn)
		}
	}
	for _, gap := range i.Gaps {
		a.warn("unknown: %s", describeError(gap))
	}
}

// sayWhatBringsItBack says which escrows of the material are known, and how well
// they were tried; or that none is.
func (a *app) sayWhatBringsItBack(known *knownEscrows, o deleteOptions) {
	switch {
	case known != nil && len(known.Escrows) > 0:
		for _, e := range known.Escrows {
			a.say("escrow of this material: %s", e.words())
		}
		a.say("%s", known.Last.words())
		if known.atHand() == 0 {
			a.warn("no file of these escrows is in %s", o.escrows.where())
		}
	case known != nil && o.material.name != "":
		a.say("nothing in %s is known to hold this material; your copy is %s", o.escrows.where(), o.material.name)
	case o.material.name != "": // the copy was checked, and there was nowhere else to look
	case known != nil:
		a.warn("no escrow of this material is known: nothing in %s is known to hold it; without a copy it can never come back", o.escrows.where())
	default:
		a.warn("keymat knows of no copy of this material, for it was not told where to look: --escrow FOLDER; without a copy it can never come back")
	}
}

// deletion is what a dry run of delete-material found.
type deletion struct {
	keyFields
	DryRun  bool     `json:"dry_run"`
	Aliases []string `json:"aliases"`
	Grants  []grant  `json:"grants"`
	*keyStatusDetails
	*knownEscrows // of the material; nil if there was nowhere to look
}

type grant struct {
	ID         string   `json:"grant_id"`
	Name       string   `json:"name,omitempty"`
	Grantee    string   `json:"grantee"`
	Operations []string `json:"operations"`
}

func deletionOf(d inventory.Dependents, known *knownEscrows, now time.Time) deletion {
	result := deletion{
		keyFields:        fieldsOf(d.Item.Key),
		DryRun:           true,
		Aliases:          append([]string{}, d.Item.Aliases...),
		Grants:           []grant{},
		keyStatusDetails: detailsOf(d.Item, escrowFinder{}, now),
		knownEscrows:     known,
	}
	for _, g := range d.Grants {
		result.Grants = append(result.Grants, grant{ID: g.ID, Name: g.Name, Grantee: g.Grantee, Operations: g.Operations})
	}
	return result
}

func (d deletion) text(w io.Writer) {
	dryRun{keyFields: d.keyFields}.text(w)
}

type deleted struct {
	KeyARN     string `json:"key_arn"`
	MaterialID string `json:"key_material_id,omitempty"`
	KeyState   string `json:"key_state"`
	*knownEscrows
}

func (d deleted) text(w io.Writer) {
	fields(w, "key", d.KeyARN, "deleted", d.MaterialID, "state", d.KeyState)
}
