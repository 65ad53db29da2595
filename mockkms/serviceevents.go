// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"slices"
	"time"
)

// serviceEvents tells what happened to a key by itself between two readings
// of it. A nil after means that the key is gone.
func serviceEvents(before, after *key) []Event {
	if after == nil {
		var at time.Time
		if before.Deletion != nil {
			at = before.Deletion.At
		}
		e := before.serviceEvent("DeleteKey", at)
		e.ServiceEventDetails = map[string]any{"keyId": before.ID}
		return []Event{e}
	}
	var events []Event
	for _, m := range after.Materials {
		old := before.entry(m.ID)
		if old != nil && old.Bytes != nil && m.Bytes == nil {
			e := after.serviceEvent("DeleteExpiredKeyMaterial", old.ValidTo)
			e.ServiceEventDetails = map[string]any{"keyId": after.ID, "keyMaterialId": m.ID}
			events = append(events, e)
		}
		if !m.Rotated.IsZero() && (old == nil || old.Rotated.IsZero()) {
			e := after.serviceEvent("RotateKey", m.Rotated)
			e.ServiceEventDetails = map[string]any{
				"keyId": after.ID, "keyOrigin": after.Origin, "rotationType": after.rotationEntry(m).RotationType,
				"previousKeyMaterialId": after.currentBefore(m.Rotated), "currentKeyMaterialId": m.ID,
			}
			events = append(events, e)
			if !after.isReplica() && len(after.Replicas) > 0 {
				events = append(events, after.synchronizeEvent(m.Rotated))
			}
		}
	}
	if before.Creation != nil && after.Creation == nil {
		events = append(events, after.synchronizeEvent(before.Creation.Until))
	}
	slices.SortStableFunc(events, func(a, b Event) int { return a.EventTime.Compare(b.EventTime) })
	return events
}

func (k *key) serviceEvent(name string, at time.Time) Event {
	e := newEvent(k.Scope, name, at)
	e.EventType = "AwsServiceEvent"
	e.UserIdentity = EventIdentity{AccountID: k.Scope.Account, InvokedBy: internalCaller}
	e.SourceIPAddress, e.UserAgent = internalCaller, internalCaller
	e.Resources = []EventResource{keyResource(k.arn())}
	return e
}

// synchronizeEvent tells that the primary key's shared properties were copied to
// its replicas: in the primary's Region, and as an operation though nobody asked
// for it (sample of the Developer Guide). KMS does so "periodically"; here it
// happens when a replica has come into being, and after a rotation (assumed).
func (k *key) synchronizeEvent(at time.Time) Event {
	s := scope{k.Scope.Account, k.Primary}
	arn := s.keyARN(k.ID)
	e := newEvent(s, "SynchronizeMultiRegionKey", at)
	e.EventType, e.RequestID = "AwsApiCall", newUUID()
	e.UserIdentity = EventIdentity{AccountID: s.Account, InvokedBy: internalCaller}
	e.SourceIPAddress, e.UserAgent = internalCaller, internalCaller
	e.ResponseElements = map[string]any{"keyId": arn}
	e.Resources = []EventResource{keyResource(arn)}
	return e
}

// entry is the material of that ID, whatever its state.
func (k *key) entry(id string) *material {
	for _, m := range k.Materials {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// currentBefore is the ID of the material that was current until a rotation.
func (k *key) currentBefore(rotated time.Time) string {
	var earlier []*material
	for _, m := range k.Materials {
		if m.State.permanent() && m.Rotated.Before(rotated) { // the first one has no date, and is before all
			earlier = append(earlier, m)
		}
	}
	if len(earlier) == 0 {
		return ""
	}
	return slices.MaxFunc(earlier, func(a, b *material) int {
		return a.Rotated.Compare(b.Rotated)
	}).ID
}
