// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/fleet/manifest"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/term"
)

func newFleetCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "fleet",
		Short: "Keep many keys as one manifest says, in many accounts and Regions",
		Long: `One manifest says which KMS keys there shall be, where the material of each is
kept (in escrows: no secret belongs in a manifest), and for how long it shall be
imported. keymat looks at what is there, and makes a plan that people can review.`,
		Example: `  keymat fleet init --from-account --out fleet.yaml
  keymat fleet plan fleet.yaml --out plan.json
  keymat fleet status fleet.yaml --expiring-within 14d`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newFleetInitCmd(a), newFleetPlanCmd(a), newFleetPrefetchCmd(a), newFleetApplyCmd(a), newFleetStatusCmd(a))
	return c
}

// A fleetFile is a manifest that was read, and how to name it and its escrows.
type fleetFile struct {
	*manifest.Manifest
	source fleet.Source
	folder string // absolute: where relative paths begin
}

// readManifest reads a manifest from a file, or "-" for stdin.
func (a *app) readManifest(name string) (fleetFile, error) {
	limit := int64(manifest.MaxSize)
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		limit = min(limit, info.Size()) // the buffer is as large as the limit
	}
	text, err := files.ReadLimited(name, a.Stdin, limit)
	if err != nil {
		return fleetFile{}, err
	}
	folder, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return fleetFile{}, err
	}
	m, err := manifest.Read(text)
	if e, ok := errors.AsType[*manifest.Error](err); ok {
		return fleetFile{}, &manifestError{name: name, err: e}
	}
	if err != nil {
		return fleetFile{}, err
	}
	digest := sha256.Sum256(text)
	return fleetFile{m, fleet.Source{Name: m.Name, SHA256: hex.EncodeToString(digest[:])}, folder}, nil
}

// A manifestError tells the problems of a manifest, each in a line that
// editors know how to jump from.
type manifestError struct {
	name string
	err  *manifest.Error
}

func (e *manifestError) Error() string {
	lines := strings.Split(e.err.Error(), "\n")
	for i := range lines {
		if i < len(e.err.Problems) {
			lines[i] = e.name + ":" + lines[i]
		}
	}
	if len(lines) == 1 {
		return lines[0]
	}
	return "the manifest cannot be used:\n" + strings.Join(lines, "\n")
}

func (e *manifestError) Unwrap() error { return e.err }

// planFleet looks at the keys of a manifest and makes a plan.
func (a *app) planFleet(ctx context.Context, f fleetFile, shard fleet.Shard) (*fleet.Plan, error) {
	if a.globals.region != "" {
		return nil, usagef("--region has no meaning here: the Regions are in the manifest")
	}
	planner := &fleet.Planner{
		Connect: a.newFleetConnections().connect,
		Headers: fleet.HeadersIn(f.folder),
		Now:     a.now,
		Explain: describeError,
	}
	if !a.Quiet && term.IsTerminal(a.Stderr) {
		p := term.NewProgress(a.Stderr, term.Color(a.Stderr, a.Getenv))
		defer p.Done("")
		planner.Progress = everySoOften(func(done, total int) {
			p.Update(fmt.Sprintf("keymat: looked at %d of %d keys", done, total))
		})
	}
	boundMemory(len(f.Keys))
	return planner.Plan(ctx, f.Manifest, f.source, shard)
}

// boundMemory lets the garbage collector work harder rather than keep twice
// what a plan needs: some 2,000 bytes a key. It lowers a limit that the user
// set (GOMEMLIMIT), and never raises one.
func boundMemory(keys int) {
	const base, perKey = 64 << 20, 2000
	if limit := int64(base + perKey*keys); limit < debug.SetMemoryLimit(-1) {
		debug.SetMemoryLimit(limit)
	}
}

// everySoOften passes on progress a few times a second.
func everySoOften(tell func(done, total int)) func(done, total int) {
	var last atomic.Int64
	return func(done, total int) {
		now, before := time.Now().UnixMilli(), last.Load()
		if (now-before > 100 || done == total) && last.CompareAndSwap(before, now) {
			tell(done, total)
		}
	}
}
