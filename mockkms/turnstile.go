// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// errTimeout means that a lock was not to be had in time.
var errTimeout = errors.New("timed out waiting for a lock")

// A turnstile is an empty file whose lock is held by the one process that is
// waiting to open the store. It is never removed: a lock on a removed file
// would no longer keep anybody out.
type turnstile struct {
	path string
	file *os.File
}

// enter takes the lock, waiting until the deadline. The first time it makes
// the file, and the folder for it.
func (t *turnstile) enter(deadline time.Time) error {
	if t.file == nil {
		if err := os.MkdirAll(filepath.Dir(t.path), 0o700); err != nil {
			return fmt.Errorf("creating the state folder: %w", err)
		}
		file, err := os.OpenFile(t.path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return fmt.Errorf("opening the lock of the state file: %w", err)
		}
		t.file = file
	}
	return lockUntil(t.file, deadline)
}

func (t *turnstile) leave() { unlock(t.file) }

// occupied reports whether some other process is inside.
func (t *turnstile) occupied() bool {
	locked, err := tryLock(t.file)
	if locked {
		unlock(t.file)
	}
	return err == nil && !locked
}

func (t *turnstile) close() error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}

// lockUntil takes the exclusive lock on a file, trying until the deadline.
func lockUntil(file *os.File, deadline time.Time) error {
	for {
		locked, err := tryLock(file)
		switch {
		case err != nil:
			return fmt.Errorf("locking %s: %w", file.Name(), err)
		case locked:
			return nil
		case time.Now().After(deadline):
			return errTimeout
		}
		time.Sleep(lockInterval)
	}
}
