// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/inventory"
)

type statusOptions struct {
	all         bool
	aliasPrefix string
	tags        []string
	regions     []string
	profiles    []string
	details     bool
	expiring    string
	format      string
	escrows     escrowFinder
}

// The formats of status beside --json.
const (
	formatTable      = "table"
	formatPrometheus = "prometheus"
	formatICS        = "ics"
)

func newStatusCmd(a *app) *cobra.Command {
	var o statusOptions
	c := &cobra.Command{
		Use:   "status (<key>… | --all | --alias-prefix <prefix> | --tag <key=value>)",
		Short: "Say what is imported, and what expires when",
		Long: `Look at keys with imported material: their state, which material is current, old
or waiting for rotation, what stops the key when it expires and when that is, how
many on-demand rotations were used, and when the key was last used.

Keys that are named are looked at closely, in every Region where they have a
copy. --all, --alias-prefix and --tag look at all keys of the Regions and
profiles given, with one fast call each; --details asks for the rest, too, which
KMS allows for five keys a second. A key you may not describe is told and left out.

With --escrow it says which of the escrows in a file or folder hold each material,
how that is known, and when it was last drilled. Of key pairs the header of an
escrow tells; of others the records that keymat escrow drill --out keeps, and the
JSON results of bring and rotate that made an escrow. Nothing is opened. None
known does not mean that there is none elsewhere.

With --expiring-within the exit code is 3 when a key expires within that time, or
has stopped already because material it had is gone. --format prometheus is for
the textfile collector, --format ics a calendar of the expiries.`,
		Example: `  keymat status alias/app
  keymat status --all --regions eu-central-1,us-east-1 --expiring-within 14d
  keymat status --all --escrow /mnt/escrow
  keymat status --all --format prometheus > /var/lib/node_exporter/keymat.prom`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.status(cmd.Context(), args, o) },
	}
	f := c.Flags()
	f.BoolVar(&o.all, "all", false, "all keys with imported material")
	f.StringVar(&o.aliasPrefix, "alias-prefix", "", "only keys with an alias that begins with this `prefix`")
	f.StringArrayVar(&o.tags, "tag", nil, "only keys with this tag, `key=value`; repeat for more")
	f.StringSliceVar(&o.regions, "regions", nil, "`Regions` to look in, separated by commas (default: the one of --region or your settings)")
	f.StringSliceVar(&o.profiles, "profiles", nil, "AWS `profiles` to look with, separated by commas (default: --profile)")
	f.BoolVar(&o.details, "details", false, "with --all and the like: each key's materials and last use, too")
	f.StringVar(&o.expiring, "expiring-within", "", "exit code 3 if a key expires within this `time`, such as 14d")
	f.StringVar(&o.format, "format", formatTable, "`how` to print it: table, prometheus or ics")
	o.escrows.register(c)
	complete(c, "format", []string{formatTable, formatPrometheus, formatICS})
	return c
}

// check tells what is wrong with the options, and reads those that have to be.
func (o statusOptions) check(keys []string, g globals, json bool) (q inventory.Query, expiring time.Duration, err error) {
	scan := o.all || o.aliasPrefix != "" || len(o.tags) > 0
	switch {
	case len(keys) == 0 && !scan:
		return q, 0, usagef("name a key, or say which: --all, --alias-prefix PREFIX or --tag KEY=VALUE")
	case len(keys) > 0 && scan:
		return q, 0, usagef("name keys, or describe them with --all, --alias-prefix and --tag, but not both")
	case len(keys) > 0 && len(o.regions)+len(o.profiles) > 0:
		return q, 0, usagef("--regions and --profiles are for --all, --alias-prefix and --tag; a key that is named is looked at wherever it has copies")
	case g.region != "" && len(o.regions) > 0:
		return q, 0, usagef("name Regions with --region or with --regions, but not both")
	case g.profile != "" && len(o.profiles) > 0:
		return q, 0, usagef("name profiles with --profile or with --profiles, but not both")
	case json && o.format != formatTable:
		return q, 0, usagef("--json and --format %s are two ways to print it", o.format)
	case o.aliasPrefix != "" && !strings.HasPrefix(o.aliasPrefix, "alias/"):
		return q, 0, usagef("an alias begins with alias/, so: --alias-prefix alias/%s", o.aliasPrefix)
	}
	switch o.format {
	case formatTable, formatPrometheus, formatICS:
	default:
		return q, 0, usagef("--format takes table, prometheus or ics, not %q", o.format)
	}
	if o.expiring != "" {
		var ok bool
		if expiring, ok = importer.ParseSpan(o.expiring); !ok || expiring < 0 {
			return q, 0, usagef("--expiring-within takes a length of time, such as 14d or 12h, not %q", o.expiring)
		}
	}
	tags, err := tagMap(o.tags)
	return inventory.Query{AliasPrefix: o.aliasPrefix, Tags: tags, Details: o.details}, expiring, err
}

