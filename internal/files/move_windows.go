// SPDX-License-Identifier: Apache-2.0

package files

import (
	"os"

	"golang.org/x/sys/windows"
)

// releaseToMove closes f, for Windows renames no open file.
func releaseToMove(f *os.File) error { return f.Close() }

// moveNew renames temp to name, which must not exist, and returns when the
// change is on disk.
func moveNew(temp, name string) error {
	from, err := windows.UTF16PtrFromString(temp)
	if err != nil {
		return err
	}
	to, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	return windows.MoveFileEx(from, to, windows.MOVEFILE_WRITE_THROUGH)
}

// syncFolder has nothing to do: Windows cannot flush a folder, and NTFS keeps a
// journal of its names.
func syncFolder(string) error { return nil }
