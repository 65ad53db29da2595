// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// OneArg demands exactly one argument and says which.
func OneArg(name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return fmt.Errorf("%s is missing", name)
		case 1:
			return nil
		}
		return fmt.Errorf("one %s is taken, %d were given", name, len(args))
	}
}

// Require marks flags without which the command cannot run.
func Require(c *cobra.Command, flags ...string) {
	for _, f := range flags {
		if err := c.MarkFlagRequired(f); err != nil {
			panic(err) // a misspelt flag name
		}
	}
}

// Complete offers fixed words for a flag.
func Complete[T ~string](c *cobra.Command, flag string, words []T) {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(all, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // a misspelt flag name
	}
}
