// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"log/slog"
	"time"
)

// An Option changes what [New] makes.
type Option func(*KMS)

// WithStore keeps the state in s, which the KMS then owns: [KMS.Close] closes it.
func WithStore(s Store) Option { return func(k *KMS) { k.store = s } }

// WithClock takes the time from now instead of [time.Now]. Expiry, deletion
// and rotation follow it; nothing waits for it, so it may jump.
func WithClock(now func() time.Time) Option { return func(k *KMS) { k.clock = now } }

// WithLogger logs one line per request: operation, status, error code,
// duration, key and request ID. Bodies are never logged.
func WithLogger(log *slog.Logger) Option { return func(k *KMS) { k.log = log } }

// WithSharedWrappingKeys gives every GetParametersForImport the same public
// key of its size, made once per process, where KMS makes a new one each time.
// For load tests and fast suites: an RSA_4096 key costs about a second.
func WithSharedWrappingKeys() Option { return func(k *KMS) { k.shared = true } }

// WithKeysAhead makes wrapping keys in the background and keeps up to n of
// each size in the store, so that a fetch rarely waits for one. It starts a
// goroutine that runs until [KMS.Close]; leave it out inside testing/synctest.
func WithKeysAhead(n KeysAhead) Option { return func(k *KMS) { k.ahead = newKeysAhead(n) } }

// WithSingleUseTokens refuses an import token that already served a
// successful import. AWS's guide asks for a new token each time, but KMS was
// seen to accept the same one again within its 24 hours, which is the default.
func WithSingleUseTokens() Option { return func(k *KMS) { k.singleUse = true } }

// DefaultRotationTime is how long an on-demand rotation takes here. KMS was
// seen to take from 48 seconds to several minutes.
const DefaultRotationTime = 5 * time.Second

// WithRotationTime sets how long an on-demand rotation takes.
func WithRotationTime(d time.Duration) Option { return func(k *KMS) { k.rotation = d } }

// DefaultReplicationTime is how long a new replica is Creating here, and how
// long a change of the primary Region takes. KMS says a few seconds.
const DefaultReplicationTime = time.Second

// WithReplicationTime sets how long a new replica is Creating, and how long a
// change of the primary Region takes.
func WithReplicationTime(d time.Duration) Option { return func(k *KMS) { k.replication = d } }

// WithCredentials has signatures checked: only requests signed with one of
// these access keys are answered, with none given none at all.
func WithCredentials(known ...Credentials) Option {
	return func(k *KMS) {
		k.credentials = make(map[string]Credentials)
		for _, c := range known {
			k.credentials[c.AccessKeyID] = c
		}
	}
}

// WithPrincipals has policies enforced: only calls with the access key of one of
// these principals are answered, and only if key policy, identity policies and
// grants allow them. Without it every key is open to all of its account.
func WithPrincipals(p *Principals) Option { return func(k *KMS) { k.principals = p } }

// WithTrail sets how many events are kept for [KMS.Events], [DefaultTrail]
// unless told otherwise; 0 keeps none. Those of calls reach the store up to a
// second after the call, or with [KMS.Close].
func WithTrail(n int) Option { return func(k *KMS) { k.trail.keep = n } }

// WithLatency adds d to every call; see [Conditions].
func WithLatency(d time.Duration) Option {
	return func(k *KMS) { k.adjust(func(c *Conditions) { c.Latency = d }) }
}

// WithLag hides every change for d from what looks keys up, as KMS does, which
// is eventually consistent; see [Conditions].
func WithLag(d time.Duration) Option {
	return func(k *KMS) { k.adjust(func(c *Conditions) { c.Lag = d }) }
}

// WithQuotas turns on KMS's request quotas. Rates, in requests per second,
// replace KMS's own where given; nil changes none. See [Conditions].
func WithQuotas(rates map[string]float64) Option {
	return func(k *KMS) { k.adjust(func(c *Conditions) { c.Quotas, c.Rates = true, rates }) }
}

// WithFault makes calls fail as f says; see [KMS.Inject] to do so later.
func WithFault(f Fault) Option { return func(k *KMS) { k.Inject(f) } }
