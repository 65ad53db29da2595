// SPDX-License-Identifier: Apache-2.0

package pace

import (
	"context"
	"errors"

	"golang.org/x/time/rate"
)

// A lane lets the calls of one operation in one account and Region through, at
// a rate that it learns: at most the quota, at least a quarter of it.
type lane struct {
	limiter *rate.Limiter

	quota    float64
	rate     float64
	ceiling  float64 // at which calls were throttled last
	answered int     // calls in a row that were not throttled
}

// The steps in which a lane learns. One call throttled among many is a sign
// that the rate is just too high, several in a row that it is far too high.
// Back below the rate at which that was, it comes closer ever more slowly: one
// throttled call in some 170 is the price of noticing that more is allowed.
const (
	margin   = 0.98   // of a quota is asked for: packets do not arrive as regularly as they are sent
	cutAlone = 0.95   // after a throttled call
	cutAgain = 0.7    // after the next one within aRow calls
	aRow     = 20     // calls
	least    = 0.25   // of the quota
	near     = 0.95   // of the ceiling
	climb    = 1.02   // per call, up to near
	creep    = 1.0003 // per call, from there
)

func newLane(quota float64) *lane {
	// No burst: KMS does not say how many calls at once it allows.
	return &lane{limiter: rate.NewLimiter(rate.Limit(margin*quota), 1), quota: quota, rate: margin * quota, ceiling: 2 * quota, answered: aRow}
}

func (l *lane) learn(throttled bool) {
	switch {
	case throttled && l.answered >= aRow:
		l.ceiling, l.rate = l.rate, cutAlone*l.rate
	case throttled:
		l.ceiling, l.rate = l.rate, cutAgain*l.rate
	case l.rate < near*l.ceiling:
		l.rate *= climb
	default:
		l.rate *= creep
	}
	if l.answered++; throttled {
		l.answered = 0
	}
	l.rate = min(max(l.rate, least*l.quota), margin*l.quota)
	if rate.Limit(l.rate) != l.limiter.Limit() {
		l.limiter.SetLimit(rate.Limit(l.rate))
	}
}

func (l *lane) wait(ctx context.Context) error {
	if err := stopped(ctx); err != nil {
		return err
	}
	stop, ok := ctx.Value(stopKey{}).(context.Context)
	if !ok {
		return l.limiter.Wait(ctx)
	}
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(stop, cancel)()
	if err := l.limiter.Wait(waiting); err != nil {
		return errors.Join(stopped(ctx), err)
	}
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
