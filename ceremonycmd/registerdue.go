// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/register"
	"github.com/keymat/keymat/ceremony/register/disk"
	"github.com/keymat/keymat/internal/cli"
)

func newRegisterDueCmd(a *app) *cobra.Command {
	within := daysFlag(30)
	c := &cobra.Command{
		Use:   "due <register>",
		Short: "List what has to be done about keys, and by when",
		Long: `List what is overdue, or becomes due within some days: material that expires in
KMS, escrows that were replaced and not destroyed, drills of recovery, reviews, and
keys that must not protect any more. The exit code is 3 if there is anything, so
that a job that runs daily can tell somebody.`,
		Example: `  keymat ceremony register due register.jsonl --within 14d`,
		Args:    cli.OneArg("register"),
		RunE:    func(_ *cobra.Command, args []string) error { return a.registerDue(args[0], int(within)) },
	}
	c.Flags().Var(&within, "within", "`days` ahead, such as 30d")
	return c
}

func (a *app) registerDue(name string, within int) error {
	r, err := disk.Read(name)
	if err != nil {
		return err
	}
	now := a.now().UTC()
	result := registerDue{Until: now.AddDate(0, 0, within), Due: append([]register.Due{}, r.Due(now.AddDate(0, 0, within))...), now: now}
	if err := a.print(result); err != nil {
		return err
	}
	if n := len(result.Due); n > 0 {
		return &cli.NoError{Reason: cli.Count(n, "thing") + " to be done"}
	}
	return nil
}

// registerDue is what has to be done about keys.
type registerDue struct {
	Until time.Time      `json:"until"`
	Due   []register.Due `json:"due"`

	now time.Time
}

func (d registerDue) text(w io.Writer) {
	if len(d.Due) == 0 {
		fmt.Fprintf(w, "nothing to be done until %s\n", dayOf(d.Until))
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, due := range d.Due {
		when := "overdue"
		if due.At.After(d.now) {
			when = "in " + cli.Left(due.At, d.now)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", dayOf(due.At), when, due.Key, matters(due))
	}
	t.Flush()
}

// matters says what a matter is about.
func matters(d register.Due) string {
	switch d.Matter {
	case register.Expiry:
		return "KMS forgets the material of " + d.ARN
	case register.Discard:
		return "the escrow " + d.Escrow + ", which was replaced, has to be destroyed with its shares"
	case register.Drill:
		return "recovery has to be exercised"
	case register.Review:
		return "the key has to be reviewed"
	case register.EndProtect:
		return "the key must not protect any more, and is to be deactivated"
	}
	return string(d.Matter)
}
