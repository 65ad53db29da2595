// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/ledger"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/mockkms"
)

// abandonedRun leaves a ledger behind, as a killed run does, and gives the
// environment of the next one.
func abandonedRun(t *testing.T, h ledger.Header, note func(*ledger.Ledger) error) (Env, *bytes.Buffer) {
	t.Helper()
	state := t.TempDir()
	h.Run, h.Command, h.Region, h.Started = "run", "verify", "eu-central-1", time.Date(2026, 9, 1, 12, 0, 0, 0, time.UTC)
	l, err := ledger.Create(filepath.Join(state, "keymat", "runs"), h)
	if err == nil {
		err = errors.Join(note(l), l.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "mock", "AWS_SECRET_ACCESS_KEY": "mock", "HOME": state} {
		t.Setenv(name, value)
	}
	var said bytes.Buffer
	return Env{
		Stdin: strings.NewReader(""), Stdout: &said, Stderr: &said, Prompter: term.Refuse{},
		Getenv: func(name string) string { return map[string]string{"XDG_STATE_HOME": state}[name] },
	}, &said
}

// TestCleanUpSetsTheClockBack by as much as the killed run had moved it.
func TestCleanUpSetsTheClockBack(t *testing.T) {
	mock := mockkms.New()
	server := httptest.NewServer(mock.Server())
	t.Cleanup(server.Close)
	if _, err := mock.MoveClock(mockkms.ClockMove{Advance: 30 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	env, said := abandonedRun(t, ledger.Header{Endpoint: server.URL}, func(l *ledger.Ledger) error { return l.Moving(24 * time.Hour) })
	if status := Run(t.Context(), env, []string{"verify", "--clean-up", "--yes"}); status != cli.ExitDone {
		t.Errorf("exit code %d\n%s", status, said)
	}
	if !strings.Contains(said.String(), "left the clock moved by 24h0m0s at "+server.URL) {
		t.Errorf("it said:\n%s", said)
	}
	clock, err := mock.Clock()
	if err != nil || clock.Offset.Round(time.Minute) != 6*time.Hour {
		t.Errorf("the clock is %s ahead, want 6h: %v", clock.Offset, err)
	}
	said.Reset()
	if status := Run(t.Context(), env, []string{"verify", "--clean-up"}); status != cli.ExitDone || !strings.Contains(said.String(), "nothing to clean up") {
		t.Errorf("a second time: exit code %d\n%s", status, said)
	}
}

// TestCleanUpGoesNowhereElse: keys at AWS are not looked for in the KMS that
// the environment leads to by now, which would not know them.
func TestCleanUpGoesNowhereElse(t *testing.T) {
	env, said := abandonedRun(t, ledger.Header{}, func(l *ledger.Ledger) error { return l.Made(testKey) })
	state := env.Getenv("XDG_STATE_HOME")
	env.Getenv = func(name string) string {
		return map[string]string{"XDG_STATE_HOME": state, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}[name]
	}
	if status := Run(t.Context(), env, []string{"verify", "--clean-up", "--yes"}); status != cli.ExitFailed {
		t.Errorf("exit code %d", status)
	}
	if !strings.Contains(said.String(), "the keys are at AWS, and the environment leads to http://127.0.0.1:1") {
		t.Errorf("it said:\n%s", said)
	}
	if found, err := ledger.Abandoned(filepath.Join(state, "keymat", "runs")); err != nil || len(found) != 1 || len(found[0].Left().Keys) != 1 {
		t.Errorf("what is left: %v, %v", found, err)
	}
}

// TestCleanUpOfAnotherAccount does not take a key for gone that its
// credentials do not see; a mock that was emptied has no other account.
func TestCleanUpOfAnotherAccount(t *testing.T) {
	for _, test := range []struct {
		name    string
		control bool
		status  int
		says    string
		left    int
	}{
		{"AWS", false, cli.ExitFailed, "there is no key " + testKey + " for these credentials", 1},
		{"mock", true, cli.ExitDone, "cleaned up after 1 run: 0 keys", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			mock := mockkms.New()
			handler := mock.Server()
			if !test.control {
				handler = mock
			}
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close)
			env, said := abandonedRun(t, ledger.Header{Endpoint: server.URL}, func(l *ledger.Ledger) error { return l.Made(testKey) })
			if status := Run(t.Context(), env, []string{"verify", "--clean-up", "--yes"}); status != test.status {
				t.Errorf("exit code %d, want %d", status, test.status)
			}
			if !strings.Contains(said.String(), test.says) {
				t.Errorf("it said:\n%s", said)
			}
			found, err := ledger.Abandoned(filepath.Join(env.Getenv("XDG_STATE_HOME"), "keymat", "runs"))
			if err != nil || len(found) != test.left {
				t.Errorf("%d ledgers are left, want %d: %v", len(found), test.left, err)
			}
		})
	}
}
