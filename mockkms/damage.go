// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"fmt"
	"runtime/debug"
)

// bbolt trusts its file: pages that make no sense make it panic, and a file
// cut short makes it read memory that is not there. The functions here turn
// both into a StoreDamagedError, and keep them apart from panics of the code
// that uses the store, which must go on.

// A storeFault is a panic that came out of bbolt.
type storeFault struct{ reason any }

// passFault, deferred around a call into bbolt, marks its panics.
func passFault() {
	if p := recover(); p != nil {
		panic(storeFault{p})
	}
}

// A callerPanic is a panic of code that uses the store.
type callerPanic struct {
	value any
	stack []byte // where it happened
}

func (p callerPanic) String() string { return fmt.Sprintf("%v\n%s", p.value, p.stack) }

// caught sorts a recovered value into storeFault or callerPanic. Values
// handed out by a Tx lie in the mapped file, so a memory fault is the store's
// wherever it happens.
func caught(p any) any {
	switch p := p.(type) {
	case storeFault, callerPanic:
		return p
	case interface{ Addr() uintptr }:
		return storeFault{p}
	}
	return callerPanic{p, debug.Stack()}
}

// markCallerPanic, deferred around code that uses the store, marks its panics.
func markCallerPanic() {
	if p := recover(); p != nil {
		panic(caught(p))
	}
}

// guarded calls f, which calls bbolt. Only callerPanics pass.
func guarded(path string, f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch p := recover().(type) {
		case nil:
		case callerPanic:
			panic(p)
		case storeFault:
			err = &StoreDamagedError{path, fmt.Sprint(p.reason)}
		default:
			err = &StoreDamagedError{path, fmt.Sprint(p)}
		}
	}()
	return f()
}
