// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// restful is a server's handler that knows when nobody asks. What a burst of
// requests leaves behind is collected only when more is allocated, so a mock
// that stands idle for days would keep three times the memory that it needs.
type restful struct {
	http.Handler
	requests atomic.Int64
	ballast  []byte // see ballastSize
}

// ballastSize is what makes the heap look that much larger, in bytes. The
// collector runs when the heap has doubled, and a mock's is so small that this
// would be after some hundred requests. Nobody touches the ballast, so that it
// is no memory to the system: unlike a higher GOGC it costs the same, and only
// while there are requests, however many keys there are.
const ballastSize = 16 << 20

func (h *restful) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.requests.Add(1)
	h.Handler.ServeHTTP(w, r)
}

// restInterval is how long nobody must have asked before memory is given back.
// It is longer than events wait to be written.
const restInterval = 2 * time.Second

// restTimes is how often memory is given back once requests have ceased: keys
// are still being made ahead for a while.
const restTimes = 8

// rest gives memory back to the system whenever requests have ceased.
func (h *restful) rest(ctx context.Context) {
	tick := time.NewTicker(restInterval)
	defer tick.Stop()
	seen, left := h.requests.Load(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch now := h.requests.Load(); {
		case now != seen:
			seen, left = now, restTimes
		case left > 0:
			left--
			debug.FreeOSMemory()
		}
	}
}
