// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

// MovedError says that the world is not as the plan found it, so that nothing
// of the plan was done.
type MovedError struct{ Moved []Moved }

// Moved is one thing that is not as the plan found it.
type Moved struct {
	Change string
	KeyARN string // of the copy; empty for a key to be made
	What   string // for people
}

// String says it in a line.
func (m Moved) String() string {
	if m.KeyARN == "" {
		return fmt.Sprintf("%s: %s", m.Change, m.What)
	}
	return fmt.Sprintf("%s: %s %s", m.Change, m.KeyARN, m.What)
}

func (e *MovedError) Error() string {
	const some = 3
	var what []string
	for _, m := range e.Moved[:min(some, len(e.Moved))] {
		what = append(what, m.String())
	}
	if more := len(e.Moved) - some; more > 0 {
		what = append(what, fmt.Sprintf("and %d more", more))
	}
	return "the world is not as the plan found it: " + strings.Join(what, "; ")
}

// lookAtOnce is how many looks there are at once in each place. KMS allows
// 2000 and more a second.
const lookAtOnce = 32

// look looks at everything again that the plan would touch and that no earlier
// run on it has. What cannot be looked at is left out of the run.
func (r *run) look(ctx context.Context) error {
	queues, all := make(map[*site][]Change), 0
	for _, c := range r.plan.Changes {
		if len(c.Steps) > 0 && !r.memory.begun(c.Name) {
			s := r.sites[c.Place]
			queues[s] = append(queues[s], c)
			all++
		}
	}
	looking := &looking{run: r, all: all}
	var workers sync.WaitGroup
	for s, queue := range queues {
		jobs := make(chan Change, len(queue))
		for _, c := range queue {
			jobs <- c
		}
		close(jobs)
		s.unseen = make(map[string]error)
		for range min(lookAtOnce, len(queue)) {
			workers.Go(func() {
				for c := range jobs {
					looking.at(ctx, s, c)
				}
			})
		}
	}
	workers.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(looking.moved) > 0 {
		return &MovedError{Moved: looking.moved}
	}
	return nil
}

// looking is what look has found, under the run's mutex.
type looking struct {
	run       *run
	done, all int
	moved     []Moved
}

func (l *looking) at(ctx context.Context, s *site, c Change) {
	var moved []Moved
	err := s.standing()
	if err == nil && ctx.Err() == nil {
		if moved, err = l.run.movedOf(ctx, s, c); err != nil {
			s.stop(err)
		}
	}
	if err != nil {
		s.mu.Lock()
		s.unseen[c.Name] = err
		s.mu.Unlock()
	}
	l.run.mu.Lock()
	defer l.run.mu.Unlock()
	l.moved = append(l.moved, moved...)
	l.done++
	if l.run.options.Observe != nil {
		l.run.options.Observe(Looked{Done: l.done, All: l.all})
	}
}

// movedOf compares the copies of one key with what the plan saw of them.
func (r *run) movedOf(ctx context.Context, s *site, c Change) (moved []Moved, err error) {
	for _, seen := range c.Seen {
		i, err := s.importer(importer.RegionOf(seen.KeyARN))
		if err != nil {
			return nil, err
		}
		k, what, err := difference(ctx, i, seen)
		if err != nil {
			return nil, err
		}
		s.fresh.keep(k)
		if what != "" {
			moved = append(moved, Moved{Change: c.Name, KeyARN: seen.KeyARN, What: what})
		}
	}
	if len(c.Seen) > 0 || r.memory.mayHaveMade(c) || c.Steps[0].Do != DoCreate {
		return moved, nil
	}
	i, err := s.importer(c.Steps[0].Region)
	if err != nil {
		return nil, err
	}
	err = i.CheckAliasFree(ctx, c.Steps[0].Create.Alias)
	if taken, ok := errors.AsType[*importer.AliasTakenError](err); ok {
		return []Moved{{Change: c.Name, What: taken.Error()}}, nil
	}
	return nil, err
}

// difference says how a copy is other than the plan saw it; "" if it is not.
func difference(ctx context.Context, i *importer.Importer, seen Seen) (k importer.Key, what string, err error) {
	k, err = i.Describe(ctx, seen.KeyARN)
	if _, gone := errors.AsType[*types.NotFoundException](err); gone {
		return k, "is gone", nil
	}
	if err != nil {
		return k, "", err
	}
	switch {
	case k.State != seen.State:
		return k, fmt.Sprintf("is %s, and was %s", k.State, seen.State), nil
	case k.MaterialID != seen.MaterialID:
		return k, fmt.Sprintf("has material %s, and had %s", orNone(k.MaterialID), orNone(seen.MaterialID)), nil
	case k.Expiry.Equal(seen.Expiry):
		return k, "", nil
	}
	expiry, err := currentExpiry(ctx, i, k)
	if err != nil || expiry.Equal(seen.Expiry) {
		return k, "", err
	}
	return k, fmt.Sprintf("expires %s, and expired %s", expiry, seen.Expiry), nil
}

// currentExpiry is that of the current material: of several, DescribeKey shows
// the earliest.
func currentExpiry(ctx context.Context, i *importer.Importer, k importer.Key) (importer.Expiry, error) {
	if k.Spec.Kind() != material.Symmetric || k.MaterialID == "" {
		return k.Expiry, nil
	}
	all, err := i.Materials(ctx, k)
	for _, m := range all {
		if m.ID == k.MaterialID {
			return m.Expiry, err
		}
	}
	return k.Expiry, err
}

func orNone(id string) string {
	if id == "" {
		return "none"
	}
	return id
}

// A freshness remembers keys as they were looked at a moment ago, so that they
// need not be looked at once more just before they are touched.
type freshness struct {
	mu   sync.Mutex
	keys map[string]freshKey // by ARN
}

type freshKey struct {
	importer.Key
	at time.Time
}

// A key is fresh for so long, and so many are remembered: more than can be
// worked on meanwhile.
const (
	freshFor = 30 * time.Second
	maxFresh = 10_000
)

func (f *freshness) keep(k importer.Key) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keys == nil {
		f.keys = make(map[string]freshKey)
	}
	if len(f.keys) < maxFresh {
		f.keys[k.ARN] = freshKey{k, time.Now()}
	}
}

// take gives a key that is fresh, once.
func (f *freshness) take(arn string) *importer.Key {
	f.mu.Lock()
	defer f.mu.Unlock()
	k, known := f.keys[arn]
	delete(f.keys, arn)
	if !known || time.Since(k.at) > freshFor {
		return nil
	}
	return &k.Key
}
