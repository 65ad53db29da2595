// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"slices"
	"sync"

	"github.com/tidwall/btree"
)

// NewMemoryStore makes an empty store that ends with the process. It uses
// nothing but a mutex, so it works inside testing/synctest.
func NewMemoryStore() Store {
	return &memoryStore{}
}

type memoryStore struct {
	mu      sync.RWMutex
	records btree.Map[string, []byte]
	closed  bool
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
	s.records.Clear()
	return nil
}

// set gives key the value, or removes it when value is nil, and returns what was
// there.
func (s *memoryStore) set(key string, value []byte) (before []byte) {
	if value == nil {
		before, _ = s.records.Delete(key)
	} else {
		before, _ = s.records.Set(key, value)
	}
	return before
}

// A memoryView is a Tx that changes nothing.
type memoryView struct{ store *memoryStore }

func (v memoryView) Get(key string) []byte {
	value, _ := v.store.records.Get(key)
	return value
}

func (v memoryView) Put(string, []byte) error { return errReadOnly }

func (v memoryView) Delete(string) error { return errReadOnly }

func (v memoryView) Ascend(from string, visit func(key, value []byte) bool) {
	v.store.records.Ascend(from, func(key string, value []byte) bool { return visit([]byte(key), value) })
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
