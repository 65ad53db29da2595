// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/spf13/cobra"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/token"
)

type importOptions struct {
	wrapped   string
	params    string
	encrypted string
	lifetime  lifetime
	kind      importKind
	dryRun    bool
}

// importKind are the options that KMS takes for symmetric encryption keys only.
type importKind struct {
	isNew, existing bool
	materialID      string
	description     string
}

func (k *importKind) register(c *cobra.Command) {
	c.Flags().BoolVar(&k.isNew, "new", false, "the material is new to a key that has some already; it waits for a rotation (symmetric keys)")
	c.Flags().BoolVar(&k.existing, "existing", false, "the material has to be one the key already had (symmetric keys)")
	c.Flags().StringVar(&k.materialID, "material-id", "", "the KeyMaterialId (`ID`) this has to be (symmetric keys)")
	c.Flags().StringVar(&k.description, "material-description", "", "`text` that describes the material (symmetric keys)")
	c.MarkFlagsMutuallyExclusive("new", "existing")
	c.MarkFlagsMutuallyExclusive("new", "material-id")
}

func (k importKind) request(e importer.Expiry) importer.ImportRequest {
	r := importer.ImportRequest{Expiry: e, MaterialID: k.materialID, Description: k.description}
	switch {
	case k.isNew:
		r.Type = types.ImportTypeNewKeyMaterial
	case k.existing:
		r.Type = types.ImportTypeExistingKeyMaterial
	}
	return r
}

func newImportCmd(a *app) *cobra.Command {
	var o importOptions
	c := &cobra.Command{
		Use:   "import --wrapped <wrapped.json> (--expires <when> | --never-expires)",
		Short: "Import wrapped key material into its KMS key",
		Long: `Send a wrapped package to the KMS key it was made for. The deadline, the pieces
of the package and the expiry are checked before anything is sent, and nothing
is sent twice without looking first.

Once imported, the first material binds the key: only the same bytes may come
back after deletion or expiry. With --params and --encrypted the pieces may come
from openssl and the AWS CLI instead.`,
		Example: `  keymat import --wrapped wrapped.json --expires 90d
  keymat import --params params.json --encrypted EncryptedKeyMaterial.bin --never-expires`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.importWrapped(cmd.Context(), o) },
	}
	c.Flags().StringVar(&o.wrapped, "wrapped", "", "`file` that keymat wrap wrote")
	c.Flags().StringVar(&o.encrypted, "encrypted", "", "`file` with the bare ciphertext, in place of --wrapped")
	c.Flags().StringVar(&o.params, "params", "", "`file` that keymat fetch wrote, for --encrypted")
	c.MarkFlagsMutuallyExclusive("wrapped", "encrypted")
	c.MarkFlagsRequiredTogether("encrypted", "params")
	o.lifetime.register(c)
	o.kind.register(c)
	dryRunFlag(c, &o.dryRun)
	return c
}

func (a *app) importWrapped(ctx context.Context, o importOptions) error {
	if o.wrapped == "" && o.encrypted == "" {
		return usagef("name what to import: --wrapped FILE, or --params FILE and --encrypted FILE")
	}
	expiry, err := a.expiry(o.lifetime)
	if err != nil {
		return err
	}
	request := o.kind.request(expiry)
	if request.Wrapped, err = a.readPackage(o); err != nil {
		return err
	}
	im, err := a.importer(ctx, request.Wrapped.KeyARN)
	if err != nil {
		return err
	}
	if o.dryRun {
		key, err := im.Check(ctx, request)
		if err != nil {
			return err
		}
		a.say("would import into %s (%s), material that %s", key.ARN, key.State, a.describeExpiry(expiry))
		return a.print(dryRun{keyFields: fieldsOf(key), DryRun: true})
	}
	receipt, err := im.Import(ctx, request)
	if err != nil {
		return err
	}
	return a.print(receiptOf(receipt, nil))
}

func (a *app) readPackage(o importOptions) (*token.Wrapped, error) {
	if o.wrapped != "" {
		return a.readWrapped(o.wrapped)
	}
	p, err := a.readParameters(o.params)
	if err != nil {
		return nil, err
	}
	ciphertext, err := files.ReadLimited(o.encrypted, a.Stdin, token.MaxFile)
	if err != nil {
		return nil, err
	}
	return token.Attach(p, ciphertext)
}

// receipt is how an import appears in results.
type receipt struct {
	KeyARN     string `json:"key_arn"`
	KeySpec    string `json:"key_spec"`
	KeyState   string `json:"key_state"`
	MaterialID string `json:"key_material_id,omitempty"`
	Expires    string `json:"expires"` // RFC 3339, or "never"
	Pending    bool   `json:"pending_rotation,omitempty"`
	ImportedAt string `json:"imported_at,omitempty"`
	*proof
}

func receiptOf(r importer.Receipt, p *proof) receipt {
	result := receipt{
		KeyARN:     r.KeyARN,
		KeySpec:    string(r.KeySpec),
		KeyState:   string(r.State),
		MaterialID: r.MaterialID,
		Expires:    r.Expiry.String(),
		Pending:    r.Pending,
		proof:      p,
	}
	if !r.At.IsZero() {
		result.ImportedAt = r.At.Format(time.RFC3339)
	}
	return result
}

func (r receipt) text(w io.Writer) { fields(w, r.rows()...) }

func (r receipt) rows() []string {
	proof := ""
	if r.proof != nil {
		proof = r.words
	}
	return []string{"key", r.KeyARN, "material", r.MaterialID, "expires", r.Expires, "state", r.KeyState, "proof", proof}
}

type dryRun struct {
	keyFields
	DryRun bool `json:"dry_run"`
}

func (d dryRun) text(w io.Writer) {
	fields(w, "key", d.KeyARN, "state", d.KeyState, "dry run", "nothing was changed")
}
