// SPDX-License-Identifier: Apache-2.0

package hsmcmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

type wrapOptions struct {
	token   tokenFlags
	label   string
	params  string
	out     string
	trusted bool
	force   bool
}

func newWrapCmd(a *app) *cobra.Command {
	var o wrapOptions
	c := &cobra.Command{
		Use:   "wrap --module <file> --label <name> --params <params.json> --out <wrapped.json>",
		Short: "Wrap a key of the token for one import",
		Long: `Wrap a key of the token, in the token, under the wrapping key of params.json, as
keymat wrap does with material in a file. What comes out is for keymat import
--wrapped; nothing in it is secret.

Before the token touches the key it wraps a throwaway one of the same kind for a
wrapping key made on the spot, and what comes out has to open as KMS opens it.
Where the token cannot do what the parameters were fetched for, keymat-hsm says
what to fetch instead.

With --trusted the security officer logs in first and marks the wrapping key as
trusted, for this one session; then the user logs in and wraps. The officer
compares the digest of the wrapping key with that of the people who fetched it.`,
		Example: `  keymat-hsm wrap --module /usr/lib/softhsm/libsofthsm2.so --label app --params params.json --out wrapped.json
  keymat-hsm wrap --module … --label signing --params params.json --out wrapped.json --trusted`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.wrap(cmd.Context(), o) },
	}
	o.token.register(c)
	labelFlag(c, &o.label)
	c.Flags().StringVar(&o.params, "params", "", "`file` that keymat fetch wrote")
	c.Flags().StringVar(&o.out, "out", "", "new `file` for the wrapped package")
	o.token.registerTrusted(c, &o.trusted)
	forceFlag(c, &o.force)
	cli.Require(c, "params", "out")
	return c
}

func (a *app) wrap(ctx context.Context, o wrapOptions) error {
	if err := files.Check(o.out, files.Overwrite(o.force)); err != nil {
		return err
	}
	p, err := cli.ReadFile(o.params, a.Stdin, token.MaxFile, token.ReadParameters)
	if err != nil {
		return err
	}
	if err := p.CheckAt(time.Now()); err != nil {
		return err
	}
	if err := wrap.Check(p.KeySpec, wrap.Pair{Algorithm: p.Algorithm, KeySpec: p.WrappingKeySpec}); err != nil {
		return err
	}
	s, err := a.startWrapping(ctx, wrapping{token: o.token, label: o.label, trusted: o.trusted, spec: p.KeySpec, publicKey: p.PublicKey, algorithm: p.Algorithm})
	if err != nil {
		return err
	}
	method, err := s.choose(func(b *hsm.Bench) (hsm.Method, error) { return b.Choose(p.KeySpec, p.Algorithm) })
	if err != nil {
		return unableFor(p.KeyARN, err)
	}
	encrypted, err := s.wrap(method)
	if err != nil {
		return err
	}
	w, err := token.Attach(p, encrypted)
	if err != nil {
		return fmt.Errorf("the token wrapped the key, but not as KMS takes it: %w", err)
	}
	if err := cli.WritePublic(o.out, w.Encode, files.Overwrite(o.force)); err != nil {
		return err
	}
	a.Say("wrapped %q for %s, in the token, with %s", o.label, w.KeyARN, method)
	a.Say("import it before %s", cli.Deadline(w.ValidTo, time.Now()))
	return a.print(wrapped{
		KeyARN:      w.KeyARN,
		KeySpec:     w.KeySpec,
		Algorithm:   w.Algorithm,
		WrappingKS:  w.WrappingKeySpec,
		ValidTo:     w.ValidTo,
		SHA256:      w.EncryptedKeyMaterialSHA256().String(),
		Token:       resultOf(s.token.Info),
		Label:       o.label,
		Fingerprint: keyResultOf(s.key).Fingerprint,
		Method:      method.String(),
		Trusted:     o.trusted,
		File:        o.out,
	})
}

// unableForKeyError says for which KMS key a token was unable to wrap, since other parameters can be fetched for it.
type unableForKeyError struct {
	keyARN string
	unable *hsm.UnableError
}

func (e *unableForKeyError) Error() string { return e.unable.Error() }
func (e *unableForKeyError) Unwrap() error { return e.unable }

func unableFor(keyARN string, err error) error {
	if unable, ok := errors.AsType[*hsm.UnableError](err); ok {
		return &unableForKeyError{keyARN: keyARN, unable: unable}
	}
	return err
}

type wrapped struct {
	KeyARN      string         `json:"key_arn"`
	KeySpec     material.Spec  `json:"key_spec"`
	Algorithm   wrap.Algorithm `json:"wrapping_algorithm"`
	WrappingKS  wrap.KeySpec   `json:"wrapping_key_spec"`
	ValidTo     time.Time      `json:"valid_to"`
	SHA256      string         `json:"encrypted_key_material_sha256"`
	Token       tokenResult    `json:"token"`
	Label       string         `json:"label"`
	Fingerprint string         `json:"fingerprint,omitempty"`
	Method      string         `json:"method"`
	Trusted     bool           `json:"trusted"`
	File        string         `json:"file"`
}

func (r wrapped) text(w io.Writer) {
	cli.Fields(w, "key", r.KeyARN, "token", r.Token.words(), "label", r.Label, "fingerprint", r.Fingerprint,
		"wrapped by", r.Method, "ciphertext", "sha256:"+r.SHA256, "file", r.File)
}
