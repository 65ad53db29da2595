// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// lowerPriority makes the calling goroutine run on a thread of its own that
// yields to everything else. The thread ends with the goroutine. Linux keeps
// priorities per thread, contrary to POSIX, which is what this needs.
func lowerPriority() {
	runtime.LockOSThread()
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, 19) // best effort
}
