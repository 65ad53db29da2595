// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// RenewRequest says until when material shall last, and when that is done.
type RenewRequest struct {
	ImportRequest

	// Within renews only material that expires within that time; 0 renews any.
	Within time.Duration
}

// Renew lets material that is there last longer, by importing the same bytes
// once more; see [Importer.Reimport]. It acts whenever the new end is later than
// the present one; two ends that a duration puts within a minute of each other
// are the same. Errors besides those of Reimport: *StateError for a key without
// its material, *EarlierError where the material lasts longer already.
func (i *Importer) Renew(ctx context.Context, k Key, m *material.Material, pair wrap.Pair, r RenewRequest) (Reimported, error) {
	if k.State == types.KeyStatePendingImport {
		return Reimported{}, &StateError{KeyARN: k.ARN, State: k.State}
	}
	return i.reimport(ctx, k, m, pair, r.ImportRequest, func(present Expiry) (bool, error) {
		if r.early(present, i.now()) || r.Expiry.sameEnd(present) {
			return true, nil
		}
		if !present.IsZero() && !r.Expiry.endsAfter(present) {
			return false, &EarlierError{KeyARN: k.ARN, Present: present, Asked: r.Expiry}
		}
		return false, nil
	})
}

// RenewEverywhere renews material in every copy of a multi-Region key, as
// [Importer.ReimportEverywhere] brings it back.
func (i *Importer) RenewEverywhere(ctx context.Context, k Key, m *material.Material, pair wrap.Pair, r RenewRequest) []ReimportedCopy {
	return i.everywhere(ctx, k, func(c Copy) (Reimported, error) { return c.Renew(ctx, c.Key, m, pair, r) })
}

// early reports that it is too early to renew.
func (r RenewRequest) early(present Expiry, now time.Time) bool {
	return r.Within > 0 && !present.IsZero() && (present.never || present.at.Sub(now) > r.Within)
}

// sameMinute is how far two ends may be apart where one is meant as a duration:
// a command that is repeated at once, and clocks.
const sameMinute = time.Minute

func (e Expiry) sameEnd(present Expiry) bool {
	if e.span == 0 || present.never || present.IsZero() {
		return e.Equal(present)
	}
	return e.at.Sub(present.at).Abs() <= sameMinute
}

func (e Expiry) endsAfter(o Expiry) bool {
	return !o.never && (e.never || e.at.After(o.at))
}

// EarlierError says that material lasts longer than it was to be renewed for.
type EarlierError struct {
	KeyARN         string
	Present, Asked Expiry
}

func (e *EarlierError) Error() string {
	present := "expires at " + e.Present.String()
	if e.Present.never {
		present = "never expires"
	}
	return fmt.Sprintf("the material of %s %s, and a renewal until %s would take time away from it", e.KeyARN, present, e.Asked)
}
