// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"slices"
	"sync"
)

// NewMemoryStore makes an empty store that ends with the process. It uses
// nothing but a mutex, so it works inside testing/synctest.
func NewMemoryStore() Store {
	return &memoryStore{values: make(map[string][]byte)}
}

type memoryStore struct {
	mu     sync.RWMutex
	values map[string][]byte
	keys   []string // sorted
	closed bool
}

func (s *memoryStore) View(f func(Tx) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return ErrStoreClosed
	}
	return f(&memoryTx{store: s, readOnly: true})
}

func (s *memoryStore) Update(f func(Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrStoreClosed
	}
	tx := &memoryTx{store: s}
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
	s.values, s.keys = nil, nil
	return nil
}

// set gives key the value, or removes it when value is nil.
func (s *memoryStore) set(key string, value []byte) {
	_, had := s.values[key]
	switch {
	case value == nil && had:
		delete(s.values, key)
		i, _ := slices.BinarySearch(s.keys, key)
		s.keys = slices.Delete(s.keys, i, i+1)
	case value != nil:
		s.values[key] = value
		if !had {
			i, _ := slices.BinarySearch(s.keys, key)
			s.keys = slices.Insert(s.keys, i, key)
		}
	}
}

type memoryTx struct {
	store    *memoryStore
	readOnly bool
	before   []memoryRecord // what was there, oldest change first
}

type memoryRecord struct {
	key   string
	value []byte
}

func (tx *memoryTx) Get(key string) []byte { return tx.store.values[key] }

func (tx *memoryTx) Put(key string, value []byte) error {
	return tx.change(key, append([]byte{}, value...))
}

func (tx *memoryTx) Delete(key string) error { return tx.change(key, nil) }

func (tx *memoryTx) change(key string, value []byte) error {
	if tx.readOnly {
		return errReadOnly
	}
	tx.before = append(tx.before, memoryRecord{key, tx.store.values[key]})
	tx.store.set(key, value)
	return nil
}

func (tx *memoryTx) undo() {
	for _, r := range slices.Backward(tx.before) {
		tx.store.set(r.key, r.value)
	}
}

func (tx *memoryTx) Ascend(from string, visit func(key, value []byte) bool) {
	i, _ := slices.BinarySearch(tx.store.keys, from)
	for _, key := range tx.store.keys[i:] {
		if !visit([]byte(key), tx.store.values[key]) {
			return
		}
	}
}
