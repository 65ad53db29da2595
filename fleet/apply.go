// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"sync"
	"time"

	"github.com/keymat/keymat/fleet/journal"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/pace"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// Open opens an escrow. It may be called from several goroutines; what it
// gives is destroyed as soon as it is wrapped.
type Open func(ctx context.Context, e Escrow, spec material.Spec) (*material.Material, error)

// Options are what Apply works with.
type Options struct {
	Connect Connect
	Open    Open             // may be nil for a plan that imports nothing
	Journal *journal.Journal // of the manifest; it stays open

	// Parameters gives import parameters that were fetched ahead, see
	// [importer.Importer]: it is asked once for each key, since a token serves one
	// import, and not at all where an earlier run may have used it. It may be nil.
	Parameters func(context.Context, importer.Key, wrap.Pair) (*token.Parameters, error)

	// Quotas are those that differ from KMS's own, in calls per second by the name
	// of the operation, for each account and Region; 0 or less is any number. They
	// are kept for places whose KMS is a *kms.Client.
	Quotas map[string]float64

	Observe func(Event) // told one event at a time; may be nil
	AtOnce  int         // changes at a time in each place; 0 is DefaultAtOnce
}

// DefaultAtOnce is enough for KMS's quotas with answers that take a second.
const DefaultAtOnce = 16

// describes are calls per second: of the 2000 that KMS allows, some are for others.
const describes = 1900

// Unlimited are quotas that let everything through, for a KMS that has none.
func Unlimited() map[string]float64 {
	quotas := pace.Quotas()
	quotas["DescribeKey"] = 0
	for operation := range quotas {
		quotas[operation] = 0
	}
	return quotas
}

// grace is how long what is in flight may take when Apply is asked to stop.
const grace = 30 * time.Second

// Apply does what the plan says, and nothing else. Before it begins it looks at
// every copy of every key it would touch; if one is not as the plan found it,
// and the journal does not say that this plan changed it, nothing is touched
// (*MovedError).
//
// All places are worked on at the same time, each at the pace that the quotas
// of its accounts and Regions allow, and each change on its own: what becomes of
// it is its [Result]. The journal tells, when Apply was ended in any way and
// runs again, what is done, and what may have happened and is looked at before
// it is repeated.
//
// When ctx ends, no step begins any more, those in flight get half a minute to
// end, and what remains is left. The error is nil then, too: it says that
// nothing was done, or that the journal cannot be written.
func Apply(ctx context.Context, p Plan, o Options) (Summary, error) {
	r, err := newRun(ctx, p, o)
	if err != nil {
		return Summary{}, err
	}
	defer r.end()
	if err := r.look(ctx); err != nil {
		return r.summary, err
	}
	if err := r.note(journal.Entry{Run: &journal.Run{Plan: p.ID, Manifest: p.Manifest.SHA256, Changes: len(p.Changes)}}); err != nil {
		return r.summary, err
	}
	r.work(ctx)
	if err := r.options.Journal.Flush(); err != nil {
		return r.summary, err
	}
	return r.summary, context.Cause(r.going)
}

// Check makes the checks that Apply begins with, and does nothing. Without
// anything in the journal, Options.Journal may be nil.
func Check(ctx context.Context, p Plan, o Options) error {
	r, err := newRun(ctx, p, o)
	if err != nil {
		return err
	}
	defer r.end()
	if err := r.look(ctx); err != nil {
		return err
	}
	for _, s := range r.sites {
		for _, c := range r.plan.Changes {
			if err := s.failed(c.Name); err != nil {
				return fmt.Errorf("%s: %w", c.Name, err)
			}
		}
	}
	return nil
}

// run is one Apply.
type run struct {
	plan    Plan
	options Options
	memory  memory
	pacer   *pace.Pacer
	sites   map[string]*site // by name of the place
	cores   chan struct{}    // holds one for each material in memory

	going context.Context // until the journal cannot be written
	fail  context.CancelCauseFunc
	end   context.CancelFunc

	used sync.Map // ARNs of keys whose parameters were asked for

	mu      sync.Mutex // of Observe
	summary Summary
}

func newRun(ctx context.Context, p Plan, o Options) (*run, error) {
	if o.AtOnce <= 0 {
		o.AtOnce = DefaultAtOnce
	}
	remembered, err := remember(o.Journal, p)
	if err != nil {
		return nil, err
	}
	quotas := pace.Quotas()
	quotas["DescribeKey"] = describes
	maps.Copy(quotas, o.Quotas)
	r := &run{
		plan: p, options: o, memory: remembered, pacer: pace.New(quotas), sites: make(map[string]*site),
		cores: make(chan struct{}, runtime.GOMAXPROCS(0)),
	}
	r.going, r.fail = context.WithCancelCause(context.WithoutCancel(ctx))
	// What is in flight goes on for a while when ctx ends.
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(grace, func() { r.fail(nil) })
		context.AfterFunc(r.going, func() { timer.Stop() })
	})
	r.end = func() { stop(); r.fail(nil) }
	for _, place := range p.Places {
		s, err := r.site(ctx, place)
		if err != nil {
			r.end()
			return nil, fmt.Errorf("connecting to place %s: %w", place.Name, err)
		}
		r.sites[place.Name] = s
	}
	for _, c := range p.Changes {
		if r.sites[c.Place] == nil {
			r.end()
			return nil, fmt.Errorf("change %s is in place %q, which the plan does not have", c.Name, c.Place)
		}
		r.sites[c.Place].all++
	}
	return r, nil
}

// work carries out what is not done yet.
func (r *run) work(ctx context.Context) {
	queues := make(map[*site][]Change)
	var last []Change
	for _, c := range r.plan.Changes {
		s := r.sites[c.Place]
		switch {
		case len(c.Steps) == 0:
			r.ended(s, idle(c))
		case s.failed(c.Name) != nil:
			r.ended(s, s.resultOf(c, s.failed(c.Name)))
		case r.memory.mayHaveMade(c):
			last = append(last, c) // KMS may need a while to show the key
		default:
			queues[s] = append(queues[s], c)
		}
	}
	for _, c := range last {
		queues[r.sites[c.Place]] = append(queues[r.sites[c.Place]], c)
	}
	flight := pace.Until(r.going, ctx)
	var all sync.WaitGroup
	for s, queue := range queues {
		jobs := make(chan Change)
		all.Go(func() {
			defer close(jobs)
			for _, c := range queue {
				jobs <- c
			}
		})
		for range min(r.options.AtOnce, len(queue)) {
			all.Go(func() {
				for c := range jobs {
					r.ended(s, r.change(ctx, flight, s, c))
				}
			})
		}
	}
	all.Wait()
}

// ahead asks for parameters that were fetched ahead, once for each key.
func (r *run) ahead(ctx context.Context, k importer.Key, pair wrap.Pair) (*token.Parameters, error) {
	if r.options.Parameters == nil {
		return nil, nil
	}
	if _, used := r.used.LoadOrStore(k.ARN, true); used {
		return nil, nil
	}
	return r.options.Parameters(ctx, k, pair)
}

// note writes an entry of the journal through to the disk. If that cannot be
// done, the run is over.
func (r *run) note(e journal.Entry) error {
	err := r.options.Journal.Append(e)
	if err != nil {
		r.fail(err)
	}
	return err
}

// remark writes an entry of the journal that may be lost.
func (r *run) remark(e journal.Entry) {
	if err := r.options.Journal.Note(e); err != nil {
		r.fail(err)
	}
}
