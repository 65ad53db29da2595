// SPDX-License-Identifier: Apache-2.0

package fleet_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/inventory"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
)

// storm is a fleet of all kinds, in three account-Regions.
func storm(t *testing.T, each int, options ...mockkms.Option) *estate {
	h := newEstate(t, options...)
	for n := range each {
		h.reimport(accountA, east, fmt.Sprintf("s%d", n), material.SymmetricDefault)
		h.reimport(accountA, west, fmt.Sprintf("h%d", n), material.HMAC256)
		h.reimport(accountB, east, fmt.Sprintf("b%d", n), material.SymmetricDefault)
		h.create(accountB, east, fmt.Sprintf("n%d", n), material.HMAC256)
	}
	return h
}

// wantsAll demands that every key is there once, with its own material.
func (h *estate) wantsAll(each int) {
	h.t.Helper()
	for account, regions := range map[string]map[string]int{accountA: {east: each, west: each}, accountB: {east: 2 * each}} {
		for region, want := range regions {
			if got := h.keys(account, region); got != want {
				h.t.Errorf("%d keys in %s of %s, want %d", got, region, account, want)
			}
		}
	}
	for _, c := range h.plan.Changes {
		account, region, ref := accountA, c.Steps[0].Region, "alias/"+c.Name
		if c.Place[0] == accountB[0] {
			account = accountB
		}
		if len(c.Seen) > 0 {
			ref = c.Seen[0].KeyARN
		}
		last := c.Steps[len(c.Steps)-1]
		h.holds(account, region, ref, c.Name, last.Spec)
	}
}

// TestFaultStorms: whatever goes wrong on the way, all keys are there in the
// end, once each, at the latest after running again.
func TestFaultStorms(t *testing.T) {
	const each = 10
	every := func(n int, kind mockkms.FaultKind) []mockkms.Fault {
		var all []mockkms.Fault
		for range 25 { // more than there are calls to strike
			all = append(all, mockkms.Fault{Kind: kind, Skip: n - 1})
		}
		return all
	}
	for _, test := range []struct {
		name    string
		faults  []mockkms.Fault
		options []mockkms.Option
		latency time.Duration
	}{
		{name: "every 10th call throttled", faults: every(10, mockkms.FaultThrottle)},
		{name: "every 50th connection dropped before", faults: every(50, mockkms.FaultDropBefore)},
		{name: "every 50th connection dropped after", faults: every(50, mockkms.FaultDropAfter)},
		{name: "every 20th answer a fault of the service", faults: every(20, mockkms.FaultInternal)},
		{name: "slow", latency: time.Second},
		{name: "clock ahead", options: []mockkms.Option{mockkms.WithClock(func() time.Time { return time.Now().Add(10 * time.Minute) })}},
		{name: "clock behind", options: []mockkms.Option{mockkms.WithClock(func() time.Time { return time.Now().Add(-10 * time.Minute) })}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := storm(t, each, test.options...)
				h.mock.SetConditions(mockkms.Conditions{Latency: test.latency})
				for _, f := range test.faults {
					h.mock.Inject(f)
				}
				var summary fleet.Summary
				runs := 0
				for runs = 1; runs <= 3; runs++ {
					var err error
					if summary, err = h.apply(t.Context(), h.options()); err != nil {
						t.Fatal(err)
					}
					if summary.Left() == 0 {
						break
					}
				}
				h.wants(summary, nil, map[fleet.Status]int{fleet.StatusDone: 4 * each})
				h.mock.ClearFaults()
				h.mock.SetConditions(mockkms.Conditions{})
				h.wantsAll(each)
				t.Logf("%d run(s), %+v", runs, summary)
			})
		})
	}
}

