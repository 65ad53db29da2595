// SPDX-License-Identifier: Apache-2.0

package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// A Journal is open for one run. Its methods may be called from several
// goroutines. Errors are the operating system's, wrapped, and last: after one
// nothing is written any more.
type Journal struct {
	path string
	lock *flock.Flock
	file *os.File

	mu      sync.Mutex
	changed sync.Cond // synced or err
	waiting []byte    // lines that nobody writes yet
	noted   int       // lines so far
	synced  int       // of them on the disk
	writing bool
	err     error
}

// Waiting says what to do while another run has the journal.
type Waiting bool

// The two answers.
const (
	Refuse Waiting = false // a *LockedError
	Wait   Waiting = true  // until it ends, or the context does
)

// Open locks the journal at path, which is made if there is none (0600), and
// makes it ready for more. A last line that was cut short is cut off, and an
// entry says so. Whether the others can be read Replay tells.
func Open(ctx context.Context, path string, w Waiting) (*Journal, error) {
	j := &Journal{path: path, lock: flock.New(path+".lock", flock.SetPermissions(0o600))}
	j.changed.L = &j.mu
	if err := j.acquire(ctx, w); err != nil {
		return nil, errors.Join(err, j.lock.Close())
	}
	if err := j.open(); err != nil {
		if j.file != nil {
			err = errors.Join(err, j.file.Close())
		}
		return nil, errors.Join(err, j.lock.Close())
	}
	return j, nil
}

// askAgain is how often the lock is tried while another run has it.
const askAgain = 200 * time.Millisecond

func (j *Journal) acquire(ctx context.Context, w Waiting) error {
	locked, err := j.lock.TryLock()
	if err == nil && !locked && w == Wait {
		locked, err = j.lock.TryLockContext(ctx, askAgain)
	}
	switch {
	case err != nil:
		return fmt.Errorf("locking the journal %s: %w", j.path, err)
	case !locked:
		return &LockedError{Path: j.path}
	}
	return nil
}

func (j *Journal) open() error {
	var err error
	if j.file, err = os.OpenFile(j.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
		return err
	}
	torn, err := read(j.path, j.file, nil)
	if err != nil {
		return err
	}
	info, err := j.file.Stat()
	if err != nil {
		return err
	}
	whole := info.Size() - int64(torn)
	if torn > 0 {
		if err := j.file.Truncate(whole); err != nil {
			return err
		}
	}
	if whole == 0 {
		if err := j.begin(); err != nil {
			return err
		}
	}
	if torn > 0 {
		return j.Append(Entry{Torn: torn})
	}
	return nil
}

// begin writes the first line, and flushes the folder with the new name.
func (j *Journal) begin() error {
	raw, err := json.Marshal(header{kind, version})
	if err == nil {
		_, err = j.file.Write(append(raw, '\n'))
	}
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(j.path))
	if err != nil {
		return err
	}
	defer folder.Close()
	_ = folder.Sync() // where that cannot be done, no more can be
	return nil
}

// Path is the file's name.
func (j *Journal) Path() string { return j.path }

// Replay is [Read] of what the journal holds so far.
func (j *Journal) Replay(each func(Entry) error) error {
	if err := j.Flush(); err != nil {
		return err
	}
	_, err := Read(j.path, each)
	return err
}

// Append adds an entry, and returns when it is on the disk. Entries of others
// that wait at that moment share the flush. At is set here.
func (j *Journal) Append(e Entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.add(e); err != nil {
		return err
	}
	return j.flush(j.noted)
}

// Note adds an entry that may be lost: the next Append or Flush brings it to
// the disk.
func (j *Journal) Note(e Entry) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.add(e)
}

// Flush brings everything to the disk that was noted.
func (j *Journal) Flush() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.flush(j.noted)
}

func (j *Journal) add(e Entry) error {
	if j.err != nil {
		return j.err
	}
	e.At = time.Now().UTC().Truncate(time.Millisecond)
	raw, err := json.Marshal(e)
	if err == nil && len(raw) >= maxLine {
		err = fmt.Errorf("an entry of %d bytes for the journal", len(raw))
	}
	if err != nil {
		return err
	}
	j.waiting = append(append(j.waiting, raw...), '\n')
	j.noted++
	return nil
}

// flush waits until so many lines are on the disk. Whoever finds nobody writing
// writes for all that wait.
func (j *Journal) flush(upTo int) error {
	for j.synced < upTo && j.err == nil {
		if j.writing {
			j.changed.Wait()
			continue
		}
		lines, noted := j.waiting, j.noted
		j.waiting, j.writing = nil, true
		j.mu.Unlock()
		_, err := j.file.Write(lines)
		if err == nil {
			err = j.file.Sync()
		}
		j.mu.Lock()
		j.writing = false
		if err != nil {
			j.err = fmt.Errorf("writing the journal %s: %w", j.path, err)
		} else {
			j.synced = noted
		}
		j.changed.Broadcast()
	}
	if j.synced >= upTo {
		return nil
	}
	return j.err
}

// Close brings everything to the disk and lets others at the journal. The file
// stays, as does the lock beside it: whoever removed that could let two runs in.
func (j *Journal) Close() error {
	return errors.Join(j.Flush(), j.file.Close(), j.lock.Close())
}
