// SPDX-License-Identifier: Apache-2.0

package experiment_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
)

// bench is one on a KMS of its own.
func bench(t *testing.T) (*experiment.Bench, *mockkms.KMS) {
	t.Helper()
	mock := mockkms.New(mockkms.WithSharedWrappingKeys())
	t.Cleanup(func() { mock.Close() })
	return &experiment.Bench{
		KMS: func(region string) (*kms.Client, error) {
			return kms.New(kms.Options{
				Region:      region,
				Credentials: credentials.NewStaticCredentialsProvider("111122223333", "secret-enough", ""),
				HTTPClient:  &http.Client{Transport: mockkms.Transport(mock)},
				Retryer:     aws.NopRetryer{},
			}), nil
		},
		Region: "eu-central-1", Second: "us-east-1", Run: "test",
	}, mock
}

func TestSurpriseStopsTheTrial(t *testing.T) {
	b, _ := bench(t)
	trial := b.Start(t.Context(), "surprise")
	k := trial.NewKey(material.SymmetricDefault, nil)
	trial.State(k, types.KeyStateEnabled) // it has no material
	trial.Bring(k, trial.Material(k.Spec))

	surprise, ok := errors.AsType[*experiment.SurpriseError](trial.Err())
	if !ok {
		t.Fatalf("the trial ended in %v, want a surprise", trial.Err())
	}
	if o := surprise.Observation; o.Expected != "Enabled" || o.Observed != "PendingImport" || o.AsExpected {
		t.Errorf("the surprise was %+v", o)
	}
	if got := len(trial.Steps()); got != 3 {
		t.Errorf("%d steps were recorded, want 3: nothing is done after a surprise", got)
	}
}

func TestAccidentsSayNothingAboutRules(t *testing.T) {
	for _, kind := range []mockkms.FaultKind{mockkms.FaultDenied, mockkms.FaultDropBefore} {
		b, mock := bench(t)
		mock.Inject(mockkms.Fault{Operation: "CreateKey", Kind: kind, Times: -1})
		trial := b.Start(t.Context(), "accident")
		trial.NewKey(material.SymmetricDefault, nil)
		if _, ok := errors.AsType[*experiment.SurpriseError](trial.Err()); ok || trial.Err() == nil {
			t.Errorf("after %v the trial ended in %v", kind, trial.Err())
		}
	}
}

func TestStepsAreRecorded(t *testing.T) {
	b, _ := bench(t)
	trial := b.Start(t.Context(), "record")
	k := trial.NewKey(material.SymmetricDefault, nil)
	trial.Import("import rubbish", experiment.Refused("InvalidImportTokenException"), k,
		trial.Wrap(trial.Fetch(k, experiment.Quick(k.Spec)), trial.Material(k.Spec)),
		func(in *kms.ImportKeyMaterialInput) { in.ImportToken[40] ^= 1 })
	if err := trial.Err(); err != nil {
		t.Fatal(err)
	}
	o := trial.Steps()[2]
	if o.Operation != "ImportKeyMaterial" || o.Region != "eu-central-1" || len(o.RequestID) != 36 || !o.AsExpected {
		t.Errorf("recorded %+v", o)
	}
}

func TestFinishLeavesNothing(t *testing.T) {
	b, _ := bench(t)
	trial := b.Start(t.Context(), "leave")
	k := trial.NewKey(material.SymmetricDefault, func(in *kms.CreateKeyInput) { in.MultiRegion = aws.Bool(true) })
	trial.Bring(k, trial.Material(k.Spec))
	trial.Replicate(k)
	trial.NewKey(material.HMAC256, nil)
	if err := trial.Err(); err != nil {
		t.Fatal(err)
	}
	leaving, err := trial.Finish(context.WithoutCancel(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	if len(leaving) != 3 || len(trial.Keys()) != 3 {
		t.Fatalf("%d of %d keys go", len(leaving), len(trial.Keys()))
	}
	for i, want := range []string{"on 20", "on 20", "7 days after its replicas"} { // the last made goes first
		if got := leaving[i].When(); !strings.HasPrefix(got, want) {
			t.Errorf("key %d goes %q, want %q", i, got, want)
		}
	}
	again, err := trial.Finish(t.Context())
	if err != nil || len(again) != 3 {
		t.Errorf("a second time: %v, %v", again, err)
	}
}

func TestAwaitEndsWithPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := bench(t)
		trial := b.Start(t.Context(), "wait")
		start := time.Now()
		trial.Await("something", "done", func() (string, error) { return "not yet", nil })
		if _, ok := errors.AsType[*experiment.SurpriseError](trial.Err()); !ok {
			t.Errorf("the trial ended in %v", trial.Err())
		}
		if waited := time.Since(start); waited < experiment.DefaultPatience || waited > experiment.DefaultPatience+time.Second {
			t.Errorf("it waited %s", waited)
		}
	})
}

func TestTimeThatCannotBeMoved(t *testing.T) {
	b, _ := bench(t)
	trial := b.Start(t.Context(), "tomorrow")
	trial.Advance(24 * time.Hour)
	if _, ok := errors.AsType[*experiment.ImpossibleError](trial.Err()); !ok {
		t.Errorf("the trial ended in %v", trial.Err())
	}
}
