// SPDX-License-Identifier: Apache-2.0

package experiment_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/mockkms"
)

// notes is a ledger that can be read.
type notes []string

func (n *notes) add(what, where string) error {
	*n = append(*n, what+" "+where)
	return nil
}

func (n *notes) Making(region string) error  { return n.add("making", region) }
func (n *notes) NotMade(region string) error { return n.add("not made", region) }
func (n *notes) Made(arn string) error       { return n.add("made", arn) }
func (n *notes) Gone(arn string) error       { return n.add("gone", arn) }

func TestLedgerHearsOfEveryKey(t *testing.T) {
	for _, test := range []struct {
		fault   mockkms.FaultKind
		retries int
		want    []string // %s is the key
	}{
		{0, 0, []string{"making eu-central-1", "made %s", "gone %s"}},
		{mockkms.FaultDenied, 0, []string{"making eu-central-1", "not made eu-central-1"}},
		{mockkms.FaultThrottle, 1, []string{"making eu-central-1", "made %s", "gone %s"}},
		{mockkms.FaultDropAfter, 0, []string{"making eu-central-1"}},
		{mockkms.FaultDropAfter, 1, []string{"making eu-central-1", "made %s", "making eu-central-1", "gone %s"}},
		{mockkms.FaultInternal, 0, []string{"making eu-central-1"}},
	} {
		b, mock := bench(t)
		if test.fault != 0 {
			mock.Inject(mockkms.Fault{Operation: "CreateKey", Kind: test.fault})
		}
		direct := b.KMS
		b.KMS = func(region string) (*kms.Client, error) {
			client, err := direct(region)
			return kms.New(client.Options(), func(o *kms.Options) {
				o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
					o.MaxAttempts = 1 + test.retries
					o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
				})
			}), err
		}
		var heard notes
		b.Ledger = &heard
		trial := b.Start(t.Context(), "ledger")
		k := trial.NewKey(material.SymmetricDefault, nil)
		if _, err := trial.Finish(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := slices.Clone(test.want)
		for i, w := range want {
			if len(w) > 2 && w[len(w)-2:] == "%s" {
				want[i] = fmt.Sprintf(w, k.ARN)
			}
		}
		if !reflect.DeepEqual([]string(heard), want) {
			t.Errorf("after %v with %d retries it heard %q, want %q", test.fault, test.retries, heard, want)
		}
	}
}

// TestKeyThatShouldNotBe is cleaned up like any other.
func TestKeyThatShouldNotBe(t *testing.T) {
	b, _ := bench(t)
	trial := b.Start(t.Context(), "unwanted")
	trial.AskForKey("ask for a key", experiment.Refused("ValidationException"), material.SymmetricDefault, nil)
	if _, ok := errors.AsType[*experiment.SurpriseError](trial.Err()); !ok {
		t.Errorf("the trial ended in %v", trial.Err())
	}
	if leaving, err := trial.Finish(t.Context()); err != nil || len(leaving) != 1 {
		t.Errorf("these go: %v, %v", leaving, err)
	}
}

// TestKeyThatWasDeleted by the trial itself, with the clock, is gone.
func TestKeyThatWasDeleted(t *testing.T) {
	b, mock := bench(t)
	var heard notes
	b.Ledger = &heard
	trial := b.Start(t.Context(), "deleted")
	k := trial.NewKey(material.SymmetricDefault, nil)
	experiment.Do(trial, "schedule", experiment.Success, trial.KMS.ScheduleKeyDeletion,
		&kms.ScheduleKeyDeletionInput{KeyId: aws.String(k.ARN), PendingWindowInDays: aws.Int32(7)})
	if _, err := mock.MoveClock(mockkms.ClockMove{Advance: 8 * 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	if leaving, err := trial.Finish(t.Context()); err != nil || len(leaving) != 0 {
		t.Errorf("these go: %v, %v", leaving, err)
	}
	if last := heard[len(heard)-1]; last != "gone "+k.ARN {
		t.Errorf("the ledger heard last: %q", last)
	}
}

// TestFinishWaitsForReplicas that KMS does not delete while they are made.
func TestFinishWaitsForReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, mock := bench(t)
		trial := b.Start(t.Context(), "replica")
		k := trial.NewKey(material.SymmetricDefault, func(in *kms.CreateKeyInput) { in.MultiRegion = aws.Bool(true) })
		trial.Bring(k, trial.Material(k.Spec))
		trial.Replicate(k)
		if err := trial.Err(); err != nil {
			t.Fatal(err)
		}
		mock.Inject(mockkms.Fault{Operation: "ScheduleKeyDeletion", Kind: mockkms.FaultError, Code: "KMSInvalidStateException", Message: "is creating.", Times: 3})
		start := time.Now()
		if leaving, err := trial.Finish(t.Context()); err != nil || len(leaving) != 2 {
			t.Errorf("these go: %v, %v", leaving, err)
		}
		if took := time.Since(start); took == 0 || took > 2*mockkms.DefaultReplicationTime {
			t.Errorf("it took %s", took)
		}
	})
}

func TestReclaimLooksAtTheTag(t *testing.T) {
	b, _ := bench(t)
	var heard notes
	b.Ledger = &heard
	client, err := b.KMS(b.Region)
	if err != nil {
		t.Fatal(err)
	}
	tagged := func(run string) string {
		out, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{Tags: []types.Tag{{TagKey: aws.String(experiment.Tag), TagValue: aws.String(run)}}})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.KeyMetadata.Arn)
	}
	ours, other := tagged("test"), tagged("another")
	found, err := b.Find(t.Context(), b.Region)
	if err != nil || !slices.Equal(found, []string{ours}) {
		t.Errorf("found %v, %v; want %s", found, err, ours)
	}
	if leaving, err := b.Reclaim(t.Context(), ours); err != nil || leaving.ARN != ours || leaving.Deletion.IsZero() {
		t.Errorf("reclaiming our own: %v, %v", leaving, err)
	}
	_, err = b.Reclaim(t.Context(), other)
	if _, ok := errors.AsType[*experiment.NotOursError](err); !ok {
		t.Errorf("reclaiming another's: %v", err)
	}
	if state := stateOf(t, client, other); state != types.KeyStateEnabled && state != types.KeyStatePendingImport {
		t.Errorf("another's key is %s", state)
	}
	_, err = b.Reclaim(t.Context(), "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab")
	if _, ok := errors.AsType[*experiment.NoKeyError](err); !ok {
		t.Errorf("reclaiming none: %v", err)
	}
	want := notes{"gone " + ours}
	if !slices.Equal(heard, want) {
		t.Errorf("the ledger heard %q, want %q", heard, want)
	}
}

func stateOf(t *testing.T, client *kms.Client, arn string) types.KeyState {
	t.Helper()
	out, err := client.DescribeKey(context.WithoutCancel(t.Context()), &kms.DescribeKeyInput{KeyId: aws.String(arn)})
	if err != nil {
		t.Fatal(err)
	}
	return out.KeyMetadata.KeyState
}
