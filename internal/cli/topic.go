// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// Topic makes a help topic, whose text is put together when it is asked for.
func Topic(name, short string, text func() string) *cobra.Command {
	c := &cobra.Command{Use: name, Short: short, Long: short}
	c.SetHelpFunc(func(c *cobra.Command, _ []string) {
		fmt.Fprintln(c.OutOrStdout(), strings.TrimSpace(text()))
	})
	return c
}

// EnvironmentTopic makes the help topic environment, for the variables that a program reads: names, and what they mean.
func EnvironmentTopic(program string, variables [][2]string) *cobra.Command {
	return Topic("environment", "Environment variables that "+program+" reads", func() string {
		var text strings.Builder
		text.WriteString("Environment variables that " + program + " reads. No secret is ever taken from one.\n\n")
		tw := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
		for _, v := range variables {
			fmt.Fprintf(tw, "  %s\t%s\n", v[0], v[1])
		}
		tw.Flush()
		return text.String()
	})
}

// ExitCodesTopic makes the help topic exit-codes, from lines that say what each means.
func ExitCodesTopic(lines string) *cobra.Command {
	return Topic("exit-codes", "Exit codes and what they mean", func() string { return "Exit codes:\n\n" + lines })
}
