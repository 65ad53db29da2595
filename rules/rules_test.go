// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"context"
	"net/http"
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

func TestRulesHold(t *testing.T) {
	for _, r := range rules.All() {
		t.Run(r.ID, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				trial := try(t, &r)
				if err := trial.Err(); err != nil {
					t.Error(err)
				}
				if got := len(trial.Keys()); got != r.Keys {
					t.Errorf("it made %d keys, and announces %d", got, r.Keys)
				}
			})
		})
	}
}

// try makes the rule's experiment on a mock of its own, and cleans up.
func try(t *testing.T, r *rules.Rule, broken ...mockkms.Option) *experiment.Trial {
	t.Helper()
	options := broken
	if !ownWrappingKeys[r.ID] {
		options = append(options, mockkms.WithSharedWrappingKeys())
	}
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
				Credentials: credentials.NewStaticCredentialsProvider("111122223333", "secret", ""),
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
