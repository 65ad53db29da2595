// SPDX-License-Identifier: Apache-2.0

// Package ledger remembers on disk what a run of experiments made in a KMS, so
// that the next one can clean up after a run that was killed.
//
// A ledger is a file of JSON lines, to which each line is added, and flushed to
// the disk, before or right after what it tells of. A lock that ends with its
// process tells a run that lives from one that does not.
package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// A Header says whose ledger it is, and how to reach the KMS it tells of.
type Header struct {
	Run      string    `json:"run"`                // the value of the tag on the keys
	Command  string    `json:"command"`            // "verify", "lab"
	Started  time.Time `json:"started"`            // UTC
	Region   string    `json:"region"`             // where most keys are made
	Profile  string    `json:"profile,omitempty"`  // of the AWS configuration; "" for the default
	Endpoint string    `json:"endpoint,omitempty"` // URL; "" for that of AWS
	Mock     string    `json:"mock,omitempty"`     // state file of the embedded mock; "" for none
}

// A Ledger is one run's. It satisfies experiment.Ledger; its methods may be
// called from several goroutines. Errors are the operating system's, wrapped.
type Ledger struct {
	header Header
	path   string
	lock   *flock.Flock

	mu   sync.Mutex
	file *os.File
	left Left
	made map[string]bool // ARNs, whatever became of them
}

// Left is what a run has not cleaned up yet.
type Left struct {
	Keys    []string       // ARNs, in the order in which they were made
	Unknown map[string]int // by Region: calls that may have made a key nobody knows of
	Moved   time.Duration  // by which the KMS's clock was moved ahead
}

// Nothing reports whether all is cleaned up.
func (l Left) Nothing() bool { return len(l.Keys) == 0 && len(l.Unknown) == 0 && l.Moved == 0 }

// clone shares nothing with l.
func (l Left) clone() Left {
	unknown := make(map[string]int, len(l.Unknown))
	for region, n := range l.Unknown {
		unknown[region] = n
	}
	return Left{slices.Clone(l.Keys), unknown, l.Moved}
}

// Create begins the ledger of a run in a folder, which is made if need be.
func Create(folder string, h Header) (*Ledger, error) {
	l := &Ledger{header: h, path: filepath.Join(folder, h.Run+suffix), left: Left{Unknown: map[string]int{}}, made: map[string]bool{}}
	if err := l.create(folder); err != nil {
		return nil, fmt.Errorf("beginning the ledger of run %s: %w", h.Run, err)
	}
	return l, nil
}

func (l *Ledger) create(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	l.lock = flock.New(lockOf(l.path), flock.SetPermissions(0o600))
	switch locked, err := l.lock.TryLock(); {
	case err != nil:
		return err
	case !locked:
		return errors.New("another run has the same name")
	}
	var err error
	if l.file, err = os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600); err == nil {
		err = l.write(firstLine{kind, version, l.header})
	}
	if err != nil {
		return errors.Join(err, l.dispose())
	}
	return nil
}

// Header says whose ledger it is.
func (l *Ledger) Header() Header { return l.header }

// Path is the file's name.
func (l *Ledger) Path() string { return l.path }

// Left is what has not been cleaned up yet.
func (l *Ledger) Left() Left {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left.clone()
}

// Knows reports whether the ledger was told of a key, whatever became of it.
func (l *Ledger) Knows(keyARN string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.made[keyARN]
}

// Making notes that a key is about to be made in a Region.
func (l *Ledger) Making(region string) error { return l.note(line{Making: region}) }

// NotMade notes that it was not, for certain.
func (l *Ledger) NotMade(region string) error { return l.note(line{NotMade: region}) }

// Made notes that it was.
func (l *Ledger) Made(keyARN string) error { return l.note(line{Made: keyARN}) }

// Gone notes that a key's deletion is scheduled, or no concern of the run's.
func (l *Ledger) Gone(keyARN string) error { return l.note(line{Gone: keyARN}) }

// Searched notes that every key of the run in a Region is known by now.
func (l *Ledger) Searched(region string) error { return l.note(line{Searched: region}) }

// Moving notes that the KMS's clock is about to be moved ahead, or back by a
// negative span.
func (l *Ledger) Moving(d time.Duration) error { return l.note(line{Moving: span(d)}) }

func (l *Ledger) note(n line) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.write(n); err != nil {
		return fmt.Errorf("writing the ledger of run %s: %w", l.header.Run, err)
	}
	l.follow(n)
	return nil
}

func (l *Ledger) write(v any) error {
	raw, err := json.Marshal(v)
	if err == nil {
		_, err = l.file.Write(append(raw, '\n'))
	}
	if err == nil {
		err = l.file.Sync()
	}
	return err
}

// Close ends the use of a ledger. It removes one that has nothing left; any
// other is found by [Abandoned] from now on.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left.Nothing() {
		return l.dispose()
	}
	return errors.Join(l.file.Close(), l.lock.Close())
}

// dispose removes the files, the lock last: who finds a lock without a ledger
// finds nothing to do.
func (l *Ledger) dispose() error {
	var errs []error
	if l.file != nil {
		errs = append(errs, l.file.Close(), os.Remove(l.path))
	}
	return errors.Join(append(errs, os.Remove(l.lock.Path()), l.lock.Close())...)
}
