// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/register"
	"github.com/keymat/keymat/ceremony/register/disk"
	"github.com/keymat/keymat/internal/cli"
)

type registerStateOptions struct {
	register, key string
	to            string
	on            dayFlag
	reason        string
	by            []string
}

func newRegisterStateCmd(a *app) *cobra.Command {
	var o registerStateOptions
	c := &cobra.Command{
		Use:   "state <register> <key> --to <state> --reason <text> --by <person> --by <person>",
		Short: "Move a key into another state of its life",
		Long: `Record that a key goes into another state of NIST SP 800-57 part 1, section 7:
active, suspended, deactivated, compromised or destroyed. Two people stand for it.
A key is destroyed only once no escrow brings it back. What the state is to mean in
KMS, such as a key that is disabled, has to be done there.`,
		Example: `  keymat ceremony register state register.jsonl payments-2026 --to suspended --reason 'the incident of 3 May is looked into' --by officer --by lead`,
		Args:    registerArgs("key"),
		RunE: func(_ *cobra.Command, args []string) error {
			o.register, o.key = args[0], args[1]
			return a.registerState(o)
		},
	}
	c.Flags().StringVar(&o.to, "to", "", "the new `state`: "+cli.List(register.States()[1:]))
	cli.Complete(c, "to", register.States()[1:])
	c.Flags().Var(&o.on, "on", "`day` since which it is so (default: today); a compromise may be found out later")
	c.Flags().StringVar(&o.reason, "reason", "", "`why`")
	byFlag(c, &o.by)
	cli.Require(c, "to", "reason", "by")
	return c
}

func (a *app) registerState(o registerStateOptions) error {
	r, err := disk.Read(o.register)
	if err != nil {
		return err
	}
	k, err := keyOf(r, o.key)
	if err != nil {
		return err
	}
	today := a.now().UTC().Truncate(24 * time.Hour)
	if o.on.IsZero() {
		o.on.Time = today
	}
	if o.on.After(today) {
		return cli.Usagef("--on %s is still to come", o.on.String())
	}
	e := register.Moved{Key: o.key, From: k.State, To: register.State(o.to), On: o.on.Time, Reason: o.reason}
	if k, err = a.addLine(o.register, o.key, o.by, e); err != nil {
		return err
	}
	return a.print(showKey(k))
}
