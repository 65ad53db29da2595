// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"sync"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// Prefetched is what became of the import parameters for one copy of a key.
type Prefetched struct {
	Change string
	KeyARN string
	Kept   bool // there were some already
	Err    error
}

// Prefetch fetches import parameters for every copy that exists and into which
// the plan imports, at the pace of the quotas, so that the apply itself only
// has to import. KMS takes them for 24 hours. have tells which are there
// already; keep is given the others, from several goroutines. Of the options
// Connect, Quotas and AtOnce are used. Nothing is changed at KMS.
//
// It gives what became of each copy, in the plan's order; when ctx ends, those
// that were not reached have its error.
func Prefetch(ctx context.Context, p Plan, o Options, have func(keyARN string, pair wrap.Pair) bool, keep func(Change, *token.Parameters) error) ([]Prefetched, error) {
	r, err := newRun(ctx, p, Options{Connect: o.Connect, Quotas: o.Quotas, AtOnce: o.AtOnce})
	if err != nil {
		return nil, err
	}
	defer r.end()
	wants := wantedAhead(p)
	all := make([]Prefetched, len(wants))
	queues := make(map[*site][]int)
	for n, w := range wants {
		all[n] = Prefetched{Change: w.change.Name, KeyARN: w.step.KeyARN, Kept: have(w.step.KeyARN, w.step.Wrapping)}
		if s := r.sites[w.change.Place]; !all[n].Kept {
			queues[s] = append(queues[s], n)
		}
	}
	var workers sync.WaitGroup
	for s, queue := range queues {
		jobs := make(chan int, len(queue))
		for _, n := range queue {
			jobs <- n
		}
		close(jobs)
		for range min(r.options.AtOnce, len(queue)) {
			workers.Go(func() {
				for n := range jobs {
					all[n].Err = s.prefetch(ctx, wants[n], keep)
				}
			})
		}
	}
	workers.Wait()
	return all, nil
}

// ahead is a copy of a key whose parameters can be fetched ahead.
type ahead struct {
	change Change
	step   Step
	seen   Seen
}

// wantedAhead finds them: each copy once, since a token serves one import.
func wantedAhead(p Plan) (all []ahead) {
	for _, c := range p.Changes {
		found := make(map[string]bool)
		for _, step := range c.Steps {
			if step.Do != DoImport && step.Do != DoRotate || step.KeyARN == "" || found[step.KeyARN] {
				continue
			}
			found[step.KeyARN] = true
			for _, seen := range c.Seen {
				if seen.KeyARN == step.KeyARN {
					all = append(all, ahead{c, step, seen})
				}
			}
		}
	}
	return all
}

func (s *site) prefetch(ctx context.Context, w ahead, keep func(Change, *token.Parameters) error) error {
	if err := s.standing(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	i, err := s.importer(importer.RegionOf(w.step.KeyARN))
	if err != nil {
		return err
	}
	p, err := i.Fetch(ctx, keyOf(w.step, w.seen), w.step.Wrapping)
	if err != nil {
		s.stop(err)
		return err
	}
	return keep(w.change, p)
}
