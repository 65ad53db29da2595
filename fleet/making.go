// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/fleet/journal"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/internal/lazyregexp"
)

// Tag is the key of the tag on keys that a plan made. Its value names the plan
// and the change, so that a run that was killed can be told from a key that was
// never made.
const Tag = "keymat:fleet"

// taggable are names that KMS takes as part of a tag's value.
var taggable = lazyregexp.New(`^[A-Za-z0-9 _.:/=+@-]{1,200}$`)

// tagValue names a change of a plan.
func tagValue(plan, change string) string {
	if !taggable().MatchString(change) {
		digest := sha256.Sum256([]byte(change))
		change = "sha256:" + hex.EncodeToString(digest[:])
	}
	return plan + "/" + change
}

// appears is how long KMS may not show a key that was made.
const appears = 20 * time.Second

// create makes the key, unless it was made already, and then gives it its alias.
func (t *taking) create(ctx context.Context, i *importer.Importer) (outcome, error) {
	k, found, err := t.find(ctx, i)
	if err != nil {
		return outcome{}, err
	}
	if !found {
		if k, err = t.makeKey(ctx, i); err != nil {
			return outcome{}, err
		}
	}
	t.arn, t.made = k.ARN, &k
	if err := t.note(t.entry(journal.Made)); err != nil {
		return outcome{}, err
	}
	if alias := t.step.Create.Alias; alias != "" {
		if err := i.NameKey(ctx, k, alias); err != nil {
			return outcome{}, &importer.UnfinishedError{KeyARN: k.ARN, Err: err}
		}
	}
	return outcome{key: k.ARN}, nil
}

// makeKey makes the key. When the answer is lost, the key is looked for.
func (t *taking) makeKey(ctx context.Context, i *importer.Importer) (importer.Key, error) {
	if err := i.CheckAliasFree(ctx, t.step.Create.Alias); err != nil {
		return importer.Key{}, err
	}
	r := t.step.Create
	r.Alias, r.Tags = "", maps.Clone(r.Tags)
	if r.Tags == nil {
		r.Tags = make(map[string]string)
	}
	r.Tags[Tag] = tagValue(t.plan.ID, t.change.Name)
	sent := time.Now()
	k, err := i.Create(ctx, r)
	if err == nil || !importer.MayHaveHappened(err) {
		return k, err
	}
	found, ok, lookErr := t.search(ctx, i, making{plan: t.plan.ID, begun: sent})
	if ok {
		return found, nil
	}
	return importer.Key{}, errors.Join(err, lookErr)
}

// find finds the key if an earlier run, or try, made it.
func (t *taking) find(ctx context.Context, i *importer.Importer) (importer.Key, bool, error) {
	if t.made != nil { // KMS may not show it yet
		return *t.made, true, nil
	}
	if t.past.key != "" {
		k, err := t.describe(ctx, i, t.past.key)
		return k, err == nil, err
	}
	makings := t.memory.makings(t.change)
	if t.look && len(makings) == 0 { // an earlier try of this run
		makings = []making{{plan: t.plan.ID, begun: time.Now()}}
	}
	for _, m := range makings {
		if m.key != "" {
			k, err := t.describe(ctx, i, m.key)
			return k, err == nil, err
		}
		if k, found, err := t.search(ctx, i, m); found || err != nil {
			return k, found, err
		}
	}
	return importer.Key{}, false, nil
}

// search looks for a key by its tag, until it is certain that it was not made.
func (t *taking) search(ctx context.Context, i *importer.Importer, m making) (importer.Key, bool, error) {
	value := tagValue(m.plan, t.change.Name)
	for {
		certain := time.Since(m.begun) > appears
		arn, err := t.site.made.find(ctx, t.site.world.KMS, value)
		if err != nil {
			return importer.Key{}, false, err
		}
		if arn != "" {
			k, err := t.describe(ctx, i, arn)
			return k, err == nil, err
		}
		if certain {
			return importer.Key{}, false, nil
		}
		if !rest(ctx, 2*time.Second) {
			return importer.Key{}, false, ctx.Err()
		}
	}
}

// search is for keys with our tag in one place. It looks at the tags of each
// key once.
type search struct {
	turn   chan struct{}     // is full while somebody searches, which may take minutes
	looked map[string]bool   // key IDs
	found  map[string]string // ARNs, by the value of the tag
}

func newSearch() *search {
	return &search{turn: make(chan struct{}, 1), looked: make(map[string]bool), found: make(map[string]string)}
}

// lister is what a search calls.
type lister interface {
	ListKeys(context.Context, *kms.ListKeysInput, ...func(*kms.Options)) (*kms.ListKeysOutput, error)
	ListResourceTags(context.Context, *kms.ListResourceTagsInput, ...func(*kms.Options)) (*kms.ListResourceTagsOutput, error)
}

// find gives the ARN of the key with this value; "" if KMS shows none.
func (s *search) find(ctx context.Context, l lister, value string) (string, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	defer func() { <-s.turn }()
	if arn := s.found[value]; arn != "" {
		return arn, nil
	}
	pages := kms.NewListKeysPaginator(l, &kms.ListKeysInput{Limit: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", &importer.CallError{Operation: "ListKeys", Err: err}
		}
		for _, k := range page.Keys {
			if err := s.look(ctx, l, aws.ToString(k.KeyArn)); err != nil {
				return "", err
			}
		}
	}
	return s.found[value], nil
}

// look notes the tag of a key, if it has ours. A key that may not be looked at
// is none of ours.
func (s *search) look(ctx context.Context, l lister, arn string) error {
	if s.looked[arn] {
		return nil
	}
	pages := kms.NewListResourceTagsPaginator(l, &kms.ListResourceTagsInput{KeyId: aws.String(arn)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			if isDenied(err) {
				break
			}
			return &importer.CallError{Operation: "ListResourceTags", Key: arn, Err: err}
		}
		for _, tag := range page.Tags {
			if aws.ToString(tag.TagKey) == Tag {
				s.found[aws.ToString(tag.TagValue)] = arn
			}
		}
	}
	s.looked[arn] = true
	return nil
}

func isDenied(err error) bool {
	_, gone := errors.AsType[*types.NotFoundException](err)
	var api interface{ ErrorCode() string }
	return gone || errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException"
}
