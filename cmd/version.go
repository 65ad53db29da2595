// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/cli"
)

func newVersionCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, and which cryptographic module is in use",
		Long: `Print the version of keymat, of Go, and of the Go Cryptographic Module, and
whether FIPS 140 mode is on or enforced. These are observations about this
process; they are no statement of validation.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.print(version{thisVersion()}) },
	}
}

type version struct{ cli.Version }

func (v version) text(w io.Writer) { v.Text(w, "keymat") }

func thisVersion() cli.Version { return cli.ThisVersion() }
