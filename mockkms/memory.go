// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"slices"
	"strings"
	"sync"

	"github.com/tidwall/btree"
)

// NewMemoryStore makes an empty store that ends with the process. It uses
// nothing but a mutex, so it works inside testing/synctest.
func NewMemoryStore() Store {
	return &memoryStore{records: make(map[string][]byte)}
}

// A memoryStore has its records in a map. Nobody ever asks for most of them in
// order, and keeping it would be the most that storing them costs: only the
// kinds that somebody has asked for are kept in order from then on.
type memoryStore struct {
	mu      sync.RWMutex
	records map[string][]byte
	closed  bool

	ordering sync.Mutex // held to look for an order where mu is held for reading
	orders   []*memoryOrder
}

// A memoryOrder is the keys of one kind in order.
type memoryOrder struct {
	kind string // what they begin with
	keys btree.Set[string]
}

func (s *memoryStore) View(f func(Tx) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return ErrStoreClosed
	}
	return f(memoryView{s})
}

func (s *memoryStore) Update(f func(Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrStoreClosed
	}
	tx := &memoryTx{memoryView: memoryView{s}}
	done := false
	defer func() {
		if !done { // an error, or a panic on its way
			tx.undo()
		}
	}()
	err := f(tx)
	done = err == nil
	return err
}

func (s *memoryStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.records, s.orders = nil, nil
	return nil
}

// set gives key the value, or removes it when value is nil, and returns what was
// there.
func (s *memoryStore) set(key string, value []byte) (before []byte) {
	before = s.records[key]
	if value == nil {
		delete(s.records, key)
	} else {
		s.records[key] = value
	}
	for _, o := range s.orders {
		switch {
		case !strings.HasPrefix(key, o.kind):
		case value == nil:
			o.keys.Delete(key)
		case before == nil:
			o.keys.Insert(key)
		}
	}
	return before
}

// order gives the keys of a kind in order.
func (s *memoryStore) order(kind string) *btree.Set[string] {
	s.ordering.Lock()
	defer s.ordering.Unlock()
	for _, o := range s.orders {
		if o.kind == kind {
			return &o.keys
		}
	}
	o := &memoryOrder{kind: kind}
	for key := range s.records {
		if strings.HasPrefix(key, kind) {
			o.keys.Insert(key)
		}
	}
	s.orders = append(s.orders, o)
	return &o.keys
}

// kindOf is the first part of a key, with the slash.
func kindOf(key string) string {
	return key[:strings.IndexByte(key, '/')+1]
}

// A memoryView is a Tx that changes nothing.
type memoryView struct{ store *memoryStore }

func (v memoryView) Get(key string) []byte {
	return v.store.records[key]
}

func (v memoryView) Put(string, []byte) error { return errReadOnly }

func (v memoryView) Delete(string) error { return errReadOnly }

func (v memoryView) Ascend(prefix, from string, visit func(key, value []byte) bool) {
	v.store.order(kindOf(prefix)).Ascend(max(prefix, from), func(key string) bool {
		return strings.HasPrefix(key, prefix) && visit([]byte(key), v.store.records[key])
	})
}

// A memoryTx is one that undoes what it changed.
type memoryTx struct {
	memoryView
	before []memoryRecord // what was there, oldest change first
}

type memoryRecord struct {
	key   string
	value []byte
}

func (tx *memoryTx) Put(key string, value []byte) error {
	if value == nil {
		value = []byte{} // to be told from a record that is not there
	}
	tx.change(key, value)
	return nil
}

func (tx *memoryTx) Delete(key string) error {
	tx.change(key, nil)
	return nil
}

func (tx *memoryTx) change(key string, value []byte) {
	tx.before = append(tx.before, memoryRecord{key, tx.store.set(key, value)})
}

func (tx *memoryTx) undo() {
	for _, r := range slices.Backward(tx.before) {
		tx.store.set(r.key, r.value)
	}
}
