// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"time"
)

// visibleBound is for how long we wait for KMS to show what it accepted.
const visibleBound = 20 * time.Second

// A patience says for how long something is waited for, and how often it is
// looked at in the end.
type patience struct{ bound, pause time.Duration }

// stillWaiting is how often a long wait is reported.
const stillWaiting = 30 * time.Second

// poll waits for what KMS shows within seconds.
func (i *Importer) poll(ctx context.Context, what string, done func() bool) {
	i.pollFor(ctx, what, patience{visibleBound, 2 * time.Second}, done)
}

// pollFor asks done, at once and then ever more slowly, until it says true, the
// bound is reached or ctx ends. It reports the wait when there is one, and then
// every half minute.
func (i *Importer) pollFor(ctx context.Context, what string, p patience, done func() bool) {
	ctx, cancel := context.WithTimeout(ctx, p.bound)
	defer cancel()
	start, told := time.Now(), time.Time{}
	for pause := 100 * time.Millisecond; !done(); pause = min(2*pause, p.pause) {
		if now := time.Now(); told.IsZero() || now.Sub(told) >= stillWaiting {
			elapsed := now.Sub(start)
			if told.IsZero() {
				elapsed = 0
			}
			told = now
			i.report(Waiting{For: what, Bound: p.bound, Elapsed: elapsed})
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}
