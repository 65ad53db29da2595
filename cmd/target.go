// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/awsclient"
	"github.com/keymat/keymat/internal/ledger"
	"github.com/keymat/keymat/internal/pace"
	"github.com/keymat/keymat/mockkms"
)

// targetOptions are the flags that say, beside the global ones, which KMS
// experiments are made on.
type targetOptions struct {
	aws    bool
	second string
}

func (o *targetOptions) register(c *cobra.Command) {
	c.Flags().BoolVar(&o.aws, "aws", false, "use AWS with the credentials at hand, as --profile does with those of a profile")
	c.Flags().StringVar(&o.second, "second-region", "", "a second `region`, for multi-Region keys (default: none on AWS, another one on a mock)")
}

// A target is the KMS that experiments are made on.
type target struct {
	name   string // for the story: "AWS", "a KMS inside keymat, forgotten at the end"
	region string
	second string // "" for none

	clock   mockControl   // nil where the clock cannot be moved
	lasting bool          // what is left there outlives this process
	billed  bool          // keys cost money
	header  ledger.Header // how to come back

	// wrappingKeys are those of a KMS that is made for this run, and that more of
	// its kind can share; nil for any other.
	wrappingKeys *mockkms.WrappingKeys

	connect func(region string) (*kms.Client, error)
	mu      sync.Mutex
	clients map[string]*kms.Client // by Region
}

// client is the one for a Region, "" being the default one.
func (t *target) client(region string) (*kms.Client, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if client, ok := t.clients[region]; ok {
		return client, nil
	}
	client, err := t.connect(region)
	if err != nil {
		return nil, err
	}
	t.clients[client.Options().Region] = client
	return client, nil
}

// target finds the KMS that is meant: one of the run's own, which is forgotten
// at the end, unless the flags name another. It makes no call to KMS but asks
// what answers at an endpoint that was named whether it is a mock.
func (a *app) target(ctx context.Context, o targetOptions) (*target, error) {
	t := &target{clients: make(map[string]*kms.Client)}
	var err error
	switch g := a.globals; {
	case a.usesEmbedded() && o.aws:
		err = usagef("--aws contradicts --mock, and %s=1 in the environment", envMock)
	case a.usesEmbedded():
		err = a.targetState(ctx, t)
	case g.endpointURL != "" || g.profile != "" || o.aws:
		err = a.targetService(ctx, t)
	default:
		t.wrappingKeys = mockkms.NewWrappingKeys()
		mock := mockkms.New(mockkms.WithWrappingKeys(t.wrappingKeys), mockkms.WithKeysAhead(manyAhead))
		a.AtEnd(mock.Close)
		a.targetMock(ctx, t, mock)
		t.name = "a KMS inside keymat, which is forgotten at the end"
	}
	if err != nil {
		return nil, err
	}
	client, err := t.client(a.globals.region)
	if err != nil {
		return nil, err
	}
	t.region = client.Options().Region
	t.second = o.second
	if t.second == "" && !t.billed {
		t.second = anotherRegion(t.region)
	}
	if t.second == t.region {
		return nil, usagef("--second-region has to be another one than %s", t.region)
	}
	t.header.Region, t.header.Profile = t.region, a.globals.profile
	return t, nil
}

// manyAhead lets the KMS of the run make wrapping keys while experiments wait
// for something else: that is nearly all the work there is.
var manyAhead = mockkms.KeysAhead{RSA2048: 8}

// targetMock makes a mock inside this process the target.
func (a *app) targetMock(ctx context.Context, t *target, mock *mockkms.KMS) {
	t.clock = storedMock{mock}
	t.connect = func(region string) (*kms.Client, error) {
		return awsclient.New(ctx, awsclient.Options{Region: region, Transport: mockkms.Transport(mock), Debug: a.debug()})
	}
}

// targetState makes the mock in the state file the target.
func (a *app) targetState(ctx context.Context, t *target) error {
	path, err := a.mockStatePath()
	if err == nil {
		path, err = filepath.Abs(path) // the next run may start in another folder
	}
	if err != nil {
		return err
	}
	mock, err := a.embedded()
	if err != nil {
		return err
	}
	a.targetMock(ctx, t, mock)
	t.name, t.lasting = "the mock in "+path, true
	t.header.Mock = path
	return nil
}

// targetService makes what the AWS settings lead to the target: a mock that is
// served, whose clock can be moved; AWS, or what passes for it, otherwise.
func (a *app) targetService(ctx context.Context, t *target) error {
	endpoint := cmp.Or(a.globals.endpointURL, a.endpointSetting())
	options := awsclient.Options{Profile: a.globals.profile, EndpointURL: endpoint, Debug: a.debug()}
	t.lasting, t.header.Endpoint = true, endpoint
	t.name, t.billed = "AWS", true
	if endpoint != "" {
		t.name = "the KMS at " + endpoint
		remote, err := a.findMock(ctx, endpoint)
		if err != nil {
			return err
		}
		if remote != nil {
			t.name, t.billed, t.clock = "the mock at "+endpoint, false, remote
		}
	}
	pacer := pace.New(pace.Quotas())
	t.connect = func(region string) (*kms.Client, error) {
		o := options
		o.Region = region
		client, err := awsclient.New(ctx, o)
		if err != nil || !t.billed {
			return client, err
		}
		return kms.New(client.Options(), pacer.Slow), nil
	}
	return nil
}

// findMock is the control of the mock at url; nil if it is none, or does not
// let itself be controlled from here.
func (a *app) findMock(ctx context.Context, url string) (mockControl, error) {
	if !onLoopback(url) {
		return nil, nil
	}
	client, err := a.bundleClient()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, clockPatience)
	defer cancel()
	remote := mockkms.NewRemote(url, client)
	_, err = remote.Clock(ctx)
	if _, ok := errors.AsType[*mockkms.NotMockError](err); ok {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return remote, nil
}

// anotherRegion is a second Region for mocks, which have all of them: of the
// same partition, or "" where that is none of the common one.
func anotherRegion(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"), strings.HasPrefix(region, "us-gov-"):
		return ""
	case region == "us-east-1":
		return "us-west-2"
	}
	return "us-east-1"
}

// mockClock is the clock of a mock for experiments, which notes in a ledger by
// how much it was moved.
type mockClock struct {
	mock   mockControl
	ledger *ledger.Ledger // nil where nobody comes back
}

func (c mockClock) Now(ctx context.Context) (time.Time, error) {
	clock, err := c.mock.Clock(ctx)
	return clock.Time, err
}

func (c mockClock) Advance(ctx context.Context, d time.Duration) error {
	if c.ledger != nil {
		if err := c.ledger.Moving(d); err != nil {
			return err
		}
	}
	_, err := c.mock.MoveClock(ctx, mockkms.ClockMove{Advance: d})
	return err
}
