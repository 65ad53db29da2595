// SPDX-License-Identifier: Apache-2.0

package hsmcmd

import (
	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/material"
)

// Tree is the tree of commands, for documentation. It is not meant to be run.
func Tree() *cobra.Command {
	return newRoot(newApp(cli.Env{Getenv: func(string) string { return "" }}, nil))
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   program,
		Short: "Key material that is born in a PKCS #11 token",
		Long: `keymat-hsm makes key material inside a PKCS #11 token (an HSM, a smart card, or
SoftHSM) and wraps it there for AWS KMS, so that it is never in clear outside.
What it writes, keymat import takes. It needs no network, and has none.

A token is given by the library of its maker (--module) and its label (--token).
PINs are asked for on the terminal, or read with --pin-file from a file or a
descriptor such as /dev/fd/3; never from the command line or the environment.`,
		Example: `  keymat-hsm info --module /usr/lib/softhsm/libsofthsm2.so
  keymat-hsm generate --module … --token ceremony --spec SYMMETRIC_DEFAULT --label app
  keymat-hsm wrap --module … --token ceremony --label app --params params.json --out wrapped.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	a.Flags(root.PersistentFlags())
	root.AddCommand(newInfoCmd(a), newGenerateCmd(a), newListCmd(a), newWrapCmd(a), newCopyCmd(a), newDeleteCmd(a), newCeremonyCmd(a), newVersionCmd(a))
	return root
}

// specFlag registers --spec and completes it.
func specFlag(c *cobra.Command, spec *material.Spec, usage string) {
	c.Flags().TextVar(spec, "spec", *spec, usage)
	cli.Complete(c, "spec", material.Specs())
}

// labelFlag registers --label, the name that a key has in its token.
func labelFlag(c *cobra.Command, label *string) {
	c.Flags().StringVar(label, "label", "", "`name` of the key in the token")
	cli.Require(c, "label")
}

func forceFlag(c *cobra.Command, force *bool) {
	c.Flags().BoolVar(force, "force", false, "overwrite output files that exist")
}

func newVersionCmd(a *app) *cobra.Command {
	c := cli.VersionCommand(&a.Run)
	c.Long += "\n\nKeys are made by the token, and not by that module."
	return c
}
