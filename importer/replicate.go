// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// Replicate makes the replica of a multi-Region primary in a Region, with the
// policy, description and tags of the primary, and waits until it can take its
// material. A replica that exists is given as it is, so that this can be run
// again. Fails with *SingleRegionError or *ReplicaError before any call.
func (i *Importer) Replicate(ctx context.Context, k Key, region string) (Copy, error) {
	switch {
	case !k.MultiRegion:
		return Copy{}, &SingleRegionError{KeyARN: k.ARN}
	case k.Replica:
		return Copy{}, &ReplicaError{KeyARN: k.ARN, PrimaryARN: k.Copies[0]}
	}
	for _, arn := range k.Copies {
		if RegionOf(arn) == region {
			c := i.copy(ctx, k, arn)
			return c, c.Err
		}
	}
	there, err := i.In(region)
	if err != nil {
		return Copy{}, err
	}
	if err := i.replicate(ctx, k, region, there); err != nil {
		return Copy{}, err
	}
	replica, err := there.created(ctx, k.ID)
	if err != nil {
		return Copy{}, err
	}
	i.report(Replicated{Key: replica})
	return Copy{Importer: there, Key: replica}, nil
}

// replicate makes the call. When its answer is lost, the replica is looked for.
func (i *Importer) replicate(ctx context.Context, k Key, region string, there *Importer) error {
	t, err := i.traitsOf(ctx, k)
	if err != nil {
		return err
	}
	in := &kms.ReplicateKeyInput{
		KeyId:         aws.String(k.ARN),
		ReplicaRegion: aws.String(region),
		Description:   aws.String(t.description),
		Tags:          tagList(t.tags),
	}
	if t.policy != "" {
		in.Policy = aws.String(t.policy)
	}
	_, err = i.KMS.ReplicateKey(ctx, in, retryOnlyThrottling)
	if err == nil {
		return nil
	}
	failed := &CallError{Operation: "ReplicateKey", Key: k.ARN, Err: err}
	if !MayHaveHappened(err) {
		return failed
	}
	i.report(LostAnswer{Operation: "ReplicateKey", Err: err})
	found := false
	there.poll(ctx, "the effect of a replication whose answer was lost", func() bool {
		_, err := there.Describe(ctx, k.ID)
		found = err == nil
		return found
	})
	if !found {
		return failed
	}
	return nil
}

// created waits until a new replica is there and no longer Creating.
func (i *Importer) created(ctx context.Context, id string) (k Key, err error) {
	i.poll(ctx, "the replica to be created", func() bool {
		k, err = i.Describe(ctx, id)
		return err == nil && k.State != types.KeyStateCreating
	})
	if err == nil && k.State == types.KeyStateCreating {
		err = &StateError{KeyARN: k.ARN, State: k.State}
	}
	return k, err
}

// SingleRegionError says that a key is no multi-Region key, and will never be.
type SingleRegionError struct{ KeyARN string }

func (e *SingleRegionError) Error() string {
	return fmt.Sprintf("%s is a single-Region key: it has no replicas", e.KeyARN)
}
