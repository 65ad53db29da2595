// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// TestParametersAhead: what was fetched ahead is used while it fits, and
// replaced once when KMS does not take its token.
func TestParametersAhead(t *testing.T) {
	pair := wrap.Strongest(material.HMAC256)
	for _, test := range []struct {
		name  string
		wait  time.Duration
		fault string // what ImportKeyMaterial answers at first
		pair  wrap.Pair
		want  []string
	}{
		{"fits", 0, "", pair, []string{"DescribeKey", "ImportKeyMaterial", "DescribeKey"}},
		{"too old", 24*time.Hour + time.Second, "", pair, []string{"GetParametersForImport", "DescribeKey", "ImportKeyMaterial", "DescribeKey"}},
		{"for another wrapping", 0, "", wrap.Pair{Algorithm: pair.Algorithm, KeySpec: wrap.RSA2048}, []string{"GetParametersForImport", "DescribeKey", "ImportKeyMaterial", "DescribeKey"}},
		{"expired at KMS", 0, "ExpiredImportTokenException", pair, []string{"DescribeKey", "ImportKeyMaterial", "GetParametersForImport", "DescribeKey", "ImportKeyMaterial", "DescribeKey"}},
		{"not taken by KMS", 0, "InvalidImportTokenException", pair, []string{"DescribeKey", "ImportKeyMaterial", "GetParametersForImport", "DescribeKey", "ImportKeyMaterial", "DescribeKey"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				k, m := b.create(t, material.HMAC256), generate(t, material.HMAC256)
				p, err := b.Fetch(t.Context(), k, pair)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(test.wait)
				if test.fault != "" {
					b.mock.Inject(mockkms.Fault{Operation: "ImportKeyMaterial", Kind: mockkms.FaultError, Code: test.fault})
				}
				b.calls()
				b.Parameters = func(context.Context, importer.Key, wrap.Pair) (*token.Parameters, error) { return p, nil }
				wraps := 0
				counted := func(ctx context.Context, p *token.Parameters) (*token.Wrapped, error) {
					wraps++
					return importer.WrapperOf(m)(ctx, p)
				}
				receipt, err := b.Transfer(t.Context(), k, counted, test.pair, importer.ImportRequest{Expiry: importer.Never()})
				if err != nil || receipt.State != "Enabled" {
					t.Fatalf("%+v, %v", receipt, err)
				}
				if got := b.calls(); !slices.Equal(got, test.want) {
					t.Errorf("calls %v, want %v", got, test.want)
				}
				if want := 1 + b2i(test.fault != ""); wraps != want {
					t.Errorf("wrapped %d times, want %d", wraps, want)
				}
			})
		})
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestParametersOfAnotherKey would carry the material into that key.
func TestParametersOfAnotherKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k, other, m := b.create(t, material.HMAC256), b.create(t, material.HMAC256), generate(t, material.HMAC256)
		pair := experiment.Quick(k.Spec)
		p, err := b.Fetch(t.Context(), other, pair)
		if err != nil {
			t.Fatal(err)
		}
		b.Parameters = func(context.Context, importer.Key, wrap.Pair) (*token.Parameters, error) { return p, nil }
		_, err = b.Transfer(t.Context(), k, importer.WrapperOf(m), pair, importer.ImportRequest{Expiry: importer.Never()})
		if e, ok := errors.AsType[*importer.AnswerError](err); !ok || e.Field != "KeyId" {
			t.Errorf("error %v", err)
		}
		if got := b.describe(t, other).State; got != "PendingImport" {
			t.Errorf("the other key is %s", got)
		}
	})
}

// TestWitness recognises a material that is gone from memory.
func TestWitness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		for spec, want := range map[material.Spec]importer.Verdict{
			material.HMAC384: importer.Proven, material.ECCNISTP256: importer.Proven, material.SymmetricDefault: importer.Unproven,
		} {
			m, other := generate(t, spec), generate(t, spec)
			k := b.bring(t, b.create(t, spec), m, importer.Never())
			w, err := importer.WitnessOf(m)
			if err != nil {
				t.Fatal(err)
			}
			m.Destroy()
			if proof, err := b.ConfirmBy(t.Context(), k, w); err != nil || proof.Verdict != want || proof.KeyARN != k.ARN {
				t.Errorf("%s: %+v, %v", spec, proof, err)
			}
			if w, err = importer.WitnessOf(other); err != nil {
				t.Fatal(err)
			}
			if proof, err := b.ConfirmBy(t.Context(), k, w); want == importer.Proven && (err != nil || proof.Verdict != importer.Mismatch) {
				t.Errorf("%s, other material: %+v, %v", spec, proof, err)
			}
		}
	})
}

func TestNameKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k, other := b.create(t, material.HMAC256), b.create(t, material.HMAC256)
		b.mock.Inject(mockkms.Fault{Operation: "CreateAlias", Kind: mockkms.FaultDropAfter})
		for range 2 { // the first answer is lost, and the SDK asks again
			if err := b.NameKey(t.Context(), k, "alias/app"); err != nil {
				t.Fatal(err)
			}
		}
		err := b.NameKey(t.Context(), other, "alias/app")
		if e, ok := errors.AsType[*importer.AliasTakenError](err); !ok || e.KeyARN != k.ARN {
			t.Errorf("error %v", err)
		}
	})
}

// TestRotateByWrapper: a rotation needs the material only while it is wrapped.
func TestRotateByWrapper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.bring(t, b.create(t, material.SymmetricDefault), generate(t, material.SymmetricDefault), importer.Never())
		next := generate(t, material.SymmetricDefault)
		done, err := b.Rotate(t.Context(), k, importer.RotateRequest{Wrap: importer.WrapperOf(next), Pair: experiment.Quick(k.Spec), Expiry: importer.Never()})
		if err != nil || done.From == done.To {
			t.Errorf("%+v, %v", done, err)
		}
	})
}
