// SPDX-License-Identifier: Apache-2.0

package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// openNameless makes a new file on the file system of folder that has no name
// (open(2), O_TMPFILE), so that nothing is left of it when the process ends. The
// error is an errors.ErrUnsupported where there are no such files (NFS, FAT), or
// where they could not be given a name for want of /proc.
func openNameless(folder string, mode fs.FileMode) (*os.File, error) {
	f, err := os.OpenFile(folder, unix.O_TMPFILE|os.O_RDWR, mode)
	if errors.Is(err, unix.EISDIR) || errors.Is(err, unix.EINVAL) { // kernels that do not know the flag
		return nil, errors.ErrUnsupported
	}
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(inProc(f)); err != nil {
		f.Close()
		return nil, errors.ErrUnsupported
	}
	claim(f)
	return f, nil
}

// linkNameless gives f, which has none, a name that must not exist (linkat(2)).
func linkNameless(f *os.File, name string) error {
	return unix.Linkat(unix.AT_FDCWD, inProc(f), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
}

// inProc is the way to an open file that needs no rights of its own.
func inProc(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }
