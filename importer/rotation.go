// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
)

// MaxOnDemandRotations is how many on-demand rotations KMS allows in a key's
// life (KMS API reference, 2026; 10 until 2025).
const MaxOnDemandRotations = 25

// Rotation is how far the rotations of a symmetric encryption key have come.
type Rotation struct {
	Materials []KeyMaterial // oldest first
	Used      int           // completed on-demand rotations, of MaxOnDemandRotations
	Started   time.Time     // of the one that is running; zero when none is
}

// Pending is the material that waits for a rotation, if one does.
func (r Rotation) Pending() (KeyMaterial, bool) {
	for _, m := range r.Materials {
		if m.Pending() {
			return m, true
		}
	}
	return KeyMaterial{}, false
}

// current is the ID of the material that encrypts; known is the answer where KMS
// shows none.
func (r Rotation) current(known string) string {
	for _, m := range r.Materials {
		if m.State == types.KeyMaterialStateCurrent {
			return m.ID
		}
	}
	return known
}

// OnDemandRotations counts the completed on-demand rotations among materials.
func OnDemandRotations(materials []KeyMaterial) int {
	used := 0
	for _, m := range materials {
		if m.OnDemand {
			used++
		}
	}
	return used
}

// CheckRotation tells whether k can be rotated on demand now, and how far its
// rotations have come, whoever began them. It changes nothing. It fails with
// *OriginError, *NotRotatableError, *ReplicaError, *StateError,
// *NeverImportedError or *RotationLimitError.
func (i *Importer) CheckRotation(ctx context.Context, k Key) (Rotation, error) {
	if err := k.checkRotatable(); err != nil {
		return Rotation{}, err
	}
	all, err := i.Materials(ctx, k)
	if err != nil {
		return Rotation{}, err
	}
	started, err := i.rotationStarted(ctx, k)
	if err != nil {
		return Rotation{}, err
	}
	r := Rotation{Materials: all, Used: OnDemandRotations(all), Started: started}
	if r.Used >= MaxOnDemandRotations && started.IsZero() {
		return r, &RotationLimitError{KeyARN: k.ARN, Used: r.Used}
	}
	return r, nil
}

func (k Key) checkRotatable() error {
	switch {
	case k.Origin != types.OriginTypeExternal:
		return &OriginError{KeyARN: k.ARN, Origin: k.Origin}
	case k.Spec.Kind() != material.Symmetric:
		return &NotRotatableError{KeyARN: k.ARN, Spec: k.Spec}
	case k.Replica:
		return &ReplicaError{KeyARN: k.ARN, PrimaryARN: k.Copies[0]}
	case k.MaterialID == "":
		return &NeverImportedError{KeyARN: k.ARN}
	case k.State != types.KeyStateEnabled:
		return &StateError{KeyARN: k.ARN, State: k.State}
	}
	return nil
}

// rotationStarted tells since when an on-demand rotation runs; the zero time
// when none does. It works for EXTERNAL keys, too (recorded).
func (i *Importer) rotationStarted(ctx context.Context, k Key) (time.Time, error) {
	out, err := i.KMS.GetKeyRotationStatus(ctx, &kms.GetKeyRotationStatusInput{KeyId: aws.String(k.ARN)})
	if err != nil {
		return time.Time{}, &CallError{Operation: "GetKeyRotationStatus", Key: k.ARN, Err: err}
	}
	return aws.ToTime(out.OnDemandRotationStartDate).UTC(), nil
}

// NotRotatableError says that a key holds one material for life: only
// symmetric encryption keys rotate (KMS guide).
type NotRotatableError struct {
	KeyARN string
	Spec   material.Spec
}

func (e *NotRotatableError) Error() string {
	return fmt.Sprintf("%s is a %s key, which holds one material for life: only symmetric encryption keys rotate", e.KeyARN, e.Spec)
}

// RotationLimitError says that all on-demand rotations of a key are used up.
type RotationLimitError struct {
	KeyARN string
	Used   int
}

func (e *RotationLimitError) Error() string {
	return fmt.Sprintf("%s was rotated on demand %d times, and KMS allows no more in a key's life", e.KeyARN, e.Used)
}

// ReplicaError says that something is for the primary of a multi-Region key.
type ReplicaError struct{ KeyARN, PrimaryARN string }

func (e *ReplicaError) Error() string {
	return fmt.Sprintf("%s is a replica: its primary is %s", e.KeyARN, e.PrimaryARN)
}

// PendingError says that other material than the given one waits for rotation.
type PendingError struct{ KeyARN, MaterialID string }

func (e *PendingError) Error() string {
	return fmt.Sprintf("other material (%s) waits for rotation in %s", e.MaterialID, e.KeyARN)
}

// RetiredError says that the key was rotated away from the given material:
// none comes back as the current one.
type RetiredError struct{ KeyARN string }

func (e *RetiredError) Error() string {
	return e.KeyARN + " had this material before it was rotated, and cannot rotate back to it"
}

// UnfinishedRotationError says that a rotation got as far as importing the new
// material, which waits in the key. Running it again goes on from there.
type UnfinishedRotationError struct {
	KeyARN, MaterialID string
	Err                error
}

func (e *UnfinishedRotationError) Error() string {
	return fmt.Sprintf("the rotation of %s to %s is not finished: %v", e.KeyARN, e.MaterialID, e.Err)
}

func (e *UnfinishedRotationError) Unwrap() error { return e.Err }
