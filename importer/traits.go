// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// traits are what a key that stands in for another should have of it. KMS
// would give it its default policy, which may let more people in, and nothing
// of the rest (recorded for replicas).
type traits struct {
	policy      string // empty: KMS's default
	description string
	tags        map[string]string
}

func (i *Importer) traitsOf(ctx context.Context, k Key) (traits, error) {
	t := traits{description: k.Description, tags: map[string]string{}}
	policy, err := i.KMS.GetKeyPolicy(ctx, &kms.GetKeyPolicyInput{KeyId: aws.String(k.ARN)})
	if err != nil {
		return traits{}, &CallError{Operation: "GetKeyPolicy", Key: k.ARN, Err: err}
	}
	if t.policy = aws.ToString(policy.Policy); isDefaultPolicy(t.policy) {
		t.policy = ""
	}
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

// isDefaultPolicy reports that a policy says what KMS's default says: the
// account may do everything, and so lets IAM decide (recorded: one statement).
// It need not be sent, and is better not: whoever sends a policy has to be
// allowed to change it later.
func isDefaultPolicy(policy string) bool {
	var p struct {
		Statement []struct {
			Effect    string
			Principal map[string]any
			Action    any
			Resource  any
			Condition map[string]any
		}
	}
	if err := json.Unmarshal([]byte(policy), &p); err != nil || len(p.Statement) != 1 {
		return false
	}
	s := p.Statement[0]
	principal, _ := s.Principal["AWS"].(string)
	return s.Effect == "Allow" && len(s.Principal) == 1 && strings.HasSuffix(principal, ":root") &&
		s.Action == "kms:*" && s.Resource == "*" && s.Condition == nil
}
