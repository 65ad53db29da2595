// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/cli"
)

func newPlanDiffCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "diff <plan> <other plan>",
		Short: "Compare what two plans say, whatever their layout",
		Long: `Compare two plans by what they say: people, sites and targets by their IDs,
durations by their length, lists whose order means nothing without it. The exit
code is 3 if they differ. Signatures are over bytes, so that a plan that says
the same in another way has to be signed again.`,
		Example: `  keymat ceremony plan diff draft.yaml plan.yaml`,
		Args:    cobra.ExactArgs(2),
		RunE:    func(_ *cobra.Command, args []string) error { return a.planDiff(args[0], args[1]) },
	}
}

func (a *app) planDiff(older, newer string) error {
	before, err := a.readPlan(older)
	if err != nil {
		return err
	}
	after, err := a.readPlan(newer)
	if err != nil {
		return err
	}
	result := planDiffered{Changes: append([]plan.Change{}, plan.Diff(before, after)...)}
	if err := a.print(result); err != nil {
		return err
	}
	if len(result.Changes) > 0 {
		return errPlansDiffer
	}
	return nil
}

var errPlansDiffer = &cli.NoError{Reason: "the plans do not say the same"}

// planDiffered is how two plans differ.
type planDiffered struct {
	Changes []plan.Change `json:"changes"`
}

func (d planDiffered) text(w io.Writer) {
	for _, c := range d.Changes {
		switch {
		case c.Before == "":
			fmt.Fprintf(w, "+ %s: %s\n", c.Path, c.After)
		case c.After == "":
			fmt.Fprintf(w, "- %s: %s\n", c.Path, c.Before)
		default:
			fmt.Fprintf(w, "~ %s: %s → %s\n", c.Path, c.Before, c.After)
		}
	}
	if len(d.Changes) == 0 {
		fmt.Fprintln(w, "the plans say the same")
	}
}
