// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"cmp"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/register"
	"github.com/keymat/keymat/ceremony/register/disk"
	"github.com/keymat/keymat/internal/cli"
)

type registerAddOptions struct {
	register, folder string
	as               string
	by               []string
	schedule         schedule
}

func newRegisterAddCmd(a *app) *cobra.Command {
	o := registerAddOptions{schedule: schedule{drill: usualDrill}}
	c := &cobra.Command{
		Use:   "add <register> <folder> --by <person>...",
		Short: "Take a ceremony that is over into the register",
		Long: `Take what the folder of a ceremony shows into the register: a new key, or what has
become of one, where the ceremony began with its escrow. The folder is verified
first, as by keymat ceremony verify, and one that does not verify is refused; so are
rehearsals, and ceremonies that are not over.

A new key is active once KMS holds it, and pre-activation before. It is reviewed
within a year and drilled every 90 days, unless something else is said here or
with keymat ceremony register schedule.`,
		Example: `  keymat ceremony register add register.jsonl /media/a --by officer --protects-until 2028-12-01`,
		Args:    registerArgs("folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.register, o.folder = args[0], args[1]
			return a.registerAdd(o, o.schedule.given(cmd))
		},
	}
	c.Flags().StringVar(&o.as, "as", "", "`name` of a new key in the register (default: the ceremony's ID)")
	byFlag(c, &o.by)
	o.schedule.register(c)
	cli.Require(c, "by")
	return c
}

func (a *app) registerAdd(o registerAddOptions, scheduled bool) error {
	v, err := a.verified(o.folder)
	if err != nil {
		return err
	}
	f := v.findings
	shown, err := register.Describe(f.Plan, f.State, f.Records[len(f.Records)-1].Transcript.Head())
	if err != nil {
		return err
	}
	shown.Key = cmp.Or(o.as, shown.Key)
	r, err := disk.Read(o.register)
	if err != nil {
		return err
	}
	shown = r.Place(shown)
	events := []register.Event{shown}
	if _, err := r.Key(shown.Key); err != nil || scheduled {
		o.schedule.reason = "as it was added"
		if o.schedule.review.IsZero() {
			o.schedule.review.Time = a.now().UTC().Truncate(24*time.Hour).AddDate(1, 0, 0)
		}
		events = append(events, o.schedule.event(shown.Key))
	}
	k, err := a.addLine(o.register, shown.Key, o.by, events...)
	if err != nil {
		return err
	}
	return a.print(showKey(k))
}

// registerArgs demands a register, and one thing besides.
func registerArgs(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return cli.Usagef("register is missing: %s", cmd.UseLine())
		case 1:
			return cli.Usagef("%s is missing: %s", what, cmd.UseLine())
		}
		return cobra.ExactArgs(2)(cmd, args)
	}
}
