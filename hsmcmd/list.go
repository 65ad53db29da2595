// SPDX-License-Identifier: Apache-2.0

package hsmcmd

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newListCmd(a *app) *cobra.Command {
	var o tokenFlags
	c := &cobra.Command{
		Use:   "list --module <file>",
		Short: "List the keys in the token",
		Long: `List the secret and private keys in the token, with the key spec that each is
material of, and its fingerprint. Attributes are in --json.`,
		Example: `  keymat-hsm list --module /usr/lib/softhsm/libsofthsm2.so --token ceremony`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.list(cmd.Context(), o) },
	}
	o.register(c)
	return c
}

func (a *app) list(ctx context.Context, o tokenFlags) error {
	t, err := a.loggedIn(ctx, o)
	if err != nil {
		return err
	}
	keys, err := t.Keys()
	if err != nil {
		return err
	}
	result := listed{Token: resultOf(t.Info), Keys: []keyResult{}}
	for _, k := range keys {
		result.Keys = append(result.Keys, keyResultOf(k))
	}
	return a.print(result)
}

type listed struct {
	Token tokenResult `json:"token"`
	Keys  []keyResult `json:"keys"`
}

func (l listed) text(w io.Writer) {
	if len(l.Keys) == 0 {
		fmt.Fprintf(w, "no keys in %s\n", l.Token.words())
		return
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, k := range l.Keys {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", cmp.Or(k.Label, "(no label)"), k.What, cmp.Or(string(k.Spec), "-"), cmp.Or(k.Fingerprint, "-"))
	}
	tw.Flush()
}
