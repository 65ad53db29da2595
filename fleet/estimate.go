// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"slices"
	"time"
)

// An Estimate is how long a plan takes at least: as long as the quotas of KMS
// make it, all accounts and Regions at the same time, without a call that is
// repeated and without the way there and back.
type Estimate struct {
	Time   time.Duration   // of the slowest
	Places []PlaceEstimate // the slowest first
}

// PlaceEstimate is that of one account and Region, which have quotas of their own.
type PlaceEstimate struct {
	Account    string // 12 digits; empty when it is not known
	Settings   string // the names of the places of one unknown account; else empty
	Region     string
	Calls      map[string]int // by operation
	Time       time.Duration
	Bottleneck string // the operation whose quota makes it; empty when none does
}

// Estimate works it out. Quotas are in calls per second, for an account and
// Region. Of an operation with quota q, n calls take (n-1)/q: the first need
// not wait. Operations have their quotas side by side, so the slowest counts.
func (p *Plan) Estimate(quotas map[string]float64) Estimate {
	places := make(map[string]Place, len(p.Places))
	for _, place := range p.Places {
		places[place.Name] = place
	}
	sums := make(map[[3]string]*PlaceEstimate)
	for _, c := range p.Changes {
		place := places[c.Place]
		settings := ""
		if place.Account == "" {
			settings = place.Name
		}
		for call, n := range c.Calls(place.Region) {
			key := [3]string{place.Account, settings, call.Region}
			if sums[key] == nil {
				sums[key] = &PlaceEstimate{Account: place.Account, Settings: settings, Region: call.Region, Calls: map[string]int{}}
			}
			sums[key].Calls[call.Operation] += n
		}
	}
	var e Estimate
	for _, s := range sums {
		s.limit(quotas)
		e.Places = append(e.Places, *s)
		e.Time = max(e.Time, s.Time)
	}
	slices.SortFunc(e.Places, func(a, b PlaceEstimate) int {
		return cmp.Or(cmp.Compare(b.Time, a.Time), cmp.Compare(a.Account, b.Account), cmp.Compare(a.Settings, b.Settings), cmp.Compare(a.Region, b.Region))
	})
	return e
}

// limit finds the operation that takes longest at its quota.
func (p *PlaceEstimate) limit(quotas map[string]float64) {
	for operation, n := range p.Calls {
		quota := quotas[operation]
		if quota <= 0 {
			continue
		}
		took := time.Duration(float64(n-1) / quota * float64(time.Second))
		if took > p.Time || took == p.Time && took > 0 && operation < p.Bottleneck {
			p.Time, p.Bottleneck = took, operation
		}
	}
}
