// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// formatVersion is the version of the records' layout. A program refuses
// files of a newer one, and would have to convert those of an older one.
const formatVersion = 1

// The buckets of a file.
var (
	metaBucket   = []byte("keymat/mock") // "format": the version, in decimal
	formatKey    = []byte("format")
	recordBucket = []byte("records")
)

// initialise makes a database a store without records.
func initialise(tx *bolt.Tx) error {
	for _, name := range [][]byte{metaBucket, recordBucket} {
		if err := tx.DeleteBucket(name); err != nil && !errors.Is(err, bolterrors.ErrBucketNotFound) {
			return err
		}
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return tx.Bucket(metaBucket).Put(formatKey, []byte(strconv.Itoa(formatVersion)))
}

// createBolt makes an empty store at path, replacing what is there. It
// appears whole or not at all: it is built under another name. The caller
// holds the turnstile, so nobody else is building.
func createBolt(path string) error {
	building := path + ".new"
	if err := os.Remove(building); err != nil && !errors.Is(err, os.ErrNotExist) { // of one that was killed
		return fmt.Errorf("creating the state file: %w", err)
	}
	db, err := bolt.Open(building, 0o600, nil)
	if err != nil {
		return fmt.Errorf("creating the state file: %w", err)
	}
	err = db.Update(initialise)
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("creating the state file: %w", err)
	}
	if err := os.Rename(building, path); err != nil {
		return fmt.Errorf("creating the state file: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes a rename in a folder durable, where folders can be synced.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return nil // not everywhere a folder opens
	}
	defer d.Close()
	_ = d.Sync()
	return nil
}

// openBolt opens the store at path, making it first if the file is missing or
// empty. The caller holds the turnstile.
func openBolt(path string, deadline time.Time) (db *bolt.DB, file *os.File, err error) {
	switch ours, err := isBolt(path); {
	case errors.Is(err, os.ErrNotExist):
		if err := createBolt(path); err != nil {
			return nil, nil, err
		}
	case err != nil:
		return nil, nil, fmt.Errorf("opening the state file: %w", err)
	case !ours:
		return nil, nil, &NotStoreError{path}
	}
	options := *bolt.DefaultOptions
	options.Timeout = max(time.Until(deadline), time.Millisecond)
	options.FreelistType = bolt.FreelistMapType
	options.OpenFile = func(name string, flag int, mode os.FileMode) (_ *os.File, err error) {
		if file, err = os.OpenFile(name, flag, mode); err != nil || !relockable {
			return file, err
		}
		return file, lockUntil(file, deadline) // sooner than bbolt, which looks every 50 ms
	}
	err = guarded(path, func() (err error) {
		if db, err = bolt.Open(path, 0o600, &options); err != nil {
			return boltError(path, err)
		}
		return checkBolt(db, file)
	})
	if err != nil && file != nil {
		dropFile(file)
	}
	if err != nil {
		return nil, nil, err
	}
	return db, file, nil
}

// dropFile closes a file behind bbolt's back, whose own Close could wait for
// locks that a panic left behind. Unlocking comes first, for what is mapped
// into memory keeps the lock alive.
func dropFile(file *os.File) {
	unlock(file)
	file.Close()
}

// checkBolt looks whether an open database is a store that we can use.
func checkBolt(db *bolt.DB, file *os.File) error {
	return db.View(func(tx *bolt.Tx) error {
		path := db.Path()
		if info, err := file.Stat(); err != nil {
			return err
		} else if info.Size() < tx.Size() {
			return &StoreDamagedError{path, fmt.Sprintf("cut short at %d of %d bytes", info.Size(), tx.Size())}
		}
		meta := tx.Bucket(metaBucket)
		if meta == nil {
			return &NotStoreError{path}
		}
		version, err := strconv.Atoi(string(meta.Get(formatKey)))
		switch {
		case err != nil || version < 1:
			return &StoreDamagedError{path, "no format version"}
		case version > formatVersion:
			return &StoreVersionError{path, version, formatVersion}
		case tx.Bucket(recordBucket) == nil:
			return &StoreDamagedError{path, "no records"}
		}
		return nil
	})
}

func boltError(path string, err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrTimeout), errors.Is(err, errTimeout):
		return &StoreBusyError{path}
	case errors.Is(err, os.ErrPermission), errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("opening the state file: %w", err)
	}
	return &StoreDamagedError{path, err.Error()}
}

// boltMagic stands at the same place in each of the two first pages of a
// bbolt file, after a page header of 16 bytes.
const boltMagic = 0xED0CDAED

// isBolt reports whether the file at path begins as bbolt files do. An empty
// file counts as one that does not exist: mktemp makes such.
func isBolt(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil {
		return false, err
	} else if info.Mode().IsRegular() && info.Size() == 0 {
		return false, os.ErrNotExist
	}
	for _, page := range []int64{0, int64(os.Getpagesize())} {
		var magic [4]byte
		_, err := f.ReadAt(magic[:], page+16)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		if binary.NativeEndian.Uint32(magic[:]) == boltMagic {
			return true, nil
		}
	}
	return false, nil
}
