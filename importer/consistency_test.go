// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
)

// slowKMS shows what happened only after a while, as KMS may: it does not know
// a new key until known, and shows DescribeKey's first answer until shown.
type slowKMS struct {
	importer.KMS
	known, shown time.Time
	first        *kms.DescribeKeyOutput
}

func (s *slowKMS) GetParametersForImport(ctx context.Context, in *kms.GetParametersForImportInput, o ...func(*kms.Options)) (*kms.GetParametersForImportOutput, error) {
	if time.Now().Before(s.known) {
		return nil, &types.NotFoundException{Message: aws.String("Key does not exist")}
	}
	return s.KMS.GetParametersForImport(ctx, in, o...)
}

func (s *slowKMS) DescribeKey(ctx context.Context, in *kms.DescribeKeyInput, o ...func(*kms.Options)) (*kms.DescribeKeyOutput, error) {
	if s.first != nil && time.Now().Before(s.shown) {
		return s.first, nil
	}
	out, err := s.KMS.DescribeKey(ctx, in, o...)
	s.first = out
	return out, err
}

func TestANewKeyIsWaitedFor(t *testing.T) {
	for _, tt := range []struct {
		name    string
		unknown time.Duration
		found   bool
	}{{"shortly", 5 * time.Second, true}, {"for long", time.Hour, false}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				k := b.create(t, material.SymmetricDefault)
				b.Importer.KMS = &slowKMS{KMS: b.client, known: time.Now().Add(tt.unknown)}
				start := time.Now()
				_, err := b.Fetch(t.Context(), k, experiment.Quick(k.Spec))
				if (err == nil) != tt.found {
					t.Errorf("error %v", err)
				}
				if waited := time.Since(start); waited > 30*time.Second {
					t.Errorf("waited %s", waited)
				}
			})
		})
	}
}

// An old key that is not found does not exist: nobody waits for it.
func TestAnOldKeyIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.create(t, material.SymmetricDefault)
		time.Sleep(2 * time.Minute)
		b.Importer.KMS = &slowKMS{KMS: b.client, known: time.Now().Add(time.Hour)}
		start := time.Now()
		if _, err := b.Fetch(t.Context(), k, experiment.Quick(k.Spec)); err == nil || time.Since(start) > 0 {
			t.Errorf("error %v after %s", err, time.Since(start))
		}
	})
}

func TestTheEffectOfAnImportIsWaitedFor(t *testing.T) {
	for _, tt := range []struct {
		name   string
		hidden time.Duration
		want   types.KeyState
	}{{"shortly", 5 * time.Second, types.KeyStateEnabled}, {"for long", time.Hour, types.KeyStatePendingImport}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				k := b.create(t, material.SymmetricDefault)
				w := b.wrapped(t, k, generate(t, k.Spec))
				b.Importer.KMS = &slowKMS{KMS: b.client, shown: time.Now().Add(tt.hidden)}
				start := time.Now()
				r, err := b.Import(t.Context(), importer.ImportRequest{Wrapped: w, Expiry: importer.Never()})
				if err != nil || r.State != tt.want || r.MaterialID == "" {
					t.Errorf("receipt %+v, error %v; want state %s", r, err, tt.want)
				}
				if waited := time.Since(start); waited > 30*time.Second {
					t.Errorf("waited %s", waited)
				}
			})
		})
	}
}
