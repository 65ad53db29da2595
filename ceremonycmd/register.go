// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/register"
	"github.com/keymat/keymat/ceremony/register/disk"
	"github.com/keymat/keymat/internal/cli"
)

func newRegisterCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "register",
		Short: "Keep what is known of an organisation's keys, and what is due",
		Long: `The register is one file per organisation, in which lines are added and never
changed, each bound to the one before. It knows the keys of ceremonies: their
states by NIST SP 800-57, their escrows and shares, the KMS keys that hold them,
until when; drills of recovery, reviews, and the end of their use. Nothing in it is
secret. Note the digest of its last line elsewhere now and then: lines that are cut
off at the end leave no trace in it.`,
		Example: `  keymat ceremony register init register.jsonl --organisation Example --by officer
  keymat ceremony register add register.jsonl /media/record --by officer --protects-until 2028-12-01
  keymat ceremony register due register.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newRegisterInitCmd(a), newRegisterAddCmd(a), newRegisterStateCmd(a), newRegisterScheduleCmd(a), newRegisterDrillCmd(a),
		newRegisterShowCmd(a), newRegisterDueCmd(a))
	return c
}

func newRegisterInitCmd(a *app) *cobra.Command {
	var organisation string
	var by []string
	c := &cobra.Command{
		Use:     "init <register> --organisation <name> --by <person>...",
		Short:   "Begin the register of an organisation",
		Long:    `Make the file of a register, with its first line.`,
		Example: `  keymat ceremony register init register.jsonl --organisation Example --by officer`,
		Args:    cli.OneArg("register"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := disk.Create(args[0], organisation, a.now, by); err != nil {
				return err
			}
			return a.print(registerMade{Register: args[0], Organisation: organisation})
		},
	}
	c.Flags().StringVar(&organisation, "organisation", "", "`name` of whose keys they are")
	byFlag(c, &by)
	cli.Require(c, "organisation", "by")
	return c
}

// byFlag is for the people who stand for a line. They are not those of one plan.
func byFlag(c *cobra.Command, by *[]string) {
	c.Flags().StringArrayVar(by, "by", nil, "`person` who stands for it; repeatable")
}

// addLine adds a line to a register, and returns what it knows of the key then.
func (a *app) addLine(name, key string, by []string, events ...register.Event) (register.Key, error) {
	f, err := disk.Open(name, a.now)
	if err != nil {
		return register.Key{}, err
	}
	defer f.Close()
	for _, e := range events {
		if err := f.Add(e, by); err != nil {
			return register.Key{}, err
		}
	}
	return f.Key(key)
}

// registerMade is what init made.
type registerMade struct {
	Register     string `json:"register"`
	Organisation string `json:"organisation"`
}

func (m registerMade) text(w io.Writer) {
	fmt.Fprintf(w, "%s: the register of %s\n", m.Register, m.Organisation)
}

// dayFlag is for a day, such as 2026-12-01.
type dayFlag struct{ time.Time }

// Set implements pflag.Value.
func (d *dayFlag) Set(text string) (err error) {
	if d.Time, err = time.Parse(time.DateOnly, text); err != nil {
		return errors.New("not a day like 2026-12-01")
	}
	return nil
}

// String implements pflag.Value.
func (d *dayFlag) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.DateOnly)
}

// Type implements pflag.Value.
func (d *dayFlag) Type() string { return "day" }

// daysFlag is for a number of days, such as 30d.
type daysFlag int

// Set implements pflag.Value.
func (d *daysFlag) Set(text string) error {
	number, ok := strings.CutSuffix(text, "d")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 0 || n > 36500 {
		return errors.New("not a number of days like 30d")
	}
	*d = daysFlag(n)
	return nil
}

// String implements pflag.Value.
func (d *daysFlag) String() string { return fmt.Sprintf("%dd", int(*d)) }

// Type implements pflag.Value.
func (d *daysFlag) Type() string { return "days" }

// explainRegister finds the advice for what goes wrong with registers.
func explainRegister(program string, err error) (cli.Advice, bool) {
	if _, ok := errors.AsType[*disk.BusyError](err); ok {
		return cli.Hint("wait for the other keymat to end, and run it again"), true
	}
	if e, ok := errors.AsType[*register.TransitionError](err); ok {
		if after := e.From.After(); len(after) > 0 {
			return cli.Hint("from %s a key goes to %s", e.From, cli.List(after)), true
		}
		return cli.Hint("a key that is %s stays so", e.From), true
	}
	if _, ok := errors.AsType[*register.KeptError](err); ok {
		return cli.Hint("hold a ceremony that destroys what brings it back, and add it: %s ceremony reopen --purpose destroy", program), true
	}
	if _, ok := errors.AsType[*register.ApprovalError](err); ok {
		return cli.Hint("name both of them, each with --by"), true
	}
	if _, ok := errors.AsType[*register.TakenError](err); ok {
		return cli.Hint("a ceremony whose plan expects another escrow is one of another key: give that a name of its own with --as"), true
	}
	if _, ok := errors.AsType[*register.UnfinishedError](err); ok {
		return cli.Hint("add it when it is over"), true
	}
	return cli.Advice{}, false
}

// keyOf demands a key that is there, and offers those that are.
func keyOf(r *register.Register, id string) (register.Key, error) {
	k, err := r.Key(id)
	if err == nil {
		return k, nil
	}
	var ids []string
	for _, k := range r.Keys() {
		ids = append(ids, k.Added.Key)
	}
	slices.Sort(ids)
	return k, fmt.Errorf("%w; it has %s", err, cli.List(ids))
}
