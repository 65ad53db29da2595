// SPDX-License-Identifier: Apache-2.0

package inventory

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

// LastUse is the last successful cryptographic operation with a key in its
// Region. Times are UTC.
type LastUse struct {
	At        time.Time // zero: none since Since
	Operation string
	Since     time.Time // when KMS began to keep track; zero when it was not asked
}

// Look looks at the key named by ref, in every Region where it has a copy, with
// all details. It fails as [importer.Importer.Describe] does, or with
// *importer.OriginError; what else goes wrong is told by the items.
func (p Place) Look(ctx context.Context, ref string) ([]Item, error) {
	im := p.importer()
	k, err := im.Describe(ctx, ref)
	if err != nil {
		return nil, err
	}
	if !external(k) {
		return nil, &importer.OriginError{KeyARN: k.ARN, Origin: k.Origin}
	}
	var items []Item
	for _, c := range im.CopiesOf(ctx, k) {
		item := Item{Profile: p.Profile, Region: importer.RegionOf(c.Key.ARN), Key: c.Key, Err: c.Err}
		if c.Err == nil {
			there, err := p.at(item.Region, k)
			if item.Err = err; err == nil {
				there.lookCloser(ctx, &item)
			}
		}
		items = append(items, item)
	}
	return items, nil
}

func (p Place) importer() *importer.Importer {
	im := &importer.Importer{KMS: p.KMS, Now: p.Now}
	if p.Regions != nil {
		im.Regions = func(region string) (importer.KMS, error) { return p.Regions(region) }
	}
	return im
}

// at is the place in a Region; that of k is p itself.
func (p Place) at(region string, k importer.Key) (Place, error) {
	if region == k.Region() {
		return p, nil
	}
	client, err := p.Regions(region)
	p.KMS, p.Region = client, region
	return p, err
}

// lookCloser asks for aliases and details of one key.
func (p Place) lookCloser(ctx context.Context, item *Item) {
	aliases, err := p.aliasesOf(ctx, item.Key)
	item.Aliases = aliases
	item.gap(err)
	p.addDetails(ctx, item)
	p.addPublicKey(ctx, item)
}

// addDetails asks for what DescribeKey does not show.
func (p Place) addDetails(ctx context.Context, item *Item) {
	item.Detailed = true
	var err error
	if item.Key.Spec.Kind() == material.Symmetric && item.Key.MaterialID != "" {
		item.Materials, err = p.importer().Materials(ctx, item.Key)
		item.gap(err)
	}
	item.Use, err = p.lastUse(ctx, item.Key)
	item.gap(err)
}

// addPublicKey asks for the public key, if it is wanted and there is one.
func (p Place) addPublicKey(ctx context.Context, item *Item) {
	k := item.Key
	if !p.PublicKeys || !k.Spec.KeyPair() || k.State == types.KeyStatePendingImport {
		return
	}
	out, err := p.KMS.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: aws.String(k.ARN)})
	if err != nil {
		item.gap(&importer.CallError{Operation: "GetPublicKey", Key: k.ARN, Err: err})
		return
	}
	item.PublicKey = out.PublicKey
}

func (i *Item) gap(err error) {
	if err != nil {
		i.Gaps = append(i.Gaps, err)
	}
}

func (p Place) lastUse(ctx context.Context, k importer.Key) (LastUse, error) {
	out, err := p.KMS.GetKeyLastUsage(ctx, &kms.GetKeyLastUsageInput{KeyId: aws.String(k.ARN)})
	if err != nil {
		return LastUse{}, &importer.CallError{Operation: "GetKeyLastUsage", Key: k.ARN, Err: err}
	}
	use := LastUse{Since: aws.ToTime(out.TrackingStartDate).UTC()}
	if last := out.KeyLastUsage; last != nil && last.Timestamp != nil {
		use.At, use.Operation = last.Timestamp.UTC(), string(last.Operation)
	}
	return use, nil
}

func (p Place) aliasesOf(ctx context.Context, k importer.Key) ([]string, error) {
	var names []string
	pages := kms.NewListAliasesPaginator(p.KMS, &kms.ListAliasesInput{KeyId: aws.String(k.ARN)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return names, &importer.CallError{Operation: "ListAliases", Key: k.ARN, Err: err}
		}
		for _, a := range page.Aliases {
			names = append(names, aws.ToString(a.AliasName))
		}
	}
	slices.Sort(names)
	return names, nil
}
