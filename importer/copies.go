// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// Copy is one copy of a multi-Region key, or a single-Region key, and an
// importer for its Region. Err says why nothing could be learned about it; Key
// then has but the ARN.
type Copy struct {
	*Importer
	Key Key
	Err error
}

// CopiesOf looks at every copy of k in its Region, the primary first. A key
// that is no multi-Region key is its only copy. i has to be in k's own Region.
func (i *Importer) CopiesOf(ctx context.Context, k Key) []Copy {
	if len(k.Copies) == 0 {
		return []Copy{{Importer: i, Key: k}}
	}
	copies := make([]Copy, len(k.Copies))
	for n, arn := range k.Copies {
		copies[n] = i.copy(ctx, k, arn)
	}
	return copies
}

func (i *Importer) copy(ctx context.Context, k Key, arn string) Copy {
	if arn == k.ARN {
		return Copy{Importer: i, Key: k}
	}
	there, err := i.In(RegionOf(arn))
	if err != nil {
		return Copy{Key: Key{ARN: arn}, Err: err}
	}
	found, err := there.Describe(ctx, arn)
	if err != nil {
		found = Key{ARN: arn}
	}
	return Copy{Importer: there, Key: found, Err: err}
}

// In is the same importer in another Region.
func (i *Importer) In(region string) (*Importer, error) {
	if i.Regions == nil {
		return nil, fmt.Errorf("there is no client for Region %s", region)
	}
	client, err := i.Regions(region)
	if err != nil {
		return nil, fmt.Errorf("connecting to KMS in %s: %w", region, err)
	}
	there := *i
	there.KMS = client
	return &there, nil
}

// Region is the Region the key is in, such as "eu-central-1".
func (k Key) Region() string { return RegionOf(k.ARN) }

// RegionOf reads the Region out of the ARN of a key or alias, such as
// "arn:aws:kms:us-east-1:111122223333:key/…". It is empty for anything else.
func RegionOf(ref string) string {
	parts := strings.SplitN(ref, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] != "kms" {
		return ""
	}
	return parts[3]
}

func copiesOf(c *types.MultiRegionConfiguration) []string {
	var arns []string
	if c.PrimaryKey != nil {
		arns = append(arns, aws.ToString(c.PrimaryKey.Arn))
	}
	for _, r := range c.ReplicaKeys {
		arns = append(arns, aws.ToString(r.Arn))
	}
	return arns
}
