// SPDX-License-Identifier: Apache-2.0

// Package experiment puts questions to a KMS on keys made for the purpose:
// calls whose answers were foretold, each recorded beside what was observed.
// The rules and the lab's lessons are made of them.
//
// A [Trial] is written down like a list of steps. It remembers the first thing
// that went otherwise than foretold, and from then on makes no further call, so
// that a list of steps needs no error handling between them.
package experiment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/material"
)

// A Bench is where trials are made: a KMS, and what can be done with it.
type Bench struct {
	// KMS is the client for a Region. It is asked often, from several goroutines,
	// and gives the same again.
	KMS func(region string) (*kms.Client, error)

	Region string // where keys are made, such as "eu-central-1"
	Second string // another Region of the partition, for multi-Region keys; "" for none

	Clock    Clock         // nil where time passes by itself, as at AWS
	Patience time.Duration // how long [Trial.Await] waits; 0 for [DefaultPatience]

	Run    string // identifies the keys of a run: the value of their tag [Tag]
	Ledger Ledger // remembers the keys, for the case that the run is killed; may be nil

	// Observe is told of every step as it was made; may be nil. Trials that run
	// at the same time call it at the same time.
	Observe func(*Trial, Observation)
}

// client is the one for a Region.
func (b *Bench) client(region string) (*kms.Client, error) {
	client, err := b.KMS(region)
	if err != nil {
		return nil, fmt.Errorf("reaching KMS in %s: %w", region, err)
	}
	return client, nil
}

// A Clock is the time of a KMS that lets it be moved, as the mock does.
type Clock interface {
	// Now is the time there, UTC.
	Now(context.Context) (time.Time, error)
	// Advance moves it forward, for every key there is.
	Advance(context.Context, time.Duration) error
}

// A Ledger remembers outside of this process which keys a run made, so that
// the next one can clean up after one that was killed.
type Ledger interface {
	Making(region string) error  // a key is about to be made there
	NotMade(region string) error // it was refused; without this or Made nobody knows
	Made(keyARN string) error
	Gone(keyARN string) error // its deletion is scheduled
}

// A Trial is one series of steps on keys of its own. Its methods must not be
// called from several goroutines at once.
type Trial struct {
	Name string
	KMS  *kms.Client // of the bench's Region; calls outside of [Do] are not recorded

	bench     *Bench
	ctx       context.Context
	err       error
	uncertain bool // the last call may have been carried out more often than its answer says
	steps     []Observation
	keys      []Key
	undo      []func(context.Context) error
	materials []*material.Material
}

// Start begins a trial. [Trial.Finish] must follow, whatever happened. An error
// in making the client shows up as that of the trial.
func (b *Bench) Start(ctx context.Context, name string) *Trial {
	t := &Trial{Name: name, bench: b, ctx: ctx}
	t.KMS = t.In(b.Region)
	return t
}

// In is the client for another Region.
func (t *Trial) In(region string) *kms.Client {
	client, err := t.bench.client(region)
	if err != nil {
		t.stop(err)
		return kms.New(kms.Options{Region: region}) // is not called: the trial has stopped
	}
	return recording(client)
}

// A SurpriseError says that an answer was not the one foretold.
type SurpriseError struct{ Observation Observation }

func (e *SurpriseError) Error() string {
	return fmt.Sprintf("%s: expected %s, observed %s", e.Observation.What, e.Observation.Expected, e.Observation.Observed)
}

// An ImpossibleError says why a trial cannot be made on this bench.
type ImpossibleError struct{ Reason string }

func (e *ImpossibleError) Error() string { return e.Reason }

// Err is what stopped the trial: nil, a *SurpriseError, an *ImpossibleError, or
// an error that says nothing about the rule, such as a denied permission, a
// broken connection or a cancelled context.
func (t *Trial) Err() error { return t.err }

// Steps are what was observed so far, in order.
func (t *Trial) Steps() []Observation { return slices.Clone(t.steps) }

// Keys are the keys made so far, replicas included.
func (t *Trial) Keys() []Key { return slices.Clone(t.keys) }

// stop ends the trial unless it has ended already.
func (t *Trial) stop(err error) {
	if t.err == nil {
		t.err = err
	}
}

// stopped reports whether the trial has ended, also because its context has.
func (t *Trial) stopped() bool {
	if t.err == nil && t.ctx.Err() != nil {
		t.err = context.Cause(t.ctx)
	}
	return t.err != nil
}

// Must ends the trial with an error that is none of KMS's, such as one of the
// random source. A nil err does nothing.
func (t *Trial) Must(err error) {
	if err != nil {
		t.stop(err)
	}
}

// Impossible ends the trial because this bench does not allow it.
func (t *Trial) Impossible(reason string) { t.stop(&ImpossibleError{reason}) }

// Defer has Finish do something, after all the steps and before the keys go.
// What was deferred last is done first.
func (t *Trial) Defer(undo func(context.Context) error) { t.undo = append(t.undo, undo) }

// Finish destroys the trial's material and schedules its keys for deletion
// after the shortest window. It says which keys go when; those of which it
// could not be arranged are in the error, a [LeftError] each.
func (t *Trial) Finish(ctx context.Context) ([]Leaving, error) {
	for _, m := range t.materials {
		m.Destroy()
	}
	var errs []error
	for _, undo := range slices.Backward(t.undo) {
		errs = append(errs, undo(ctx))
	}
	var leaving []Leaving
	for _, k := range slices.Backward(t.keys) { // replicas before their primary
		l, err := t.bench.retire(ctx, k.ARN)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if l != nil {
			leaving = append(leaving, *l)
		}
	}
	return leaving, errors.Join(errs...)
}
