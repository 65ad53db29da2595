// SPDX-License-Identifier: Apache-2.0

package journal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/keymat/keymat/fleet/journal"
)

func open(t *testing.T, path string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), path, journal.Refuse)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func note(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// entries are those of a journal, without their times.
func entries(t *testing.T, path string) (all []journal.Entry, torn int) {
	t.Helper()
	torn, err := journal.Read(path, func(e journal.Entry) error {
		if e.At.IsZero() || e.At.Location().String() != "UTC" {
			t.Errorf("an entry of %v", e.At)
		}
		all = append(all, e)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, torn
}

func TestJournalKeepsEntries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "payments.journal")
	j := open(t, path)
	note(t,
		j.Append(journal.Entry{Run: &journal.Run{Plan: "1f", Manifest: "ab", Changes: 2}}),
		j.Append(journal.Entry{Change: "app", Do: "import", Key: "arn:a"}),
		j.Note(journal.Entry{Change: "app", Do: "import", Outcome: journal.Done, Key: "arn:a", Material: "m"}),
		j.Close())
	j = open(t, path)
	note(t, j.Append(journal.Entry{Change: "web", Step: 1, Do: "rotate"}), j.Note(journal.Entry{Change: "web", Step: 1, Outcome: journal.Failed, Error: "no"}))
	n := 0
	note(t, j.Replay(func(journal.Entry) error { n++; return nil }), j.Close())
	if n != 5 {
		t.Errorf("%d entries are replayed, want 5", n)
	}
	all, torn := entries(t, path)
	want := []string{`run 1f`, `app 0 ""`, `app 0 "done"`, `web 1 ""`, `web 1 "failed"`}
	var got []string
	for _, e := range all {
		if e.Run != nil {
			got = append(got, "run "+e.Run.Plan)
			continue
		}
		got = append(got, fmt.Sprintf("%s %d %q", e.Change, e.Step, e.Outcome))
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || torn != 0 {
		t.Errorf("got %q, torn %d", got, torn)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestTorn: what was cut short is left out by readers, and cut off and recorded
// by the next run.
func TestTorn(t *testing.T) {
	for _, tail := range []string{`{"at":"20`, `{"at":"2026-01-01T00:00:00Z","change":"web","step":0}`, "\x00\x00\x00", strings.Repeat("\x00", 200_000)} {
		path := filepath.Join(t.TempDir(), "j")
		j := open(t, path)
		note(t, j.Append(journal.Entry{Change: "app"}), j.Close())
		appendTo(t, path, tail)
		if all, torn := entries(t, path); len(all) != 1 || torn != len(tail) {
			t.Errorf("%.30q: %d entries, torn %d", tail, len(all), torn)
		}
		j = open(t, path)
		note(t, j.Append(journal.Entry{Change: "web"}), j.Close())
		all, torn := entries(t, path)
		if len(all) != 3 || torn != 0 || all[1].Torn != len(tail) || all[2].Change != "web" {
			t.Errorf("%.30q: then %+v, torn %d", tail, all, torn)
		}
	}
}

// TestTornBeginning: the first process died in its first line.
func TestTornBeginning(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	appendTo(t, path, `{"kind":"key`)
	note(t, open(t, path).Close())
	if all, _ := entries(t, path); len(all) != 1 || all[0].Torn != 12 {
		t.Errorf("got %+v", all)
	}
}

func TestDamaged(t *testing.T) {
	const first = `{"kind":"keymat/fleet-journal","version":1}` + "\n"
	for _, test := range []struct {
		content string
		line    int
		want    string
	}{
		{`{"kind":"keymat/params","version":1}` + "\n", 1, `it is "keymat/params" version 1, not "keymat/fleet-journal" version 1`},
		{`{"kind":"keymat/fleet-journal","version":2}` + "\n", 1, `it is "keymat/fleet-journal" version 2`},
		{first + `{"at":"2026-01-01T00:00:00Z","change":"a","step":0,"colour":"red"}` + "\n", 2, "unknown field"},
		{first + `{"at":"2026-01-01T00:00:00Z","change":"a","step":0}` + "\n{}\n", 3, "it says neither"},
		{first + `{"at":"2026-01-01T00:00:00Z","change":"a","step":0} 1` + "\n", 2, "something follows"},
		{first + "\x00\x00\n" + `{"at":"2026-01-01T00:00:00Z","change":"a","step":0}` + "\n", 2, "invalid character"},
		{first + strings.Repeat("x", 70_000) + "\n", 2, "a line of more than 65536 bytes"},
	} {
		path := filepath.Join(t.TempDir(), "j")
		appendTo(t, path, test.content)
		j, err := journal.Open(t.Context(), path, journal.Refuse)
		if err == nil {
			err = j.Replay(func(journal.Entry) error { return nil })
			note(t, j.Close())
		}
		damaged, ok := errors.AsType[*journal.DamagedError](err)
		if !ok || damaged.Line != test.line || damaged.Path != path || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.60q: %v, want line %d, %q", test.content, err, test.line, test.want)
		}
		if raw, err := os.ReadFile(path); err != nil || string(raw) != test.content {
			t.Errorf("%.60q: the damaged file was changed", test.content)
		}
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := open(t, path)
	_, err := journal.Open(t.Context(), path, journal.Refuse)
	if locked, ok := errors.AsType[*journal.LockedError](err); !ok || locked.Path != path {
		t.Errorf("a second run: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := journal.Open(ctx, path, journal.Wait); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting in vain: %v", err)
	}
	opened := make(chan error)
	go func() {
		next, err := journal.Open(t.Context(), path, journal.Wait)
		if err == nil {
			err = next.Close()
		}
		opened <- err
	}()
	note(t, j.Close(), <-opened)
}

// TestGroupCommit: what many append at once is all there, each before its
// Append returned.
func TestGroupCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := open(t, path)
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			name := fmt.Sprintf("key%d", n)
			if err := j.Append(journal.Entry{Change: name}); err != nil {
				t.Error(err)
			}
			if raw, err := os.ReadFile(path); err != nil || !strings.Contains(string(raw), `"`+name+`"`) {
				t.Errorf("%s is not there: %v", name, err)
			}
		})
	}
	all.Wait()
	note(t, j.Close())
	if got, _ := entries(t, path); len(got) != 100 {
		t.Errorf("%d entries", len(got))
	}
}

// TestSize: 100,000 keys fit in 100 MB.
func TestSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := open(t, path)
	const keys = 1000
	for n := range keys {
		e := journal.Entry{Change: fmt.Sprintf("payments-production-%06d", n), Do: "import", Key: "arn:aws:kms:eu-central-1:111122223333:key/mrk-1234567890abcdef1234567890abcdef"}
		note(t, j.Note(e))
		e.Outcome, e.Material = journal.Done, strings.Repeat("f", 64)
		note(t, j.Note(e))
	}
	note(t, j.Close())
	info, err := os.Stat(path)
	if err != nil || info.Size()*100 > 100<<20 {
		t.Errorf("%d bytes for %d keys, %v", info.Size(), keys, err)
	}
	t.Logf("%d bytes a key", info.Size()/keys)
}

func appendTo(t *testing.T, name, content string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(content)
	note(t, err, f.Close())
}
