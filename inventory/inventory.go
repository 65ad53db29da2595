// SPDX-License-Identifier: Apache-2.0

// Package inventory looks at the KMS keys that hold imported material, one or
// thousands, and tells of each what is imported, what will stop it, and who
// would notice. It changes nothing.
package inventory

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
)

// KMS is what this package calls of the AWS KMS API, beside what importer does.
type KMS interface {
	importer.KMS
	GetKeyLastUsage(context.Context, *kms.GetKeyLastUsageInput, ...func(*kms.Options)) (*kms.GetKeyLastUsageOutput, error)
	ListAliases(context.Context, *kms.ListAliasesInput, ...func(*kms.Options)) (*kms.ListAliasesOutput, error)
	ListGrants(context.Context, *kms.ListGrantsInput, ...func(*kms.Options)) (*kms.ListGrantsOutput, error)
	ListKeys(context.Context, *kms.ListKeysInput, ...func(*kms.Options)) (*kms.ListKeysOutput, error)
}

var _ KMS = (*kms.Client)(nil)

// Place is an account and Region to look at, through KMS.
type Place struct {
	Profile string // of the AWS settings, as the user named it; may be empty
	Region  string // as far as known; may be empty
	KMS     KMS

	// Regions gives the same account in another Region; see [importer.Importer].
	Regions func(region string) (KMS, error)
	Now     func() time.Time // the time at KMS; nil is [time.Now]

	// PublicKeys asks for the public key of each key pair that has material,
	// which is one call more for those.
	PublicKeys bool
}

// Item is one key with imported material, or one that could not be looked at.
// Times are UTC.
type Item struct {
	Profile string
	Region  string
	Key     importer.Key // with an Err only what is known: its ARN, or nothing
	Aliases []string     // "alias/…", sorted

	// Detailed says that Materials and Use were asked for.
	Detailed  bool
	Materials []importer.KeyMaterial // symmetric keys only, oldest first
	Use       LastUse

	PublicKey []byte // SubjectPublicKeyInfo, DER; key pairs only, if asked for

	Gaps []error // why some of the details are missing
	Err  error   // why the key, or with no ARN the whole place, is missing
}

// Name is what people call the key: its first alias, or its key ID, or ARN.
func (i Item) Name() string {
	switch {
	case len(i.Aliases) > 0:
		return i.Aliases[0]
	case i.Key.ID != "":
		return i.Key.ID
	}
	return i.Key.ARN
}

// Current is the material that encrypts now. Without details it has but the ID
// and the expiry that DescribeKey shows.
func (i Item) Current() importer.KeyMaterial {
	for _, m := range i.Materials {
		if m.State == types.KeyMaterialStateCurrent {
			return m
		}
	}
	return importer.KeyMaterial{
		ID: i.Key.MaterialID, State: types.KeyMaterialStateCurrent,
		Imported: i.Key.State != types.KeyStatePendingImport, Expiry: i.Key.Expiry,
	}
}

// Disabler is the material whose expiry will stop the whole key first, if one
// will: any of a symmetric key's materials does that, the current one or not,
// except while it waits for a rotation (KMS guide, "key states").
func (i Item) Disabler() (m importer.KeyMaterial, found bool) {
	candidates := i.Materials
	if len(candidates) == 0 {
		candidates = []importer.KeyMaterial{i.Current()}
	}
	for _, c := range candidates {
		if c.Pending() || !c.Imported || c.Expiry.IsZero() || c.Expiry.Never() {
			continue
		}
		if !found || c.Expiry.Time().Before(m.Expiry.Time()) {
			m, found = c, true
		}
	}
	return m, found
}

// Lost reports that the key cannot be used because material it once had is
// gone. Where KMS does not tell whether there ever was any, it says no.
func (i Item) Lost() bool {
	return i.Key.State == types.KeyStatePendingImport && i.Key.MaterialID != ""
}

// ExpiringWithin reports that the key stops within d from now, or has stopped
// because its material is gone.
func (i Item) ExpiringWithin(d time.Duration, now time.Time) bool {
	m, found := i.Disabler()
	return i.Lost() || found && m.Expiry.Time().Sub(now) <= d
}

// Sort puts first what needs attention first: keys that have stopped, then by
// the time at which they will; at last those that could not be looked at.
// The copies of a multi-Region key stay side by side.
func Sort(items []Item) {
	first := make(map[string]rank) // of all copies, by key ID
	for _, i := range items {
		r := rankOf(i)
		if f, seen := first[groupOf(i)]; !seen || r.compare(f) < 0 {
			first[groupOf(i)] = r
		}
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		if c := first[groupOf(a)].compare(first[groupOf(b)]); c != 0 {
			return c
		}
		if c := strings.Compare(groupOf(a), groupOf(b)); c != 0 {
			return c
		}
		return strings.Compare(a.Key.ARN, b.Key.ARN)
	})
}

func groupOf(i Item) string {
	if i.Key.MultiRegion {
		return i.Key.ID
	}
	return i.Key.ARN
}

// A rank says how soon a key needs attention.
type rank struct {
	class int // 0 has stopped, 1 will stop, 2 will not, 3 unknown
	at    time.Time
	name  string
}

func rankOf(i Item) rank {
	m, expires := i.Disabler()
	switch {
	case i.Err != nil:
		return rank{class: 3, name: i.Name()}
	case i.Lost():
		return rank{name: i.Name()}
	case expires:
		return rank{class: 1, at: m.Expiry.Time(), name: i.Name()}
	}
	return rank{class: 2, name: i.Name()}
}

func (r rank) compare(o rank) int {
	if r.class != o.class {
		return r.class - o.class
	}
	if c := r.at.Compare(o.at); c != 0 {
		return c
	}
	return strings.Compare(r.name, o.name)
}
