// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	_ "embed" // the starting point
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/inventory"
)

type fleetInitOptions struct {
	fromAccount bool
	name        string
	regions     []string
	profiles    []string
	out         string
	force       bool
}

func newFleetInitCmd(a *app) *cobra.Command {
	var o fleetInitOptions
	c := &cobra.Command{
		Use:   "init",
		Short: "Write a manifest: a commented one to begin with, or one for the keys there are",
		Long: `Write a manifest to begin with, whose comments say what each line is for. With
--from-account it is one for the keys with imported material that there are in the
Regions and profiles given: so that fleet plan finds nothing to do, but for the
keys that have stopped, and for those whose escrows you still have to name.`,
		Example: `  keymat fleet init --out fleet.yaml
  keymat fleet init --from-account --regions eu-central-1,us-east-1 --out fleet.yaml
  keymat fleet init --from-account --profiles prod,base --name payments`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.fleetInit(cmd.Context(), o) },
	}
	f := c.Flags()
	f.BoolVar(&o.fromAccount, "from-account", false, "for the keys that there are")
	f.StringVar(&o.name, "name", "fleet", "`name` of the fleet")
	f.StringSliceVar(&o.regions, "regions", nil, "`Regions` to look in, separated by commas (default: the one of --region or your settings)")
	f.StringSliceVar(&o.profiles, "profiles", nil, "AWS `profiles` to look with, separated by commas (default: --profile)")
	f.StringVar(&o.out, "out", "", "`file` for the manifest (default: standard output)")
	forceFlag(c, &o.force)
	return c
}

//go:embed fleetstart.yaml
var fleetStart string

// fleetDraft is the result of fleet init.
type fleetDraft struct {
	Out      string `json:"out,omitempty"`
	Keys     int    `json:"keys"`
	Manifest string `json:"manifest,omitempty"` // unless it is in a file
}

func (r fleetDraft) text(w io.Writer) { io.WriteString(w, r.Manifest) }

func (a *app) fleetInit(ctx context.Context, o fleetInitOptions) error {
	switch {
	case !o.fromAccount && len(o.regions)+len(o.profiles) > 0:
		return usagef("--regions and --profiles say where to look with --from-account")
	case a.globals.region != "" && len(o.regions) > 0:
		return usagef("name Regions with --region or with --regions, but not both")
	case a.globals.profile != "" && len(o.profiles) > 0:
		return usagef("name profiles with --profile or with --profiles, but not both")
	}
	if o.out != "" {
		if err := files.Check(o.out, files.Overwrite(o.force)); err != nil {
			return err
		}
	}
	r := fleetDraft{Manifest: fleetStart}
	if o.fromAccount {
		items, _, err := a.scan(ctx, statusOptions{regions: o.regions, profiles: o.profiles}, inventory.Query{})
		if err != nil {
			return err
		}
		a.warnOf(items)
		r.Manifest, r.Keys = manifestFor(o.name, items, append(o.regions, a.globals.region))
	}
	if o.out != "" {
		if err := files.WritePublic(o.out, []byte(r.Manifest), files.Overwrite(o.force)); err != nil {
			return err
		}
		a.say("the manifest is in %s", o.out)
		r.Out, r.Manifest = o.out, ""
	}
	return a.print(r)
}