// TestLostCreations: a CreateKey without an answer makes no second key, when
// KMS shows the first one only later, too.
func TestLostCreations(t *testing.T) {
	for _, lag := range []time.Duration{0, 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			h := newEstate(t)
			const keys = 6
			for n := range keys {
				h.create(accountA, east, fmt.Sprintf("k%d", n), material.HMAC256)
			}
			h.mock.SetConditions(mockkms.Conditions{Lag: lag})
			for range 3 {
				h.mock.Inject(mockkms.Fault{Operation: "CreateKey", Kind: mockkms.FaultDropAfter})
				h.mock.Inject(mockkms.Fault{Operation: "CreateKey", Kind: mockkms.FaultDropBefore})
				h.mock.Inject(mockkms.Fault{Operation: "CreateAlias", Kind: mockkms.FaultDropAfter})
			}
			summary, err := h.apply(t.Context(), h.options())
			h.wants(summary, err, map[fleet.Status]int{fleet.StatusDone: keys})
			time.Sleep(lag)
			if got := h.keys(accountA, east); got != keys {
				t.Errorf("%d keys", got)
			}
		})
	}
}

// TestEveryCut ends a run at each of its calls, as if the process died there:
// before the call arrives, and after it had its effect. The next run finds the
// journal as it was on the disk at that moment, and does the rest.
func TestEveryCut(t *testing.T) {
	for _, after := range []bool{false, true} {
		cut := 1
		for alive := false; !alive; cut++ {
			synctest.Test(t, func(t *testing.T) {
				h := newEstate(t)
				h.reimport(accountA, east, "s", material.SymmetricDefault)
				h.reimport(accountA, east, "h", material.HMAC256)
				h.create(accountA, east, "n", material.HMAC256)
				ctx, cancel := context.WithCancel(t.Context())
				death := &dying{RoundTripper: mockkms.Transport(h.mock), journal: h.path, left: cut, after: after, die: cancel}
				o := h.options()
				o.AtOnce = 1
				o.Connect = func(ctx context.Context, p fleet.Place) (inventory.Place, error) {
					c := kms.New(h.client(p.Account, p.Region).Options(), func(o *kms.Options) { o.HTTPClient = &http.Client{Transport: death} })
					return inventory.Place{Region: p.Region, KMS: c}, nil
				}
				_, _ = h.apply(ctx, o) // dead men tell no tales
				if alive = death.disk == nil; !alive {
					if err := os.WriteFile(h.path, append(death.disk, `{"at":"20`...), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				h.wantsAgain()
			})
		}
		t.Logf("%d cuts", cut-2)
		if cut < 20 {
			t.Errorf("after %t: only %d cuts", after, cut-2)
		}
	}
}

// dying is the connection of a process that dies at one of its calls.
type dying struct {
	http.RoundTripper
	journal string
	left    int  // calls until then
	after   bool // the call has its effect
	die     func()

	mu   sync.Mutex
	disk []byte // the journal when it died
}

func (d *dying) RoundTrip(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.disk != nil {
		return nil, io.ErrUnexpectedEOF
	}
	if d.left--; d.left > 0 {
		return d.RoundTripper.RoundTrip(r)
	}
	if d.after {
		if _, err := d.RoundTripper.RoundTrip(r); err != nil {
			return nil, err
		}
	}
	raw, err := os.ReadFile(d.journal)
	d.disk = append([]byte{}, raw...)
	d.die()
	return nil, errors.Join(io.ErrUnexpectedEOF, err)
}

// wantsAgain runs again without faults, and demands that all is there once.
func (h *estate) wantsAgain() {
	h.t.Helper()
	summary, err := h.apply(h.t.Context(), h.options())
	h.wants(summary, err, map[fleet.Status]int{fleet.StatusDone: len(h.plan.Changes)})
	if got := h.keys(accountA, east); got != len(h.plan.Changes) {
		h.t.Fatalf("%d keys, want %d", got, len(h.plan.Changes))
	}
	for _, c := range h.plan.Changes {
		ref := "alias/" + c.Name
		if len(c.Seen) > 0 {
			ref = c.Seen[0].KeyARN
		}
		h.holds(accountA, east, ref, c.Name, c.Steps[len(c.Steps)-1].Spec)
	}
}
