// SPDX-License-Identifier: Apache-2.0

package experiment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

// Tag is the key of the tag that every key of a trial carries. Its value names
// the run, [Bench.Run].
const Tag = "keymat:experiment"

// Window is the shortest waiting period before KMS deletes a key, in days (API
// reference, ScheduleKeyDeletion).
const Window = 7

// A Key is a KMS key made for a trial.
type Key struct {
	Label  string // "key A": how steps speak of it
	ARN    string
	Region string
	Spec   material.Spec
}

// Leaving is a key that KMS will delete.
type Leaving struct {
	ARN      string    `json:"key"`
	Deletion time.Time `json:"deletion"` // UTC
}

// A LeftError says that a key stays in the account, and why.
type LeftError struct {
	ARN string
	Err error
}

func (e *LeftError) Error() string {
	return fmt.Sprintf("scheduling the deletion of %s: %v", e.ARN, e.Err)
}

func (e *LeftError) Unwrap() error { return e.Err }

// NewKey makes a key of EXTERNAL origin in the bench's Region; change alters
// the request before it is sent, and may be nil.
func (t *Trial) NewKey(spec material.Spec, change func(*kms.CreateKeyInput)) Key {
	k := Key{Label: t.nextLabel(), Region: t.bench.Region, Spec: spec}
	in := &kms.CreateKeyInput{
		Origin:      types.OriginTypeExternal,
		KeySpec:     types.KeySpec(spec),
		KeyUsage:    importer.DefaultUsage(spec),
		Description: aws.String("keymat: " + t.Name),
		Tags:        []types.Tag{{TagKey: aws.String(Tag), TagValue: aws.String(t.bench.Run)}},
	}
	if change != nil {
		change(in)
	}
	t.announce(k.Region)
	out := Do(t, "create "+k.Label, Success, t.KMS.CreateKey, in)
	t.adopt(&k, out.KeyMetadata)
	return k
}

// Replicate makes the replica of a multi-Region key in the second Region.
// Without one the trial is impossible.
func (t *Trial) Replicate(primary Key) Key {
	if t.bench.Second == "" {
		t.Impossible("it needs a second Region, and none is given")
	}
	k := Key{Label: "the replica of " + primary.Label, Region: t.bench.Second, Spec: primary.Spec}
	t.announce(k.Region)
	out := Do(t, "replicate "+primary.Label+" to "+k.Region, Success, t.KMS.ReplicateKey, &kms.ReplicateKeyInput{
		KeyId:         aws.String(primary.ARN),
		ReplicaRegion: aws.String(k.Region),
		Description:   aws.String("keymat: " + t.Name),
		Tags:          []types.Tag{{TagKey: aws.String(Tag), TagValue: aws.String(t.bench.Run)}},
	})
	t.adopt(&k, out.ReplicaKeyMetadata)
	return k
}

// nextLabel is "key A" to "key Z", then "key 27" and so on.
func (t *Trial) nextLabel() string {
	n := len(t.keys)
	if n < 26 {
		return "key " + string(rune('A'+n))
	}
	return fmt.Sprintf("key %d", n+1)
}

// announce tells the ledger before a key is made: the answer may get lost.
func (t *Trial) announce(region string) {
	if t.bench.Ledger != nil && !t.stopped() {
		t.Must(t.bench.Ledger.Making(region))
	}
}

// adopt makes the key one that Finish cleans up.
func (t *Trial) adopt(k *Key, m *types.KeyMetadata) {
	if m == nil {
		return
	}
	k.ARN = aws.ToString(m.Arn)
	t.keys = append(t.keys, *k)
	if t.bench.Ledger != nil {
		t.Must(t.bench.Ledger.Made(k.ARN))
	}
}

// scheduleDeletion schedules one key's deletion, which may have been a step of
// the trial already, and tells the ledger.
func (b *Bench) scheduleDeletion(ctx context.Context, k Key) (Leaving, error) {
	client, err := b.KMS(k.Region)
	if err != nil {
		return Leaving{}, &LeftError{k.ARN, err}
	}
	out, err := client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: aws.String(k.ARN), PendingWindowInDays: aws.Int32(Window)})
	deletion := time.Time{}
	if err == nil {
		deletion = aws.ToTime(out.DeletionDate).UTC()
	}
	if _, ok := errors.AsType[*types.KMSInvalidStateException](err); ok {
		deletion, err = scheduled(ctx, client, k, err)
	}
	if err != nil {
		return Leaving{}, &LeftError{k.ARN, err}
	}
	if b.Ledger != nil {
		err = b.Ledger.Gone(k.ARN)
	}
	return Leaving{k.ARN, deletion}, err
}

// scheduled tells when a key that cannot be scheduled for deletion will go:
// because it was scheduled before, or else refusal stands.
func scheduled(ctx context.Context, client *kms.Client, k Key, refusal error) (time.Time, error) {
	out, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(k.ARN)})
	if err != nil {
		return time.Time{}, err
	}
	switch out.KeyMetadata.KeyState {
	case types.KeyStatePendingDeletion, types.KeyStatePendingReplicaDeletion:
		return aws.ToTime(out.KeyMetadata.DeletionDate).UTC(), nil
	}
	return time.Time{}, refusal
}
