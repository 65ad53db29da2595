// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"slices"
	"strings"
)

// maxTags is the quota of tags per key.
const maxTags = 50

type tag struct {
	TagKey   string `shape:"TagKeyType,required"`
	TagValue string `shape:"TagValueType,required"`
}

type tagResourceRequest struct {
	aboutKey
	Tags []tag `shape:"TagList,required"`
}

func tagResource(_ *call, k *key, r *tagResourceRequest) (void, error) {
	tags, err := addTags(k.Tags, r.Tags)
	if err != nil {
		return void{}, err
	}
	k.Tags = tags
	return void{}, nil
}

// addTags puts tags to those a key has; a tag whose key is there already
// replaces it.
func addTags(tags, added []tag) ([]tag, error) {
	for i, t := range added {
		if strings.HasPrefix(strings.ToLower(t.TagKey), "aws:") {
			return nil, refuse("TagException", "Tags beginning with aws: are reserved")
		}
		if slices.ContainsFunc(added[:i], t.sameKey) {
			return nil, refuse("TagException", "Duplicate tag keys") // assumed
		}
		if at := slices.IndexFunc(tags, t.sameKey); at >= 0 {
			tags[at] = t
		} else {
			tags = append(tags, t)
		}
	}
	if len(tags) > maxTags {
		return nil, refuse("TagException", "Too many tags")
	}
	return tags, nil
}

func (t tag) sameKey(other tag) bool { return t.TagKey == other.TagKey }

type untagResourceRequest struct {
	aboutKey
	TagKeys []string `shape:"TagKeyList,required"`
}

// untagResource removes tags; keys that are not there are no error.
func untagResource(_ *call, k *key, r *untagResourceRequest) (void, error) {
	k.Tags = slices.DeleteFunc(k.Tags, func(t tag) bool { return slices.Contains(r.TagKeys, t.TagKey) })
	return void{}, nil
}

type listResourceTagsRequest struct {
	aboutKey
	paging
}

type listResourceTagsAnswer struct {
	Tags []tag
	page
}

func listResourceTags(_ *call, k *key, r *listResourceTagsRequest) (*listResourceTagsAnswer, error) {
	tags, p, err := slicePage(&r.paging, 50, "tags", append([]tag{}, k.Tags...), func(t tag) string { return t.TagKey })
	if err != nil {
		return nil, err
	}
	return &listResourceTagsAnswer{tags, p}, nil
}
