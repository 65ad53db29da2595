// SPDX-License-Identifier: Apache-2.0

package console

import "golang.org/x/sys/unix"

// inMemory reports whether a folder is in memory rather than on a disk, and
// whether that is known.
func inMemory(folder string) (yes, known bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return false, false
	}
	kind := uint32(s.Type) // its type differs between architectures
	return kind == unix.TMPFS_MAGIC || kind == unix.RAMFS_MAGIC, true
}
