// SPDX-License-Identifier: Apache-2.0

package cmd_test

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// holds keeps calls from reaching the mock, so that a script can interrupt or
// kill what made them, at a known place.
type holds struct {
	mu sync.Mutex
	of map[string]*held // by operation
}

// held are the calls of one operation.
type held struct {
	arrived chan struct{} // closed when the first one came
	dropped chan struct{}
	once    sync.Once
}

func newHolds() *holds { return &holds{of: make(map[string]*held)} }

func (h *holds) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if call := h.get(operation); call != nil {
			call.once.Do(func() { close(call.arrived) })
			// Not the end of the connection is waited for: a killed client's
			// end may show only after the script has gone on.
			<-call.dropped
			panic(http.ErrAbortHandler)
		}
		next.ServeHTTP(w, r)
	})
}

func (h *holds) get(operation string) *held {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.of[operation]
}

// drop cuts the connections of the calls of an operation, and holds none that
// follow.
func (h *holds) drop(operation string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if call := h.of[operation]; call != nil {
		close(call.dropped)
		delete(h.of, operation)
	}
}

func (h *holds) dropAll() {
	h.mu.Lock()
	operations := make([]string, 0, len(h.of))
	for operation := range h.of {
		operations = append(operations, operation)
	}
	h.mu.Unlock()
	for _, operation := range operations {
		h.drop(operation)
	}
}

// hold OPERATION keeps the calls of an operation waiting from now on.
func hold(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hold operation")
	}
	h := ts.Value(mockKey{}).(*served).holds
	h.mu.Lock()
	defer h.mu.Unlock()
	h.of[args[0]] = &held{arrived: make(chan struct{}), dropped: make(chan struct{})}
}

// await OPERATION waits until a call that is held has come.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await operation")
	}
	call := ts.Value(mockKey{}).(*served).holds.get(args[0])
	if call == nil {
		ts.Fatalf("calls of %s are not held", args[0])
	}
	select {
	case <-call.arrived:
	case <-time.After(30 * time.Second):
		ts.Fatalf("no call of %s came", args[0])
	}
}

// drop OPERATION cuts the connections of the calls that are held.
func drop(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: drop operation")
	}
	ts.Value(mockKey{}).(*served).holds.drop(args[0])
}
