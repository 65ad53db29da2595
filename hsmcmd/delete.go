// SPDX-License-Identifier: Apache-2.0

package hsmcmd

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/cli"
)

type deleteOptions struct {
	token tokenFlags
	label string
}

func newDeleteCmd(a *app) *cobra.Command {
	var o deleteOptions
	c := &cobra.Command{
		Use:   "delete <label> --module <file>",
		Short: "Destroy a key in the token",
		Long: `Destroy a key in the token, and the public key of a key pair with it. There is
no way back: if KMS loses the material later, only a copy elsewhere helps.`,
		Example: `  keymat-hsm delete app --module /usr/lib/softhsm/libsofthsm2.so --token ceremony`,
		Args:    cli.OneArg("label"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.label = args[0]
			return a.delete(cmd.Context(), o)
		},
	}
	o.token.register(c)
	return c
}

func (a *app) delete(ctx context.Context, o deleteOptions) error {
	t, err := a.loggedIn(ctx, o.token)
	if err != nil {
		return err
	}
	key, err := t.Key(o.label)
	if err != nil {
		return err
	}
	result := deleted{Token: resultOf(t.Info), keyResult: keyResultOf(key)}
	question := fmt.Sprintf("This destroys %q in %s: %s", o.label, describe(t.Info), result.What)
	if result.Fingerprint != "" {
		question += " with the fingerprint " + result.Fingerprint
	}
	if err := a.ConfirmByName(ctx, question, o.label); err != nil {
		return err
	}
	if err := t.Delete(key); err != nil {
		return err
	}
	a.Say("destroyed %q in %s", o.label, describe(t.Info))
	return a.print(result)
}

type deleted struct {
	Token tokenResult `json:"token"`
	keyResult
}

func (d deleted) text(w io.Writer) {
	cli.Fields(w, "token", d.Token.words(), "destroyed", d.Label, "key", d.What, "fingerprint", d.Fingerprint)
}
