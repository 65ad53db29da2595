// SPDX-License-Identifier: Apache-2.0

package pace

import (
	"context"
	"errors"
	"time"

	"golang.org/x/time/rate"
)

// A lane lets the calls of one operation in one account and Region through, at
// a rate that it learns: at most the quota, at least a quarter of it.
type lane struct {
	limiter *rate.Limiter // nil where calls go one by one

	turn chan struct{} // held by the call whose turn is next
	next time.Time     // of whoever holds turn

	// Under the Pacer's mutex.
	quota, rate float64
	answered    int // calls in a row that were not throttled
}

// The steps in which a lane learns. One call throttled among many is a sign
// that the rate is just too high, several in a row that it is far too high.
// Then the rate stays for a while, before it grows again: one throttled call in
// some 200 is the price of noticing that more is allowed.
const (
	margin   = 0.98  // of a quota is asked for: packets do not arrive as regularly as they are sent
	cutAlone = 0.95  // after a throttled call
	cutAgain = 0.8   // after the next one within aRow calls
	aRow     = 20    // calls
	rest     = 200   // calls, before the rate grows
	climb    = 1.005 // per call
	least    = 0.25  // of the quota
)

// oneByOne is up to which quota calls are let through one by one. Of so few a
// second KMS lets no second one through that comes a little early because the
// one before it was late; of more it does.
const oneByOne = 5

func newLane(quota float64) *lane {
	l := &lane{quota: quota, rate: margin * quota, answered: aRow}
	if quota <= oneByOne {
		l.turn = make(chan struct{}, 1)
		return l
	}
	// No burst: KMS does not say how many calls at once it allows.
	l.limiter = rate.NewLimiter(rate.Limit(l.rate), 1)
	return l
}

func (l *lane) learn(throttled bool) {
	switch {
	case throttled && l.answered >= aRow:
		l.rate *= cutAlone
	case throttled:
		l.rate *= cutAgain
	case l.answered >= rest:
		l.rate *= climb
	}
	if l.answered++; throttled {
		l.answered = 0
	}
	l.rate = min(max(l.rate, least*l.quota), margin*l.quota)
	if l.limiter != nil && rate.Limit(l.rate) != l.limiter.Limit() {
		l.limiter.SetLimit(rate.Limit(l.rate))
	}
}

// wait returns when it is a call's turn. present gives the rate.
func (l *lane) wait(ctx context.Context, present func() float64) error {
	if err := stopped(ctx); err != nil {
		return err
	}
	waiting := ctx
	if stop, ok := ctx.Value(stopKey{}).(context.Context); ok {
		var cancel context.CancelFunc
		waiting, cancel = context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(stop, cancel)()
	}
	var err error
	if l.limiter != nil {
		err = l.limiter.Wait(waiting)
	} else {
		err = l.waitOneByOne(waiting, present)
	}
	if err != nil {
		return errors.Join(stopped(ctx), err)
	}
	return nil
}

// waitOneByOne counts from when the call before really went: on a busy machine
// that may be later than it should have.
func (l *lane) waitOneByOne(ctx context.Context, present func() float64) error {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	timer := time.NewTimer(time.Until(l.next))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	l.next = time.Now().Add(time.Duration(float64(time.Second) / present()))
	return nil
}

// ErrStopped says that a call was not sent because its run was asked to stop.
var ErrStopped = errors.New("the run was asked to stop")

type stopKey struct{}

// Until is a context that goes on when stop ends, but in which no paced call
// begins any more then, which is ErrStopped. So what is in flight can be
// finished.
func Until(ctx, stop context.Context) context.Context {
	return context.WithValue(ctx, stopKey{}, stop)
}

// stopped is ErrStopped once the run was asked to stop.
func stopped(ctx context.Context) error {
	if stop, ok := ctx.Value(stopKey{}).(context.Context); ok && stop.Err() != nil {
		return ErrStopped
	}
	return nil
}
