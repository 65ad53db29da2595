// SPDX-License-Identifier: Apache-2.0

package inventory

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

// Query says which keys of a place are wanted, and how much of each.
type Query struct {
	AliasPrefix string            // "alias/…"; empty for all keys
	Tags        map[string]string // that the key has; nil for any

	// Details costs a ListKeyRotations (100 a second and Region) and a
	// GetKeyLastUsage (5 a second) per key, where DescribeKey does 2,000.
	Details bool

	Progress func(done, total int) // may be nil; from several goroutines
}

// atOnce is how many keys are asked about at the same time. With some 20 ms
// per DescribeKey that makes 1,600 a second, below KMS's 2,000.
const atOnce = 32

// Scan looks at the keys with imported material in the place that q describes.
// One that may not be described is an Item with an Err. It fails where the keys
// cannot be listed.
func (p Place) Scan(ctx context.Context, q Query) ([]Item, error) {
	aliases, err := p.allAliases(ctx)
	if err != nil && q.AliasPrefix != "" {
		return nil, err
	}
	arns, err := p.wanted(ctx, q, aliases)
	if err != nil {
		return nil, err
	}
	found := make([]*Item, len(arns))
	var done atomic.Int64
	inParallel(len(arns), func(n int) {
		if ctx.Err() == nil {
			found[n] = p.examine(ctx, arns[n], aliases, q)
		}
		if d := done.Add(1); q.Progress != nil {
			q.Progress(int(d), len(arns))
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var items []Item
	for _, item := range found {
		if item != nil {
			items = append(items, *item)
		}
	}
	return items, nil
}

// inParallel calls do for 0 to n-1, atOnce at a time, and waits.
func inParallel(n int, do func(int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(n, atOnce) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	group.Wait()
}

// wanted lists what to describe: key IDs behind aliases, or all keys.
func (p Place) wanted(ctx context.Context, q Query, aliases map[string][]string) ([]string, error) {
	if q.AliasPrefix != "" {
		var ids []string
		for id, names := range aliases {
			if slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, q.AliasPrefix) }) {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		return ids, nil
	}
	var ids []string
	pages := kms.NewListKeysPaginator(p.KMS, &kms.ListKeysInput{Limit: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, &importer.CallError{Operation: "ListKeys", Err: err}
		}
		for _, k := range page.Keys {
			ids = append(ids, aws.ToString(k.KeyId))
		}
	}
	return ids, nil
}

// allAliases are the aliases of the place, by key ID, sorted.
func (p Place) allAliases(ctx context.Context) (map[string][]string, error) {
	all := make(map[string][]string)
	pages := kms.NewListAliasesPaginator(p.KMS, &kms.ListAliasesInput{Limit: aws.Int32(100)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return all, &importer.CallError{Operation: "ListAliases", Err: err}
		}
		for _, a := range page.Aliases {
			if id := aws.ToString(a.TargetKeyId); id != "" {
				all[id] = append(all[id], aws.ToString(a.AliasName))
			}
		}
	}
	for _, names := range all {
		slices.Sort(names)
	}
	return all, nil
}

// examine looks at one key; nil if it is none of ours.
func (p Place) examine(ctx context.Context, id string, aliases map[string][]string, q Query) *Item {
	item := &Item{Profile: p.Profile, Region: p.Region, Aliases: aliases[id]}
	k, err := p.importer().Describe(ctx, id)
	if _, unimportable := errors.AsType[*material.UnsupportedSpecError](err); unimportable {
		return nil
	}
	if err != nil {
		item.Key.ID, item.Err = id, err
		return item
	}
	item.Key, item.Region = k, k.Region()
	if !external(k) {
		return nil
	}
	if len(q.Tags) > 0 {
		has, err := p.hasTags(ctx, k, q.Tags)
		if err != nil {
			item.Err = err
			return item
		}
		if !has {
			return nil
		}
	}
	if q.Details {
		p.addDetails(ctx, item)
	}
	p.addPublicKey(ctx, item)
	return item
}

func external(k importer.Key) bool { return k.Origin == types.OriginTypeExternal }

func (p Place) hasTags(ctx context.Context, k importer.Key, want map[string]string) (bool, error) {
	missing := len(want)
	pages := kms.NewListResourceTagsPaginator(p.KMS, &kms.ListResourceTagsInput{KeyId: aws.String(k.ARN)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, &importer.CallError{Operation: "ListResourceTags", Key: k.ARN, Err: err}
		}
		for _, t := range page.Tags {
			if value, wanted := want[aws.ToString(t.TagKey)]; wanted && value == aws.ToString(t.TagValue) {
				missing--
			}
		}
	}
	return missing == 0, nil
}
