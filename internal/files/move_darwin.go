// SPDX-License-Identifier: Apache-2.0

package files

import (
	"errors"

	"golang.org/x/sys/unix"
)

// moveNew renames temp to name, which must not exist (renamex_np(2)).
func moveNew(temp, name string) error {
	err := unix.RenamexNp(temp, name, unix.RENAME_EXCL)
	// File systems that do not know the flag, such as NFS, know hard links.
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOTSUP) {
		return linkNew(temp, name)
	}
	return err
}
