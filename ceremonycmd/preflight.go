// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/preflight"
	"github.com/keymat/keymat/internal/cli"
)

func newCeremonyPreflightCmd(a *app) *cobra.Command {
	workspace := "."
	c := &cobra.Command{
		Use:   "preflight",
		Short: "Say what is seen of the machine before key material is made on it",
		Long: `Look at this machine, and say what is seen: network links, routes, addresses and
radios; what could write memory to a disk; where files would go; who else sees
the terminal; the clock, the random number generator and a hypervisor. Nothing
is changed.

Each observation is ok, a warning that people have to know and decide on, or a
stop: then no key material is to be made here, and the exit code is 3. What
cannot be seen stops as well; on other systems than Linux that is everything.

These are observations of one program at one moment. They certify no air gap.`,
		Example: `  keymat ceremony preflight --workspace /mnt/keys
  keymat ceremony preflight --workspace /mnt/keys --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return a.preflight(workspace) },
	}
	c.Flags().StringVar(&workspace, "workspace", workspace, "`folder` where files will be kept, in memory only")
	return c
}

func (a *app) preflight(workspace string) error {
	machine, err := preflight.Host(workspace, a.Getenv)
	if err != nil {
		return err
	}
	report := preflight.Observe(machine)
	if err := a.print(preflightReport{report}); err != nil {
		return err
	}
	if report.Verdict == preflight.Stop {
		return errUnfit
	}
	return nil
}

var errUnfit = &cli.NoError{Reason: "no key material is to be made on this machine as it is"}

type preflightReport struct{ preflight.Report }

func (r preflightReport) text(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, o := range r.Observations {
		fmt.Fprintf(tw, "%s\t%s\t%s\n", o.Verdict, o.Name, o.Seen)
		if o.Do != "" {
			fmt.Fprintf(tw, "\t\t-> %s\n", o.Do)
		}
	}
	tw.Flush()
	fmt.Fprintf(w, "\n%s: %s\n", r.Verdict, map[preflight.Verdict]string{
		preflight.OK:      "nothing was seen that speaks against this machine; that certifies no air gap",
		preflight.Warning: "decide on the warnings, and note what you decided",
		preflight.Stop:    "make no key material here",
	}[r.Verdict])
}
