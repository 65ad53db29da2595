// SPDX-License-Identifier: Apache-2.0

package experiment

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
)

// A NotOursError says that a key does not carry the tag of the run, so that
// its deletion is nobody's business here.
type NotOursError struct{ ARN, Run string }

func (e *NotOursError) Error() string {
	return fmt.Sprintf("%s does not carry the tag %s=%s", e.ARN, Tag, e.Run)
}

// A NoKeyError says that there is no such key, or that it belongs to another
// account than the one that asked: KMS makes no difference.
type NoKeyError struct{ ARN string }

func (e *NoKeyError) Error() string { return "there is no key " + e.ARN + " for these credentials" }

// Reclaim schedules the deletion of a key that an earlier run, [Bench.Run],
// left behind, after checking that it carries the run's tag, and tells the
// ledger. Errors: *[NotOursError], *[NoKeyError], *[LeftError].
func (b *Bench) Reclaim(ctx context.Context, keyARN string) (Leaving, error) {
	client, err := b.clientOf(keyARN)
	if err != nil {
		return Leaving{}, &LeftError{keyARN, err}
	}
	switch ours, err := b.ours(ctx, client, keyARN); {
	case gone(err):
		return Leaving{}, &NoKeyError{keyARN}
	case err != nil:
		return Leaving{}, &LeftError{keyARN, fmt.Errorf("looking at its tags: %w", err)}
	case !ours:
		return Leaving{}, &NotOursError{keyARN, b.Run}
	}
	switch l, err := b.retire(ctx, keyARN); {
	case err != nil:
		return Leaving{}, err
	case l == nil:
		return Leaving{}, &NoKeyError{keyARN}
	default:
		return *l, nil
	}
}

// Find lists the keys in a Region that carry the tag of the run, those
// included whose deletion is scheduled. It looks at every key there is.
func (b *Bench) Find(ctx context.Context, region string) ([]string, error) {
	client, err := b.client(region)
	if err != nil {
		return nil, err
	}
	var found []string
	for pages := kms.NewListKeysPaginator(client, &kms.ListKeysInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("looking for keys of run %s in %s: %w", b.Run, region, err)
		}
		for _, k := range page.Keys {
			ours, err := b.ours(ctx, client, aws.ToString(k.KeyArn))
			if ours {
				found = append(found, aws.ToString(k.KeyArn))
			}
			if err != nil && !gone(err) && !forbidden(err) { // the keys of others may well be closed to us
				return nil, fmt.Errorf("looking at the tags of %s: %w", aws.ToString(k.KeyArn), err)
			}
		}
	}
	return found, nil
}

// ours reports whether a key carries the tag of the run.
func (b *Bench) ours(ctx context.Context, client *kms.Client, keyARN string) (bool, error) {
	for pages := kms.NewListResourceTagsPaginator(client, &kms.ListResourceTagsInput{KeyId: aws.String(keyARN)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, err
		}
		for _, tag := range page.Tags {
			if aws.ToString(tag.TagKey) == Tag && aws.ToString(tag.TagValue) == b.Run {
				return true, nil
			}
		}
	}
	return false, nil
}

// retire schedules one key's deletion, which may have been a step of the trial
// already, and tells the ledger. It returns nil for a key that is gone.
func (b *Bench) retire(ctx context.Context, keyARN string) (*Leaving, error) {
	client, err := b.clientOf(keyARN)
	if err != nil {
		return nil, &LeftError{keyARN, err}
	}
	deletion, err := schedule(ctx, client, keyARN)
	switch {
	case gone(err):
		return nil, b.struckOff(keyARN)
	case err != nil:
		return nil, &LeftError{keyARN, err}
	}
	return &Leaving{keyARN, deletion}, b.struckOff(keyARN)
}

func (b *Bench) struckOff(keyARN string) error {
	if b.Ledger == nil {
		return nil
	}
	return b.Ledger.Gone(keyARN)
}

// clientOf is the client for the Region of a key.
func (b *Bench) clientOf(keyARN string) (*kms.Client, error) {
	parsed, err := arn.Parse(keyARN)
	if err != nil {
		return nil, err
	}
	return b.client(parsed.Region)
}

// settling is how long a key may be in a state that passes by itself, such as
// that of a new replica; KMS says a few seconds.
const settling = time.Minute

// schedule schedules a key's deletion, and tells when it will be deleted.
func schedule(ctx context.Context, client *kms.Client, keyARN string) (time.Time, error) {
	for deadline := time.Now().Add(settling); ; sleep(ctx, pause) {
		out, err := client.ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: aws.String(keyARN), PendingWindowInDays: aws.Int32(Window)})
		if err == nil {
			return aws.ToTime(out.DeletionDate).UTC(), nil
		}
		if _, ok := errors.AsType[*types.KMSInvalidStateException](err); !ok {
			return time.Time{}, err
		}
		refusal := err
		key, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(keyARN)})
		if err != nil {
			return time.Time{}, err
		}
		switch state := key.KeyMetadata.KeyState; {
		case state == types.KeyStatePendingDeletion, state == types.KeyStatePendingReplicaDeletion:
			return aws.ToTime(key.KeyMetadata.DeletionDate).UTC(), nil
		case state != types.KeyStateCreating && state != types.KeyStateUpdating, time.Now().After(deadline):
			return time.Time{}, refusal
		}
	}
}

// gone reports whether an error says that there is no such key, any more.
func gone(err error) bool {
	_, ok := errors.AsType[*types.NotFoundException](err)
	return ok
}

func forbidden(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException"
}
