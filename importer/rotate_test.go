// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
)

func rotation(m *material.Material) importer.RotateRequest {
	return importer.RotateRequest{Material: m, Pair: experiment.Quick(m.Spec()), Expiry: importer.Never(), Description: "second"}
}

// rotatable is an enabled symmetric key.
func (b *bench) rotatable(t *testing.T) importer.Key {
	t.Helper()
	return b.bring(t, b.create(t, material.SymmetricDefault), generate(t, material.SymmetricDefault), importer.Never())
}

func TestRotate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k, m := b.rotatable(t), generate(t, material.SymmetricDefault)
		b.calls()
		done, err := b.Rotate(t.Context(), k, rotation(m))
		if err != nil {
			t.Fatal(err)
		}
		if done.From != k.MaterialID || done.To == done.From || done.Used != 1 || done.Unchanged || done.Resumed || done.At.IsZero() {
			t.Errorf("got %+v", done)
		}
		if got := done.Copies; len(got) != 1 || got[0].Opening.Verdict != importer.Proven {
			t.Errorf("copies %+v", got)
		}
		all, err := b.Materials(t.Context(), k)
		if err != nil || len(all) != 2 || all[1].State != types.KeyMaterialStateCurrent || all[1].Description != "second" {
			t.Errorf("materials %+v, error %v", all, err)
		}
		if n := count(b.calls(), "RotateKeyOnDemand"); n != 1 {
			t.Errorf("RotateKeyOnDemand was called %d times", n)
		}

		// Once more with the same material: nothing is rotated.
		again, err := b.Rotate(t.Context(), b.describe(t, k), rotation(m))
		if err != nil || !again.Unchanged || again.To != done.To {
			t.Errorf("again: %+v, error %v", again, err)
		}
		if n := count(b.calls(), "RotateKeyOnDemand"); n != 0 {
			t.Errorf("RotateKeyOnDemand was called %d times", n)
		}
	})
}

func count(calls []string, operation string) int {
	return len(slices.DeleteFunc(slices.Clone(calls), func(c string) bool { return c != operation }))
}

// Whatever a tool has left behind is gone on with, and never done twice.
func TestRotateGoesOn(t *testing.T) {
	tests := []struct {
		name   string
		left   func(t *testing.T, b *bench, k importer.Key, m *material.Material)
		rotate int // calls of RotateKeyOnDemand that are still needed
	}{
		{"staged", stageMaterial, 1},
		{"expired while it waited", func(t *testing.T, b *bench, k importer.Key, m *material.Material) {
			r := rotation(m)
			r.Expiry = importer.In(time.Minute, time.Now())
			stageAs(t, b, k, r)
			time.Sleep(time.Hour)
		}, 1},
		{"rotating", func(t *testing.T, b *bench, k importer.Key, m *material.Material) {
			stageMaterial(t, b, k, m)
			rotateOnDemand(t, b, k)
		}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				k, m := b.rotatable(t), generate(t, material.SymmetricDefault)
				tt.left(t, b, k, m)
				b.calls()
				done, err := b.Rotate(t.Context(), k, rotation(m))
				if err != nil || !done.Resumed || done.Unchanged || done.Copies[0].Opening.Verdict != importer.Proven {
					t.Fatalf("got %+v, error %v", done, err)
				}
				if got := count(b.calls(), "RotateKeyOnDemand"); got != tt.rotate {
					t.Errorf("RotateKeyOnDemand was called %d times, want %d", got, tt.rotate)
				}
				if k = b.describe(t, k); k.State != types.KeyStateEnabled || k.MaterialID != done.To {
					t.Errorf("key %+v", k)
				}
			})
		})
	}
}

// A rotation that somebody began may end while we open the copy of its material:
// what was read of the key before that is old.
func TestRotateEndsMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k, m := b.rotatable(t), generate(t, material.SymmetricDefault)
		stageMaterial(t, b, k, m)
		rotateOnDemand(t, b, k)
		k = b.describe(t, k)
		time.Sleep(time.Hour)
		done, err := b.Rotate(t.Context(), k, rotation(m))
		if err != nil || !done.Unchanged || done.Used != 1 || done.To == k.MaterialID || done.Copies[0].Opening.Verdict != importer.Proven {
			t.Errorf("got %+v, error %v", done, err)
		}
	})
}

func stageMaterial(t *testing.T, b *bench, k importer.Key, m *material.Material) {
	t.Helper()
	stageAs(t, b, k, rotation(m))
}

func stageAs(t *testing.T, b *bench, k importer.Key, r importer.RotateRequest) {
	t.Helper()
	_, _, err := b.Bring(t.Context(), k, r.Material, r.Pair, importer.ImportRequest{Expiry: r.Expiry, Type: types.ImportTypeNewKeyMaterial})
	if err != nil {
		t.Fatal(err)
	}
}

