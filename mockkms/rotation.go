// SPDX-License-Identifier: Apache-2.0

package mockkms

import "time"

// rotation is what a key knows of rotations to come; done ones are told by
// its materials.
type rotation struct {
	OnDemandStarted time.Time `json:",omitzero"` // zero: none is running
	OnDemandEnds    time.Time `json:",omitzero"`
	OnDemandCount   int       `json:",omitempty"`
}

// maxOnDemandRotations is the number KMS allows in a key's life (API reference, 2026).
const maxOnDemandRotations = 25

// startRotation begins an on-demand rotation that will end by itself. One that
// runs already goes on alone: a second request is no error (recorded).
func (k *key) startRotation(now, end time.Time) error {
	switch {
	case !k.Rotation.OnDemandStarted.IsZero():
		return nil
	case k.Origin == originExternal && k.pending() == nil:
		return nothingPendingRotation(k.arn())
	case k.Rotation.OnDemandCount >= maxOnDemandRotations:
		return rotationLimit(k.arn())
	}
	k.Rotation.OnDemandStarted, k.Rotation.OnDemandEnds = now, end
	return nil
}

// finishRotation makes whatever is pending now the current material, or new
// material where KMS makes it. With nothing pending any more the rotation ends
// without a trace (recorded).
func (k *key) finishRotation(at time.Time) {
	k.Rotation.OnDemandStarted, k.Rotation.OnDemandEnds = time.Time{}, time.Time{}
	next := k.pending()
	if k.Origin == originKMS {
		next = k.addRotated()
	}
	if next == nil {
		return
	}
	k.rotateTo(next, at)
	k.Rotation.OnDemandCount++
}

func (k *key) rotateTo(next *material, at time.Time) {
	if old := k.current(); old != nil {
		old.State = nonCurrent
	}
	next.State, next.Rotated = current, at
}
