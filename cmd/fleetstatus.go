// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/cli"
)

type fleetStatusOptions struct {
	expiring string
	format   string
	shard    string
}

func newFleetStatusCmd(a *app) *cobra.Command {
	var o fleetStatusOptions
	c := &cobra.Command{
		Use:   "status <manifest>",
		Short: "Compare the keys with the manifest, and say what expires",
		Long: `Look at every key of the manifest as fleet plan does, and say which are not as the
manifest asks, and when the material of each expires. The exit code is 3 when a
key differs, or, with --expiring-within, when one expires within that time.

--format prometheus is for the textfile collector.`,
		Example: `  keymat fleet status fleet.yaml
  keymat fleet status fleet.yaml --expiring-within 14d --json
  keymat fleet status fleet.yaml --format prometheus > /var/lib/node_exporter/fleet.prom`,
		Args:              oneArg("manifest"),
		ValidArgsFunction: completeManifest,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.fleetStatus(cmd.Context(), args[0], o) },
	}
	f := c.Flags()
	f.StringVar(&o.expiring, "expiring-within", "", "exit code 3 if a key expires within this `time`, such as 14d")
	f.StringVar(&o.format, "format", formatTable, "`how` to print it: table or prometheus")
	f.StringVar(&o.shard, "shard", "", "only this `part` of the manifest, such as 3/16")
	complete(c, "format", []string{formatTable, formatPrometheus})
	return c
}

// check reads the options that have to be.
func (o fleetStatusOptions) check(json bool) (within time.Duration, shard fleet.Shard, err error) {
	if o.format != formatTable && o.format != formatPrometheus {
		return 0, shard, usagef("--format takes table or prometheus, not %q", o.format)
	}
	if json && o.format != formatTable {
		return 0, shard, usagef("--json and --format %s are two ways to print it", o.format)
	}
	if o.expiring != "" {
		var ok bool
		if within, ok = importer.ParseSpan(o.expiring); !ok || within < 0 {
			return 0, shard, usagef("--expiring-within takes a length of time, such as 14d or 12h, not %q", o.expiring)
		}
	}
	if shard, err = fleet.ParseShard(o.shard); err != nil {
		err = &cli.UsageError{Err: err}
	}
	return within, shard, err
}

func (a *app) fleetStatus(ctx context.Context, name string, o fleetStatusOptions) error {
	within, shard, err := o.check(a.JSON)
	if err != nil {
		return err
	}
	f, err := a.readManifest(name)
	if err != nil {
		return err
	}
	plan, err := a.planFleet(ctx, f, shard)
	if err != nil {
		return err
	}
	r := fleetStatusOf(plan, within)
	if o.format == formatPrometheus {
		a.Told()
		err = writeFleetPrometheus(a.Stdout, plan)
	} else {
		err = a.print(r)
	}
	switch {
	case err != nil:
		return err
	case r.Differ > 0:
		return fleetDiffers(plan, "")
	case o.expiring != "" && r.Expiring > 0:
		return errExpiring
	}
	return nil
}
