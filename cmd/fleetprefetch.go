// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

type fleetPrefetchOptions struct {
	out   string
	shard string
	pace  fleetPace
}

func newFleetPrefetchCmd(a *app) *cobra.Command {
	var o fleetPrefetchOptions
	c := &cobra.Command{
		Use:   "prefetch (<plan> | <manifest>) --out <folder>",
		Short: "Fetch the import parameters that an apply will need, ahead of it",
		Long: `Fetch a wrapping key and an import token for every key that exists and that the
plan imports into, and keep each in a file of its own. KMS takes them for 24
hours. It gives out one a second, but lets 15 imports a second in: with
keymat fleet apply --params a maintenance window pays only for the imports.

Nothing is changed, and nothing in the files is secret. They are what keymat fetch
writes, one for each copy of a key, and keymat wrap reads them. Run again, it
fetches only what is missing or about to end.`,
		Example: `  keymat fleet prefetch plan.json --out ahead
  keymat fleet apply plan.json --params ahead --identity ops.age`,
		Args:              oneArg("plan or manifest"),
		ValidArgsFunction: completePlan,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.fleetPrefetch(cmd.Context(), args[0], o) },
	}
	c.Flags().StringVar(&o.out, "out", "", "`folder` for the parameters, which is made if need be")
	c.Flags().StringVar(&o.shard, "shard", "", "of a manifest, only this `part`, such as 3/16")
	o.pace.register(c)
	require(c, "out")
	return c
}

// prefetchMargin is how long parameters fetched ahead have to be valid, to be used.
const prefetchMargin = 15 * time.Minute

// parametersFile is where the parameters for a copy of a key are kept.
func parametersFile(folder, keyARN string) string {
	id := keyARN[strings.LastIndex(keyARN, "/")+1:]
	return filepath.Join(folder, fmt.Sprintf("%s.%s.json", id, importer.RegionOf(keyARN)))
}

// parametersIn gives the parameters of a folder that are valid for long enough.
func (a *app) parametersIn(folder string) func(context.Context, importer.Key, wrap.Pair) (*token.Parameters, error) {
	return func(_ context.Context, k importer.Key, pair wrap.Pair) (*token.Parameters, error) {
		p, err := a.readParameters(parametersFile(folder, k.ARN))
		if errors.Is(err, fs.ErrNotExist) || err == nil && p.CheckAt(a.now().Add(prefetchMargin)) != nil {
			return nil, nil
		}
		return p, err
	}
}

func (a *app) fleetPrefetch(ctx context.Context, name string, o fleetPrefetchOptions) error {
	quotas, err := a.fleetQuotas(ctx, o.pace)
	if err != nil {
		return err
	}
	plan, err := a.planToApply(ctx, name, o.shard)
	if err != nil {
		return err
	}
	if err := files.MakeFolder(o.out); err != nil {
		return err
	}
	connections := a.newFleetConnections()
	connections.unpaced = true // fleet does it
	ahead := a.parametersIn(o.out)
	have := func(arn string, pair wrap.Pair) bool {
		p, err := ahead(ctx, importer.Key{ARN: arn}, pair)
		return err == nil && p != nil && p.KeyARN == arn && p.Algorithm == pair.Algorithm && p.WrappingKeySpec == pair.KeySpec
	}
	keep := func(_ fleet.Change, p *token.Parameters) error {
		return writePublic(parametersFile(o.out, p.KeyARN), p.Encode, true)
	}
	all, err := fleet.Prefetch(ctx, *plan, fleet.Options{Connect: connections.connect, Quotas: quotas, AtOnce: o.pace.atOnce}, have, keep)
	if err != nil {
		return err
	}
	return a.tellPrefetched(all, o.out)
}

// fleetPrefetched is the result of fleet prefetch.
type fleetPrefetched struct {
	Folder  string                 `json:"folder"`
	Fetched int                    `json:"fetched"`
	Kept    int                    `json:"kept"` // were there already
	Failed  []fleetPrefetchFailure `json:"failed,omitempty"`
}

type fleetPrefetchFailure struct {
	Name   string `json:"name"`
	KeyARN string `json:"key_arn"`
	Error  string `json:"error"`
}

func (p fleetPrefetched) text(w io.Writer) {
	for _, f := range p.Failed {
		fmt.Fprintf(w, "%s: %s: %s\n", f.Name, f.KeyARN, f.Error)
	}
	fields(w, "fetched", fmt.Sprint(p.Fetched), "there already", fmt.Sprint(p.Kept), "folder", p.Folder)
}

func (a *app) tellPrefetched(all []fleet.Prefetched, folder string) error {
	result := fleetPrefetched{Folder: folder}
	var first error
	for _, p := range all {
		switch {
		case p.Err != nil:
			first = firstOf(first, p.Err)
			result.Failed = append(result.Failed, fleetPrefetchFailure{p.Change, p.KeyARN, describeError(p.Err)})
		case p.Kept:
			result.Kept++
		default:
			result.Fetched++
		}
	}
	if err := a.print(result); err != nil {
		return err
	}
	if first != nil {
		return &partlyError{err: &fleetLeftError{left: len(result.Failed), all: len(all), first: first}}
	}
	return nil
}
