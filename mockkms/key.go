// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

// Values of the API model that the rules below turn on.
const (
	originKMS      = "AWS_KMS"
	originExternal = "EXTERNAL"

	materialExpires = "KEY_MATERIAL_EXPIRES"
	materialLasts   = "KEY_MATERIAL_DOES_NOT_EXPIRE"
)

// A key is one KMS key as it is stored. What has become due since it was
// stored is worked out by settle, so that no timer is ever needed.
//
// A key that came out of a read is shared between goroutines and must not be
// changed; change hands out private copies.
type key struct {
	Scope       scope
	ID          string
	Created     time.Time // milliseconds
	Description string    `json:",omitempty"`
	Spec        string
	Usage       string
	Origin      string
	Policy      string `json:",omitempty"` // "": the default one, see policy
	Tags        []tag  `json:",omitempty"`
	Service     string `json:",omitempty"` // whose AWS-managed key it is, as in its alias; "" for keys of customers

	// Identity makes material IDs and ciphertexts this key's own. Related
	// multi-Region keys share it.
	Identity []byte

	Disabled      bool      `json:",omitempty"`
	Deletion      *deletion `json:",omitempty"`
	Creation      *creation `json:",omitempty"` // of a new replica, until it is complete
	UpdatingUntil time.Time `json:",omitzero"`  // zero: the role does not change

	// Primary is the Region of a multi-Region key's primary key, "" for other
	// keys. Replicas are the Regions of its replicas, sorted.
	Primary  string   `json:",omitempty"`
	Replicas []string `json:",omitempty"`

	parsed *parsedPolicy // what the policy says; shared by all copies

	Materials []*material `json:",omitempty"` // oldest first
	Rotation  rotation    `json:",omitzero"`
}

// encode is the key as it is stored.
func (k *key) encode() ([]byte, error) {
	raw, err := json.Marshal(k)
	if err != nil {
		return nil, fmt.Errorf("encoding key %s: %w", k.ID, err)
	}
	return raw, nil
}

func decodeKey(raw []byte) (*key, error) {
	k := &key{parsed: &parsedPolicy{}}
	if err := json.Unmarshal(raw, k); err != nil {
		return nil, err
	}
	for _, m := range k.Materials {
		m.opened = &opened{}
	}
	return k, nil
}

type deletion struct {
	At   time.Time `json:",omitzero"` // when the key goes, for good; zero: replicas go first
	Days int       // the window asked for
}

// begun reports whether the window runs. That of a primary key begins when its
// last replica is gone.
func (d *deletion) begun() bool { return !d.At.IsZero() }

func (d *deletion) begin(now time.Time) { d.At = now.Truncate(time.Millisecond).Add(days(d.Days)) }

// creation is the time in which a new replica is not ready, and what it shows
// of the primary's material meanwhile (recorded).
type creation struct {
	Until           time.Time
	ExpirationModel string    `json:",omitempty"`
	ValidTo         time.Time `json:",omitzero"`
}

// A keyState is the KeyState of a key.
type keyState uint8

const (
	stateCreating keyState = iota
	stateEnabled
	stateDisabled
	statePendingImport
	statePendingDeletion
	statePendingReplicaDeletion
	stateUpdating
	stateCount
)

func (s keyState) String() string {
	return [...]string{"Creating", "Enabled", "Disabled", "PendingImport", "PendingDeletion", "PendingReplicaDeletion", "Updating"}[s]
}

// A stateSet is the set of states in which an operation is admitted.
type stateSet uint16

func states(list ...keyState) stateSet {
	var set stateSet
	for _, s := range list {
		set |= 1 << s
	}
	return set
}

func (set stateSet) has(s keyState) bool { return set&(1<<s) != 0 }

// state works out the one KeyState of a settled key. Missing material outdoes
// a disabled key, also after a cancelled deletion (recorded).
func (k *key) state() keyState {
	switch {
	case k.Deletion != nil && !k.Deletion.begun():
		return statePendingReplicaDeletion
	case k.Deletion != nil:
		return statePendingDeletion
	case k.Creation != nil:
		return stateCreating
	case !k.complete():
		return statePendingImport
	case k.Disabled:
		return stateDisabled
	case !k.UpdatingUntil.IsZero():
		return stateUpdating
	}
	return stateEnabled
}

// complete reports whether every permanently associated material is there.
func (k *key) complete() bool {
	associated := false
	for _, m := range k.Materials {
		if m.State.permanent() {
			associated = true
			if m.Bytes == nil {
				return false
			}
		}
	}
	return associated
}

// due is the time at which something will happen to the key by itself: the
// earliest of expiry, rotation, deletion and the end of what passes. Zero:
// nothing will.
func (k *key) due() time.Time {
	next := earliest(k.nextRotation(), k.UpdatingUntil)
	if k.Creation != nil {
		next = earliest(next, k.Creation.Until)
	}
	if k.Deletion != nil {
		next = earliest(next, k.Deletion.At)
	}
	for _, m := range k.Materials {
		if m.Bytes != nil && m.expires() {
			next = earliest(next, m.ValidTo)
		}
	}
	return next
}

// earliest is the earlier of two times, of which either may be zero for never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// settle makes happen what is due at t. An expired material loses its bytes
// and keeps its entry; a rotation takes whatever is pending at its end, even
// if that has expired by then (both recorded).
func (k *key) settle(t time.Time) {
	for _, m := range k.Materials {
		if m.expires() && !m.ValidTo.After(t) {
			m.setBytes(nil)
		}
	}
	if k.Creation != nil && !k.Creation.Until.After(t) {
		k.Creation = nil
	}
	if !k.UpdatingUntil.After(t) {
		k.UpdatingUntil = time.Time{}
	}
	if !k.isReplica() {
		k.rotate(t)
	}
}

func (k *key) clone() *key {
	c := *k
	c.Tags = slices.Clone(k.Tags)
	c.Replicas = slices.Clone(k.Replicas)
	if k.Deletion != nil {
		d := *k.Deletion
		c.Deletion = &d
	}
	if k.Creation != nil {
		d := *k.Creation
		c.Creation = &d
	}
	c.Materials = make([]*material, len(k.Materials))
	for i, m := range k.Materials {
		copied := *m
		c.Materials[i] = &copied
	}
	return &c
}

func (k *key) arn() string { return k.Scope.keyARN(k.ID) }

// spec is the HSM's row for the key's spec; nil for specs it does not know.
func (k *key) spec() *hsm.Spec {
	s, _ := hsm.LookupSpec(k.Spec)
	return s
}

// symmetric reports whether the key is of the one spec whose materials are
// visible, rotate, and stand in ciphertexts.
func (k *key) symmetric() bool { return k.Spec == hsm.SymmetricDefault }

func (k *key) identity() [32]byte { return [32]byte(k.Identity) }

// admit refuses the operation that r rules in the key's present state. Origin
// comes before state, state before usage (recorded).
func (k *key) admit(r *rule, operation string) error {
	if r.origin != "" && k.Origin != r.origin {
		return originError(k.arn(), k.Origin)
	}
	if s := k.state(); !r.states.has(s) {
		return stateError(k.arn(), s, r.states)
	}
	if r.usage != "" && k.Usage != r.usage {
		return usageError(k.arn(), k.Usage, operation)
	}
	return nil
}
