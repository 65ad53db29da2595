// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

type wrapOptions struct {
	material keyFile
	params   string
	out      string
	raw      string
	force    bool
}

func newWrapCmd(a *app) *cobra.Command {
	var o wrapOptions
	c := &cobra.Command{
		Use:   "wrap --material <file> --params <params.json> --out <wrapped.json>",
		Short: "Encrypt key material for one import, offline",
		Long: `Encrypt key material under the wrapping key of params.json. This needs no
network: run it on the machine that holds the material.

wrapped.json carries the ciphertext, the import token it belongs to, the key's
ARN and the deadline; nothing in it is secret. --raw writes the bare ciphertext
as well, which is what the AWS CLI takes as fileb://EncryptedKeyMaterial.bin.`,
		Example: `  keymat wrap --material app.key --params params.json --out wrapped.json`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.wrap(cmd.Context(), o) },
	}
	o.material.register(c, ownMaterial)
	c.Flags().StringVar(&o.params, "params", "", "`file` that keymat fetch wrote")
	c.Flags().StringVar(&o.out, "out", "", "new `file` for the wrapped package")
	c.Flags().StringVar(&o.raw, "raw", "", "also write the bare ciphertext to this `file`")
	forceFlag(c, &o.force)
	require(c, "material", "params")
	return c
}

func (a *app) wrap(ctx context.Context, o wrapOptions) error {
	if o.out == "" && o.raw == "" {
		return usagef("name the file to write: --out FILE, or --raw FILE for the bare ciphertext")
	}
	for _, name := range []string{o.out, o.raw} {
		if name == "" {
			continue
		}
		if err := files.Check(name, files.Overwrite(o.force)); err != nil {
			return err
		}
	}
	p, err := a.readParameters(o.params)
	if err != nil {
		return err
	}
	if err := p.CheckAt(time.Now()); err != nil {
		return err
	}
	m, err := a.readMaterial(ctx, o.material, p.KeySpec)
	if err != nil {
		return err
	}
	w, err := token.Wrap(p, m)
	if err != nil {
		return err
	}
	if err := a.writeWrapped(w, o); err != nil {
		return err
	}
	a.say("wrapped for %s with %s", w.KeyARN, wrap.Pair{Algorithm: w.Algorithm, KeySpec: w.WrappingKeySpec})
	a.say("import it before %s", deadline(w.ValidTo, time.Now()))
	return a.print(wrapped{
		KeyARN:     w.KeyARN,
		KeySpec:    w.KeySpec,
		Algorithm:  w.Algorithm,
		WrappingKS: w.WrappingKeySpec,
		ValidTo:    w.ValidTo,
		SHA256:     w.EncryptedKeyMaterialSHA256().String(),
		File:       o.out,
		RawFile:    o.raw,
	})
}

func (a *app) writeWrapped(w *token.Wrapped, o wrapOptions) error {
	if o.raw != "" {
		if err := files.WritePublic(o.raw, w.EncryptedKeyMaterial, files.Overwrite(o.force)); err != nil {
			return err
		}
	}
	if o.out == "" {
		return nil
	}
	return writePublic(o.out, w.Encode, o.force)
}

// writePublic writes what encode gives to a new file that anyone may read.
func writePublic(name string, encode func(io.Writer) error, force bool) error {
	return cli.WritePublic(name, encode, files.Overwrite(force))
}

type wrapped struct {
	KeyARN     string         `json:"key_arn"`
	KeySpec    material.Spec  `json:"key_spec"`
	Algorithm  wrap.Algorithm `json:"wrapping_algorithm"`
	WrappingKS wrap.KeySpec   `json:"wrapping_key_spec"`
	ValidTo    time.Time      `json:"valid_to"`
	SHA256     string         `json:"encrypted_key_material_sha256"`
	File       string         `json:"file,omitempty"`
	RawFile    string         `json:"raw_file,omitempty"`
}

func (r wrapped) text(w io.Writer) { fmt.Fprintln(w, "sha256:"+r.SHA256) }
