// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
)

type fleetPlanOptions struct {
	out   string
	shard string
	all   bool
	force bool
}

func newFleetPlanCmd(a *app) *cobra.Command {
	var o fleetPlanOptions
	c := &cobra.Command{
		Use:   "plan <manifest>",
		Short: "Say what would be done to bring the keys into the state asked for",
		Long: `Look at every key of the manifest, in all places at the same time, and say what
would be done to it and why: create, import, reimport, renew, rotate, delete or
nothing; and which keys cannot be brought into the state asked for, and why. It
says how long that takes at KMS's quotas. Nothing is changed, and no escrow is
opened: of those that are needed the public headers are read.

The exit code is 0 when there is nothing to do, and 3 when there is. --out keeps
the plan in a file, every key and every step of it; --json prints what a person is
shown: the sums, and each key that something becomes of.

--shard 3/16 takes the third of sixteen parts of the manifest. Keys are dealt by
their names, so that each keeps its part whatever becomes of the others.`,
		Example: `  keymat fleet plan fleet.yaml
  keymat fleet plan fleet.yaml --out plan.json
  keymat fleet plan fleet.yaml --shard 3/16 --json`,
		Args:              oneArg("manifest"),
		ValidArgsFunction: completeManifest,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.fleetPlan(cmd.Context(), args[0], o) },
	}
	c.Flags().StringVar(&o.out, "out", "", "`file` for the plan, as JSON")
	c.Flags().StringVar(&o.shard, "shard", "", "only this `part` of the manifest, such as 3/16")
	c.Flags().BoolVar(&o.all, "all", false, "print every key, also those that nothing becomes of")
	forceFlag(c, &o.force)
	return c
}

// completeManifest offers the YAML files of the folder.
func completeManifest(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}

func (a *app) fleetPlan(ctx context.Context, name string, o fleetPlanOptions) error {
	shard, err := fleet.ParseShard(o.shard)
	if err != nil {
		return &cli.UsageError{Err: err}
	}
	if o.out != "" {
		if err := files.Check(o.out, files.Overwrite(o.force)); err != nil {
			return err
		}
	}
	f, err := a.readManifest(name)
	if err != nil {
		return err
	}
	plan, err := a.planFleet(ctx, f, shard)
	if err != nil {
		return err
	}
	if o.out != "" {
		if err := keepPlan(o.out, plan, o.force); err != nil {
			return err
		}
		a.say("the plan is in %s", o.out)
	}
	r := fleetPlanOf(plan, o.all)
	if err := a.print(r); err != nil {
		return err
	}
	return fleetDiffers(plan, o.out)
}

// fleetDiffers is the answer no where a plan would do something, or cannot, and how to do it; kept is the file of the plan,
// if it was kept.
func fleetDiffers(plan *fleet.Plan, kept string) error {
	counts := fleetPlanOf(plan, false)
	if !counts.Pending() {
		return nil
	}
	e := &cli.NoError{Reason: "not all keys are in the state that the manifest asks for"}
	switch {
	case counts.Actions[fleet.Nothing]+counts.Actions[fleet.Cannot] == counts.Keys: // the plan says why
	case kept != "":
		e.Next = "do it with what opens the escrows: keymat fleet apply " + kept + " --identity FILE"
	default:
		e.Next = "keep the plan, and do it: keymat fleet plan MANIFEST --out plan.json, then keymat fleet apply plan.json --identity FILE"
	}
	return e
}

// keepPlan writes a plan to a file that anybody may read: it holds no secret.
func keepPlan(name string, plan *fleet.Plan, force bool) error {
	return files.WritePublicFrom(name, func(w io.Writer) error { return fleet.WritePlan(w, plan) }, files.Overwrite(force))
}
