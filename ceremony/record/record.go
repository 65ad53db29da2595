// SPDX-License-Identifier: Apache-2.0

// Package record keeps the transcript of a ceremony in files: one in each of
// several folders, on different media, which hold the same.
package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/files"
)

// File is the name of the first record of a ceremony in its folder.
const File = "transcript.jsonl"

// FileName is the name of a record, from 1: [File], "transcript-2.jsonl".
func FileName(n int) string {
	if n == 1 {
		return File
	}
	return fmt.Sprintf("transcript-%d.jsonl", n)
}

const lockFile = ".transcript.lock"

// A Record is open for adding lines, which each go to all folders and survive a
// power cut before the next one.
type Record struct {
	*transcript.Recorder

	Created []string // folders that had no copy, and got one

	files []*os.File
	locks []*flock.Flock
}

// A BusyError says that another process adds to the record in a folder.
type BusyError struct{ Folder string }

func (e *BusyError) Error() string {
	return fmt.Sprintf("another process writes the record in %s", e.Folder)
}

// A FolderError says in which folder something happened to a record.
type FolderError struct {
	Folder string
	Err    error
}

func (e *FolderError) Error() string { return e.Folder + ": " + e.Err.Error() }
func (e *FolderError) Unwrap() error { return e.Err }

// Begin makes a record in folders that have none. Errors: [*files.ExistsError],
// [*BusyError], those of [transcript.Begin], or the operating system's, wrapped.
func Begin(folders []string, now func() time.Time, o transcript.Opened, c transcript.Context) (*Record, error) {
	for _, folder := range folders {
		if err := files.Check(filepath.Join(folder, File), files.KeepExisting); err != nil {
			return nil, err
		}
	}
	return open(folders, func(r *Record) error {
		for _, folder := range folders {
			if err := create(folder); err != nil {
				return err
			}
		}
		media, err := r.media(folders)
		if err == nil {
			r.Recorder, err = transcript.Begin(media, now, o, c)
		}
		return err
	})
}

// Open goes on with a record. A folder that has no copy gets one, as long as
// another has. Errors: [*BusyError], those of [transcript.Resume], or the
// operating system's, wrapped.
func Open(folders []string, now func() time.Time) (*Record, error) {
	return open(folders, func(r *Record) error {
		contents := make([][]byte, len(folders))
		for i, folder := range folders {
			content, err := files.ReadLimited(filepath.Join(folder, File), nil, transcript.MaxFile)
			if errors.Is(err, fs.ErrNotExist) {
				r.Created = append(r.Created, folder)
			} else if err != nil {
				return err
			}
			contents[i] = content
		}
		if len(r.Created) == len(folders) {
			return fmt.Errorf("there is no %s in %s: %w", File, folders[0], fs.ErrNotExist)
		}
		for _, folder := range r.Created {
			if err := create(folder); err != nil {
				return err
			}
		}
		media, err := r.media(folders)
		if err != nil {
			return err
		}
		r.Recorder, err = transcript.Resume(media, contents, now)

		return name(folders, err)
	})
}

// open locks the folders and undoes everything if use fails.
func open(folders []string, use func(*Record) error) (*Record, error) {
	r := &Record{}
	err := r.lock(folders)
	if err == nil {
		err = use(r)
	}
	if err != nil {
		return nil, errors.Join(err, r.Release())
	}
	return r, nil
}

func create(folder string) error {
	return files.WritePublic(filepath.Join(folder, File), nil, files.KeepExisting)
}

func (r *Record) media(folders []string) ([]transcript.Medium, error) {
	var media []transcript.Medium
	for _, folder := range folders {
		f, err := os.OpenFile(filepath.Join(folder, File), os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return nil, fmt.Errorf("opening the record: %w", err)
		}
		r.files = append(r.files, f)
		media = append(media, f)
	}
	return media, nil
}

// lock takes the folders, so that no two processes add to one record.
func (r *Record) lock(folders []string) error {
	for _, folder := range folders {
		lock := flock.New(filepath.Join(folder, lockFile), flock.SetPermissions(0o600))
		locked, err := lock.TryLock()
		if err != nil {
			return fmt.Errorf("locking the record in %s: %w", folder, err)
		}
		if !locked {
			return &BusyError{folder}
		}
		r.locks = append(r.locks, lock)
		if !current(lock) {
			return &BusyError{folder}
		}
	}
	return nil
}

// current reports whether the file that was locked is still the one of its
// name: the process before may have removed it.
func current(lock *flock.Flock) bool {
	locked, err := lock.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(lock.Path())
	return err == nil && os.SameFile(locked, named)
}

// Release ends the use of a record, which may go on later.
func (r *Record) Release() error {
	var errs []error
	for _, f := range r.files {
		errs = append(errs, f.Close())
	}
	for _, lock := range r.locks {
		if current(lock) {
			errs = append(errs, os.Remove(lock.Path()))
		}
		errs = append(errs, lock.Close())
	}
	r.files, r.locks = nil, nil
	return errors.Join(errs...)
}

// name puts a folder in place of the number of a medium.
func name(folders []string, err error) error {
	if e, ok := errors.AsType[*transcript.MediumError](err); ok {
		return &FolderError{folders[e.Medium], e}
	}
	if e, ok := errors.AsType[*transcript.DivergedError](err); ok {
		return &FolderError{folders[e.Medium], e}
	}
	return err
}
