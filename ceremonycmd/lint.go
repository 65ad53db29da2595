// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/cli"
)

func newPlanLintCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "lint <plan>",
		Short: "Find what is wrong with a plan",
		Long: `Find what is wrong with a plan: in its form, in who does what, in who could reach
enough shares alone, in what one site holds, in whether the material comes back
without KMS, in who confirms, and in what KMS would refuse.

With an error no ceremony may be held, and the exit code is 3. A warning is for
people to think about.`,
		Example: `  keymat ceremony plan lint plan.yaml
  keymat ceremony plan lint plan.yaml --json`,
		Args: cli.OneArg("plan"),
		RunE: func(_ *cobra.Command, args []string) error { return a.planLint(args[0]) },
	}
}

func (a *app) planLint(name string) error {
	result := planLinted{File: name, Findings: []plan.Finding{}}
	p, err := a.readPlan(name)
	if e, ok := errors.AsType[*plan.FormatError](err); ok {
		result.Findings = e.Findings()
	} else if err != nil {
		return err
	} else {
		result.Findings = append(result.Findings, p.Lint()...)
	}
	for _, f := range result.Findings {
		if f.Severity == plan.Error {
			result.Errors++
		}
	}
	if err := a.print(result); err != nil {
		return err
	}
	if result.Errors > 0 {
		return errPlanFaulty
	}
	return nil
}

var errPlanFaulty = &cli.NoError{Reason: "no ceremony may be held with this plan"}

// planLinted is what lint found.
type planLinted struct {
	File     string         `json:"file"`
	Errors   int            `json:"errors"`
	Findings []plan.Finding `json:"findings"`
}

func (l planLinted) text(w io.Writer) {
	for _, f := range l.Findings {
		fmt.Fprintf(w, "%s:%s: %s: %s: %s (%s)\n", l.File, f.Place, f.Severity, f.Path, f.Found, f.Code)
		fmt.Fprintf(w, "    %s\n", f.Do)
	}
	if len(l.Findings) == 0 {
		fmt.Fprintf(w, "%s: nothing found\n", l.File)
		return
	}
	fmt.Fprintf(w, "%s: %s, %s\n", l.File, cli.Count(l.Errors, "error"), cli.Count(len(l.Findings)-l.Errors, "warning"))
}
