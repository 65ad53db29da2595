// SPDX-License-Identifier: Apache-2.0

// Package record keeps the records of a ceremony in files: the same ones in each
// of several folders, on different media. Of the records, which follow each other,
// only the latest can be added to.
package record

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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

	Created []string // folders that lacked a record, and got a copy

	files []*os.File
	locks []*flock.Flock
}

// A BusyError says that another process adds to the record in a folder.
type BusyError struct{ Folder string }

func (e *BusyError) Error() string {
	return fmt.Sprintf("another process writes the record in %s", e.Folder)
}

// An OpenError says that a record is followed by another, and is not closed.
type OpenError struct{ Name string }

func (e *OpenError) Error() string {
	return e.Name + " is not closed, but another record comes after it"
}

// A MissingError says that a folder has no record of a name.
type MissingError struct{ Name, Folder string }

func (e *MissingError) Error() string { return fmt.Sprintf("there is no %s in %s", e.Name, e.Folder) }

// Is makes a MissingError an fs.ErrNotExist.
func (e *MissingError) Is(target error) bool { return target == fs.ErrNotExist }

// A FolderError says in which folder something happened to a record.
type FolderError struct {
	Folder string
	Err    error
}

func (e *FolderError) Error() string { return e.Folder + ": " + e.Err.Error() }
func (e *FolderError) Unwrap() error { return e.Err }

// Begin makes a record in folders that have none of its number, which is
// o.Part.Number and one. Its first line comes into being with the file. Records
// before it are brought to folders that lack them. Errors: [*files.ExistsError],
// [*BusyError], [*OpenError], those of [transcript.Begin] and [Open], or the operating system's,
// wrapped.
func Begin(folders []string, now func() time.Time, o transcript.Opened, c transcript.Context) (*Record, error) {
	name := FileName(o.Part.Number + 1)
	for _, folder := range folders {
		if err := files.Check(filepath.Join(folder, name), files.KeepExisting); err != nil {
			return nil, err
		}
	}
	return open(folders, func(r *Record) error {
		if err := r.earlier(folders, o.Part.Number); err != nil {
			return err
		}
		var first memory
		if _, err := transcript.Begin([]transcript.Medium{&first}, now, o, c); err != nil {
			return err
		}
		for _, folder := range folders {
			if err := files.WritePublic(filepath.Join(folder, name), first.Bytes(), files.KeepExisting); err != nil {
				return err
			}
		}
		return r.resume(folders, name, now)
	})
}

// memory is where the first line is made.
type memory struct{ bytes.Buffer }

// Sync has nothing to do.
func (*memory) Sync() error { return nil }

// Open goes on with the latest record. A folder that lacks it, or one before it,
// gets a copy of what another has. Errors: [*MissingError], [*BusyError], those of
// [transcript.Resume], within a [*FolderError] where one folder is at fault, or the
// operating system's, wrapped.
func Open(folders []string, now func() time.Time) (*Record, error) {
	return open(folders, func(r *Record) error {
		n := Latest(folders...)
		if n == 0 {
			return &MissingError{File, folders[0]}
		}
		if err := r.earlier(folders, n-1); err != nil {
			return err
		}
		return r.resume(folders, FileName(n), now)
	})
}

// Latest is the number of the latest record: how many at least one of the folders
// has, up to the first that none has.
func Latest(folders ...string) (n int) {
	for {
		there := slices.ContainsFunc(folders, func(folder string) bool {
			_, err := os.Lstat(filepath.Join(folder, FileName(n+1)))
			return err == nil
		})
		if !there {
			return n
		}
		n++
	}
}

// earlier brings as many records to all folders. Nothing is added to them but
// what another folder has.
func (r *Record) earlier(folders []string, n int) error {
	for i := range n {
		name := FileName(i + 1)
		if err := r.resume(folders, name, nil); err != nil {
			return err
		}
		if err := r.closeFiles(); err != nil {
			return err
		}
	}
	return nil
}

// resume opens the record of a name in all folders. now is nil for one that is
// closed.
func (r *Record) resume(folders []string, name string, now func() time.Time) error {
	contents := make([][]byte, len(folders))
	var lacking []string
	for i, folder := range folders {
		content, err := files.ReadLimited(filepath.Join(folder, name), nil, transcript.MaxFile)
		if errors.Is(err, fs.ErrNotExist) {
			lacking = append(lacking, folder)
		} else if err != nil {
			return err
		}
		contents[i] = content
	}
	longest := slices.MaxFunc(contents, func(a, b []byte) int { return cmp.Compare(len(a), len(b)) })
	switch {
	case len(lacking) == len(folders):
		return &MissingError{name, folders[0]}
	case now == nil && !transcript.Verify(longest).Closed:
		return &OpenError{name}
	}
	for _, folder := range lacking {
		if err := files.WritePublic(filepath.Join(folder, name), nil, files.KeepExisting); err != nil {
			return err
		}
		if !slices.Contains(r.Created, folder) {
			r.Created = append(r.Created, folder)
		}
	}
	media, err := r.media(folders, name)
	if err != nil {
		return err
	}
	r.Recorder, err = transcript.Resume(media, contents, now)
	return inFolder(folders, err)
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

func (r *Record) media(folders []string, name string) ([]transcript.Medium, error) {
	var media []transcript.Medium
	for _, folder := range folders {
		f, err := os.OpenFile(filepath.Join(folder, name), os.O_WRONLY|os.O_APPEND, 0)
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
	errs := []error{r.closeFiles()}
	for _, lock := range r.locks {
		if current(lock) {
			errs = append(errs, os.Remove(lock.Path()))
		}
		errs = append(errs, lock.Close())
	}
	r.locks = nil
	return errors.Join(errs...)
}

func (r *Record) closeFiles() error {
	var errs []error
	for _, f := range r.files {
		errs = append(errs, f.Close())
	}
	r.files = nil
	return errors.Join(errs...)
}

// inFolder puts a folder in place of the number of a medium.
func inFolder(folders []string, err error) error {
	if e, ok := errors.AsType[*transcript.MediumError](err); ok {
		return &FolderError{folders[e.Medium], e}
	}
	if e, ok := errors.AsType[*transcript.DivergedError](err); ok {
		return &FolderError{folders[e.Medium], e}
	}
	return err
}
