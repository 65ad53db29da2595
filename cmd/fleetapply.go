// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/fleet/journal"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/mockkms"
)

type fleetApplyOptions struct {
	unlock  unlocking
	shard   string
	params  string
	journal string
	wait    bool
	pace    fleetPace
	dryRun  bool
}

func newFleetApplyCmd(a *app) *cobra.Command {
	var o fleetApplyOptions
	c := &cobra.Command{
		Use:   "apply (<plan> | <manifest>)",
		Short: "Do what a plan says, at the pace that KMS allows",
		Long: `Do exactly what a plan says that keymat fleet plan --out has kept, or make a plan
of a manifest and ask. First every key that would be touched is looked at: if one
is not as the plan found it, nothing is done. All places are worked on at the same
time, each key on its own, at the pace of KMS's quotas; calls that are throttled
nevertheless slow it down.

A journal beside the plan, named after the fleet, says what is about to be done
and what became of it. So this can be stopped in any way and run again: what is
done is left alone, and what may have happened is looked at before it is repeated.
Ctrl-C finishes what is in flight. While one apply is at work, another with the
same journal is refused, or waits with --wait.

The escrows are opened with what is given once, for all of them; one at a time for
each core, and only while its material is wrapped. The exit code is 4 when some
keys are left. --json prints a line for each key, and one for all at the end.`,
		Example: `  keymat fleet apply plan.json --identity ops.age
  keymat fleet apply fleet.yaml --identity ops.age --yes
  keymat fleet apply plan.json --identity ops.age --params ahead --quota GetParametersForImport=0.25 --json`,
		Args:              oneArg("plan or manifest"),
		ValidArgsFunction: completePlan,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.fleetApply(cmd.Context(), args[0], o) },
	}
	o.unlock.register(c)
	f := c.Flags()
	f.StringVar(&o.shard, "shard", "", "of a manifest, only this `part`, such as 3/16")
	f.StringVar(&o.params, "params", "", "use the import parameters that fleet prefetch put into this `folder`, as long as they are valid")
	f.StringVar(&o.journal, "journal", "", "`file` of the journal (default: beside the plan or manifest, named after the fleet)")
	f.BoolVar(&o.wait, "wait", false, "wait for another apply with the same journal to end")
	o.pace.register(c)
	dryRunFlag(c, &o.dryRun)
	return c
}

