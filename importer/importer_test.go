// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// bench is an importer on a mock of its own, the client it uses, and what it
// reported. Everything talks through the real SDK.
type bench struct {
	*importer.Importer
	mock   *mockkms.KMS
	client *kms.Client
	events []importer.Event
	seen   int
}

func newBench(t *testing.T) *bench {
	t.Helper()
	mock := mockkms.New(mockkms.WithSharedWrappingKeys())
	t.Cleanup(func() { mock.Close() })
	b := &bench{mock: mock}
	b.client = clientOf(mock, "us-east-1")
	b.Importer = &importer.Importer{
		KMS:     b.client,
		Observe: func(e importer.Event) { b.events = append(b.events, e) },
		Regions: func(region string) (importer.KMS, error) { return clientOf(mock, region), nil },
	}
	return b
}

func clientOf(mock *mockkms.KMS, region string) *kms.Client {
	return kms.New(kms.Options{
		Region:      region,
		Credentials: credentials.NewStaticCredentialsProvider("mock", "mock", ""),
		HTTPClient:  &http.Client{Transport: mockkms.Transport(mock)},
		// Not the adaptive mode of the binary: it waits in steps that shrink to
		// nothing, and where time stands still meanwhile that never ends.
		Retryer: retry.NewStandard(),
	})
}

// calls are the operations that arrived since the last time.
func (b *bench) calls() []string {
	all := b.mock.Calls()
	defer func() { b.seen = len(all) }()
	return all[b.seen:]
}

func (b *bench) create(t *testing.T, s material.Spec) importer.Key {
	t.Helper()
	k, err := b.Create(t.Context(), importer.CreateRequest{Spec: s})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (b *bench) describe(t *testing.T, k importer.Key) importer.Key {
	t.Helper()
	k, err := b.Describe(t.Context(), k.ARN)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// bring imports m into k and gives the key as it is then. As in all tests but that
// of every spec, the wrapping is one that can be afforded a hundred times.
func (b *bench) bring(t *testing.T, k importer.Key, m *material.Material, e importer.Expiry) importer.Key {
	t.Helper()
	if _, _, err := b.Bring(t.Context(), k, m, experiment.Quick(k.Spec), importer.ImportRequest{Expiry: e}); err != nil {
		t.Fatal(err)
	}
	return b.describe(t, k)
}

func (b *bench) wrapped(t *testing.T, k importer.Key, m *material.Material) *token.Wrapped {
	t.Helper()
	p, err := b.Fetch(t.Context(), k, experiment.Quick(k.Spec))
	if err != nil {
		t.Fatal(err)
	}
	w, err := token.Wrap(p, m)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func generate(t *testing.T, s material.Spec) *material.Material {
	t.Helper()
	m, err := material.Generate(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func wantCalls(t *testing.T, b *bench, want ...string) {
	t.Helper()
	if got := b.calls(); !slices.Equal(got, want) {
		t.Errorf("calls %q, want %q", got, want)
	}
}

func wantError[E error](t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[E](err); !ok {
		t.Errorf("error %v (%T), want %T", err, err, *new(E))
	}
}

func TestBringEverySpec(t *testing.T) {
	for _, spec := range material.Specs() {
		t.Run(string(spec), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				m := generate(t, spec)
				receipt, proof, err := b.Bring(t.Context(), b.create(t, spec), m, wrap.Strongest(spec), importer.ImportRequest{Expiry: importer.In(time.Hour, time.Now())})
				if err != nil {
					t.Fatal(err)
				}
				if receipt.State != types.KeyStateEnabled || (receipt.MaterialID != "") != (spec == material.SymmetricDefault) {
					t.Errorf("receipt %+v", receipt)
				}
				want := importer.Proven
				if spec == material.SymmetricDefault {
					want = importer.Unproven
				}
				if proof.Verdict != want {
					t.Errorf("proof %+v, want %s", proof, want)
				}
			})
		})
	}
}

func TestFetchRefusesBeforeAnyCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.create(t, material.SymmetricDefault)
		b.calls()

		_, err := b.Fetch(t.Context(), k, wrap.Pair{Algorithm: wrap.RSAAESSHA256, KeySpec: wrap.RSA4096})
		wantError[*wrap.RefusedError](t, err)
		ours := k
		ours.Origin = types.OriginTypeAwsKms
		_, err = b.Fetch(t.Context(), ours, experiment.Quick(k.Spec))
		wantError[*importer.OriginError](t, err)
		dying := k
		dying.State = types.KeyStatePendingDeletion
		_, err = b.Fetch(t.Context(), dying, experiment.Quick(k.Spec))
		wantError[*importer.StateError](t, err)
		wantCalls(t, b)
	})
}

