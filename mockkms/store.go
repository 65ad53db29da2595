// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"errors"
	"fmt"
)

// A Store keeps the state of a KMS as key-value records in key order.
// [NewMemoryStore] and [OpenStore] make one.
type Store interface {
	// View calls f with a consistent, read-only picture of the records.
	View(f func(Tx) error) error
	// Update calls f with the records open for change. What f changed is kept
	// as a whole when f returns nil, durably so before Update returns, and not
	// at all when it returns an error, which Update passes on. f may be called
	// more than once, each time as if for the first time.
	Update(f func(Tx) error) error
	// Close ends all use of the store. Calls after it return ErrStoreClosed.
	Close() error
}

// A Tx is a store's picture within one View or Update. It must not be used
// outside; values it hands out are read-only and end with it.
type Tx interface {
	// Get returns the value of a key, or nil.
	Get(key string) []byte
	// Put sets the value of a key. It may keep value, which nobody must change
	// from then on; nil is a value without bytes.
	Put(key string, value []byte) error
	// Delete removes a key, if it is there.
	Delete(key string) error
	// Ascend visits the records whose keys begin with prefix, in key order from
	// the first that is not below from, until visit returns false. visit must
	// change nothing.
	Ascend(prefix, from string, visit func(key, value []byte) bool)
}

// ErrStoreClosed is what a store answers after Close.
var ErrStoreClosed = errors.New("the mock's store is closed")

// A StoreBusyError means that other processes held the state file for too long.
type StoreBusyError struct {
	Path string
}

func (e *StoreBusyError) Error() string {
	return fmt.Sprintf("state file %s is in use by another process", e.Path)
}

// A StoreDamagedError means that a state file is one of ours but cannot be
// read in whole: cut short, or changed by something else.
type StoreDamagedError struct {
	Path   string
	Reason string
}

func (e *StoreDamagedError) Error() string {
	return fmt.Sprintf("state file %s is damaged: %s", e.Path, e.Reason)
}

// A StoreVersionError means that a state file was written by a newer program.
type StoreVersionError struct {
	Path      string
	Got, Want int // format versions
}

func (e *StoreVersionError) Error() string {
	return fmt.Sprintf("state file %s has format version %d, newer than %d", e.Path, e.Got, e.Want)
}

// A NotStoreError means that a file is no state file of the mock.
type NotStoreError struct {
	Path string
}

func (e *NotStoreError) Error() string {
	return fmt.Sprintf("%s is not a state file of the mock", e.Path)
}

// errReadOnly is the answer to a change within View: a mistake in this package.
var errReadOnly = errors.New("the store is open for reading only")
