// SPDX-License-Identifier: Apache-2.0

package inventory

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/keymat/keymat/importer"
)

// Grant lets somebody use a key beside its policy.
type Grant struct {
	ID         string
	Name       string // may be empty
	Grantee    string // principal
	Operations []string
}

// Dependents are who will notice when a key stops: as far as KMS tells, which
// knows nothing of policies in use or of ciphertexts.
type Dependents struct {
	Item   Item
	Grants []Grant
}

// DependentsOf asks who uses the key. What may not be asked is among Item.Gaps.
func (p Place) DependentsOf(ctx context.Context, k importer.Key) Dependents {
	d := Dependents{Item: Item{Profile: p.Profile, Region: k.Region(), Key: k}}
	p.lookCloser(ctx, &d.Item)
	grants, err := p.grantsOf(ctx, k)
	d.Item.gap(err)
	d.Grants = grants
	return d
}

func (p Place) grantsOf(ctx context.Context, k importer.Key) ([]Grant, error) {
	var grants []Grant
	pages := kms.NewListGrantsPaginator(p.KMS, &kms.ListGrantsInput{KeyId: aws.String(k.ARN)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return grants, &importer.CallError{Operation: "ListGrants", Key: k.ARN, Err: err}
		}
		for _, g := range page.Grants {
			grant := Grant{ID: aws.ToString(g.GrantId), Name: aws.ToString(g.Name), Grantee: aws.ToString(g.GranteePrincipal)}
			for _, o := range g.Operations {
				grant.Operations = append(grant.Operations, string(o))
			}
			grants = append(grants, grant)
		}
	}
	return grants, nil
}
