// SPDX-License-Identifier: Apache-2.0

package cmd

import "github.com/spf13/cobra"

func newCeremonyCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "ceremony",
		Short: "A key ceremony with a plan, witnesses and a record",
		Long: `A key ceremony brings key material into KMS before witnesses: by a plan that was
reviewed and signed, with roles that nobody combines, and with a record that
cannot be changed afterwards without anybody noticing.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newCeremonyPreflightCmd(a))
	return c
}
