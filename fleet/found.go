// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/fleet/manifest"
	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/material"
)

// Found is what KMS says of one key of a manifest.
type Found struct {
	// Err says why nothing was learned: an error of [Connect] or
	// [importer.Importer.Describe]. A key that does not exist is no error: it
	// has no Copies.
	Err    error
	Copies []FoundCopy // the primary first
}

// FoundCopy is one copy of a key.
type FoundCopy struct {
	Key importer.Key // with an Err only its ARN

	// Materials are those of a symmetric key, oldest first, where they were asked
	// for: that takes a call of an operation with 100 a second.
	Materials []importer.KeyMaterial
	Err       error
}

// needsMaterials tells whether DescribeKey leaves open what becomes of a copy:
// it shows the earliest expiry of all materials, and not which are missing.
func needsMaterials(k manifest.Key, copy importer.Key, now time.Time) bool {
	if copy.Spec.Kind() != material.Symmetric || copy.MaterialID == "" {
		return false
	}
	if k.Want == manifest.Deleted || k.Rotate != nil && !k.Rotate.On.After(now) || copy.State == types.KeyStatePendingImport {
		return true
	}
	return !met(k.Expires, copy.Expiry, now) || lacksReplica(k, copy)
}

// lacksReplica tells whether a wanted replica does not exist, which will need
// every material of the key.
func lacksReplica(k manifest.Key, primary importer.Key) bool {
	return !primary.Replica && len(missingReplicas(k, primary)) > 0
}

func missingReplicas(k manifest.Key, primary importer.Key) (missing []string) {
	there := map[string]bool{}
	for _, arn := range primary.Copies {
		there[importer.RegionOf(arn)] = true
	}
	for _, region := range k.Replicas {
		if !there[region] {
			missing = append(missing, region)
		}
	}
	return missing
}
