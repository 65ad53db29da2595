// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// KeyMaterial is what KMS says of one material of a symmetric encryption key.
// Times are UTC.
type KeyMaterial struct {
	ID          string // 64 hex digits
	State       types.KeyMaterialState
	Imported    bool   // KMS goes on saying so for a while after the expiry (recorded)
	Expiry      Expiry // zero while it is not imported
	Description string
	Rotated     time.Time // when it became current; zero for the first and for a pending one
	OnDemand    bool      // by an on-demand rotation
}

// Pending reports that the material waits for a rotation: it is not yet part
// of the key for good, and can still be deleted without a trace.
func (m KeyMaterial) Pending() bool {
	return m.State == types.KeyMaterialStatePendingRotation || m.State == types.KeyMaterialStatePendingMultiRegionImportAndRotation
}

// Missing reports that the material was deleted or has expired by now.
func (m KeyMaterial) Missing(now time.Time) bool {
	return !m.Imported || !m.Expiry.Never() && !m.Expiry.IsZero() && !m.Expiry.Time().After(now)
}

// Materials lists all materials of a symmetric encryption key, oldest first:
// also deleted ones, which may come back, and a pending one.
func (i *Importer) Materials(ctx context.Context, k Key) ([]KeyMaterial, error) {
	var all []KeyMaterial
	pages := kms.NewListKeyRotationsPaginator(i.KMS, &kms.ListKeyRotationsInput{
		KeyId:              aws.String(k.ARN),
		IncludeKeyMaterial: types.IncludeKeyMaterialAllKeyMaterial,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, &CallError{Operation: "ListKeyRotations", Key: k.ARN, Err: err}
		}
		for _, e := range page.Rotations {
			all = append(all, keyMaterialOf(e))
		}
	}
	return all, nil
}

func keyMaterialOf(e types.RotationsListEntry) KeyMaterial {
	return KeyMaterial{
		ID:          aws.ToString(e.KeyMaterialId),
		State:       e.KeyMaterialState,
		Imported:    e.ImportState == types.ImportStateImported,
		Expiry:      expiryOf(e.ExpirationModel, e.ValidTo),
		Description: aws.ToString(e.KeyMaterialDescription),
		Rotated:     aws.ToTime(e.RotationDate).UTC(),
		OnDemand:    e.RotationType == types.RotationTypeOnDemand,
	}
}

func withID(all []KeyMaterial, id string) (KeyMaterial, bool) {
	n := slices.IndexFunc(all, func(m KeyMaterial) bool { return m.ID == id })
	if n < 0 {
		return KeyMaterial{}, false
	}
	return all[n], true
}
