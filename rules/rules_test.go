// SPDX-License-Identifier: Apache-2.0

package rules_test

import (
	"context"
	"net/http"
	"testing"

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
			mock := mockkms.New(mockkms.WithSharedWrappingKeys())
			defer mock.Close()
			trial := bench(mock).Start(t.Context(), r.ID)
			r.Experiment(trial)
			if err := trial.Err(); err != nil {
				t.Error(err)
			}
			if got := len(trial.Keys()); got != r.Keys {
				t.Errorf("it made %d keys, and announces %d", got, r.Keys)
			}
			if _, err := trial.Finish(context.WithoutCancel(t.Context())); err != nil {
				t.Error(err)
			}
		})
	}
}

// bench is one on the mock.
func bench(mock *mockkms.KMS) *experiment.Bench {
	return &experiment.Bench{
		KMS: func(region string) (*kms.Client, error) {
			return kms.New(kms.Options{
				Region:      region,
				Credentials: credentials.NewStaticCredentialsProvider("111122223333", "secret", ""),
				HTTPClient:  &http.Client{Transport: mockkms.Transport(mock)},
				Retryer:     retry.NewStandard(),
			}), nil
		},
		Region: "eu-central-1", Second: "us-east-1", Run: "test",
	}
}
