// SPDX-License-Identifier: Apache-2.0

package files

import (
	"os"

	"golang.org/x/sys/unix"
)

// forgetCached makes reads of f pass by the memory of the system (fcntl(2),
// F_NOCACHE). A refusal leaves it as it is.
func forgetCached(f *os.File) { _, _ = unix.FcntlInt(f.Fd(), unix.F_NOCACHE, 1) }
