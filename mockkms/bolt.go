// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"bytes"
	"errors"
	"os"

	bolt "go.etcd.io/bbolt"
)

// A boltStore keeps the records in one bbolt file. Concurrent updates share
// commits: who finds one under way queues up, and the next commit takes all
// that wait. An update that Update has answered is on disk.
type boltStore struct {
	file  *sharedFile
	queue updateQueue
}

// OpenStore opens the store in the file at path, which it makes first if it is
// not there. Several processes may use one file at once: each holds it only
// while it is busy. Errors: [*StoreBusyError], [*StoreDamagedError],
// [*StoreVersionError], [*NotStoreError], or that of the file system.
func OpenStore(path string) (Store, error) {
	s := &boltStore{file: newSharedFile(path)}
	if err := s.View(func(Tx) error { return nil }); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// ResetStore empties the store in the file at path, also while other
// processes use it: they go on with an empty one. A damaged file is replaced.
// A file that is none of the mock's, or of a newer version, is left alone. No
// file at all is no error.
func ResetStore(path string) error {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	f := newSharedFile(path)
	defer f.close()
	db, err := f.acquire()
	if damaged := new(StoreDamagedError); errors.As(err, &damaged) {
		return f.replace()
	}
	if err != nil {
		return err
	}
	defer f.release()
	err = f.guard(db, func() error { return db.Update(initialise) })
	if damaged := new(StoreDamagedError); errors.As(err, &damaged) {
		return f.replace()
	}
	return err
}

func (s *boltStore) View(f func(Tx) error) error {
	db, err := s.file.acquire()
	if err != nil {
		return err
	}
	defer s.file.release()
	return s.file.guard(db, func() error {
		return db.View(func(tx *bolt.Tx) error {
			defer markCallerPanic()
			return f(&boltTx{bucket: tx.Bucket(recordBucket)})
		})
	})
}

func (s *boltStore) Update(f func(Tx) error) error {
	return s.queue.do(f, s.commit)
}

func (s *boltStore) Close() error { return s.file.close() }

// commit runs a batch of updates in one transaction. One that fails after it
// wrote something spoils the transaction for the others: it is taken out, and
// the rest start again.
func (s *boltStore) commit(batch []*update) error {
	db, err := s.file.acquire()
	if err != nil {
		return err
	}
	defer s.file.release()
	for {
		var spoiler *update
		err := s.file.guard(db, func() error {
			return db.Update(func(tx *bolt.Tx) error {
				spoiler, err = runBatch(batch, tx.Bucket(recordBucket))
				return err
			})
		})
		switch {
		case errors.Is(err, errUnchanged):
			return nil
		case !errors.Is(err, errSpoilt):
			return err
		}
		spoiler.out = true
	}
}

var (
	errSpoilt    = errors.New("an update failed after it had written")
	errUnchanged = errors.New("no update wrote anything") // spares the commit
)

func runBatch(batch []*update, records *bolt.Bucket) (spoiler *update, err error) {
	err = errUnchanged
	for _, u := range batch {
		if u.out {
			continue
		}
		tx := &boltTx{bucket: records, writable: true}
		ok := u.run(tx)
		switch {
		case !ok && tx.dirty:
			return u, errSpoilt
		case tx.dirty:
			err = nil
		}
	}
	return nil, err
}

// A boltTx is a Tx within a bbolt transaction.
type boltTx struct {
	bucket   *bolt.Bucket
	writable bool
	dirty    bool // something was written
}

func (tx *boltTx) Get(key string) []byte {
	defer passFault()
	return tx.bucket.Get([]byte(key))
}

func (tx *boltTx) Put(key string, value []byte) error {
	if !tx.writable {
		return errReadOnly
	}
	defer passFault()
	tx.dirty = true
	return tx.bucket.Put([]byte(key), value)
}

func (tx *boltTx) Delete(key string) error {
	if !tx.writable {
		return errReadOnly
	}
	defer passFault()
	tx.dirty = true
	return tx.bucket.Delete([]byte(key))
}

func (tx *boltTx) Ascend(prefix, from string, visit func(key, value []byte) bool) {
	cursor := tx.bucket.Cursor()
	step := func(move func() ([]byte, []byte)) (k, v []byte) {
		defer passFault()
		return move()
	}
	below := []byte(prefix)
	k, v := step(func() ([]byte, []byte) { return cursor.Seek([]byte(max(prefix, from))) })
	for k != nil && bytes.HasPrefix(k, below) && visit(k, v) {
		k, v = step(cursor.Next)
	}
}
