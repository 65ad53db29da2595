// SPDX-License-Identifier: Apache-2.0

package register

import (
	"slices"
	"time"
)

// A Matter is what becomes due.
type Matter string

// The matters.
const (
	Expiry     Matter = "expiry"      // KMS forgets the material
	Drill      Matter = "drill"       // recovery has to be exercised
	Review     Matter = "review"      // somebody looks at the key
	Discard    Matter = "discard"     // an escrow that was replaced has to be destroyed
	EndProtect Matter = "end-protect" // the key must not protect any more, and is deactivated
)

// A Due is something to do about a key.
type Due struct {
	Key    string    `json:"key"`
	Matter Matter    `json:"matter"`
	At     time.Time `json:"at"`               // by when, UTC
	ARN    string    `json:"arn,omitempty"`    // of the KMS key, for [Expiry]
	Escrow string    `json:"escrow,omitempty"` // ID, for [Discard]
}

// Due is what is to be done by a time, the earliest first. Keys that are
// destroyed want nothing.
func (r *Register) Due(by time.Time) (all []Due) {
	for _, k := range r.keys {
		for _, d := range k.due() {
			if !d.At.After(by) {
				all = append(all, d)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Due) int { return a.At.Compare(b.At) })
	return all
}

// due is all there is to be done about a key, ever.
func (k *Key) due() (all []Due) {
	if k.State == Destroyed {
		return nil
	}
	add := func(m Matter, at time.Time, arn string) {
		if !at.IsZero() {
			all = append(all, Due{Key: k.Added.Key, Matter: m, At: at, ARN: arn})
		}
	}
	for _, r := range k.Retired() {
		all = append(all, Due{Key: k.Added.Key, Matter: Discard, At: r.At.AddDate(0, 0, discardWithin), Escrow: r.Escrow})
	}
	for _, h := range k.Held {
		add(Expiry, h.ValidTo, h.ARN)
	}
	if k.Escrow.ID != "" && !k.Escrow.InToken() {
		add(Drill, k.NextDrill(), "")
	}
	add(Review, k.Scheduled.Review, "")
	if k.State.protects() {
		add(EndProtect, k.Scheduled.Protects, "")
	}
	return all
}

// NextDrill is when recovery has to be exercised again, zero for never.
func (k *Key) NextDrill() time.Time {
	if k.Scheduled.DrillEvery == 0 {
		return time.Time{}
	}
	last := k.Ready
	if k.Drill != nil {
		last = k.Drill.At
	}
	return last.AddDate(0, 0, k.Scheduled.DrillEvery)
}
