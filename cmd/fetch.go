// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

type fetchOptions struct {
	key      string
	wrapping wrapping
	out      string
	rawDir   string
	fromZip  string
	fromDir  string
	spec     material.Spec
	validTo  string
	force    bool
}

func newFetchCmd(a *app) *cobra.Command {
	var o fetchOptions
	c := &cobra.Command{
		Use:   "fetch <key> --out <params.json>",
		Short: "Download a wrapping key and import token",
		Long: `Download a wrapping key and an import token for a KMS key of origin EXTERNAL,
check them, and write both to one file. They belong together and to this key,
and are valid for 24 hours. Nothing in the file is secret.

--raw-dir also writes WrappingPublicKey.bin and ImportToken.bin, the files of
AWS's own procedure. --from-zip reads what the console downloads, --from-dir
what the AWS CLI wrote; say with --algorithm what the key was fetched for. With
the key's ARN and --spec that needs no network.`,
		Example: `  keymat fetch alias/app --out params.json
  keymat fetch alias/app --algorithm RSAES_OAEP_SHA_256 --wrapping-key RSA_3072 --out params.json --raw-dir .
  keymat fetch alias/app --from-zip ImportParameters.zip --algorithm RSAES_OAEP_SHA_256 --out params.json`,
		Args: oneArg("key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.key = args[0]
			return a.fetch(cmd.Context(), o)
		},
	}
	o.wrapping.register(c)
	c.Flags().StringVar(&o.out, "out", "", "new `file` for the import parameters")
	c.Flags().StringVar(&o.rawDir, "raw-dir", "", "also write the raw files into this `folder`")
	c.Flags().StringVar(&o.fromZip, "from-zip", "", "read the console's ImportParameters.zip `file` instead of asking KMS")
	c.Flags().StringVar(&o.fromDir, "from-dir", "", "read WrappingPublicKey.bin and ImportToken.bin in this `folder` instead of asking KMS")
	c.Flags().StringVar(&o.validTo, "valid-to", "", "RFC 3339 `time` until which parameters read from files are valid (default: 24 hours after the file was written)")
	specFlag(c, &o.spec, "`spec` of the key, to read files without asking KMS")
	forceFlag(c, &o.force)
	require(c, "out")
	c.MarkFlagsMutuallyExclusive("from-zip", "from-dir")
	return c
}

func (a *app) fetch(ctx context.Context, o fetchOptions) error {
	if err := o.checkOutputs(); err != nil {
		return err
	}
	var p *token.Parameters
	var err error
	if o.fromZip != "" || o.fromDir != "" {
		p, err = a.fetchFromFiles(ctx, o)
	} else {
		p, err = a.fetchFromKMS(ctx, o)
	}
	if err != nil {
		return err
	}
	if err := o.write(p); err != nil {
		return err
	}
	return a.print(fetched{
		KeyARN:     p.KeyARN,
		KeySpec:    p.KeySpec,
		Algorithm:  p.Algorithm,
		WrappingKS: p.WrappingKeySpec,
		ValidTo:    p.ValidTo,
		File:       o.out,
		RawDir:     o.rawDir,
		now:        a.now(),
	})
}

func (o fetchOptions) checkOutputs() error {
	for _, name := range o.outputs() {
		if err := files.Check(name, files.Overwrite(o.force)); err != nil {
			return err
		}
	}
	return nil
}

func (o fetchOptions) outputs() []string {
	if o.rawDir == "" {
		return []string{o.out}
	}
	return []string{o.out, filepath.Join(o.rawDir, token.PublicKeyFile), filepath.Join(o.rawDir, token.ImportTokenFile)}
}

func (o fetchOptions) write(p *token.Parameters) error {
	if o.rawDir != "" {
		raw := map[string][]byte{token.PublicKeyFile: p.PublicKey, token.ImportTokenFile: p.ImportToken}
		for name, content := range raw {
			if err := files.WritePublic(filepath.Join(o.rawDir, name), content, files.Overwrite(o.force)); err != nil {
				return err
			}
		}
	}
	return writePublic(o.out, p.Encode, o.force)
}

func (a *app) fetchFromKMS(ctx context.Context, o fetchOptions) (*token.Parameters, error) {
	im, err := a.importer(ctx, o.key)
	if err != nil {
		return nil, err
	}
	key, err := im.Describe(ctx, o.key)
	if err != nil {
		return nil, err
	}
	pair, err := o.wrapping.choose(key.Spec)
	if err != nil {
		return nil, err
	}
	return im.Fetch(ctx, key, pair)
}

type fetched struct {
	KeyARN     string         `json:"key_arn"`
	KeySpec    material.Spec  `json:"key_spec"`
	Algorithm  wrap.Algorithm `json:"wrapping_algorithm"`
	WrappingKS wrap.KeySpec   `json:"wrapping_key_spec"`
	ValidTo    time.Time      `json:"valid_to"`
	File       string         `json:"file"`
	RawDir     string         `json:"raw_dir,omitempty"`

	now time.Time // at KMS
}

func (f fetched) text(w io.Writer) {
	fields(w, "key", f.KeyARN, "wrapping", wrap.Pair{Algorithm: f.Algorithm, KeySpec: f.WrappingKS}.String(), "valid to", deadline(f.ValidTo, f.now), "file", f.File)
}