// falseKMS changes the answer of GetParametersForImport on its way to us.
type falseKMS struct {
	importer.KMS
	change func(*kms.GetParametersForImportOutput)
}

func (f falseKMS) GetParametersForImport(ctx context.Context, in *kms.GetParametersForImportInput, o ...func(*kms.Options)) (*kms.GetParametersForImportOutput, error) {
	out, err := f.KMS.GetParametersForImport(ctx, in, o...)
	if err == nil {
		f.change(out)
	}
	return out, err
}

func TestFetchChecksTheAnswer(t *testing.T) {
	tests := map[string]func(*kms.GetParametersForImportOutput){
		"GetParametersForImport answered KeyId \"arn:aws:kms:us-east-1:111122223333:key/other\", expected ": func(o *kms.GetParametersForImportOutput) {
			o.KeyId = aws.String("arn:aws:kms:us-east-1:111122223333:key/other")
		},
		"GetParametersForImport answered ImportToken of 0 bytes, expected a token":                 func(o *kms.GetParametersForImportOutput) { o.ImportToken = nil },
		"GetParametersForImport answered ParametersValidTo 2000-01-01T00:00:00Z, expected a time ": func(o *kms.GetParametersForImportOutput) { *o.ParametersValidTo = time.Now() },
		"GetParametersForImport answered ParametersValidTo 2000-01-03T00:00:00Z, expected a time ": func(o *kms.GetParametersForImportOutput) { *o.ParametersValidTo = time.Now().Add(48 * time.Hour) },
		"GetParametersForImport answered a PublicKey that cannot be used: ":                        func(o *kms.GetParametersForImportOutput) { o.PublicKey = o.PublicKey[1:] },
	}
	for want, change := range tests {
		t.Run(want, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				k := b.create(t, material.SymmetricDefault)
				b.Importer.KMS = falseKMS{b.client, change}
				p, err := b.Fetch(t.Context(), k, experiment.Quick(k.Spec))
				if p != nil || err == nil || !hasPrefix(err.Error(), want) {
					t.Errorf("parameters %v, error %v; want error beginning %q", p, err, want)
				}
			})
		})
	}
}

func hasPrefix(s, prefix string) bool { return len(s) >= len(prefix) && s[:len(prefix)] == prefix }

func TestFetchRefusesASmallerWrappingKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.create(t, material.SymmetricDefault)
		small, err := b.client.GetParametersForImport(t.Context(), &kms.GetParametersForImportInput{
			KeyId: aws.String(k.ARN), WrappingAlgorithm: types.AlgorithmSpecRsaesOaepSha256, WrappingKeySpec: types.WrappingKeySpecRsa2048,
		})
		if err != nil {
			t.Fatal(err)
		}
		b.Importer.KMS = falseKMS{b.client, func(o *kms.GetParametersForImportOutput) { o.PublicKey = small.PublicKey }}
		_, err = b.Fetch(t.Context(), k, wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA3072})
		if got, want := errText(err), "GetParametersForImport answered PublicKey of 2048 bits, expected RSA_3072"; got != want {
			t.Errorf("error %q, want %q", got, want)
		}
	})
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestImportChecksFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.create(t, material.SymmetricDefault)
		h := b.create(t, material.HMAC256)
		w := b.wrapped(t, k, generate(t, k.Spec))
		mac := b.wrapped(t, h, generate(t, h.Spec))
		b.calls()

		for name, r := range map[string]importer.ImportRequest{
			"no expiry":                           {Wrapped: w},
			"expiry now":                          {Wrapped: w, Expiry: importer.At(time.Now())},
			"expiry after a day more than a year": {Wrapped: w, Expiry: importer.In(importer.MaxLifetime+24*time.Hour, time.Now())},
		} {
			_, err := b.Import(t.Context(), r)
			if _, ok := errors.AsType[*importer.ExpiryError](err); !ok {
				t.Errorf("%s: error %v", name, err)
			}
		}
		for name, r := range map[string]importer.ImportRequest{
			"type":        {Wrapped: mac, Expiry: importer.Never(), Type: types.ImportTypeExistingKeyMaterial},
			"ID":          {Wrapped: mac, Expiry: importer.Never(), MaterialID: "00"},
			"description": {Wrapped: mac, Expiry: importer.Never(), Description: "x"},
			"new with ID": {Wrapped: w, Expiry: importer.Never(), Type: types.ImportTypeNewKeyMaterial, MaterialID: "00"},
		} {
			_, err := b.Import(t.Context(), r)
			if _, ok := errors.AsType[*importer.OptionError](err); !ok {
				t.Errorf("%s: error %v", name, err)
			}
		}
		time.Sleep(24 * time.Hour)
		_, err := b.Import(t.Context(), importer.ImportRequest{Wrapped: w, Expiry: importer.Never()})
		wantError[*token.ExpiredError](t, err)
		wantCalls(t, b)
	})
}

func TestImportExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.create(t, material.SymmetricDefault)
		at := time.Now().Add(90*time.Minute + 700*time.Millisecond)
		k = b.bring(t, k, generate(t, k.Spec), importer.At(at))
		if got, want := k.Expiry.Time(), at.Truncate(time.Second); !got.Equal(want) {
			t.Errorf("expiry %s, want %s", got, want)
		}
		time.Sleep(90 * time.Minute)
		if k = b.describe(t, k); k.State != types.KeyStatePendingImport {
			t.Errorf("state %s after the expiry, want PendingImport", k.State)
		}
	})
}

func TestLostAnswers(t *testing.T) {
	tests := []struct {
		name  string
		kind  mockkms.FaultKind
		times int
		want  []string
		found bool // the import had happened, and was found by looking
	}{
		{"after the effect", mockkms.FaultDropAfter, 1, []string{"DescribeKey", "ImportKeyMaterial", "DescribeKey", "DescribeKey"}, true},
		{"throttled", mockkms.FaultThrottle, 1, []string{"DescribeKey", "ImportKeyMaterial", "ImportKeyMaterial", "DescribeKey"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				k := b.create(t, material.SymmetricDefault)
				w := b.wrapped(t, k, generate(t, k.Spec))
				b.calls()
				b.mock.Inject(mockkms.Fault{Operation: "ImportKeyMaterial", Kind: tt.kind, Times: tt.times})
				r, err := b.Import(t.Context(), importer.ImportRequest{Wrapped: w, Expiry: importer.Never()})
				if err != nil || r.LostAnswer != tt.found || r.MaterialID == "" || r.State != types.KeyStateEnabled {
					t.Errorf("receipt %+v, error %v", r, err)
				}
				wantCalls(t, b, tt.want...)
			})
		})
	}
}

// Before the effect there is nothing to find: it looks for a while, and sends again.
func TestLostRequest(t *testing.T) {
	for _, kind := range []mockkms.FaultKind{mockkms.FaultDropBefore, mockkms.FaultInternal} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			k := b.create(t, material.SymmetricDefault)
			w := b.wrapped(t, k, generate(t, k.Spec))
			b.mock.Inject(mockkms.Fault{Operation: "ImportKeyMaterial", Kind: kind})
			r, err := b.Import(t.Context(), importer.ImportRequest{Wrapped: w, Expiry: importer.Never()})
			if err != nil || r.LostAnswer || r.State != types.KeyStateEnabled {
				t.Errorf("receipt %+v, error %v", r, err)
			}
			lost := slices.ContainsFunc(b.events, func(e importer.Event) bool { _, ok := e.(importer.LostAnswer); return ok })
			if !lost {
				t.Error("the lost answer was not reported")
			}
		})
	}
}

func TestLostAnswerOfNewMaterial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.create(t, material.SymmetricDefault)
		k = b.bring(t, k, generate(t, k.Spec), importer.Never())
		w := b.wrapped(t, k, generate(t, k.Spec))
		b.mock.Inject(mockkms.Fault{Operation: "ImportKeyMaterial", Kind: mockkms.FaultDropAfter})
		r, err := b.Import(t.Context(), importer.ImportRequest{Wrapped: w, Expiry: importer.Never(), Type: types.ImportTypeNewKeyMaterial})
		if err != nil || !r.LostAnswer || !r.Pending || r.MaterialID == "" || r.MaterialID == k.MaterialID {
			t.Errorf("receipt %+v, error %v", r, err)
		}
	})
}

func TestCreateIsNeverRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.mock.Inject(mockkms.Fault{Operation: "CreateKey", Kind: mockkms.FaultDropAfter})
		_, err := b.Create(t.Context(), importer.CreateRequest{Spec: material.HMAC256})
		wantError[*importer.CallError](t, err)
		wantCalls(t, b, "CreateKey")
	})
}

func TestCreateAlias(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		r := importer.CreateRequest{Spec: material.HMAC256, Alias: "alias/mac"}
		if _, err := b.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		b.calls()
		_, err := b.Create(t.Context(), r)
		wantError[*importer.AliasTakenError](t, err)
		wantCalls(t, b, "DescribeKey")

		b.mock.Inject(mockkms.Fault{Operation: "CreateAlias", Kind: mockkms.FaultDenied})
		r.Alias = "alias/denied"
		k, err := b.Create(t.Context(), r)
		wantError[*importer.UnfinishedError](t, err)
		if k.ARN == "" {
			t.Error("the key that remains is not named")
		}
	})
}

