// SPDX-License-Identifier: Apache-2.0

// Package files reads and writes the files that pass between people and
// machines: bounded reads, and writes that appear whole or not at all.
package files

import (
	"bytes"
	"crypto/sha256"
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
// The file is read back from its medium before it appears, whole or not at all,
// and has survived a power loss once WriteSecret returns nil; after an error
// nothing of data is left on disk under a name of ours, and what was to be
// replaced is still there, except with an *UnflushedError.
//
// A symbolic link is never followed: it counts as an existing file, and
// replacing it replaces the link. Other errors: *ExistsError, *NotFileError,
// *ChangedError, or the operating system's, wrapped.
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

func write(name string, data []byte, mode fs.FileMode, o Overwrite) error {
	s, err := stage(name, data, mode, o)
	if err != nil {
		return err
	}
	defer s.Discard()
	kept, err := s.ReadBack(int64(len(data)) + 1)
	defer clear(kept)
	if err != nil {
		return err
	}
	if !bytes.Equal(kept, data) {
		return &ChangedError{Name: name}
	}
	return s.Place()
}

// WritePublicFrom is WritePublic for data too large to hold: fill writes it.
// When fill fails, nothing is left, and its error is wrapped.
func WritePublicFrom(name string, fill func(io.Writer) error, o Overwrite) error {
	written := sha256.New()
	s, err := stageFrom(name, func(w io.Writer) error { return fill(io.MultiWriter(w, written)) }, publicMode, o)
	if err != nil {
		return err
	}
	defer s.Discard()
	kept := sha256.New()
	err = s.fromMedium(func(f *os.File) error {
		_, err := io.Copy(kept, f)
		return err
	})
	if err != nil {
		return err
	}
	if !bytes.Equal(kept.Sum(nil), written.Sum(nil)) {
		return &ChangedError{Name: name}
	}
	return s.Place()
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
