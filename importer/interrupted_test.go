// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
)

// guillotine ends a run at a call: the call still happens, but nobody learns
// of its answer, nor makes another.
type guillotine struct {
	next http.RoundTripper
	left int
	fall context.CancelFunc
}

func (g *guillotine) RoundTrip(r *http.Request) (*http.Response, error) {
	if g.left--; g.left > 0 {
		return g.next.RoundTrip(r)
	}
	if answer, err := g.next.RoundTrip(r.Clone(context.WithoutCancel(r.Context()))); err == nil {
		answer.Body.Close()
	}
	g.fall()
	return nil, context.Canceled
}

// TestRotateCutOffAnywhere ends a rotation of a multi-Region key after each of
// its calls. Running it again always finishes it, and never rotates twice.
func TestRotateCutOffAnywhere(t *testing.T) {
	for cut := 1; ; cut++ {
		whole := false
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			k, replica := b.replicated(t, generate(t, material.SymmetricDefault))
			m := generate(t, material.SymmetricDefault)
			im, ctx := b.cutOff(t, cut)
			_, err := im.Rotate(ctx, k, rotation(m))
			whole = err == nil
			done, err := b.Rotate(t.Context(), b.describe(t, k), rotation(m))
			if err != nil {
				t.Fatalf("cut off at call %d: %v", cut, err)
			}
			for _, c := range done.Copies {
				if c.Opening.Verdict != importer.Proven {
					t.Errorf("cut off at call %d: %+v", cut, c)
				}
			}
			for _, c := range []importer.Copy{{Importer: b.Importer, Key: k}, replica} {
				all, err := c.Materials(t.Context(), c.Key)
				if err != nil || len(all) != 2 || all[1].ID != done.To || all[1].State != types.KeyMaterialStateCurrent {
					t.Errorf("cut off at call %d: materials %+v, error %v", cut, all, err)
				}
			}
		})
		if whole {
			if cut < 15 {
				t.Errorf("a rotation makes %d calls only", cut)
			}
			return
		}
	}
}

// cutOff is an importer on the same mock, and the context that ends at a call.
func (b *bench) cutOff(t *testing.T, call int) (*importer.Importer, context.Context) {
	ctx, cancel := context.WithCancel(t.Context())
	blade := &guillotine{next: mockkms.Transport(b.mock), left: call, fall: cancel}
	client := func(region string) (importer.KMS, error) {
		return kms.New(kms.Options{
			Region:      region,
			Credentials: credentials.NewStaticCredentialsProvider("mock", "mock", ""),
			HTTPClient:  &http.Client{Transport: blade},
			Retryer:     retry.NewStandard(),
		}), nil
	}
	here, err := client("us-east-1")
	if err != nil {
		t.Fatal(err)
	}
	return &importer.Importer{KMS: here, Regions: client}, ctx
}