func (a *app) status(ctx context.Context, keys []string, o statusOptions) error {
	q, expiring, err := o.check(keys, a.globals, a.JSON)
	if err != nil {
		return err
	}
	if err := o.escrows.look(a); err != nil {
		return err
	}
	var items []inventory.Item
	var regions []string
	if len(keys) > 0 {
		items, err = a.lookAt(ctx, keys, o)
	} else {
		items, regions, err = a.scan(ctx, o, q)
	}
	if err != nil {
		return err
	}
	inventory.Sort(items)
	a.warnOf(items)
	if err := a.printStatus(items, regions, o); err != nil {
		return err
	}
	if o.format == formatTable {
		a.tellStopped(items)
	}
	for _, i := range items {
		if o.expiring != "" && i.ExpiringWithin(expiring, a.now()) {
			return errExpiring
		}
	}
	return nil
}

var errExpiring = &cli.NoError{
	Reason: "a key expires within the time asked about, or has stopped",
	Next:   "extend what is there: keymat renew KEY --material FILE --expires 90d; bring back what is gone: keymat reimport KEY --material FILE --expires 90d",
}

// tellStopped says how the keys that have stopped work again.
func (a *app) tellStopped(items []inventory.Item) {
	var stopped []inventory.Item
	for _, i := range items {
		if i.Lost() {
			stopped = append(stopped, i)
		}
	}
	switch len(stopped) {
	case 0:
	case 1:
		a.say("%s has stopped; bring its material back, from an escrow or a file: keymat reimport %s --material FILE --expires 90d", stopped[0].Name(), stopped[0].Key.ARN)
	default:
		a.say("%d keys have stopped; bring the material of each back, from an escrow or a file: keymat reimport KEY --material FILE --expires 90d", len(stopped))
	}
}

func (a *app) printStatus(items []inventory.Item, regions []string, o statusOptions) error {
	switch o.format {
	case formatPrometheus:
		a.Told()
		return writePrometheus(a.Stdout, items, o.escrows, a.now())
	case formatICS:
		a.Told()
		return writeCalendar(a.Stdout, items, a.now())
	}
	l := statusOf(items, o.escrows, a.now())
	l.regions = regions
	return a.print(l)
}

// lookAt looks at the keys named.
func (a *app) lookAt(ctx context.Context, refs []string, o statusOptions) (items []inventory.Item, err error) {
	for _, ref := range refs {
		region, err := a.regionFor([]string{ref})
		if err != nil {
			return nil, err
		}
		place, err := a.place(ctx, a.globals.profile, region)
		if err != nil {
			return nil, err
		}
		place.PublicKeys = o.escrows.publicKeys()
		found, err := place.Look(ctx, ref)
		if err != nil {
			return nil, err
		}
		items = append(items, found...)
	}
	return items, nil
}

func (a *app) place(ctx context.Context, profile, region string) (inventory.Place, error) {
	client, err := a.connectAs(ctx, profile, region)
	if err != nil {
		return inventory.Place{}, err
	}
	return inventory.Place{
		Profile: profile,
		Region:  client.Options().Region,
		KMS:     client,
		Regions: func(region string) (inventory.KMS, error) { return a.connectAs(ctx, profile, region) },
		Now:     a.now,
	}, nil
}

// scan looks in every Region with every profile. A place where keys cannot be
// listed does not hide the others, unless it is the only one.
func (a *app) scan(ctx context.Context, o statusOptions, q inventory.Query) (items []inventory.Item, looked []string, err error) {
	profiles, regions := o.profiles, o.regions
	if len(profiles) == 0 {
		profiles = []string{a.globals.profile}
	}
	if len(regions) == 0 {
		regions = []string{a.globals.region}
	}
	for _, profile := range profiles {
		for _, region := range regions {
			var found []inventory.Item
			place, err := a.place(ctx, profile, region)
			if err == nil {
				looked = append(looked, place.Region)
				found, err = a.scanPlace(ctx, place, o, q)
			}
			if err != nil && (len(profiles)*len(regions) == 1 || ctx.Err() != nil) {
				return nil, nil, err
			}
			if err != nil {
				found = []inventory.Item{{Profile: profile, Region: region, Err: err}}
			}
			items = append(items, found...)
		}
	}
	slices.Sort(looked)
	return items, slices.Compact(looked), nil
}

func (a *app) scanPlace(ctx context.Context, place inventory.Place, o statusOptions, q inventory.Query) ([]inventory.Item, error) {
	place.PublicKeys = o.escrows.publicKeys()
	if !a.Quiet && term.IsTerminal(a.Stderr) {
		p := term.NewProgress(a.Stderr, term.Color(a.Stderr, a.Getenv))
		defer p.Done("")
		q.Progress = func(done, total int) {
			if done%50 == 0 || done == total {
				p.Update(fmt.Sprintf("keymat: looked at %d of %d keys in %s", done, total, place.Region))
			}
		}
	}
	return place.Scan(ctx, q)
}

// warnOf tells what could not be looked at.
func (a *app) warnOf(items []inventory.Item) {
	for _, i := range items {
		if i.Err != nil {
			a.warn("%s is left out: %s", whereOf(i), describeError(i.Err))
		}
		for _, gap := range i.Gaps {
			a.warn("%s: %s", i.Name(), describeError(gap))
		}
	}
}

// whereOf names an item that could not be looked at.
func whereOf(i inventory.Item) string {
	name := i.Name()
	if name == "" {
		name = "Region " + i.Region
		if i.Profile != "" {
			name += " with profile " + i.Profile
		}
	}
	return name
}
