// SPDX-License-Identifier: Apache-2.0

package lockdown

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

func enter() Report {
	return Report{
		CoreFiles: reason(unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})),
		Tracing:   reason(unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)), // prctl(2)
		Swap:      reason(lock()),
	}
}

// lock locks pages as they come to be used (mlockall(2), MCL_ONFAULT). The kernel
// counts all that Go reserves, of which it uses little, against the limit. Where
// there is one, memory that is asked for later could be refused, and end the
// process in the middle of a ceremony: then nothing is locked.
func lock() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		return err
	}
	if limit.Cur != unix.RLIM_INFINITY && os.Geteuid() != 0 {
		return fmt.Errorf("the limit of locked memory is %d bytes, and not unlimited", limit.Cur)
	}
	return unix.Mlockall(unix.MCL_CURRENT | unix.MCL_FUTURE | unix.MCL_ONFAULT)
}

// reason is why something could not be done, "" if it was.
func reason(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}