func rotateOnDemand(t *testing.T, b *bench, k importer.Key) {
	t.Helper()
	if _, err := b.client.RotateKeyOnDemand(t.Context(), &kms.RotateKeyOnDemandInput{KeyId: aws.String(k.ARN)}); err != nil {
		t.Fatal(err)
	}
}

func TestRotateLostAnswers(t *testing.T) {
	for _, tt := range []struct {
		kind  mockkms.FaultKind
		calls int
	}{{mockkms.FaultDropAfter, 1}, {mockkms.FaultDropBefore, 2}, {mockkms.FaultInternal, 2}, {mockkms.FaultThrottle, 2}} {
		t.Run(tt.kind.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				k, m := b.rotatable(t), generate(t, material.SymmetricDefault)
				b.mock.Inject(mockkms.Fault{Operation: "RotateKeyOnDemand", Kind: tt.kind})
				b.calls()
				done, err := b.Rotate(t.Context(), k, rotation(m))
				if err != nil || done.Resumed || done.Used != 1 {
					t.Fatalf("got %+v, error %v", done, err)
				}
				if got := count(b.calls(), "RotateKeyOnDemand"); got != tt.calls {
					t.Errorf("%d calls arrived, want %d", got, tt.calls)
				}
			})
		})
	}
}

func TestRotateRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		m := generate(t, material.SymmetricDefault)
		check := func(k importer.Key) error {
			_, err := b.Rotate(t.Context(), k, rotation(m))
			return err
		}
		wantError[*importer.NotRotatableError](t, check(b.create(t, material.HMAC256)))
		wantError[*importer.NotRotatableError](t, check(b.create(t, material.RSA2048)))
		wantError[*importer.NeverImportedError](t, check(b.create(t, material.SymmetricDefault)))
		k := b.rotatable(t)
		ours := k
		ours.Origin = types.OriginTypeAwsKms
		wantError[*importer.OriginError](t, check(ours))
		lost := b.rotatable(t)
		if _, err := b.DeleteMaterial(t.Context(), lost, ""); err != nil {
			t.Fatal(err)
		}
		wantError[*importer.StateError](t, check(b.describe(t, lost)))

		stageMaterial(t, b, k, generate(t, material.SymmetricDefault))
		wantError[*importer.PendingError](t, check(k))
		if all, _ := b.Materials(t.Context(), k); len(all) != 2 {
			t.Errorf("materials %+v", all)
		}
	})
}

// A key does not rotate back, and not more than 25 times.
func TestRotateEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		first := generate(t, material.SymmetricDefault)
		k := b.bring(t, b.create(t, material.SymmetricDefault), first, importer.Never())
		for range importer.MaxOnDemandRotations {
			if _, err := b.Rotate(t.Context(), b.describe(t, k), rotation(generate(t, material.SymmetricDefault))); err != nil {
				t.Fatal(err)
			}
			_, err := b.Rotate(t.Context(), b.describe(t, k), rotation(first))
			if _, limit := errors.AsType[*importer.RotationLimitError](err); !limit {
				wantError[*importer.RetiredError](t, err)
			}
		}
		b.calls()
		_, err := b.Rotate(t.Context(), b.describe(t, k), rotation(generate(t, material.SymmetricDefault)))
		wantError[*importer.RotationLimitError](t, err)
		wantCalls(t, b, "DescribeKey", "ListKeyRotations", "GetKeyRotationStatus")
	})
}

// Who rotates keys need not be allowed to use them.
func TestRotateWithoutUse(t *testing.T) {
	for _, denied := range []string{"Encrypt", "Decrypt"} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			k := b.rotatable(t)
			b.mock.Inject(mockkms.Fault{Operation: denied, Kind: mockkms.FaultDenied, Times: 100})
			done, err := b.Rotate(t.Context(), k, rotation(generate(t, material.SymmetricDefault)))
			want := importer.Opening{Verdict: importer.Unproven, Reason: denied + " is not allowed"}
			if err != nil || done.Copies[0].Opening != want {
				t.Errorf("got %+v, error %v; want %+v", done.Copies, err, want)
			}
		})
	}
}

// What waits in the key after an error is named.
func TestRotateUnfinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.rotatable(t)
		b.mock.Inject(mockkms.Fault{Operation: "RotateKeyOnDemand", Kind: mockkms.FaultDenied})
		_, err := b.Rotate(t.Context(), k, rotation(generate(t, material.SymmetricDefault)))
		e, ok := errors.AsType[*importer.UnfinishedRotationError](err)
		if !ok || e.MaterialID == "" || e.MaterialID == k.MaterialID {
			t.Errorf("error %v", err)
		}
		wantError[*importer.CallError](t, err)
	})
}

