// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"context"
	"time"
)

// Conditions are how a mock behaves besides right. The zero value answers at
// once, shows every change at once, and takes any number of requests.
type Conditions struct {
	// Latency is added to every call.
	Latency time.Duration
	// Lag is how long changes to keys and aliases stay invisible to what looks
	// them up, in real time: KMS is eventually consistent. The changes
	// themselves are made at once.
	Lag time.Duration
	// Quotas turns on KMS's request quotas: who asks more often than they
	// allow gets ThrottlingException. They count real seconds, too.
	Quotas bool
	// Rates are quotas that differ from KMS's, in requests per second, by the
	// name of the quota: an operation's, or one of [SharedQuotas].
	Rates map[string]float64
	// Flaws are rules of KMS that the mock breaks.
	Flaws []Flaw
}

// Conditions tells under which conditions the mock works.
func (k *KMS) Conditions() Conditions { return *k.conditions.Load() }

// SetConditions changes the conditions for calls to come.
func (k *KMS) SetConditions(c Conditions) {
	if c.Latency < 0 {
		c.Latency = 0
	}
	if c.Lag < 0 {
		c.Lag = 0
	}
	k.conditions.Store(&c)
}

// adjust changes some of the conditions.
func (k *KMS) adjust(change func(*Conditions)) {
	c := k.Conditions()
	change(&c)
	k.SetConditions(c)
}

// dawdle waits as long as the latency wants. It reports false when the client
// did not wait as long.
func (c *call) dawdle(ctx context.Context) bool {
	if c.conditions.Latency == 0 {
		return true
	}
	t := time.NewTimer(c.conditions.Latency)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
