// SPDX-License-Identifier: Apache-2.0

// Package disk keeps a register in a file, to which one process at a time adds
// lines. Each survives a power cut before the next one.
package disk

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gofrs/flock"

	"github.com/keymat/keymat/ceremony/chain"
	"github.com/keymat/keymat/ceremony/register"
	"github.com/keymat/keymat/internal/files"
)

// Read reads a register without adding to it. Errors: a [*FileError] around those
// of [register.Read], or those of reading.
func Read(name string) (*register.Register, error) {
	content, err := files.ReadLimited(name, nil, chain.MaxFile)
	if err != nil {
		return nil, err
	}
	r, err := register.Read(content)
	if err != nil {
		return nil, &FileError{name, err}
	}
	return r, nil
}

// Create makes the register of an organisation. An error is a
// [*files.ExistsError], or the operating system's, wrapped.
func Create(name, organisation string, now func() time.Time, by []string) error {
	var first memory
	if _, err := register.Begin(&first, now, organisation, by); err != nil {
		return err
	}
	return files.WritePublic(name, first.Bytes(), files.KeepExisting)
}

// memory is where the first line is made, so that it comes into being with the
// file.
type memory struct{ bytes.Buffer }

// Sync has nothing to do.
func (*memory) Sync() error { return nil }

// A File is a register that lines are added to.
type File struct {
	*register.Writer

	file *os.File
	lock *flock.Flock
}

// A BusyError says that another process adds to a register.
type BusyError struct{ Name string }

func (e *BusyError) Error() string { return "another process adds to " + e.Name }

// A FileError says which register is not what it should be.
type FileError struct {
	Name string
	Err  error
}

func (e *FileError) Error() string { return e.Name + ": " + e.Err.Error() }
func (e *FileError) Unwrap() error { return e.Err }

// Open goes on with a register. If its last line was cut off, the next one says
// so. Errors: [*BusyError], a [*FileError] around those of [register.Resume], or
// those of reading.
func Open(name string, now func() time.Time) (*File, error) {
	f := &File{lock: flock.New(name+".lock", flock.SetPermissions(0o600))}
	if err := f.open(name, now); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (f *File) open(name string, now func() time.Time) error {
	locked, err := f.lock.TryLock()
	switch {
	case err != nil:
		return fmt.Errorf("locking the register %s: %w", name, err)
	case !locked:
		return &BusyError{name}
	}
	content, err := files.ReadLimited(name, nil, chain.MaxFile)
	if err != nil {
		return err
	}
	if f.file, err = os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		return fmt.Errorf("opening the register: %w", err)
	}
	if f.Writer, err = register.Resume(f.file, content, now); err != nil {
		return &FileError{name, err}
	}
	return nil
}

// Close ends the use of the file. Its lock stays behind, empty, for the next one.
func (f *File) Close() (err error) {
	if f.file != nil {
		err = f.file.Close()
	}
	return errors.Join(err, f.lock.Close())
}
