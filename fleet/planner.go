// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keymat/keymat/fleet/manifest"
)

// Planner makes plans.
type Planner struct {
	Connect Connect
	Headers Headers          // of escrows, such as [HeadersIn]
	Now     func() time.Time // at KMS

	// Explain puts errors into words for Change.Why; nil is their Error method.
	Explain func(error) string

	Progress func(done, total int) // may be nil; from several goroutines
}

// Plan looks at the keys of a manifest, in all places at the same time, and
// says what becomes of each. A place that cannot be reached, and a key that
// cannot be looked at, is a matter of its changes. It fails only when ctx ends.
func (p *Planner) Plan(ctx context.Context, m *manifest.Manifest, source Source, shard Shard) (*Plan, error) {
	keys := keysOf(m, shard)
	plan := &Plan{ID: newID(), Made: p.Now().UTC().Truncate(time.Second), Manifest: source, Shard: shard, Changes: make([]Change, len(keys))}
	byPlace := make(map[string][]int)
	for i, n := range keys {
		byPlace[m.Keys[n].Place] = append(byPlace[m.Keys[n].Place], i)
	}
	var done atomic.Int64
	var places sync.WaitGroup
	for _, place := range m.Places {
		mine := byPlace[place.Name]
		if len(mine) == 0 {
			continue
		}
		plan.Places = append(plan.Places, Place{Name: place.Name, Profile: place.Profile, Role: place.Role, Region: place.Region})
		there := plan.Places[len(plan.Places)-1]
		places.Go(func() {
			p.visit(ctx, there, plan.Made, len(mine), func(n int, look func(manifest.Key) Found) {
				k := m.Keys[keys[mine[n]]]
				facts := Facts{Now: plan.Made, Region: there.Region, Headers: p.Headers, Explain: p.Explain}
				plan.Changes[mine[n]] = Decide(k, look(k), facts)
				if d := done.Add(1); p.Progress != nil {
					p.Progress(int(d), len(keys))
				}
			})
		})
	}
	places.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	refuseTwice(plan)
	nameAccounts(plan)
	return plan, nil
}

// keysOf are the places in m.Keys of those that belong to a shard.
func keysOf(m *manifest.Manifest, s Shard) []int {
	var keys []int
	for i := range m.Keys {
		if s.Has(m.Keys[i].Name) {
			keys = append(keys, i)
		}
	}
	return keys
}

// visit hands each key of a place the way to look at it.
func (p *Planner) visit(ctx context.Context, place Place, now time.Time, keys int, decide func(int, func(manifest.Key) Found)) {
	there, err := p.Connect(ctx, place)
	if err != nil {
		for n := range keys {
			decide(n, func(manifest.Key) Found { return Found{Err: err} })
		}
		return
	}
	s := &spot{Place: there}
	inParallel(keys, atOnce, func(n int) {
		if ctx.Err() == nil {
			decide(n, func(k manifest.Key) Found { return s.look(ctx, k, now) })
		}
	})
}

// newID is a name for a plan that no other has.
func newID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails (crypto/rand)
	return hex.EncodeToString(id[:])
}

// refuseTwice finds keys that the manifest names twice, by an alias and an ID
// or by two aliases: which of the two would be right, nobody can tell.
func refuseTwice(plan *Plan) {
	first := make(map[string]int, len(plan.Changes))
	for i := range plan.Changes {
		c := &plan.Changes[i]
		if len(c.Seen) == 0 {
			continue
		}
		n, twice := first[c.Seen[0].KeyARN]
		if !twice {
			first[c.Seen[0].KeyARN] = i
			continue
		}
		other := &plan.Changes[n]
		why := fmt.Sprintf("the manifest has %s twice, as %s and as %s", c.Seen[0].KeyARN, other.Name, c.Name)
		for _, c := range []*Change{c, other} {
			c.Action, c.Why, c.Steps = Cannot, why, nil
		}
	}
}

// nameAccounts tells the account of each place: from the ARN of its role or of
// a key there, or from a place with the same settings.
func nameAccounts(plan *Plan) {
	byName, bySettings := map[string]string{}, map[[2]string]string{}
	for _, c := range plan.Changes {
		if len(c.Seen) > 0 && byName[c.Place] == "" {
			byName[c.Place] = accountOf(c.Seen[0].KeyARN)
		}
	}
	for i := range plan.Places {
		p := &plan.Places[i]
		if p.Account = accountOf(p.Role); p.Account == "" {
			p.Account = byName[p.Name]
		}
		if p.Account != "" {
			bySettings[[2]string{p.Profile, p.Role}] = p.Account
		}
	}
	for i := range plan.Places {
		if p := &plan.Places[i]; p.Account == "" {
			p.Account = bySettings[[2]string{p.Profile, p.Role}]
		}
	}
}

// accountOf reads the account out of an ARN; "" for anything else.
func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}
