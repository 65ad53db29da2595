// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A past remembers what records were before changes that are not visible yet.
type past struct {
	mu      sync.RWMutex
	changes []pastChange // oldest first
}

type pastChange struct {
	at     time.Time
	before map[string][]byte // nil: was not there
}

// lags reports whether records of that name show their changes later.
func lags(name string) bool {
	for _, prefix := range []string{keyRecords, materialRecords, aliasRecords, aliasOfRecords} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// add notes a change, and forgets those that have become visible.
func (p *past) add(before map[string][]byte, now time.Time, lag time.Duration) {
	if len(before) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changes = slices.DeleteFunc(p.changes, func(c pastChange) bool { return now.Sub(c.at) >= lag })
	p.changes = append(p.changes, pastChange{now, before})
}

// before is what records were a lag ago, as far as they have changed since.
func (p *past) before(now time.Time, lag time.Duration) map[string][]byte {
	p.mu.RLock()
	defer p.mu.RUnlock()
	old := make(map[string][]byte)
	for _, c := range slices.Backward(p.changes) {
		if now.Sub(c.at) < lag {
			maps.Copy(old, c.before) // the earliest change counts
		}
	}
	return old
}

// A watchedTx notes what the records were that it changes.
type watchedTx struct {
	Tx
	before map[string][]byte
}

func (tx *watchedTx) Put(key string, value []byte) error {
	tx.note(key)
	return tx.Tx.Put(key, value)
}

func (tx *watchedTx) Delete(key string) error {
	tx.note(key)
	return tx.Tx.Delete(key)
}

func (tx *watchedTx) note(key string) {
	if _, noted := tx.before[key]; !noted && lags(key) {
		var before []byte
		if was := tx.Tx.Get(key); was != nil {
			before = append([]byte{}, was...)
		}
		tx.before[key] = before
	}
}

// A laggingTx shows a store as it was. It is for reading only.
type laggingTx struct {
	Tx
	before map[string][]byte
}

func (tx *laggingTx) Get(key string) []byte {
	if was, changed := tx.before[key]; changed {
		return was
	}
	return tx.Tx.Get(key)
}

func (tx *laggingTx) Ascend(prefix, from string, visit func(key, value []byte) bool) {
	var old []string // that were there, from from on, not yet visited
	for name, was := range tx.before {
		if was != nil && name >= from && strings.HasPrefix(name, prefix) {
			old = append(old, name)
		}
	}
	slices.Sort(old)
	more := true
	visitOld := func(until []byte) {
		for more && len(old) > 0 && (until == nil || old[0] < string(until)) {
			more = visit([]byte(old[0]), tx.before[old[0]])
			old = old[1:]
		}
	}
	tx.Tx.Ascend(prefix, from, func(key, value []byte) bool {
		if visitOld(key); !more {
			return false
		}
		if _, changed := tx.before[string(key)]; !changed {
			more = visit(key, value)
		}
		return more
	})
	visitOld(nil)
}
