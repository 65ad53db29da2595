// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// traits are what a key that stands in for another should have of it. KMS
// would give it its default policy, which may let more people in, and nothing
// of the rest (recorded for replicas).
type traits struct {
	policy, description string
	tags                map[string]string
}

func (i *Importer) traitsOf(ctx context.Context, k Key) (traits, error) {
	t := traits{description: k.Description, tags: map[string]string{}}
	policy, err := i.KMS.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: aws.String(k.ARN)})
	if err != nil {
		return traits{}, &CallError{Operation: "GetKeyPolicy", Key: k.ARN, Err: err}
	}
	t.policy = aws.ToString(policy.Policy)
	pages := kms.NewListResourceTagsPaginator(i.KMS, &kms.ListResourceTagsInput{KeyId: aws.String(k.ARN)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return traits{}, &CallError{Operation: "ListResourceTags", Key: k.ARN, Err: err}
		}
		for _, tag := range page.Tags {
			t.tags[aws.ToString(tag.TagKey)] = aws.ToString(tag.TagValue)
		}
	}
	return t, nil
}
