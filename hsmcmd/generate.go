// SPDX-License-Identifier: Apache-2.0

package hsmcmd

import (
	"context"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
)

type generateOptions struct {
	token       tokenFlags
	spec        material.Spec
	label       string
	trustedOnly bool
	publicOut   string
	force       bool
}

func newGenerateCmd(a *app) *cobra.Command {
	var o generateOptions
	c := &cobra.Command{
		Use:   "generate --module <file> --spec <spec> --label <name>",
		Short: "Generate key material in the token",
		Long: `Generate key material in the token, where it stays. It is sensitive, which a
token never takes back, and extractable, or it could not be wrapped for KMS. The
attributes that the token gave it are read back and checked.

The fingerprint is made in the token, and is the one that keymat shows of the
same material. With --wrap-with-trusted the key can be wrapped only under keys
that the security officer of the token trusts: then it takes two people to get
it out, even in this form.`,
		Example: `  keymat-hsm generate --module /usr/lib/softhsm/libsofthsm2.so --spec SYMMETRIC_DEFAULT --label app
  keymat-hsm generate --module … --spec RSA_3072 --label signing --wrap-with-trusted --public-out signing.pem`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.generate(cmd.Context(), o) },
	}
	o.token.register(c)
	specFlag(c, &o.spec, "`spec` of the KMS key, as KMS spells it, such as SYMMETRIC_DEFAULT, HMAC_256 or RSA_2048")
	labelFlag(c, &o.label)
	c.Flags().BoolVar(&o.trustedOnly, "wrap-with-trusted", false, "let it be wrapped only under keys that the security officer trusts (CKA_WRAP_WITH_TRUSTED)")
	c.Flags().StringVar(&o.publicOut, "public-out", "", "also write the public key of a key pair to this `file`, as PEM")
	forceFlag(c, &o.force)
	cli.Require(c, "spec")
	return c
}

func (a *app) generate(ctx context.Context, o generateOptions) error {
	if o.label == "" {
		return usagef("--label: a key without a name could not be found again")
	}
	if o.publicOut != "" {
		if !o.spec.KeyPair() {
			return usagef("--public-out: %s material has no public key", o.spec)
		}
		if err := files.Check(o.publicOut, files.Overwrite(o.force)); err != nil {
			return err
		}
	}
	t, err := a.loggedIn(ctx, o.token)
	if err != nil {
		return err
	}
	key, err := a.make(t, o)
	if err != nil {
		return err
	}
	if o.publicOut != "" {
		block := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: key.PublicKeyDER})
		if err := files.WritePublic(o.publicOut, block, files.Overwrite(o.force)); err != nil {
			return err
		}
	}
	a.Say("generated %s material in %s, under the name %q", o.spec, describe(t.Info), o.label)
	a.Say("the token has the only copy: think of what brings the key back when it breaks (keymat-hsm copy)")
	return a.print(generated{Token: resultOf(t.Info), keyResult: keyResultOf(key), PublicFile: o.publicOut})
}

func (a *app) make(t *hsm.Token, o generateOptions) (*hsm.Key, error) {
	if o.spec.Kind() == material.RSA {
		defer a.Busy(fmt.Sprintf("the token generates %s material", o.spec))()
	}
	return t.Generate(o.spec, o.label, o.trustedOnly)
}

type generated struct {
	Token tokenResult `json:"token"`
	keyResult
	PublicFile string `json:"public_file,omitempty"`
}

func (g generated) text(w io.Writer) {
	cli.Fields(w, append([]string{"token", g.Token.words()}, g.rows()...)...)
}

// keyResult is how a key of a token appears in results.
type keyResult struct {
	Label       string         `json:"label"`
	ID          string         `json:"id,omitempty"` // CKA_ID, hexadecimal
	What        string         `json:"what"`
	Spec        material.Spec  `json:"key_spec,omitempty"`
	Fingerprint string         `json:"fingerprint,omitempty"`
	Attributes  hsm.Attributes `json:"attributes"`
}

func keyResultOf(k *hsm.Key) keyResult {
	r := keyResult{Label: k.Label, ID: hex.EncodeToString(k.ID), What: k.What, Spec: k.Spec, Attributes: k.Attributes}
	if k.Fingerprint != (material.Fingerprint{}) {
		r.Fingerprint = k.Fingerprint.String()
	}
	return r
}

func (r keyResult) rows() []string {
	fingerprint := r.Fingerprint
	if fingerprint == "" {
		fingerprint = "the token makes none of it"
	}
	return []string{
		"label", r.Label, "key", r.What, "key spec", string(r.Spec), "fingerprint", fingerprint,
		"attributes", strings.Join(r.Attributes.Set(), " "),
	}
}
