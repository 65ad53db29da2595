// SPDX-License-Identifier: Apache-2.0

package hsmcmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/hsmcmd"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/term"
)

// said is what a run said, and how it ended.
type said struct {
	stdout, stderr string
	status         int
}

// run runs keymat-hsm where no library can be loaded, for the given reason.
func run(reason error, args ...string) said {
	var stdout, stderr bytes.Buffer
	status := hsmcmd.Run(context.Background(), cli.Env{
		Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		Getenv:   func(string) string { return "" },
		Prompter: term.Refuse{},
	}, func(string) (hsmcmd.Library, error) { return nil, reason }, args)
	return said{stdout.String(), stderr.String(), status}
}

func TestUsage(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"frob", `unknown command "frob" for "keymat-hsm"`},
		{"list", "missing --module"},
		{"delete --module m", "label is missing"},
		{"generate --module m --spec SM2 --label x", "KMS imports SM2 keys in the China Regions only"},
		{"generate --module m --spec HMAC_256 --label x --public-out p", "--public-out: HMAC_256 material has no public key"},
		{"generate --module m --spec HMAC_256 --label=", "--label: a key without a name could not be found again"},
		{"list --module m --pin 1234", "unknown flag: --pin"},
	} {
		got := run(nil, strings.Fields(tt.args)...)
		if got.status != 2 || !strings.Contains(got.stderr, tt.want) || got.stdout != "" {
			t.Errorf("%s: got %+v, want %q", tt.args, got, tt.want)
		}
	}
}

// TestFailure: the error and what to do about it, for people and for programs.
func TestFailure(t *testing.T) {
	got := run(fs.ErrNotExist, "info", "--module", "m")
	want := `keymat-hsm: error: file does not exist
keymat-hsm: hint: look for the file; the library of SoftHSM is /usr/lib/softhsm/libsofthsm2.so on Debian
`
	if got.status != 1 || got.stderr != want || got.stdout != "" {
		t.Errorf("got %+v, want %q", got, want)
	}
	got = run(&hsm.LoadError{File: "m"}, "info", "--module", "m", "--json")
	var failure struct {
		Error string
		Hints []string
		Exit  int `json:"exit_code"`
	}
	if err := json.Unmarshal([]byte(got.stdout), &failure); err != nil || failure.Exit != 1 || len(failure.Hints) != 1 ||
		failure.Error != "m cannot be loaded as a PKCS #11 library" {
		t.Errorf("got %+v (%v)", got, err)
	}
}

func TestInterrupted(t *testing.T) {
	if got := run(errors.Join(term.ErrInterrupted), "list", "--module", "m"); got.status != 130 {
		t.Errorf("got %+v", got)
	}
}

func TestHelpNeedsNoToken(t *testing.T) {
	for _, args := range [][]string{nil, {"help"}, {"version"}, {"wrap", "--help"}} {
		if got := run(errors.New("never"), args...); got.status != 0 || got.stdout == "" {
			t.Errorf("%v: got %+v", args, got)
		}
	}
}
