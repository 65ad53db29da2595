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
		if took := time.Since(start); took < 4*time.Second || took > 4100*time.Millisecond {
			t.Errorf("5 fetches took %s, want a little more than 4s: one a second", took)
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
		if took := time.Since(start); took < 2*time.Second || took > 2100*time.Millisecond {
			t.Errorf("a replica after a key took %s, want a little more than 2s: it counts as two", took)
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

// TestLearning: where the account allows less than we think, or others use it
// too, few calls run into the quota, and little of it is left unused.
func TestLearning(t *testing.T) {
	for _, allowed := range []float64{4, 3, 1.2} { // of the 4 that we think
		synctest.Test(t, func(t *testing.T) {
			mock := mockkms.New(mockkms.WithQuotas(map[string]float64{"ListKeyPolicies": allowed}))
			p := pace.New(map[string]float64{"ListKeyPolicies": 4})
			k := client(mock, p, "eu-central-1")
			key, err := k.CreateKey(t.Context(), &kms.CreateKeyInput{})
			if err != nil {
				t.Fatal(err)
			}
			const calls = 2000
			start, done := time.Now(), 0
			for done < calls {
				if _, err := k.ListKeyPolicies(t.Context(), &kms.ListKeyPoliciesInput{KeyId: key.KeyMetadata.KeyId}); err == nil {
					done++
				}
			}
			took := time.Since(start).Seconds()
			n := p.Tally("", "eu-central-1", "ListKeyPolicies")
			if n.Sent-n.Throttled != calls || n.Throttled*100 > n.Sent {
				t.Errorf("%v a second allowed: %+v, want below 1 %% throttled", allowed, n)
			}
			if used := calls / allowed / took; used < 0.85 {
				t.Errorf("%v a second allowed: %.0f %% used", allowed, 100*used)
			}
			if n := p.Tally("", "eu-central-1", ""); n.Sent < calls+1 {
				t.Errorf("all operations: %+v", n)
			}
		})
	}
}

// TestRecovery: what made calls be throttled may pass.
func TestRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mock := mockkms.New(mockkms.WithFault(mockkms.Fault{Operation: "ListKeyPolicies", Kind: mockkms.FaultThrottle, Times: 10}))
		p := pace.New(map[string]float64{"ListKeyPolicies": 4})
		k := client(mock, p, "eu-central-1")
		rate := func() float64 { return p.Rate("", "eu-central-1", "ListKeyPolicies") }
		full := rate()
		for range 10 {
			k.ListKeyPolicies(t.Context(), &kms.ListKeyPoliciesInput{KeyId: aws.String("none")})
		}
		if got := rate(); got != 1 {
			t.Errorf("after many throttled calls %v a second, want a quarter of the quota", got)
		}
		for range 5000 {
			k.ListKeyPolicies(t.Context(), &kms.ListKeyPoliciesInput{KeyId: aws.String("none")})
		}
		if got := rate(); got != full {
			t.Errorf("long after that %v a second, want %v", got, full)
		}
		if got := p.Rate("", "eu-central-1", "DescribeKey"); got != 0 {
			t.Errorf("without a quota %v a second", got)
		}
	})
}

// TestAccountsDoNotWaitForEachOther: quotas are those of an account.
func TestAccountsDoNotWaitForEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, mock := pace.New(map[string]float64{"ListKeys": 1}), mockkms.New()
		start := time.Now()
		for _, account := range []string{"a", "b", "c"} {
			k := kms.New(client(mock, pace.New(nil), "eu-central-1").Options(), p.In(account))
			if _, err := k.ListKeys(t.Context(), &kms.ListKeysInput{}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("one call in each account took %s", took)
		}
	})
}

// TestStopping: what waits for its turn ends, and what has none to wait for does not.
func TestStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := client(mockkms.New(), pace.New(map[string]float64{"ListKeys": 0.001}), "eu-central-1")
		stop, cancel := context.WithCancel(t.Context())
		ctx := pace.Until(t.Context(), stop)
		if _, err := k.ListKeys(ctx, &kms.ListKeysInput{}); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		time.AfterFunc(time.Second, cancel)
		for range 2 {
			if _, err := k.ListKeys(ctx, &kms.ListKeysInput{}); !errors.Is(err, pace.ErrStopped) {
				t.Errorf("the wait ended in %v", err)
			}
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("the wait ended after %s, want 1s", took)
		}
		if _, err := k.ListAliases(ctx, &kms.ListAliasesInput{}); err != nil {
			t.Errorf("a call without a quota ended in %v", err)
		}
	})
}
