// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// KMS is a mock of AWS KMS: an [http.Handler] that serves POST requests to /.
// Make one with [New]. All methods may be called concurrently.
type KMS struct {
	store        Store
	clock        func() time.Time
	log          *slog.Logger
	shared       bool                   // every import uses the same few wrapping keys
	wrappingKeys *WrappingKeys          // nil: each is used once
	singleUse    bool                   // a token serves one successful import
	rotation     time.Duration          // from RotateKeyOnDemand to its completion
	replication  time.Duration          // for which keys are Creating and Updating
	credentials  map[string]Credentials // nil: signatures are not checked
	principals   *Principals            // nil: policies are not enforced
	operations   map[string]operation

	faults     faults
	past       past
	buckets    buckets
	conditions atomic.Pointer[Conditions]
	meets      func(Flaw) // nil: nobody watches
	trail      trail
	calls      callLog
	usages     usages
	cache      keyCache
	ahead      *keysAhead // nil unless asked for
}

var _ http.Handler = (*KMS)(nil)

// New makes a KMS that keeps its state in memory, uses the time of day and
// writes no log, unless options say otherwise.
func New(options ...Option) *KMS {
	k := &KMS{
		clock:       time.Now,
		log:         slog.New(slog.DiscardHandler),
		rotation:    DefaultRotationTime,
		replication: DefaultReplicationTime,
		trail:       trail{keep: DefaultTrail},
		operations:  operations(),
	}
	k.conditions.Store(&Conditions{})
	for _, o := range options {
		o(k)
	}
	if k.store == nil {
		k.store = NewMemoryStore()
	}
	if k.ahead != nil {
		k.ahead.start(k.store, k.log)
	}
	return k
}

// Close stops making wrapping keys ahead, if that was asked for, writes down
// what GetKeyLastUsage tells, and closes the store. A KMS in memory without options need not be closed.
func (k *KMS) Close() error {
	if k.ahead != nil {
		k.ahead.stop()
	}
	k.writeTrailUnasked()
	return errors.Join(k.saveUsages(), k.store.Close())
}

// Calls returns the names of the operations served so far, refused ones
// included, in the order in which they arrived. Of very many only the last
// few thousand are kept.
func (k *KMS) Calls() []string { return k.calls.list() }

// maxCalls bounds what a long-running server remembers.
const maxCalls = 4096

type callLog struct {
	mu    sync.Mutex
	names []string
}

func (l *callLog) add(operation string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.names) == 2*maxCalls {
		l.names = l.names[:copy(l.names, l.names[maxCalls:])]
	}
	l.names = append(l.names, operation)
}

func (l *callLog) list() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.names...)
}
