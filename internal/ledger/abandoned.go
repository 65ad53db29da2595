// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// A DamagedError says that a file is no ledger, or one of a later keymat.
type DamagedError struct {
	Path string
	Line int // from 1
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s:%d: %v", e.Path, e.Line, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// Abandoned finds the ledgers of a folder whose runs have ended, and takes
// them over: nobody else is given them before they are closed. Those with
// nothing left are removed on the way. Errors: a *DamagedError for each file that
// cannot be read, joined, beside the ledgers that can; or the operating system's.
func Abandoned(folder string) ([]*Ledger, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*"+suffix))
	if err != nil {
		return nil, err
	}
	var found []*Ledger
	var errs []error
	for _, name := range names {
		l, err := takeOver(name)
		switch {
		case err != nil:
			errs = append(errs, err)
		case l == nil: // alive, or gone meanwhile
		case l.left.Nothing():
			errs = append(errs, l.Close())
		default:
			found = append(found, l)
		}
	}
	return found, errors.Join(errs...)
}

// takeOver locks and reads a ledger; it gives nil for that of a living run.
func takeOver(path string) (_ *Ledger, err error) {
	lock := flock.New(lockOf(path), flock.SetPermissions(0o600))
	if locked, err := lock.TryLock(); err != nil || !locked {
		return nil, err
	}
	l := &Ledger{path: path, lock: lock, left: Left{Unknown: map[string]int{}}, made: map[string]bool{}}
	switch err := l.open(); {
	case errors.Is(err, fs.ErrNotExist): // its run ended a moment ago
		return nil, errors.Join(os.Remove(lock.Path()), lock.Close())
	case err != nil:
		return nil, errors.Join(err, lock.Close())
	}
	return l, nil
}

// open reads what was noted and makes ready to note more.
func (l *Ledger) open() error {
	raw, err := os.ReadFile(l.path)
	if err != nil {
		return err
	}
	whole := raw[:bytes.LastIndexByte(raw, '\n')+1] // the process may have died in the middle of a line
	if err := l.read(whole); err != nil {
		return err
	}
	if l.file, err = os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		return err
	}
	return l.file.Truncate(int64(len(whole)))
}

func (l *Ledger) read(raw []byte) error {
	number := 0
	for s := bufio.NewScanner(bytes.NewReader(raw)); s.Scan(); {
		number++
		if err := l.readLine(number, s.Bytes()); err != nil {
			return &DamagedError{l.path, number, err}
		}
	}
	return nil // without any line nothing was made: the header comes first
}

func (l *Ledger) readLine(number int, raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if number > 1 {
		var n line
		err := d.Decode(&n)
		l.follow(n)
		return err
	}
	var first firstLine
	if err := d.Decode(&first); err != nil {
		return err
	}
	if first.Kind != kind || first.Version != version {
		return fmt.Errorf("it is %q version %d, not %q version %d", first.Kind, first.Version, kind, version)
	}
	l.header = first.Header
	return nil
}