func TestConfirmTellsMismatch(t *testing.T) {
	for _, spec := range []material.Spec{material.SymmetricDefault, material.HMAC384, material.ECCSECGP256K1, material.ECCNISTEdwards25519} {
		t.Run(string(spec), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				m := generate(t, spec)
				k := b.bring(t, b.create(t, spec), m, importer.In(time.Hour, time.Now()))
				o := importer.ConfirmOptions{Reimport: true, Pair: experiment.Quick(spec)}
				for _, tt := range []struct {
					m    *material.Material
					want importer.Verdict
				}{{m, importer.Proven}, {generate(t, spec), importer.Mismatch}} {
					p, err := b.Confirm(t.Context(), k, tt.m, o)
					if err != nil || p.Verdict != tt.want {
						t.Errorf("proof %+v, error %v; want %s", p, err, tt.want)
					}
				}
				if after := b.describe(t, k); !after.Expiry.Equal(k.Expiry) {
					t.Errorf("the expiry was %s and is %s", k.Expiry, after.Expiry)
				}
			})
		})
	}
}

func TestConfirmNeedsMaterial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.create(t, material.HMAC256)
		_, err := b.Confirm(t.Context(), k, generate(t, k.Spec), importer.ConfirmOptions{})
		wantError[*importer.StateError](t, err)
		_, err = b.Confirm(t.Context(), k, generate(t, material.HMAC512), importer.ConfirmOptions{})
		wantError[*material.MismatchError](t, err)
	})
}

func TestReimportIsIdempotent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		m := generate(t, material.SymmetricDefault)
		k := b.bring(t, b.create(t, material.SymmetricDefault), m, importer.In(90*24*time.Hour, time.Now()))
		reimport := func() importer.Reimported {
			t.Helper()
			b.calls()
			r, err := b.Reimport(t.Context(), b.describe(t, k), m, experiment.Quick(k.Spec), importer.ImportRequest{Expiry: importer.In(90*24*time.Hour, time.Now())})
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		time.Sleep(4 * 24 * time.Hour) // 95 % of 90 days is 85.5
		if r := reimport(); !r.Unchanged {
			t.Errorf("reimported %+v with 86 days left of 90", r)
		}
		wantCalls(t, b, "DescribeKey", "ListKeyRotations")
		time.Sleep(24 * time.Hour)
		if r := reimport(); r.Unchanged {
			t.Error("not reimported with 85 days left of 90")
		}
		if _, err := b.DeleteMaterial(t.Context(), k, ""); err != nil {
			t.Fatal(err)
		}
		if r := reimport(); r.Unchanged || r.Receipt.MaterialID != k.MaterialID {
			t.Errorf("reimported %+v, want material %s", r, k.MaterialID)
		}
	})
}

// Importing into a disabled key enables it (recorded): not without a reason.
func TestReimportLeavesADisabledKeyAlone(t *testing.T) {
	for _, spec := range []material.Spec{material.SymmetricDefault, material.HMAC256, material.ECCNISTP256} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			m := generate(t, spec)
			k := b.bring(t, b.create(t, spec), m, importer.Never())
			if _, err := b.client.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: aws.String(k.ARN)}); err != nil {
				t.Fatal(err)
			}
			r, err := b.Reimport(t.Context(), b.describe(t, k), m, experiment.Quick(spec), importer.ImportRequest{Expiry: importer.Never()})
			if err != nil || !r.Unchanged {
				t.Errorf("%s: %+v, error %v", spec, r, err)
			}
			if k = b.describe(t, k); k.State != types.KeyStateDisabled {
				t.Errorf("%s: state %s", spec, k.State)
			}
		})
	}
}

func TestReimportOfOtherMaterial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		k := b.create(t, material.SymmetricDefault)
		_, err := b.Reimport(t.Context(), k, generate(t, k.Spec), experiment.Quick(k.Spec), importer.ImportRequest{Expiry: importer.Never()})
		wantError[*importer.NeverImportedError](t, err)
		k = b.bring(t, k, generate(t, k.Spec), importer.Never())
		if _, err := b.DeleteMaterial(t.Context(), k, ""); err != nil {
			t.Fatal(err)
		}
		_, err = b.Reimport(t.Context(), b.describe(t, k), generate(t, k.Spec), experiment.Quick(k.Spec), importer.ImportRequest{Expiry: importer.Never()})
		wantError[*types.IncorrectKeyMaterialException](t, err)
	})
}
