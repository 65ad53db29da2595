// SPDX-License-Identifier: Apache-2.0

//go:build !windows

package mockkms

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// relockable says that a lock may be taken again through the same open file,
// as bbolt will do with the one it is handed.
const relockable = true

// tryLock takes the exclusive lock on a file, if nobody has it.
func tryLock(f *os.File) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
		return false, nil
	}
	return err == nil, err
}

func unlock(f *os.File) { _ = unix.Flock(int(f.Fd()), unix.LOCK_UN) }
