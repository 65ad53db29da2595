// SPDX-License-Identifier: Apache-2.0

package record_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/record"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/files"
)

func now() time.Time { return time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC) }

func begin(t *testing.T, folders ...string) *record.Record {
	t.Helper()
	r, err := record.Begin(folders, now, transcript.Opened{Ceremony: "test"}, transcript.Context{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// contents reads the record in each folder.
func contents(t *testing.T, folders ...string) (all [][]byte) {
	t.Helper()
	for _, folder := range folders {
		content, err := os.ReadFile(filepath.Join(folder, record.File))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content)
	}
	return all
}

func TestRecord(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	r := begin(t, a, b)
	if err := errors.Join(r.Append(transcript.Noted{Text: "one"}, transcript.Context{}), r.Release()); err != nil {
		t.Fatal(err)
	}
	r, err := record.Open([]string{a, b}, now)
	if err != nil {
		t.Fatal(err)
	}
	if r.Opened().Ceremony != "test" || r.Resumed() || len(r.Created) > 0 {
		t.Errorf("it was opened as %+v", r)
	}
	if err := errors.Join(r.End(nil, transcript.Context{}), r.Release()); err != nil {
		t.Fatal(err)
	}
	all := contents(t, a, b)
	if v := transcript.Verify(all[0]); !bytes.Equal(all[0], all[1]) || len(v.Faults) > 0 || v.Lines != 3 {
		t.Errorf("%d lines, %v", v.Lines, v.Faults)
	}
	for _, folder := range []string{a, b} {
		if entries, err := os.ReadDir(folder); err != nil || len(entries) != 1 {
			t.Errorf("%s holds %v, %v", folder, entries, err)
		}
	}
}

func TestOneAtATime(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	r := begin(t, a)
	_, err := record.Open([]string{b, a}, now)
	if e, ok := errors.AsType[*record.BusyError](err); !ok || e.Folder != a {
		t.Errorf("got %v", err)
	}
	if err := r.Release(); err != nil {
		t.Fatal(err)
	}
	r, err = record.Open([]string{b, a}, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Created) != 1 || r.Created[0] != b {
		t.Errorf("copies were made in %v", r.Created)
	}
	if err := r.Release(); err != nil {
		t.Fatal(err)
	}
	if all := contents(t, a, b); !bytes.Equal(all[0], all[1]) {
		t.Error("the copy differs")
	}
}

func TestBeginRefuses(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	if err := begin(t, a).Release(); err != nil {
		t.Fatal(err)
	}
	_, err := record.Begin([]string{b, a}, now, transcript.Opened{}, transcript.Context{})
	if _, ok := errors.AsType[*files.ExistsError](err); !ok {
		t.Errorf("got %v", err)
	}
	if entries, err := os.ReadDir(b); err != nil || len(entries) > 0 {
		t.Errorf("something was left: %v, %v", entries, err)
	}
	if _, err := record.Open([]string{b}, now); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no record was opened: %v", err)
	}
	if _, err := record.Open([]string{filepath.Join(b, "none")}, now); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder was opened: %v", err)
	}
}

func TestDiverged(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	if err := begin(t, a).Release(); err != nil {
		t.Fatal(err)
	}
	other, err := record.Begin([]string{b}, now, transcript.Opened{Ceremony: "other"}, transcript.Context{})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Release(); err != nil {
		t.Fatal(err)
	}
	_, err = record.Open([]string{b, a}, now)
	if e, ok := errors.AsType[*record.FolderError](err); !ok || e.Folder != a {
		t.Errorf("got %v", err)
	}
}

// part is what the record after n others begins with.
func part(n int, after *record.Record) transcript.Opened {
	return transcript.Opened{Ceremony: "test", Part: transcript.Part{Number: n, Machine: transcript.OfflineMachine, After: after.Head().SHA256}}
}

// TestChain: records follow each other, and a folder that comes late gets all.
func TestChain(t *testing.T) {
	a, b, c := t.TempDir(), t.TempDir(), t.TempDir()
	first := begin(t, a)
	if _, err := record.Begin([]string{b}, now, part(1, first), transcript.Context{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a second record was begun where there is no first: %v", err)
	}
	if err := first.Release(); err != nil {
		t.Fatal(err)
	}
	_, err := record.Begin([]string{a}, now, part(1, first), transcript.Context{})
	if e, ok := errors.AsType[*record.OpenError](err); !ok || e.Name != record.File {
		t.Errorf("a second record was begun after one that is open: %v", err)
	}
	if first, err = record.Open([]string{a}, now); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(first.End(nil, transcript.Context{}), first.Release()); err != nil {
		t.Fatal(err)
	}
	second, err := record.Begin([]string{a, b}, now, part(1, first), transcript.Context{})
	if err != nil {
		t.Fatal(err)
	}
	if second.Closed() || second.Last() == first.Last() {
		t.Error("the second record is the first")
	}
	if err := second.Release(); err != nil {
		t.Fatal(err)
	}
	if second, err = record.Open([]string{b, c}, now); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(second.Append(transcript.Noted{Text: "one"}, transcript.Context{}), second.Release()); err != nil {
		t.Fatal(err)
	}
	if len(second.Created) != 1 || second.Created[0] != c || second.Opened().Part.Number != 1 {
		t.Errorf("it was opened as %+v, with copies in %v", second.Opened(), second.Created)
	}
	for _, name := range []string{"transcript.jsonl", "transcript-2.jsonl"} {
		want, err := os.ReadFile(filepath.Join(b, name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(c, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("the copy of %s is %q, want %q", name, got, want)
		}
	}
}

// TestFirstLine: there is no record without its first line, whatever breaks when.
func TestFirstLine(t *testing.T) {
	folder := t.TempDir()
	_, err := record.Begin([]string{folder}, now, transcript.Opened{Ceremony: "AGE-SECRET-KEY-1"}, transcript.Context{})
	if _, ok := errors.AsType[*transcript.SecretError](err); !ok {
		t.Errorf("error %v", err)
	}
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("something was left: %v, %v", entries, err)
	}
}
