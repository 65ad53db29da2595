// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The records of a store, by the first part of their key:
//
//	key/<account>/<region>/<key id>                 a key, as JSON
//	material/<account>/<region>/<material id>       the key ID it belongs to
//	alias/<account>/<region>/<name without alias/>  an alias, as JSON
//	aliasof/<account>/<region>/<key id>/<the same>  nothing; the aliases of one key
//	due/<milliseconds>/<account>/<region>/<key id>  nothing; when a key changes by itself
//	pool/<wrapping key spec>/<random>               a wrapping key made ahead, PKCS #1
//	used/<milliseconds>/<digest>                    nothing; a token used up, until it expires
//	grant/<account>/<region>/<key id>/<grant id>    a grant, as JSON
//	samegrant/<account>/<region>/<key id>/<digest>  the grant ID that a named grant has
//	retirer/<region>/<principal>/<account>/<key id>/<grant id>
//	                                                nothing; the grants a principal may retire
//	usage/<account>/<region>/<key id>               the last usage of a key, as JSON
//	secret                                          32 bytes that seal import tokens
//	clock                                           how the clock was moved, as JSON
//	trail/<number>                                  an event, as JSON
//	trail                                           the number of the last event, in decimal
const (
	keyRecords      = "key/"
	materialRecords = "material/"
	aliasRecords    = "alias/"
	aliasOfRecords  = "aliasof/"
	dueRecords      = "due/"
	grantRecords    = "grant/"
	sameRecords     = "samegrant/"
	retirerRecords  = "retirer/"
	usageRecords    = "usage/"
	poolRecords     = "pool/"
	usedRecords     = "used/"
	secretRecord    = "secret"
	clockRecord     = "clock"
	eventRecords    = "trail/" // nearly last in order: the oldest are dropped all the time
	lastEventRecord = "trail"
)

// records is one transaction seen as keys and aliases. Reads settle what they
// return: a key that should be gone by now is not found.
type records struct {
	tx    Tx
	cache *keyCache
	now   time.Time
	keep  int // events

	everywhere bool // keys of other accounts are found: who calls was authorized
}

// key returns the key as of now, or nil. It is shared: clone before changing.
func (r *records) key(s scope, id string) (*key, error) {
	k, err := r.storedKey(s, id)
	if k == nil || err != nil {
		return nil, err
	}
	if due := k.due(); len(k.Replicas) == 0 && (due.IsZero() || due.After(r.now)) {
		return k, nil // the usual case, at no cost
	}
	f, err := r.family(k)
	if err != nil {
		return nil, err
	}
	return f.at(r.now).in(s.Region), nil
}

// storedKey returns the key as it was last written, or nil.
func (r *records) storedKey(s scope, id string) (*key, error) {
	name := s.record(keyRecords, id)
	raw := r.tx.Get(name)
	if raw == nil {
		return nil, nil
	}
	return r.cache.decode(name, raw)
}

// putKey writes a key together with the records that lead to it.
func (r *records) putKey(k *key) error {
	old, err := r.storedKey(k.Scope, k.ID)
	if err != nil {
		return err
	}
	if err := r.unlink(old, k); err != nil {
		return err
	}
	raw, err := k.encode()
	if err != nil {
		return err
	}
	return r.addKey(k, raw)
}

// addKey writes a key of which nothing is stored, and its encoding.
func (r *records) addKey(k *key, raw []byte) error {
	if err := r.tx.Put(k.Scope.record(keyRecords, k.ID), raw); err != nil {
		return err
	}
	for _, l := range links(k) {
		if err := r.tx.Put(l.name, []byte(l.value)); err != nil {
			return err
		}
	}
	return nil
}

// deleteKey removes a key, its aliases, its grants and all that leads to it.
func (r *records) deleteKey(k *key) error {
	for _, name := range r.aliasesOf(k.Scope, k.ID) {
		if err := r.deleteAlias(&alias{Scope: k.Scope, Name: name, Target: k.ID}); err != nil {
			return err
		}
	}
	if err := r.deleteGrants(k); err != nil {
		return err
	}
	if err := r.tx.Delete(usageRecord(k.Scope, k.ID)); err != nil {
		return err
	}
	if err := r.unlink(k, nil); err != nil {
		return err
	}
	return r.tx.Delete(k.Scope.record(keyRecords, k.ID))
}

// unlink removes the records that led to old and do not lead to next.
func (r *records) unlink(old, next *key) error {
	keep := links(next)
	for _, l := range links(old) {
		if !slices.Contains(keep, l) {
			if err := r.tx.Delete(l.name); err != nil {
				return err
			}
		}
	}
	return nil
}

// A link is a record that leads to a key.
type link struct{ name, value string }

