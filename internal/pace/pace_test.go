// SPDX-License-Identifier: Apache-2.0

package pace_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/pace"
	"github.com/keymat/keymat/mockkms"
)

func client(mock *mockkms.KMS, p *pace.Pacer, region string) *kms.Client {
	return kms.New(kms.Options{
		Region:      region,
		Credentials: credentials.NewStaticCredentialsProvider("111122223333", "secret-enough", ""),
		HTTPClient:  &http.Client{Transport: mockkms.Transport(mock)},
		Retryer:     aws.NopRetryer{},
	}, p.Slow)
}

// TestQuotasAreKept by many calls at once, where the mock counts as KMS does.
func TestQuotasAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := mockkms.New(mockkms.WithQuotas(nil), mockkms.WithSharedWrappingKeys())
		p := pace.New(pace.Quotas())
		k := client(mock, p, "eu-central-1")
		start := time.Now()
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				key, err := k.CreateKey(t.Context(), &kms.CreateKeyInput{Origin: types.OriginTypeExternal})
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := k.GetParametersForImport(t.Context(), &kms.GetParametersForImportInput{
					KeyId: key.KeyMetadata.Arn, WrappingAlgorithm: types.AlgorithmSpecRsaesOaepSha256, WrappingKeySpec: types.WrappingKeySpecRsa2048,
				}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took != 4*time.Second {
			t.Errorf("5 fetches took %s, want 4s: one a second", took)
		}
	})
}

// TestRegionsDoNotWaitForEachOther except where a replica is made.
func TestRegionsDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(map[string]float64{"CreateKey": 1, "ReplicateKey": 1})
		mock := mockkms.New()
		here, there := client(mock, p, "eu-central-1"), client(mock, p, "us-east-1")
		start := time.Now()
		key, err := here.CreateKey(t.Context(), &kms.CreateKeyInput{MultiRegion: aws.Bool(true)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := there.CreateKey(t.Context(), &kms.CreateKeyInput{}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("one key in each Region took %s", took)
		}
		if _, err := here.ReplicateKey(t.Context(), &kms.ReplicateKeyInput{KeyId: key.KeyMetadata.Arn, ReplicaRegion: aws.String("us-east-1")}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("a replica after a key took %s, want 2s: it counts as two", took)
		}
	})
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := client(mockkms.New(), pace.New(map[string]float64{"ListKeys": 0.001}), "eu-central-1")
		if _, err := k.ListKeys(t.Context(), &kms.ListKeysInput{}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		start := time.Now()
		time.AfterFunc(time.Second, cancel)
		if _, err := k.ListKeys(ctx, &kms.ListKeysInput{}); !errors.Is(err, context.Canceled) {
			t.Errorf("the wait ended in %v", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("the wait ended after %s, want 1s", took)
		}
	})
}
