// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/rehearsal"
	"github.com/keymat/keymat/ceremonycmd"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
)

// newCeremonyCmd is the command ceremony with what takes KMS, or a mock of it.
func newCeremonyCmd(a *app) *cobra.Command {
	c := ceremonycmd.New(&a.Run, a.now, a.stations()...)
	c.AddCommand(newCeremonyRehearseCmd(a))
	return c
}

type rehearseOptions struct {
	dir       string
	scenarios []string
	list      bool
}

// everyScenario stands for all of them.
const everyScenario = "all"

func newCeremonyRehearseCmd(a *app) *cobra.Command {
	var o rehearseOptions
	c := &cobra.Command{
		Use:   "rehearse <plan>",
		Short: "Play a whole ceremony by a plan, with simulated people",
		Long: `Play a whole ceremony by a plan before its day: the three machines do all that they
will do, on folders of their own, with media in between; simulated people confirm,
write shares down and type them back; and the keys are in a mock of KMS. The plan
does not have to be approved, and people need no keys yet.

The plan for practice is the real one, but that it says that it is a rehearsal,
that people have other keys, and that targets are keys in the mock: what comes of
it cannot be imported into AWS. Everything is in a folder for each scenario: those
of the machines, media, what people keep, and what the screens showed. All of it
is throw-away material.

With --scenario something goes wrong on the way, or a later ceremony follows with
the same key and the same people; --list says what there is, and what has to come
of it. The exit code is 3 if that did not, or if an auditor would
find fault with the records. A rehearsal by-plan that was interrupted goes on when
it is called again; another begins anew.`,
		Example: `  keymat ceremony rehearse plan.yaml --dir rehearsal
  keymat ceremony rehearse plan.yaml --dir rehearsal --scenario power-cut --scenario expired-token
  keymat ceremony rehearse plan.yaml --dir rehearsal --scenario all --json
  keymat ceremony rehearse --list`,
		Args: func(c *cobra.Command, args []string) error {
			if o.list {
				return cobra.NoArgs(c, args)
			}
			return cli.OneArg("plan")(c, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.list {
				return a.print(scenarioList{rehearsal.Scenarios()})
			}
			return a.rehearse(cmd.Context(), args[0], o)
		},
	}
	c.Flags().StringVar(&o.dir, "dir", "", "`folder` for all of it: a new one, or that of an earlier rehearsal")
	c.Flags().StringArrayVar(&o.scenarios, "scenario", nil, "what goes wrong: `name`, or all (default: nothing)")
	c.Flags().BoolVar(&o.list, "list", false, "list the scenarios, and rehearse nothing")
	c.MarkFlagsOneRequired("dir", "list")
	c.MarkFlagsMutuallyExclusive("dir", "list")
	cli.Complete(c, "scenario", append(scenarioNames(), everyScenario))
	return c
}

func scenarioNames() (names []string) {
	for _, s := range rehearsal.Scenarios() {
		names = append(names, s.Name)
	}
	return names
}

func (a *app) rehearse(ctx context.Context, name string, o rehearseOptions) error {
	r, err := a.newRehearsal(name, o.dir)
	if err != nil {
		return err
	}
	scenarios, err := chosenScenarios(o.scenarios, r.Plan)
	if err != nil {
		return err
	}
	result := rehearsed{Ceremony: r.Plan.ID, Folder: o.dir, Rehearsals: []rehearsedScenario{}}
	r.Observe = func(e rehearsal.Event) { a.followRehearsal(e, &result) }
	good := true
	for _, s := range scenarios {
		done := a.busy("rehearsing " + s.Name + ": " + s.Happens)
		outcome, err := r.Play(ctx, s)
		done()
		if err != nil {
			return err
		}
		result.Rehearsals = append(result.Rehearsals, rehearsedScenario{outcome, outcome.Took.Seconds()})
		good = good && outcome.Good
	}
	if err := a.print(result); err != nil {
		return err
	}
	if !good {
		return errRehearsal
	}
	return nil
}

var errRehearsal = &cli.NoError{Reason: "not everything came as it should"}

// newRehearsal reads the plan that is rehearsed.
func (a *app) newRehearsal(name, dir string) (r rehearsal.Rehearsal, err error) {
	data, err := files.ReadLimited(name, a.Stdin, plan.MaxFile)
	if err != nil {
		return r, err
	}
	r.Dir = dir
	if r.Plan, err = plan.Read(bytes.NewReader(data)); err != nil {
		return r, inFile(name, err)
	}
	r.Tool, err = ceremonycmd.ThisTool()
	return r, err
}

// chosenScenarios are those of some names, in the order of the list; all of them are
// all that can happen by the plan.
func chosenScenarios(names []string, p *plan.Plan) (chosen []rehearsal.Scenario, err error) {
	if len(names) == 0 {
		names = []string{rehearsal.ByPlan}
	}
	for _, name := range names {
		s, ok := rehearsal.Find(name)
		switch {
		case !ok && name != everyScenario:
			return nil, usagef("there is no scenario %q; keymat ceremony rehearse --list shows them", name)
		case ok && s.Misfit(p) != "":
			return nil, usagef("scenario %s cannot happen by this plan, which %s", name, s.Misfit(p))
		}
	}
	for _, s := range rehearsal.Scenarios() {
		if slices.Contains(names, s.Name) || slices.Contains(names, everyScenario) && s.Misfit(p) == "" {
			chosen = append(chosen, s)
		}
	}
	return chosen, nil
}

// followRehearsal notes what the plan for practice says differently, and shows what
// the machines do to those who want to see it all.
func (a *app) followRehearsal(e rehearsal.Event, r *rehearsed) {
	switch e := e.(type) {
	case rehearsal.Prepared:
		r.Differs = e.Changes
	case rehearsal.Shown:
		if a.globals.verbose {
			a.say("%s: %s", e.Machine, e.Text)
		}
	case rehearsal.Cut:
		if a.globals.verbose {
			a.say("%s: switched off in the middle of %s", e.Machine, e.Task)
		}
	}
}
