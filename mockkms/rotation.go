// SPDX-License-Identifier: Apache-2.0

package mockkms

import "time"

// rotation is what a key knows of rotations to come; done ones are told by
// its materials.
type rotation struct {
	OnDemandStarted time.Time `json:",omitzero"` // zero: none is running
	OnDemandEnds    time.Time `json:",omitzero"`
	OnDemandCount   int       `json:",omitempty"`

	PeriodDays int       `json:",omitempty"` // 0: no automatic rotation
	Next       time.Time `json:",omitzero"`  // of the automatic ones; milliseconds
}

// defaultRotationPeriod is what EnableKeyRotation means without a period, in days.
const defaultRotationPeriod = 365

// rotationHeadroom is the time before an automatic rotation in which none can
// be asked for (API reference).
const rotationHeadroom = 20 * time.Minute

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// enableRotation turns automatic rotation on, or changes its period. The date
// stays where the period does; without one given, both stay (recorded).
func (k *key) enableRotation(period *int, now time.Time) {
	r := &k.Rotation
	switch {
	case period == nil && r.PeriodDays != 0:
		return
	case period == nil:
		period = new(defaultRotationPeriod)
	case *period == r.PeriodDays:
		return
	}
	r.PeriodDays, r.Next = *period, now.Truncate(time.Millisecond).Add(days(*period))
}

func (k *key) disableRotation() { k.Rotation.PeriodDays, k.Rotation.Next = 0, time.Time{} }

// rotates reports whether KMS rotates the key at its dates. It does not while
// the key is disabled or waits for its end (documented).
func (k *key) rotates() bool {
	return k.Rotation.PeriodDays != 0 && !k.Disabled && k.state() != statePendingDeletion
}

// resumeRotation makes good at once, for a key that was disabled, what fell
// into that time (documented).
func (k *key) resumeRotation(now time.Time) {
	if k.Rotation.PeriodDays != 0 && k.Rotation.Next.Before(now) {
		k.Rotation.Next = now.Truncate(time.Millisecond)
	}
}

// nextRotation is when the key will rotate by itself: on demand or by its
// dates. Zero: it will not.
func (k *key) nextRotation() time.Time {
	if k.isReplica() {
		return time.Time{} // the primary's rotations are its own
	}
	if !k.rotates() {
		return k.Rotation.OnDemandEnds
	}
	return earliest(k.Rotation.OnDemandEnds, k.Rotation.Next)
}

// rotate does the rotation that is due at t, if any.
func (k *key) rotate(t time.Time) {
	if end := k.Rotation.OnDemandEnds; !end.IsZero() && !end.After(t) {
		k.finishRotation(end)
	}
	if next := k.Rotation.Next; k.rotates() && !next.After(t) {
		m := k.addRotated()
		m.Automatic = true
		k.rotateTo(m, next)
		k.Rotation.Next = next.Add(days(k.Rotation.PeriodDays))
	}
}

// maxOnDemandRotations is the number KMS allows in a key's life (API reference, 2026).
const maxOnDemandRotations = 25

// startRotation begins an on-demand rotation that will end by itself. One that
// runs already goes on alone: a second request is no error (recorded).
func (k *key) startRotation(now, end time.Time, flawed func(Flaw) bool) error {
	switch {
	case !k.Rotation.OnDemandStarted.IsZero():
		return nil
	case k.Origin == originExternal && k.pending() == nil && flawed(FlawRotatesNothing):
		return nil
	case k.Origin == originExternal && k.pending() == nil:
		return nothingPendingRotation(k.arn())
	case k.Origin == originExternal && k.pending().State == pendingEverywhere && !flawed(FlawRotatesAhead):
		return missingInReplicas()
	case k.Rotation.OnDemandCount >= maxOnDemandRotations:
		return rotationLimit(k.arn())
	case k.rotates() && k.Rotation.Next.Sub(now) <= rotationHeadroom:
		return automaticRotationNear(k.arn())
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
