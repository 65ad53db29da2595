// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/spf13/cobra"

	"github.com/keymat/keymat/importer"
)

type deleteOptions struct {
	materialID string
	material   keyFile
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

AWS keeps no copy. Name yours with --material and it is checked first; with key
pairs and HMAC keys it is compared with the key.`,
		Example: `  keymat delete-material alias/app --material app.key
  keymat delete-material alias/app --dry-run`,
		Args: oneArg("key"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.deleteMaterial(cmd.Context(), args[0], o) },
	}
	c.Flags().StringVar(&o.materialID, "material-id", "", "the KeyMaterialId (`ID`) to delete (default: the current one)")
	o.material.register(c, "`file` with your copy, to be checked before anything is deleted")
	dryRunFlag(c, &o.dryRun)
	return c
}

func (a *app) deleteMaterial(ctx context.Context, ref string, o deleteOptions) error {
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
	a.sayWhatStops(key, o)
	if o.dryRun {
		return a.print(dryRun{keyFields: fieldsOf(key), DryRun: true})
	}
	if err := a.confirm(ctx, "Delete the key material of "+ref); err != nil {
		return err
	}
	done, err := im.DeleteMaterial(ctx, key, o.materialID)
	if err != nil {
		return err
	}
	return a.print(deleted{KeyARN: done.KeyARN, MaterialID: done.MaterialID, KeyState: string(done.State)})
}

// checkCopy compares the user's copy with the key, as far as that goes without
// touching the key, and refuses to go on when it is another one.
func (a *app) checkCopy(ctx context.Context, im *importer.Importer, key importer.Key, o deleteOptions) error {
	if o.material.name == "" {
		a.warn("keymat knows of no copy of this material; without one it can never come back")
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

func (a *app) sayWhatStops(key importer.Key, o deleteOptions) {
	switch {
	case o.materialID != "" && o.materialID != key.MaterialID:
		a.say("deletes material %s of %s: unless it was only waiting for rotation, the whole key stops working at once", o.materialID, key.ARN)
	case key.State == types.KeyStatePendingImport:
		a.say("%s has no usable material; nothing stops working", key.ARN)
	default:
		a.say("%s stops working at once: what it encrypted cannot be decrypted, and it signs nothing, until the same material is back", key.ARN)
	}
}

type deleted struct {
	KeyARN     string `json:"key_arn"`
	MaterialID string `json:"key_material_id,omitempty"`
	KeyState   string `json:"key_state"`
}

func (d deleted) text(w io.Writer) {
	fields(w, "key", d.KeyARN, "deleted", d.MaterialID, "state", d.KeyState)
}
