// SPDX-License-Identifier: Apache-2.0

//go:build unix

package files

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// releaseToMove has nothing to do: an open file can be renamed, and is claimed as
// long as it is open.
func releaseToMove(*os.File) error { return nil }

// linkNew gives temp the further name name, which must not exist, and takes its
// first name away. A crash in between leaves a whole file with two names.
func linkNew(temp, name string) error {
	if err := os.Link(temp, name); err != nil {
		return err
	}
	return os.Remove(temp)
}

// syncFolder flushes a folder, so that a name given in it survives a power
// loss. File systems that cannot (some network ones) say EINVAL: no more can be
// done there.
func syncFolder(folder string) error {
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTSUP) {
		return err
	}
	return nil
}
