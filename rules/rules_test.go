// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/rules"
)

// Each rule holds on the mock, and breaks with the flaws that are to break it
// and with no other. An experiment that does not meet a flaw has the same
// answers with it, so it is made again only with those that it meets.
func TestRules(t *testing.T) {
	for _, r := range rules.All() {
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			met := holds(t, &r)
			for flaw, ids := range byFlaw {
				if slices.Contains(ids, r.ID) && !slices.Contains(met, flaw) {
					t.Errorf("%s does not meet flaw %s", r.ID, flaw)
				}
			}
			for _, flaw := range met {
				got, want := false, slices.Contains(byFlaw[flaw], r.ID)
				synctest.Test(t, func(t *testing.T) { got = surprised(t, try(t, &r, mockkms.WithFlaws(flaw))) })
				if got != want {
					t.Errorf("flaw %s breaks %s: %t, want %t", flaw, r.ID, got, want)
				}
			}
		})
	}
}

// holds demands that the rule holds, and that it makes as many keys as it
// announces. It tells the flaws that its experiment met.
func holds(t *testing.T, r *rules.Rule) (met []mockkms.Flaw) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		trial := try(t, r, mockkms.WatchFlaws(func(f mockkms.Flaw) {
			if !slices.Contains(met, f) {
				met = append(met, f)
			}
		}))
		if err := trial.Err(); err != nil {
			t.Error(err)
		}
		if got := len(trial.Keys()); got != r.Keys {
			t.Errorf("it made %d keys, and announces %d", got, r.Keys)
		}
	})
	return met
}

// try makes the rule's experiment on a mock of its own, and cleans up.
func try(t *testing.T, r *rules.Rule, broken ...mockkms.Option) *experiment.Trial {
	t.Helper()
	keys := mockkms.WithSharedWrappingKeys()
	if ownWrappingKeys[r.ID] {
		keys = mockkms.WithWrappingKeys(stock)
	}
	options := append([]mockkms.Option{keys}, broken...)
	mock := mockkms.New(options...)
	defer mock.Close()
	trial := bench(mock, r).Start(t.Context(), r.ID)
	r.Experiment(trial)
	mock.SetConditions(mockkms.Conditions{})
	mock.ClearFaults()
	if _, err := trial.Finish(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	return trial
}

// bench is one on the mock. Its clock moves for rules that announce it.
func bench(mock *mockkms.KMS, r *rules.Rule) *experiment.Bench {
	b := &experiment.Bench{
		KMS: func(region string) (*kms.Client, error) {
			return kms.New(kms.Options{
				Region:      region,
				Credentials: credentials.NewStaticCredentialsProvider("111122223333", "secret-enough", ""),
				HTTPClient:  &http.Client{Transport: mockkms.Transport(mock)},
				Retryer:     retry.NewStandard(),
			}), nil
		},
		Region: "eu-central-1", Run: "test", Patience: 20 * time.Second,
	}
	if r.MovesClock {
		b.Clock = clock{mock}
	}
	if r.TwoRegions {
		b.Second = "us-east-1"
	}
	return b
}

// clock is the mock's.
type clock struct{ mock *mockkms.KMS }

func (c clock) Now(context.Context) (time.Time, error) {
	now, err := c.mock.Clock()
	return now.Time, err
}

func (c clock) Advance(_ context.Context, d time.Duration) error {
	_, err := c.mock.MoveClock(mockkms.ClockMove{Advance: d})
	return err
}
