// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// relockable says that a lock may be taken again through the same open file:
// not here, so bbolt has to do its own waiting.
const relockable = false

// tryLock takes the exclusive lock on a file, if nobody has it.
func tryLock(f *os.File) (bool, error) {
	err := windows.LockFileEx(windows.Handle(f.Fd()),
		windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &windows.Overlapped{})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}

func unlock(f *os.File) {
	_ = windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, &windows.Overlapped{})
}