// links are those of a key: by time, and by material.
func links(k *key) (l []link) {
	if k == nil {
		return nil
	}
	if due := k.due(); !due.IsZero() {
		l = append(l, link{fmt.Sprintf("%s%015d/%s", dueRecords, due.UnixMilli(), k.Scope.record("", k.ID)), ""})
	}
	if k.symmetric() {
		for _, m := range k.Materials {
			l = append(l, link{k.Scope.record(materialRecords, m.ID), k.ID})
		}
	}
	return l
}

// settleDue writes down what has become due. Every update does so first, so
// that expired material does not stay in the store for longer than needed.
func (r *records) settleDue() error {
	for _, name := range r.overdue() {
		s, id := keyOfDue(name)
		k, err := r.storedKey(s, id)
		if err != nil {
			return err
		}
		if k == nil {
			err = r.tx.Delete(name)
		} else {
			err = r.settleFamily(k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// overdue lists the records of keys that changed since they were written.
func (r *records) overdue() []string {
	return r.list(dueRecords, "", func(name string) bool {
		return name < fmt.Sprintf("%s%015d", dueRecords, r.now.UnixMilli()+1)
	})
}

// keyOfDue takes the name of such a record apart.
func keyOfDue(name string) (s scope, id string) {
	parts := strings.SplitN(name, "/", 5)
	return scope{parts[2], parts[3]}, parts[4]
}

func (r *records) settleFamily(k *key) error {
	f, err := r.family(k)
	if err != nil {
		return err
	}
	settled := f.at(r.now)
	for _, k := range f {
		if next := settled.in(k.Scope.Region); next == nil {
			err = errors.Join(r.addEvents(serviceEvents(k, nil)), r.deleteKey(k))
		} else {
			err = errors.Join(r.addEvents(serviceEvents(k, next)), r.putKey(next))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// list returns the keys of records that start with prefix and come after the
// given one, for as long as more says so.
func (r *records) list(prefix, after string, more func(name string) bool) []string {
	var names []string
	r.tx.Ascend(prefix, after, func(name, _ []byte) bool {
		s := string(name)
		if s == after {
			return true
		}
		if !more(s) {
			return false
		}
		names = append(names, s)
		return true
	})
	return names
}

// keyOfMaterial finds the key to which a material belongs, or nil.
func (r *records) keyOfMaterial(s scope, materialID string) (*key, error) {
	id := r.tx.Get(s.record(materialRecords, materialID))
	if id != nil {
		return r.key(s, string(id))
	}
	// A rotation may be over that nobody has written down yet.
	for _, name := range r.overdue() {
		due, id := keyOfDue(name)
		if due.Account != s.Account {
			continue
		}
		if k, err := r.key(s, id); err != nil || k != nil && k.symmetric() && k.material(materialID) != nil {
			return k, err
		}
	}
	return nil, nil
}

// An alias is a name for a key.
type alias struct {
	Scope   scope
	Name    string // with alias/ in front
	Target  string // key ID
	Created time.Time
	Updated time.Time
}

func aliasRecord(s scope, name string) string {
	return s.record(aliasRecords, strings.TrimPrefix(name, "alias/"))
}

func aliasOfRecord(a *alias) string {
	return a.Scope.record(aliasOfRecords, a.Target) + "/" + strings.TrimPrefix(a.Name, "alias/")
}

// alias returns the alias of that name, or nil. One whose key is gone is gone.
func (r *records) alias(s scope, name string) (*alias, error) {
	raw := r.tx.Get(aliasRecord(s, name))
	if raw == nil {
		return nil, nil
	}
	var a alias
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, fmt.Errorf("decoding alias %s: %w", name, err)
	}
	if k, err := r.key(s, a.Target); k == nil {
		return nil, err
	}
	return &a, nil
}

func (r *records) putAlias(a *alias) error {
	raw, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("encoding alias %s: %w", a.Name, err)
	}
	if err := r.tx.Put(aliasRecord(a.Scope, a.Name), raw); err != nil {
		return err
	}
	return r.tx.Put(aliasOfRecord(a), nil)
}

func (r *records) deleteAlias(a *alias) error {
	if err := r.tx.Delete(aliasRecord(a.Scope, a.Name)); err != nil {
		return err
	}
	return r.tx.Delete(aliasOfRecord(a))
}

// aliasesOf returns the names of a key's aliases, sorted.
func (r *records) aliasesOf(s scope, id string) []string {
	prefix := s.record(aliasOfRecords, id) + "/"
	names := r.list(prefix, "", func(string) bool { return true })
	for i, n := range names {
		names[i] = "alias/" + strings.TrimPrefix(n, prefix)
	}
	return names
}