// A rotation whose material somebody deletes meanwhile never ends (recorded).
func TestRotateLosesItsMaterial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.rotatable(t)
		b.Importer.Observe = func(e importer.Event) {
			if r, ok := e.(importer.Rotating); ok {
				if _, err := b.DeleteMaterial(t.Context(), k, r.MaterialID); err != nil {
					t.Error(err)
				}
			}
		}
		start := time.Now()
		_, err := b.Rotate(t.Context(), k, rotation(generate(t, material.SymmetricDefault)))
		wantError[*importer.UnfinishedRotationError](t, err)
		if waited := time.Since(start); waited > time.Minute {
			t.Errorf("waited %s", waited)
		}
	})
}

// reluctantKMS does not see the imports of other Regions for a while.
type reluctantKMS struct {
	importer.KMS
	willing time.Time
}

func (r reluctantKMS) RotateKeyOnDemand(ctx context.Context, in *kms.RotateKeyOnDemandInput, o ...func(*kms.Options)) (*kms.RotateKeyOnDemandOutput, error) {
	if time.Now().Before(r.willing) {
		return nil, &types.KMSInvalidStateException{Message: aws.String("Key material has not been imported for replicas of the Multi-Region key.")}
	}
	return r.KMS.RotateKeyOnDemand(ctx, in, o...)
}

func TestRotateWaitsForOtherRegions(t *testing.T) {
	for _, tt := range []struct {
		after time.Duration
		done  bool
	}{{time.Minute, true}, {time.Hour, false}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			k, _ := b.replicated(t, generate(t, material.SymmetricDefault))
			b.Importer.KMS = reluctantKMS{b.client, time.Now().Add(tt.after)}
			start := time.Now()
			_, err := b.Rotate(t.Context(), k, rotation(generate(t, material.SymmetricDefault)))
			if (err == nil) != tt.done || time.Since(start) > 5*time.Minute {
				t.Errorf("willing after %s: error %v after %s", tt.after, err, time.Since(start))
			}
		})
	}
}

// frozenKMS never shows that a rotation ends.
type frozenKMS struct {
	importer.KMS
	current *string
}

func (f frozenKMS) DescribeKey(ctx context.Context, in *kms.DescribeKeyInput, o ...func(*kms.Options)) (*kms.DescribeKeyOutput, error) {
	out, err := f.KMS.DescribeKey(ctx, in, o...)
	if err == nil {
		out.KeyMetadata.CurrentKeyMaterialId = f.current
	}
	return out, err
}

func (f frozenKMS) GetKeyRotationStatus(context.Context, *kms.GetKeyRotationStatusInput, ...func(*kms.Options)) (*kms.GetKeyRotationStatusOutput, error) {
	return &kms.GetKeyRotationStatusOutput{OnDemandRotationStartDate: aws.Time(time.Now())}, nil
}

// shyKMS shows only after a while that a rotation runs.
type shyKMS struct {
	importer.KMS
	shown time.Time
}

func (s shyKMS) GetKeyRotationStatus(ctx context.Context, in *kms.GetKeyRotationStatusInput, o ...func(*kms.Options)) (*kms.GetKeyRotationStatusOutput, error) {
	out, err := s.KMS.GetKeyRotationStatus(ctx, in, o...)
	if err == nil && time.Now().Before(s.shown) {
		out.OnDemandRotationStartDate = nil
	}
	return out, err
}

// A rotation that KMS has accepted is not asked for again because it does not
// show yet.
func TestRotateIsAskedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.rotatable(t)
		b.Importer.KMS = shyKMS{b.client, time.Now().Add(10 * time.Second)}
		b.calls()
		done, err := b.Rotate(t.Context(), k, rotation(generate(t, material.SymmetricDefault)))
		if got := count(b.calls(), "RotateKeyOnDemand"); err != nil || done.Used != 1 || got != 1 {
			t.Errorf("got %+v, error %v, after %d calls", done, err, got)
		}
	})
}

func TestRotateIsNotWaitedForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.rotatable(t)
		b.Importer.KMS = frozenKMS{b.client, &k.MaterialID}
		start := time.Now()
		_, err := b.Rotate(t.Context(), k, rotation(generate(t, material.SymmetricDefault)))
		wantError[*importer.SlowRotationError](t, err)
		if waited := time.Since(start).Round(time.Minute); waited != 20*time.Minute {
			t.Errorf("waited %s", waited)
		}
		told := 0
		for _, e := range b.events {
			if w, ok := e.(importer.Waiting); ok && w.Elapsed > 0 {
				told++
			}
		}
		if told < 20 || told > 40 {
			t.Errorf("the wait was reported %d times again", told)
		}
	})
}
