// SPDX-License-Identifier: Apache-2.0

package files

import (
	"os"

	"golang.org/x/sys/unix"
)

// forgetCached drops the pages of f that are on disk already, which all are
// after fsync (posix_fadvise(2)). A refusal leaves them where they are.
func forgetCached(f *os.File) { _ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED) }
