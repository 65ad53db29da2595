// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/internal/ledger"
	"github.com/keymat/keymat/mockkms"
)

// An experimentRun makes keys on a target, and sees to it that none stays.
type experimentRun struct {
	a      *app
	target *target
	bench  *experiment.Bench
	ledger *ledger.Ledger // nil where nothing outlives the process
}

// beginRun begins a run of a command that makes experiments.
func (a *app) beginRun(t *target, command string) (*experimentRun, error) {
	now := time.Now().UTC().Truncate(time.Second)
	r := &experimentRun{a: a, target: t, bench: &experiment.Bench{
		KMS: t.client, Region: t.region, Second: t.second,
		Run: now.Format("20060102T150405Z") + "-" + strings.ToLower(rand.Text()[:8]),
	}}
	if t.lasting {
		folder, err := a.runsFolder()
		if err != nil {
			return nil, err
		}
		h := t.header
		h.Run, h.Command, h.Started = r.bench.Run, command, now
		if r.ledger, err = ledger.Create(folder, h); err != nil {
			return nil, err
		}
		r.bench.Ledger = r.ledger
	}
	if t.clock != nil {
		r.bench.Clock = mockClock{t.clock, r.ledger}
	}
	return r, nil
}

// privateBench makes a bench like the run's on a KMS of its own, which is
// forgotten with it.
func (r *experimentRun) privateBench(ctx context.Context) *experiment.Bench {
	t := &target{clients: make(map[string]*kms.Client)}
	r.a.targetMock(ctx, t, mockkms.New(mockkms.WithWrappingKeys(r.target.wrappingKeys)))
	return &experiment.Bench{KMS: t.client, Region: r.bench.Region, Second: r.bench.Second, Run: r.bench.Run, Clock: mockClock{mock: t.clock}}
}

// runsFolder is where the ledgers of runs are.
func (a *app) runsFolder() (string, error) {
	folder, err := a.stateFolder()
	return filepath.Join(folder, "runs"), err
}

// end ends the run: it goes after keys that were made without anybody hearing
// of it, and closes the ledger. What is left then the next run finds.
func (r *experimentRun) end(ctx context.Context) error {
	if r.ledger == nil {
		return nil
	}
	var err error
	if left := r.ledger.Left(); len(left.Unknown) > 0 {
		_, err = r.a.cleanUpRun(ctx, r.target, r.bench, r.ledger, false)
	}
	left := r.ledger.Left()
	if err := errors.Join(err, r.ledger.Close()); err != nil {
		return err
	}
	if !left.Nothing() {
		return &unfinishedRunError{r.ledger.Header(), left}
	}
	return nil
}

// An unfinishedRunError says that a run left something behind.
type unfinishedRunError struct {
	header ledger.Header
	left   ledger.Left
}

func (e *unfinishedRunError) Error() string { return "the run left " + describeLeft(e.left) }

// describeLeft says what a run left behind: "2 keys, and perhaps more in us-east-1".
func describeLeft(l ledger.Left) string {
	var parts []string
	if n := len(l.Keys); n > 0 {
		parts = append(parts, count(n, "key"))
	}
	for region := range l.Unknown {
		parts = append(parts, "perhaps a key in "+region+" that no answer told of")
	}
	if l.Moved != 0 {
		parts = append(parts, fmt.Sprintf("the clock moved by %s", l.Moved))
	}
	return strings.Join(parts, ", ")
}

// count is a number of things in words: "1 key", "2 keys".
func count(n int, thing string) string { return cli.Count(n, thing) }
