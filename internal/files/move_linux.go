// SPDX-License-Identifier: Apache-2.0

package files

import (
	"errors"

	"golang.org/x/sys/unix"
)

// moveNew renames temp to name, which must not exist (renameat2(2)).
func moveNew(temp, name string) error {
	err := unix.Renameat2(unix.AT_FDCWD, temp, unix.AT_FDCWD, name, unix.RENAME_NOREPLACE)
	// File systems that do not know the flag, such as NFS, know hard links.
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return linkNew(temp, name)
	}
	return err
}
