// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A family is a multi-Region key: the primary key and its replicas, each a key
// of its own in its Region with a policy, tags, state and, where it is
// imported, material of its own. Every other key is a family of one.
//
// Each copy is stored whole, so that most operations need but the one they are
// about. share takes from the primary to the others what KMS synchronises.
type family []*key

// family returns all copies of k as they were last written, with k as it is.
func (r *records) family(k *key) (family, error) {
	f := family{k}
	for _, region := range k.regions() {
		if region == k.Scope.Region {
			continue
		}
		s := scope{k.Scope.Account, region}
		relative, err := r.storedKey(s, k.ID)
		if err != nil {
			return nil, err
		}
		if relative == nil {
			return nil, fmt.Errorf("%s is not there, but %s refers to it", s.keyARN(k.ID), k.arn())
		}
		f = append(f, relative)
	}
	return f, nil
}

// putFamily writes a copy that was changed, and to its relatives what they
// share with it.
func (r *records) putFamily(k *key) error {
	if len(k.Replicas) == 0 {
		return r.putKey(k)
	}
	f, err := r.family(k)
	if err != nil {
		return err
	}
	f = f.clone()
	f.share()
	for _, k := range f {
		if err := r.putKey(k); err != nil {
			return err
		}
	}
	return nil
}

func (f family) clone() family {
	c := make(family, len(f))
	for i, k := range f {
		c[i] = k.clone()
	}
	return c
}

// in is the copy in a Region, or nil.
func (f family) in(region string) *key {
	for _, k := range f {
		if k.Scope.Region == region {
			return k
		}
	}
	return nil
}

// primary is the copy that the others follow.
func (f family) primary() *key {
	for _, k := range f {
		if !k.isReplica() {
			return k
		}
	}
	return f[0] // not reached: every family has one
}

func (f family) due() time.Time {
	var next time.Time
	for _, k := range f {
		next = earliest(next, k.due())
	}
	return next
}

// at is the family as of now: itself, or settled copies, without those that
// are gone by then. What was due happens in the order of its times.
func (f family) at(now time.Time) family {
	settled := false
	for {
		t := f.due()
		if t.IsZero() || t.After(now) {
			return f
		}
		if !settled {
			f, settled = f.clone(), true
		}
		for _, k := range f {
			k.settle(t)
		}
		f = f.bury(t)
		f.share()
	}
}

// bury removes the copies whose time has come. A primary key that waits for
// the last of its replicas to go begins its own window then (documented).
func (f family) bury(t time.Time) family {
	left := slices.DeleteFunc(f, func(k *key) bool {
		return k.Deletion != nil && k.Deletion.begun() && !k.Deletion.At.After(t)
	})
	if len(left) == 0 || len(left) == len(f) {
		return left
	}
	p := left.primary()
	p.Replicas = slices.DeleteFunc(p.Replicas, func(region string) bool { return left.in(region) == nil })
	if p.Deletion != nil && len(p.Replicas) == 0 {
		p.Deletion.begin(t)
	}
	return left
}

// share takes over what the primary decides to its replicas, and says of the
// pending material whether all have it.
func (f family) share() {
	if len(f) == 0 {
		return
	}
	p := f.primary()
	for _, k := range f {
		if k != p {
			k.follow(p)
		}
	}
	pending := p.pending()
	if pending == nil {
		return
	}
	state := pendingRotation
	for _, k := range f {
		if k.Origin == originExternal && k.material(pending.ID).Deleted {
			state = pendingEverywhere
		}
	}
	for _, k := range f {
		k.material(pending.ID).State = state
	}
}

// follow takes over from the primary p what all copies have in common. Where
// material is imported they share what is known of it, not the bytes.
func (k *key) follow(p *key) {
	k.Primary, k.Replicas = p.Primary, slices.Clone(p.Replicas)
	k.Rotation = p.Rotation
	own := k.Materials
	k.Materials = nil
	for _, m := range p.Materials {
		shared := *m
		if p.Origin == originExternal {
			shared.setBytes(nil)
			shared.ValidTo, shared.Deleted = time.Time{}, true
			if i := slices.IndexFunc(own, func(o *material) bool { return o.ID == m.ID }); i >= 0 {
				shared.Bytes, shared.opened = own[i].Bytes, own[i].opened
				shared.ValidTo, shared.Deleted = own[i].ValidTo, own[i].Deleted
			}
		}
		k.Materials = append(k.Materials, &shared)
	}
}

// multiRegion reports whether the key is a multi-Region key, alone or not.
func (k *key) multiRegion() bool { return k.Primary != "" }

func (k *key) isReplica() bool { return k.multiRegion() && k.Primary != k.Scope.Region }

// regions are those of all copies; nothing for a key without replicas.
func (k *key) regions() []string {
	if len(k.Replicas) == 0 {
		return nil
	}
	return append([]string{k.Primary}, k.Replicas...)
}

// addReplica makes the replica of a primary key in another Region. What they
// share comes with share.
func (k *key) addReplica(region string, now, ready time.Time) *key {
	k.Replicas = slices.Sorted(slices.Values(append(slices.Clone(k.Replicas), region)))
	model, validTo := k.expiry()
	replica := &key{
		Scope:    scope{k.Scope.Account, region},
		ID:       k.ID,
		Created:  now.Truncate(time.Millisecond),
		Spec:     k.Spec,
		Usage:    k.Usage,
		Origin:   k.Origin,
		Identity: k.Identity,
		Creation: &creation{Until: ready, ExpirationModel: model, ValidTo: validTo},
	}
	replica.follow(k)
	return replica
}

// swapRoles makes the replica the primary key and the primary key a replica.
// Both are Updating until done.
func swapRoles(primary, replica *key, done time.Time) {
	region := replica.Scope.Region
	replicas := slices.DeleteFunc(slices.Clone(primary.Replicas), func(r string) bool { return r == region })
	replicas = append(replicas, primary.Scope.Region)
	slices.SortFunc(replicas, cmp.Compare)
	for _, k := range []*key{primary, replica} {
		k.Primary, k.Replicas, k.UpdatingUntil = region, slices.Clone(replicas), done
	}
}
