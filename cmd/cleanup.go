// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/internal/ledger"
	"github.com/keymat/keymat/internal/term"
)

// offerCleanUp looks for what killed runs left behind, and asks whether to
// clean up. It is no reason to stop when that is not possible now.
func (a *app) offerCleanUp(ctx context.Context) error {
	ledgers, err := a.abandoned()
	if err != nil {
		a.warn("%v", err)
	}
	for _, l := range ledgers {
		err := a.offerToCleanUp(ctx, l)
		if err != nil && (ctx.Err() != nil || errors.Is(err, term.ErrInterrupted)) {
			return err
		}
		if err != nil {
			a.warn("cleaning up after it: %v; later: keymat verify --clean-up", describeError(err))
		}
	}
	return nil
}

func (a *app) offerToCleanUp(ctx context.Context, l *ledger.Ledger) (err error) {
	defer func() { err = errors.Join(err, l.Close()) }()
	a.warn("%s", describeAbandoned(l))
	err = a.confirm(ctx, "Clean up after it now")
	if _, ok := errors.AsType[*term.NoTerminalError](err); ok || errors.Is(err, cli.ErrDeclined) {
		a.say("to clean up: keymat verify --clean-up")
		return nil
	}
	if err != nil {
		return err
	}
	_, err = a.cleanUpAfter(ctx, l)
	return err
}

// cleanUp does nothing but clean up after killed runs.
func (a *app) cleanUp(ctx context.Context) error {
	ledgers, err := a.abandoned()
	defer func() {
		for _, l := range ledgers {
			_ = l.Close() // those that were not reached; the next run finds them
		}
	}()
	done := cleanedUp{Runs: []cleanedRun{}}
	for len(ledgers) > 0 && err == nil {
		l := ledgers[0]
		ledgers = ledgers[1:]
		a.say("%s", describeAbandoned(l))
		if err = a.confirm(ctx, "Clean up after it"); err == nil {
			var run cleanedRun
			run, err = a.cleanUpAfter(ctx, l)
			done.Runs = append(done.Runs, run)
		}
		err = errors.Join(err, l.Close())
	}
	if err != nil {
		return err
	}
	return a.print(done)
}

func (a *app) abandoned() ([]*ledger.Ledger, error) {
	folder, err := a.runsFolder()
	if err != nil {
		return nil, err
	}
	return ledger.Abandoned(folder)
}

// describeAbandoned says what a killed run left, and where.
func describeAbandoned(l *ledger.Ledger) string {
	h := l.Header()
	where := "AWS"
	switch {
	case h.Mock != "":
		where = "the mock in " + h.Mock
	case h.Endpoint != "":
		where = h.Endpoint
	}
	if h.Profile != "" {
		where += ", profile " + h.Profile
	}
	return fmt.Sprintf("a run of keymat %s of %s was cut off and left %s at %s", h.Command, seconds(h.Started), describeLeft(l.Left()), where)
}

// cleanUpAfter cleans up after a killed run, in the KMS that it used.
func (a *app) cleanUpAfter(ctx context.Context, l *ledger.Ledger) (cleanedRun, error) {
	h := l.Header()
	if elsewhere := a.endpointSetting(); h.Endpoint == "" && h.Mock == "" && elsewhere != "" {
		return cleanedRun{}, &elsewhereError{elsewhere}
	}
	there := &app{Run: cli.Run{Talk: a.Talk}, globals: a.globals}
	there.globals.mock, there.globals.mockState = h.Mock != "", h.Mock
	there.globals.region, there.globals.profile, there.globals.endpointURL = h.Region, h.Profile, h.Endpoint
	t, err := there.target(ctx, targetOptions{aws: h.Mock == ""})
	if err != nil {
		return cleanedRun{}, errors.Join(err, there.Close())
	}
	bench := &experiment.Bench{KMS: t.client, Region: t.region, Run: h.Run, Ledger: l}
	keys, err := a.cleanUpRun(ctx, t, bench, l, true)
	if moved := l.Left().Moved; err == nil && moved != 0 && t.clock != nil {
		err = mockClock{t.clock, l}.Advance(ctx, -moved)
	}
	return cleanedRun{Run: h.Run, Started: h.Started, Keys: keys}, errors.Join(err, there.Close())
}

// An elsewhereError says that the environment leads to another KMS than AWS,
// which knows nothing of the keys that are to be cleaned up.
type elsewhereError struct{ endpoint string }

func (e *elsewhereError) Error() string {
	return "the keys are at AWS, and the environment leads to " + e.endpoint
}

// cleanUpRun schedules the deletion of what a run left, as its ledger knows
// it. Where the ledger does not know for certain, it searches by tag; on AWS
// only a search some time after the run is the last word.
func (a *app) cleanUpRun(ctx context.Context, t *target, b *experiment.Bench, l *ledger.Ledger, later bool) ([]experiment.Leaving, error) {
	if err := findUnknown(ctx, b, l, later || !t.billed); err != nil {
		return nil, err
	}
	leaving := []experiment.Leaving{}
	var errs []error
	for _, arn := range slices.Backward(l.Left().Keys) { // replicas before their primary
		key, err := b.Reclaim(ctx, arn)
		if _, ok := errors.AsType[*experiment.NotOursError](err); ok {
			a.warn("%v; it is left alone", err)
			err = l.Gone(arn)
		}
		if _, ok := errors.AsType[*experiment.NoKeyError](err); ok && !t.billed {
			err = l.Gone(arn) // the mock was emptied
		}
		if key.ARN != "" {
			a.say("%s will be deleted %s", key.ARN, key.When())
			leaving = append(leaving, key)
		}
		errs = append(errs, err)
	}
	return leaving, errors.Join(errs...)
}

// findUnknown adds to the ledger the keys of its run that it does not know.
func findUnknown(ctx context.Context, b *experiment.Bench, l *ledger.Ledger, lastWord bool) error {
	for _, region := range slices.Sorted(maps.Keys(l.Left().Unknown)) {
		found, err := b.Find(ctx, region)
		if err != nil {
			return err
		}
		for _, arn := range found {
			if l.Knows(arn) {
				continue
			}
			if err := l.Made(arn); err != nil {
				return err
			}
		}
		if !lastWord {
			continue
		}
		if err := l.Searched(region); err != nil {
			return err
		}
	}
	return nil
}

// cleanedUp is what was cleaned up after killed runs.
type cleanedUp struct {
	Runs []cleanedRun `json:"runs"`
}

type cleanedRun struct {
	Run     string               `json:"run"`
	Started time.Time            `json:"started"`
	Keys    []experiment.Leaving `json:"keys"`
}

func (c cleanedUp) text(w io.Writer) {
	keys := 0
	for _, run := range c.Runs {
		keys += len(run.Keys)
	}
	if len(c.Runs) == 0 {
		fmt.Fprintln(w, "nothing to clean up")
		return
	}
	fmt.Fprintf(w, "cleaned up after %s: %s\n", count(len(c.Runs), "run"), count(keys, "key"))
}
