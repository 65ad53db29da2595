// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/mockkms"
)

// filledStore makes a store file of several pages and returns its bytes.
func filledStore(t *testing.T, path string) []byte {
	t.Helper()
	store := must(mockkms.OpenStore(path))
	must(0, store.Update(func(tx mockkms.Tx) error {
		for i := range 200 {
			if err := tx.Put(fmt.Sprintf("record/%04d", i), []byte(strings.Repeat("x", 100))); err != nil {
				return err
			}
		}
		return nil
	}))
	must(0, store.Close())
	return must(os.ReadFile(path))
}

// readAll opens a store and reads all of it.
func readAll(path string) error {
	store, err := mockkms.OpenStore(path)
	if err != nil {
		return err
	}
	defer store.Close()
	_, err = contents(store, "")
	return err
}

func TestTruncatedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	whole := filledStore(t, path)
	for n := 1; n < len(whole); n += 1 + n/3 {
		must(0, os.WriteFile(path, whole[:n], 0o600))
		err := readAll(path)
		damaged, foreign := new(mockkms.StoreDamagedError), new(mockkms.NotStoreError)
		switch {
		case n < 4096 && (errors.As(err, &foreign) || errors.As(err, &damaged)):
		case n >= 4096 && errors.As(err, &damaged) && damaged.Path == path:
		case err == nil && n > len(whole)/2: // free pages at the end
		default:
			t.Errorf("%d of %d bytes: got %v", n, len(whole), err)
		}
	}
}

// Changed bytes may go unnoticed, for bbolt has no checksums but on its first
// pages; but they must not bring the process down.
func TestFlippedBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	whole := filledStore(t, path)
	for at := 0; at < len(whole); at += 397 {
		changed := append([]byte(nil), whole...)
		changed[at] ^= 0xff
		must(0, os.WriteFile(path, changed, 0o600))
		err := readAll(path)
		damaged, foreign := new(mockkms.StoreDamagedError), new(mockkms.NotStoreError)
		if err != nil && !errors.As(err, &damaged) && !errors.As(err, &foreign) {
			t.Errorf("byte %d changed: got %v", at, err)
		}
	}
}

func TestFileCutShortWhileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	filledStore(t, path)
	store := must(mockkms.OpenStore(path))
	defer store.Close()
	err := store.View(func(tx mockkms.Tx) error {
		must(0, os.Truncate(path, 0))
		tx.Ascend("", "", func(_, _ []byte) bool { return true })
		return nil
	})
	if damaged := new(mockkms.StoreDamagedError); !errors.As(err, &damaged) {
		t.Errorf("got %v, want a StoreDamagedError", err)
	}
	put(t, store, "a", "1") // an empty file is taken for none
}

func TestFilesThatAreNoStores(t *testing.T) {
	folder := t.TempDir()
	text := filepath.Join(folder, "text")
	must(0, os.WriteFile(text, []byte(strings.Repeat("not a store\n", 1000)), 0o600))
	foreign := filepath.Join(folder, "foreign")
	must(0, mockkms.NewForeignFile(foreign))
	for _, path := range []string{text, foreign} {
		before := must(os.ReadFile(path))
		for _, err := range []error{readAll(path), mockkms.ResetStore(path)} {
			if e := new(mockkms.NotStoreError); !errors.As(err, &e) || e.Path != path {
				t.Errorf("%s: got %v, want a NotStoreError", path, err)
			}
		}
		if string(must(os.ReadFile(path))) != string(before) {
			t.Errorf("%s was changed", path)
		}
	}
}

func TestNewerFormat(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	filledStore(t, path)
	must(0, mockkms.SetFormatVersion(path, "2"))
	for _, err := range []error{readAll(path), mockkms.ResetStore(path)} {
		e := new(mockkms.StoreVersionError)
		if !errors.As(err, &e) || *e != (mockkms.StoreVersionError{Path: path, Got: 2, Want: 1}) {
			t.Errorf("got %v, want a StoreVersionError", err)
		}
	}
}

func TestBusyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	store := must(mockkms.OpenStore(path))
	defer store.Close()
	must(0, store.View(func(mockkms.Tx) error { // holds the file meanwhile
		_, err := mockkms.OpenImpatiently(path, time.Millisecond)
		if e := new(mockkms.StoreBusyError); !errors.As(err, &e) || e.Path != path {
			t.Errorf("got %v, want a StoreBusyError", err)
		}
		return nil
	}))
	must(0, must(mockkms.OpenStore(path)).Close())
}

func TestEmptyFileBecomesAStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	must(0, os.WriteFile(path, nil, 0o600))
	if err := readAll(path); err != nil {
		t.Error(err)
	}
}

func TestResetStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "state")
	if err := mockkms.ResetStore(path); err != nil {
		t.Errorf("without a file: %v", err)
	}
	store := must(mockkms.OpenStore(path))
	defer store.Close()
	put(t, store, "a", "1")
	if err := mockkms.ResetStore(path); err != nil {
		t.Errorf("in use: %v", err)
	}
	if got := must(contents(store, "")); len(got) != 0 {
		t.Errorf("after a reset: got %v", got)
	}
	put(t, store, "b", "2") // whoever uses it goes on
	must(0, store.Close())

	whole := must(os.ReadFile(path))
	must(0, os.WriteFile(path, whole[:len(whole)/2], 0o600))
	if err := mockkms.ResetStore(path); err != nil {
		t.Errorf("damaged: %v", err)
	}
	if err := readAll(path); err != nil {
		t.Errorf("after the reset of a damaged file: %v", err)
	}
}
