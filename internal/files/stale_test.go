// SPDX-License-Identifier: Apache-2.0

//go:build unix

package files

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestHiddenName is about file systems where every file has a name: what is being
// written there is left alone, and what nobody writes any more is removed.
func TestHiddenName(t *testing.T) {
	folder := t.TempDir()
	busy, name, err := openHidden(folder, secretMode)
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	stale, _, err := openHidden(folder, secretMode)
	if err != nil {
		t.Fatal(err)
	}
	stale.Close() // as the kernel does of a process that is killed
	others := []string{".keymat-notes", ".keymat-AAAAAAAAAAAAAAAAAAAAAAAAA", "key.bin", hiddenName("")}
	for _, other := range others[:3] {
		if err := os.WriteFile(filepath.Join(folder, other), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("key.bin", filepath.Join(folder, others[3])); err != nil {
		t.Fatal(err)
	}
	removeStale(folder)

	want := append(others, filepath.Base(name))
	slices.Sort(want)
	var got []string
	entries, err := os.ReadDir(folder)
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("the folder holds %q, error %v; want %q", got, err, want)
	}
}

// TestPlaceHidden places and discards files as on file systems where each has a
// name.
func TestPlaceHidden(t *testing.T) {
	for _, o := range []Overwrite{KeepExisting, ReplaceExisting} {
		folder := t.TempDir()
		discarded := new(Staged)
		var err error
		if discarded.file, discarded.temp, err = openHidden(folder, secretMode); err != nil {
			t.Fatal(err)
		}
		discarded.Discard()
		name := filepath.Join(folder, "key.bin")
		s := &Staged{name: name, o: o}
		if s.file, s.temp, err = openHidden(folder, secretMode); err != nil {
			t.Fatal(err)
		}
		if _, err := s.file.WriteString("data"); err != nil {
			t.Fatal(err)
		}
		if got, err := s.ReadBack(4); err != nil || string(got) != "data" {
			t.Errorf("read back %q, error %v", got, err)
		}
		if err := s.Place(); err != nil {
			t.Error(err)
		}
		entries, err := os.ReadDir(folder)
		if err != nil || len(entries) != 1 || entries[0].Name() != "key.bin" {
			t.Errorf("the folder holds %v, error %v", entries, err)
		}
	}
}
