// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/internal/experiment"
	"github.com/keymat/keymat/internal/ledger"
)

var _ experiment.Ledger = (*ledger.Ledger)(nil)

const (
	keyA = "arn:aws:kms:eu-central-1:111122223333:key/a"
	keyB = "arn:aws:kms:us-east-1:111122223333:key/b"
)

var header = ledger.Header{Run: "one", Command: "verify", Started: time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC), Region: "eu-central-1", Mock: "mock.db"}

func create(t *testing.T, folder string, h ledger.Header) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Create(folder, h)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// note writes down entries, of which none may fail.
func note(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func abandoned(t *testing.T, folder string) []*ledger.Ledger {
	t.Helper()
	found, err := ledger.Abandoned(folder)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestWhatIsLeftIsFoundLater(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "runs")
	l := create(t, folder, header)
	note(t,
		l.Making("eu-central-1"), l.Made(keyA), // left
		l.Making("us-east-1"), l.Made(keyB), l.Gone(keyB), // cleaned up
		l.Making("us-east-1"), l.NotMade("us-east-1"), // refused
		l.Making("eu-west-1"), // killed while it was made
		l.Moving(36*time.Hour), l.Moving(-12*time.Hour),
	)
	want := ledger.Left{Keys: []string{keyA}, Unknown: map[string]int{"eu-west-1": 1}, Moved: 24 * time.Hour}
	if got := l.Left(); !reflect.DeepEqual(got, want) {
		t.Errorf("left: %+v, want %+v", got, want)
	}
	if found := abandoned(t, folder); len(found) != 0 {
		t.Fatalf("the ledger of a living run was taken over: %v", found[0].Path())
	}
	note(t, l.Close())

	found := abandoned(t, folder)
	if len(found) != 1 {
		t.Fatalf("%d abandoned ledgers, want 1", len(found))
	}
	next := found[0]
	if got := next.Left(); !reflect.DeepEqual(got, want) {
		t.Errorf("found later: %+v, want %+v", got, want)
	}
	if !next.Knows(keyA) || !next.Knows(keyB) || next.Knows("arn:c") {
		t.Error("it forgot which keys were made")
	}
	if next.Header() != header {
		t.Errorf("header %+v, want %+v", next.Header(), header)
	}
	if again := abandoned(t, folder); len(again) != 0 {
		t.Error("one ledger was given out twice")
	}
	note(t, next.Gone(keyA), next.Searched("eu-west-1"), next.Moving(-24*time.Hour), next.Close())
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("when all is cleaned up these files are left: %v, %v", left, err)
	}
}

func TestNothingLeftLeavesNoFile(t *testing.T) {
	folder := t.TempDir()
	l := create(t, folder, header)
	note(t, l.Making("eu-central-1"), l.Made(keyA), l.Gone(keyA), l.Close())
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("these files are left: %v, %v", left, err)
	}
}

func TestOneRunOneLedger(t *testing.T) {
	folder := t.TempDir()
	l := create(t, folder, header)
	defer l.Close()
	if _, err := ledger.Create(folder, header); err == nil || !strings.Contains(err.Error(), "another run has the same name") {
		t.Errorf("a second ledger of the same run: %v", err)
	}
}

// TestTornLine: a process can die, and the power go, in the middle of a line.
func TestTornLine(t *testing.T) {
	for _, torn := range []string{`{"mad`, `{"made":"` + keyB + `"}`} {
		folder := t.TempDir()
		l := create(t, folder, header)
		note(t, l.Making("eu-central-1"), l.Made(keyA), l.Close())
		appendTo(t, l.Path(), torn)

		found := abandoned(t, folder)
		if len(found) != 1 || !reflect.DeepEqual(found[0].Left().Keys, []string{keyA}) {
			t.Fatalf("after %q these were found: %v", torn, found)
		}
		note(t, found[0].Gone(keyA), found[0].Making("eu-central-1"), found[0].Close()) // what is added is a line of its own
		if again := abandoned(t, folder); len(again) != 1 || again[0].Left().Unknown["eu-central-1"] != 1 {
			t.Errorf("after %q and more lines these were found: %v", torn, again)
		}
	}
}

func TestNoLedger(t *testing.T) {
	for _, test := range []struct {
		content string
		line    int
		want    string
	}{
		{`{"kind":"keymat/params","version":1}` + "\n", 1, `it is "keymat/params" version 1, not "keymat/ledger" version 1`},
		{`{"kind":"keymat/ledger","version":2}` + "\n", 1, `it is "keymat/ledger" version 2, not "keymat/ledger" version 1`},
		{`{"kind":"keymat/ledger","version":1}` + "\n{\"lost\":1}\n", 2, `unknown field`},
	} {
		folder := t.TempDir()
		name := filepath.Join(folder, "x.jsonl")
		appendTo(t, name, test.content)
		found, err := ledger.Abandoned(folder)
		damaged, ok := errors.AsType[*ledger.DamagedError](err)
		if len(found) != 0 || !ok || damaged.Line != test.line || damaged.Path != name || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, %v; want line %d, %q", test.content, found, err, test.line, test.want)
		}
	}
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
