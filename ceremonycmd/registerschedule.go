// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/register"
	"github.com/keymat/keymat/ceremony/register/disk"
	"github.com/keymat/keymat/internal/cli"
)

// usualDrill is how often recovery is exercised, unless people say otherwise.
const usualDrill daysFlag = 90

// A schedule is what flags say about the days of a key.
type schedule struct {
	protects, review dayFlag
	drill            daysFlag
	reason           string
}

func (s *schedule) register(c *cobra.Command) {
	c.Flags().Var(&s.protects, "protects-until", "`day` on which the key ends to be used to protect: its originator-usage period")
	c.Flags().Var(&s.review, "review", "`day` by which somebody looks at the key")
	c.Flags().Var(&s.drill, "drill-every", "`days` between two exercises in recovery, such as 90d; 0d for none")
}

// given reports whether flags say anything.
func (s *schedule) given(c *cobra.Command) bool {
	return c.Flags().Changed("protects-until") || c.Flags().Changed("review") || c.Flags().Changed("drill-every")
}

func (s *schedule) event(key string) register.Scheduled {
	return register.Scheduled{Key: key, Protects: s.protects.Time, Review: s.review.Time, DrillEvery: int(s.drill), Reason: s.reason}
}

func newRegisterScheduleCmd(a *app) *cobra.Command {
	var s schedule
	var by []string
	c := &cobra.Command{
		Use:   "schedule <register> <key> --reason <text> --by <person>...",
		Short: "Set by when a key is reviewed and drilled, and until when it protects",
		Long: `Set the days of a key anew, such as after a review. What is not given stays as it
is. Which periods are right is for the organisation's policy; NIST SP 800-57
part 1, section 5.3, has advice.`,
		Example: `  keymat ceremony register schedule register.jsonl payments-2026 --review 2028-12-01 --reason 'reviewed, see minutes 12' --by officer`,
		Args:    registerArgs("key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !s.given(cmd) {
				return cli.Usagef("nothing is given to be set: --protects-until, --review or --drill-every")
			}
			return a.registerSchedule(cmd, args[0], args[1], s, by)
		},
	}
	s.register(c)
	c.Flags().StringVar(&s.reason, "reason", "", "`why`")
	byFlag(c, &by)
	cli.Require(c, "reason", "by")
	return c
}

func (a *app) registerSchedule(cmd *cobra.Command, name, key string, s schedule, by []string) error {
	r, err := disk.Read(name)
	if err != nil {
		return err
	}
	k, err := keyOf(r, key)
	if err != nil {
		return err
	}
	e, before := s.event(key), k.Scheduled
	if !cmd.Flags().Changed("protects-until") {
		e.Protects = before.Protects
	}
	if !cmd.Flags().Changed("review") {
		e.Review = before.Review
	}
	if !cmd.Flags().Changed("drill-every") {
		e.DrillEvery = before.DrillEvery
	}
	if k, err = a.addLine(name, key, by, e); err != nil {
		return err
	}
	return a.print(showKey(k))
}
