// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"errors"
	"os"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Times of sharing a file between processes.
const (
	idleTime      = 20 * time.Millisecond // kept open after the last use
	yieldInterval = 5 * time.Millisecond  // how often a busy holder looks for others
	busyTimeout   = 10 * time.Second      // waited for others at most
	lockInterval  = time.Millisecond      // between tries to lock
)

// A sharedFile is a bbolt file that several processes use in turn. bbolt
// locks it for as long as it is open, so it is opened on demand and closed
// soon after. A turnstile, a second file next to it, keeps the turns fair: who
// wants to open waits in the turnstile, and a holder that is busy all the
// time sees that somebody stands there and lets go. Both locks end with their
// process, however it ends.
type sharedFile struct {
	path      string
	turnstile turnstile
	idle      *time.Timer
	patience  time.Duration // with other processes

	mu       sync.Mutex
	changed  *sync.Cond
	db       *bolt.DB // nil: not open
	file     *os.File // what db has open
	users    int      // transactions under way
	yielding bool     // no new ones, so that another process can have it
	looked   time.Time
	closed   bool
}

func newSharedFile(path string) *sharedFile {
	f := &sharedFile{path: path, turnstile: turnstile{path: path + ".lock"}, patience: busyTimeout}
	f.changed = sync.NewCond(&f.mu)
	f.idle = time.AfterFunc(time.Hour, f.rest)
	f.idle.Stop()
	return f
}

// acquire returns the open database, for use until release.
func (f *sharedFile) acquire() (*bolt.DB, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case f.closed:
			return nil, ErrStoreClosed
		case f.yielding:
			f.changed.Wait()
		case f.db == nil:
			if err := f.open(); err != nil {
				return nil, err
			}
		case f.wanted():
			f.yielding = true
			f.letGo()
		default:
			f.idle.Stop()
			f.users++
			return f.db, nil
		}
	}
}

func (f *sharedFile) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.users--; f.users > 0 {
		return
	}
	if f.yielding || f.closed {
		f.letGo()
	} else {
		f.idle.Reset(idleTime)
	}
}

// wanted reports, every now and then, whether another process waits.
func (f *sharedFile) wanted() bool {
	now := time.Now()
	if now.Sub(f.looked) < yieldInterval {
		return false
	}
	f.looked = now
	return f.turnstile.occupied()
}

// guard calls f, which uses the open database, and lets go of a damaged one.
func (f *sharedFile) guard(db *bolt.DB, use func() error) error {
	err := guarded(f.path, use)
	if damaged := new(StoreDamagedError); errors.As(err, &damaged) {
		f.abandon(db)
	}
	return err
}

// abandon lets go of a database in which bbolt found damage. Close could wait
// for locks that its panic left behind; closing the file frees it for others.
func (f *sharedFile) abandon(db *bolt.DB) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.db == db {
		dropFile(f.file)
		f.db = nil
	}
}

// letGo closes the database unless it is in use.
func (f *sharedFile) letGo() {
	if f.users > 0 {
		return
	}
	if f.db != nil {
		f.db.Close() // nothing is lost: commits are on disk
		f.db = nil
	}
	f.yielding = false
	f.changed.Broadcast()
}

// rest is called when the file was not used for a while.
func (f *sharedFile) rest() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.letGo()
}

func (f *sharedFile) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.letGo()
	for f.users > 0 {
		f.changed.Wait()
	}
	f.idle.Stop()
	return f.turnstile.close()
}

// open opens the database, making the file first if there is none. It waits
// its turn for as long as patience lasts.
func (f *sharedFile) open() error {
	deadline := time.Now().Add(f.patience)
	err := f.enter(deadline)
	if err != nil {
		return err
	}
	defer f.turnstile.leave()
	f.db, f.file, err = openBolt(f.path, deadline)
	f.looked = time.Now()
	return err
}

func (f *sharedFile) enter(deadline time.Time) error {
	err := f.turnstile.enter(deadline)
	if errors.Is(err, errTimeout) {
		return &StoreBusyError{f.path}
	}
	return err
}

// replace puts an empty store in the place of a damaged one.
func (f *sharedFile) replace() error {
	deadline := time.Now().Add(f.patience)
	if err := f.enter(deadline); err != nil {
		return err
	}
	defer f.turnstile.leave()
	return createBolt(f.path)
}
