// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"cmp"
	"context"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/pace"
	"github.com/keymat/keymat/inventory"
)

// site is a place that is worked on.
type site struct {
	place   Place
	account string // or what tells its settings apart
	world   inventory.Place
	options Options
	made    *search   // for keys of ours
	fresh   freshness // what look found

	all, done int // changes; under the run's mutex

	mu      sync.Mutex
	stopped error            // why nothing is begun here any more
	unseen  map[string]error // by change, why it could not be looked at
	regions map[string]inventory.KMS
}

// site connects to a place, through clients that keep its pace.
func (r *run) site(ctx context.Context, p Place) (*site, error) {
	world, err := r.options.Connect(ctx, p)
	if err != nil {
		return nil, err
	}
	s := &site{place: p, account: cmp.Or(p.Account, p.Profile+" "+p.Role), options: r.options, regions: make(map[string]inventory.KMS), made: newSearch()}
	s.world = world
	s.world.KMS = paced(world.KMS, s.account, r.pacer, r.options.AtOnce)
	if world.Regions != nil {
		s.world.Regions = func(region string) (inventory.KMS, error) { return s.in(world, region, r.pacer) }
	}
	return s, nil
}

// in gives the client for another Region, always the same one.
func (s *site) in(world inventory.Place, region string, pacer *pace.Pacer) (inventory.KMS, error) {
	if region == s.place.Region {
		return s.world.KMS, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if there, ok := s.regions[region]; ok {
		return there, nil
	}
	there, err := world.Regions(region)
	if err != nil {
		return nil, err
	}
	s.regions[region] = paced(there, s.account, pacer, s.options.AtOnce)
	return s.regions[region], nil
}

// attempts is how often the SDK makes a call that is throttled, or fails in a
// way that passes.
const attempts = 5

// paced makes a client keep the pace. Its retryer has neither the adaptive
// mode, which would slow down what is paced already, nor a quota of retries,
// which many changes at once would use up for each other; and its connections
// stay open for as many changes as there are at once.
func paced(client inventory.KMS, account string, pacer *pace.Pacer, atOnce int) inventory.KMS {
	c, ok := client.(*kms.Client)
	if !ok {
		return client
	}
	return kms.New(c.Options(), pacer.In(account), func(o *kms.Options) {
		o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts, r.RateLimiter = max(attempts, o.RetryMaxAttempts), ratelimit.None
		})
		if h, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
			o.HTTPClient = h.WithTransportOptions(func(t *http.Transport) { t.MaxIdleConnsPerHost = 2 * atOnce })
		}
	})
}

// importer is one in a Region of the place.
func (s *site) importer(region string) (*importer.Importer, error) {
	i := &importer.Importer{KMS: s.world.KMS, Now: s.world.Now}
	if s.world.Regions != nil {
		i.Regions = func(region string) (importer.KMS, error) { return s.world.Regions(region) }
	}
	if region == "" || region == s.place.Region {
		return i, nil
	}
	return i.In(region)
}

// stop gives the place up if the error says that its credentials are not taken,
// and tells whether it has been given up.
func (s *site) stop(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped == nil && refusesCredentials(err) {
		s.stopped = &StoppedError{Place: s.place.Name, Err: err}
	}
	return s.stopped != nil
}

// standing is why nothing is begun in the place any more; nil if it is.
func (s *site) standing() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

// failed is why a change could not be looked at.
func (s *site) failed(change string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.unseen[change]
}

// resultOf is the result of a change that ended in err.
func (s *site) resultOf(c Change, err error) Result {
	result := idle(c)
	result.Status, result.Err, result.Steps = StatusFailed, err, len(c.Steps)
	if s.stop(err) && refusesCredentials(err) {
		result.Status, result.Err = StatusLeft, s.standing()
	}
	if wasStopped(err) {
		result.Status = StatusLeft
	}
	return result
}
