// SPDX-License-Identifier: Apache-2.0

//go:build linux

// Bench measures keymat as a whole against the tools it replaces, and prints
// the tables of docs/performance.md:
//
//	go run ./internal/bench
//
// It needs Linux, openssl and the AWS CLI, and a few minutes on a quiet machine.
// What is compared is run in turns, so that a busy machine slows down both, and
// the results are ratios of medians. Nothing here passes or fails.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	starts := flag.Int("starts", 300, "how often each process is started")
	imports := flag.Int("imports", 7, "how often each procedure imports a key")
	loads := flag.Int("loads", 3, "how often each load is repeated")
	beside := flag.String("beside", "", "load the KMS that serves at this `address`, such as 127.0.0.1:8080, too")
	pid := flag.Int("pid", 0, "the `process` that does so, to measure its processor time")
	only := flag.String("only", "", "one `part`: start, import, wrap, load, fleet, apply or binary")
	keys := flag.Int("keys", 100_000, "how many keys the largest fleet has")
	applied := flag.Int("applied", 1000, "how many keys fleet apply re-imports")
	quotas := flag.Bool("quotas", true, "let fleet apply also wait for KMS's quotas")
	regions := flag.Int("regions", len(fleetRegions), "Regions that the keys of fleet apply are in; with one, the wait for quotas is 17 minutes")
	flag.Parse()
	fleets := fleetSizes{*keys, *applied, *regions, *quotas}
	if err := run(*only, *starts, *imports, *loads, fleets, other(*beside, *pid)); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// fleetSizes say how large fleets are, and whether they also wait for quotas.
type fleetSizes struct {
	planned, applied, regions int
	quotas                    bool
}

func run(only string, starts, imports, loads int, fleets fleetSizes, beside *server) error {
	dir, err := os.MkdirTemp("", "keymat-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	keymat := filepath.Join(dir, "keymat")
	if err := build("", keymat, "./cmd/keymat"); err != nil {
		return err
	}
	for _, part := range []struct {
		name    string
		measure func() error
	}{
		{"start", func() error { return measureStart(dir, keymat, starts) }},
		{"import", func() error { return measureImport(dir, keymat, imports) }},
		{"wrap", measureWrap},
		{"load", func() error { return measureLoad(dir, keymat, beside, loads) }},
		{"fleet", func() error { return measureFleet(dir, keymat, fleets.planned) }},
		{"apply", func() error { return measureApply(dir, keymat, fleets) }},
		{"binary", func() error { return measureBinary(dir, keymat) }},
	} {
		if only != "" && only != part.name {
			continue
		}
		if err := part.measure(); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}
