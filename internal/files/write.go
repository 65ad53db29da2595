// SPDX-License-Identifier: Apache-2.0

// Package files reads and writes the files that pass between people and
// machines: bounded reads, and writes that appear whole or not at all.
package files

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Permissions of the two writers, before the umask. Windows has no such bits:
// there the access list of the folder decides.
const (
	secretMode fs.FileMode = 0o600
	publicMode fs.FileMode = 0o644
)

// Overwrite says what to do when the file to write is there already.
type Overwrite bool

// The two answers; the zero value is the careful one.
const (
	KeepExisting    Overwrite = false // an existing file is an *ExistsError
	ReplaceExisting Overwrite = true  // an existing regular file is replaced in one step
)

// WriteSecret writes data to the file name, readable by its owner only (0600).
// The file appears whole or not at all, and has survived a power loss once
// WriteSecret returns nil; after an error nothing of data is left on disk under
// a name of ours, except that a replaced file may already be the new one when
// only the last flush of its folder failed.
//
// A symbolic link is never followed: it counts as an existing file, and
// replacing it replaces the link. Errors: *ExistsError, *NotFileError, or the
// operating system's, wrapped.
func WriteSecret(name string, data []byte, o Overwrite) error {
	return write(name, data, secretMode, o)
}

// WritePublic is WriteSecret for data anybody may read (0644).
func WritePublic(name string, data []byte, o Overwrite) error {
	return write(name, data, publicMode, o)
}

// Check reports, without touching anything, whether WriteSecret and WritePublic
// would refuse name: so a command can find out before it does what it cannot
// undo. It returns *ExistsError, *NotFileError, or why the folder cannot be
// written to as far as that can be seen from outside. A nil answer is no
// promise: the writers decide again, atomically.
func Check(name string, o Overwrite) error {
	switch info, err := os.Lstat(name); {
	case errors.Is(err, fs.ErrNotExist):
		return checkFolder(name)
	case err != nil:
		return wrap("writing", name, err)
	case o == KeepExisting:
		return &ExistsError{Name: name}
	case !replaceable(info.Mode()):
		return &NotFileError{Name: name, Mode: info.Mode()}
	}
	return nil
}

// checkFolder reports that the folder of name is missing or is no folder.
func checkFolder(name string) error {
	folder := filepath.Dir(name)
	info, err := os.Stat(folder)
	if err != nil {
		return wrap("writing", name, fmt.Errorf("folder %s: %w", folder, cause(err)))
	}
	if !info.IsDir() {
		return wrap("writing", name, fmt.Errorf("%s is not a folder", folder))
	}
	return nil
}

// replaceable says which existing files a rename may take the place of: not
// folders, and above all not devices, or root's "--force --out /dev/null"
// would turn the machine's bit bucket into a key file.
func replaceable(mode fs.FileMode) bool {
	return mode.IsRegular() || mode.Type() == fs.ModeSymlink
}

// WritePublicFrom is WritePublic for data too large to hold: fill writes it.
// When fill fails, nothing is left, and its error is wrapped.
func WritePublicFrom(name string, fill func(io.Writer) error, o Overwrite) error {
	return writeFrom(name, fill, publicMode, o)
}

func write(name string, data []byte, mode fs.FileMode, o Overwrite) error {
	return writeFrom(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}, mode, o)
}

func writeFrom(name string, fill func(io.Writer) error, mode fs.FileMode, o Overwrite) error {
	if err := Check(name, o); err != nil {
		return err
	}
	temp, err := writeTemp(name, fill, mode)
	if err != nil {
		return wrap("writing", name, err)
	}
	if err := place(temp, name, o); err != nil {
		os.Remove(temp)
		if errors.Is(err, fs.ErrExist) {
			return &ExistsError{Name: name}
		}
		return wrap("writing", name, err)
	}
	if err := syncFolder(filepath.Dir(name)); err != nil {
		if o == KeepExisting {
			os.Remove(name)
		}
		return wrap("writing", name, err)
	}
	return nil
}

// place gives the finished file its name. Both ways are one step for anybody
// who looks; moveNew also fails if the name has been taken since Check.
func place(temp, name string, o Overwrite) error {
	if o == ReplaceExisting {
		return os.Rename(temp, name)
	}
	return moveNew(temp, name)
}

// writeTemp writes what fill gives durably to a new file beside name (a rename must not
// cross file systems) and returns its name. It is hidden, and its random part
// makes a collision, or a link planted by somebody else, a matter of O_EXCL.
func writeTemp(name string, fill func(io.Writer) error, mode fs.FileMode) (temp string, err error) {
	temp = filepath.Join(filepath.Dir(name), ".keymat-"+rand.Text())
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return "", err
	}
	if err = fill(f); err == nil {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		os.Remove(temp)
		return "", err
	}
	return temp, nil
}

// MakeFolder makes a folder for secrets, which only its owner may enter (0700),
// if there is none of that name, and it survives a power loss once MakeFolder
// returns nil. What is there already keeps its permissions. An error is the
// operating system's, wrapped, or says that something else has the name.
func MakeFolder(name string) error {
	switch info, err := os.Stat(name); {
	case err == nil && !info.IsDir():
		return wrap("making", name, errors.New("there is something that is no folder"))
	case err == nil:
		return nil
	}
	if err := os.Mkdir(name, 0o700); err != nil {
		return wrap("making", name, err)
	}
	if err := syncFolder(filepath.Dir(name)); err != nil {
		return wrap("making", name, err)
	}
	return nil
}