// completePlan offers what can be applied.
func completePlan(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"json", "yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

func (a *app) fleetApply(ctx context.Context, name string, o fleetApplyOptions) error {
	quotas, err := a.fleetQuotas(ctx, o.pace)
	if err != nil {
		return err
	}
	plan, err := a.planToApply(ctx, name, o.shard)
	if err != nil {
		return err
	}
	connections := a.newFleetConnections()
	connections.unpaced = true // fleet does it
	unlocker := a.newFleetUnlocker(o.unlock)
	options := fleet.Options{Connect: connections.connect, Open: unlocker.open, Quotas: quotas, AtOnce: o.pace.atOnce}
	if o.params != "" {
		options.Parameters = a.parametersIn(o.params)
	}
	path := o.journal
	if path == "" {
		path = journalBeside(name, plan)
	}
	if o.dryRun {
		return a.fleetDryRun(ctx, plan, path, options)
	}
	if options.Journal, err = journal.Open(ctx, path, journal.Waiting(o.wait)); err != nil {
		return err
	}
	err = a.applyPlan(ctx, plan, options, unlocker)
	return errors.Join(err, options.Journal.Close())
}

// applyPlan asks, tries what opens the escrows, and applies the plan.
func (a *app) applyPlan(ctx context.Context, plan *fleet.Plan, o fleet.Options, u *fleetUnlocker) error {
	changes := 0
	for _, c := range plan.Changes {
		if len(c.Steps) > 0 {
			changes++
		}
	}
	if changes > 0 {
		a.say("%s", describePlan(plan))
		if err := a.confirm(ctx, fmt.Sprintf("Change %s as the plan says", keysIn(changes))); err != nil {
			return err
		}
		if err := u.try(ctx, plan); err != nil {
			return err
		}
	}
	progress := a.newFleetProgress(plan)
	results := &fleetResults{app: a, progress: progress, left: make(map[fleet.Status]int)}
	o.Observe = results.observe
	summary, err := fleet.Apply(ctx, *plan, o)
	progress.done()
	if err != nil {
		return err
	}
	if err := results.sum(plan, summary, o.Journal.Path()); err != nil {
		return err
	}
	if n := summary.Left(); n > 0 {
		return &partlyError{err: &fleetLeftError{left: n, all: len(plan.Changes), first: results.first}}
	}
	return nil
}

// fleetLeftError says how many keys are not done, and why the first is not.
type fleetLeftError struct {
	left, all int
	first     error
}

func (e *fleetLeftError) Error() string {
	return fmt.Sprintf("%d of %s left, one because: %s", e.left, keysIn(e.all), describeError(e.first))
}

func (e *fleetLeftError) Unwrap() error { return e.first }

func keysIn(n int) string {
	if n == 1 {
		return "1 key"
	}
	return fmt.Sprintf("%d keys", n)
}

// planToApply reads a plan, or makes one of a manifest.
func (a *app) planToApply(ctx context.Context, name, shard string) (*fleet.Plan, error) {
	a.now() // finds the clock, before many ask at once
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text := bufio.NewReader(f)
	if head, _ := text.Peek(64); bytes.Contains(head, []byte(`"`+fleet.PlanKind+`"`)) { // a manifest may be JSON, too
		if shard != "" {
			return nil, usagef("--shard is for a manifest: a plan has its part of it")
		}
		plan, err := fleet.ReadPlan(text)
		if err != nil {
			return nil, inFile(name, err)
		}
		return plan, nil
	}
	part, err := fleet.ParseShard(shard)
	if err != nil {
		return nil, &cli.UsageError{Err: err}
	}
	manifest, err := a.readManifest(name)
	if err != nil {
		return nil, err
	}
	return a.planFleet(ctx, manifest, part)
}

// journalBeside names the journal after the fleet: so it is the same for a
// manifest and all plans of it in one folder, and each shard has its own.
func journalBeside(name string, p *fleet.Plan) string {
	base := p.Manifest.Name
	if p.Shard.Of > 0 {
		base += fmt.Sprintf(".%d-of-%d", p.Shard.Part, p.Shard.Of)
	}
	return filepath.Join(filepath.Dir(name), base+".journal")
}

// fleetDryRun makes the checks of an apply.
func (a *app) fleetDryRun(ctx context.Context, plan *fleet.Plan, path string, o fleet.Options) error {
	if _, err := os.Stat(path); err == nil {
		j, err := journal.Open(ctx, path, journal.Refuse)
		if err != nil {
			return err
		}
		a.AtEnd(j.Close)
		o.Journal = j
	}
	if err := fleet.Check(ctx, *plan, o); err != nil {
		return err
	}
	if err := checkEscrows(plan); err != nil {
		return err
	}
	return a.print(fleetPlanOf(plan, false))
}

// fleetPace are the flags that say how fast a fleet is worked on.
type fleetPace struct {
	quotas []string
	atOnce int
}

func (p *fleetPace) register(c *cobra.Command) {
	c.Flags().StringArrayVar(&p.quotas, "quota", nil, "calls a second that your accounts allow where that is not KMS's own, such as `GetParametersForImport=0.25`; 0 for any number; repeatable")
	c.Flags().IntVar(&p.atOnce, "at-once", fleet.DefaultAtOnce, "`keys` worked on at the same time in each place")
}

// fleetQuotas are those that differ from KMS's. A mock has none, unless it was
// told to have them.
func (a *app) fleetQuotas(ctx context.Context, p fleetPace) (map[string]float64, error) {
	if p.atOnce < 1 || p.atOnce > 1000 {
		return nil, usagef("--at-once takes a number from 1 to 1000")
	}
	quotas := make(map[string]float64)
	if !a.onAWS() && !a.mockHasQuotas(ctx) {
		maps.Copy(quotas, fleet.Unlimited())
	}
	for _, q := range p.quotas {
		operation, rate, found := strings.Cut(q, "=")
		n, err := strconv.ParseFloat(rate, 64)
		if !found || err != nil || !(n >= 0 && n <= 1e6) {
			return nil, usagef("--quota takes an operation and its calls a second, such as GetParametersForImport=0.25, not %q", q)
		}
		if _, known := fleet.Unlimited()[operation]; !known {
			return nil, usagef("--quota: no operation that fleet calls often is named %q", operation)
		}
		quotas[operation] = n
	}
	return quotas, nil
}

// mockHasQuotas asks the KMS that was named; what is no mock has them.
func (a *app) mockHasQuotas(ctx context.Context) bool {
	if a.usesEmbedded() {
		mock, err := a.embedded()
		return err != nil || mock.Conditions().Quotas
	}
	endpoint := a.globals.endpointURL
	if endpoint == "" {
		endpoint = a.endpointSetting()
	}
	if !onLoopback(endpoint) {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, clockPatience)
	defer cancel()
	conditions, err := mockkms.NewRemote(endpoint, nil).Conditions(ctx)
	return err != nil || conditions.Quotas
}

// checkEscrows reads the escrows of a plan as far as they are public.
func checkEscrows(p *fleet.Plan) error {
	for _, c := range p.Changes {
		for _, s := range c.Steps {
			if s.Escrow.Path == "" {
				continue
			}
			if _, err := readPlanned(s.Escrow); err != nil {
				return err
			}
		}
	}
	return nil
}

// describePlan is a plan in a line.
func describePlan(p *fleet.Plan) string {
	var parts []string
	counts := make(map[fleet.Action]int)
	for _, c := range p.Changes {
		counts[c.Action]++
	}
	for _, action := range fleetActions {
		if n := counts[action]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, action))
		}
	}
	return fmt.Sprintf("plan %s of %s, made %s: %s", p.ID[:8], p.Manifest.Name, seconds(p.Made), strings.Join(parts, ", "))
}
