// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/record"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/material"
)

// TestExplainOffline: an error that somebody can do something about says what, and scripts get to know its kind.
func TestExplainOffline(t *testing.T) {
	for _, tt := range []struct {
		err  error
		hint string // a part of it
		exit int
	}{
		{&plan.FormatError{}, "keymat-offline ceremony plan lint", cli.ExitFailed},
		{&plan.SketchError{}, "keymat-offline ceremony plan init --help", cli.ExitFailed},
		{&otherKeyError{}, "sign with the key in the plan", cli.ExitFailed},
		{&noAgentError{}, "ssh-add", cli.ExitFailed},
		{&record.BusyError{}, "wait for the other", cli.ExitFailed},
		{transcript.ErrClosed, "another record", cli.ExitFailed},
		{&transcript.SecretError{}, "by its number", cli.ExitFailed},
		{&transcript.DivergedError{}, "keep both", cli.ExitFailed},
		{&transcript.MediumError{}, "run it again", cli.ExitFailed},
		{&gateError{}, "has to be there", cli.ExitFailed},
		{&material.UnsupportedSpecError{Spec: "SM2"}, "SYMMETRIC_DEFAULT", cli.ExitFailed},
		{&files.ExistsError{Name: "out"}, "--force", cli.ExitFailed},
		{&term.NoTerminalError{What: "x"}, "--yes", cli.ExitFailed},
		{&cli.UsageError{Err: errors.New("unknown flag"), Unparsed: true}, "keymat-offline help", cli.ExitUsage},
		{cli.Usagef("wrong"), "", cli.ExitUsage},
		{errPlanFaulty, "", cli.ExitNo},
		{&cli.InterruptedError{Err: errPlanFaulty}, "", cli.ExitInterrupted},
		{term.ErrInterrupted, "", cli.ExitInterrupted},
		{errors.New("what nobody knows"), "", cli.ExitFailed},
	} {
		got := explainOffline(fmt.Errorf("doing something: %w", tt.err))
		if hints := strings.Join(got.Hints, "\n"); got.Exit != tt.exit || !strings.Contains(hints, tt.hint) || (hints == "") != (tt.hint == "") {
			t.Errorf("%T: got %+v, want %q and exit code %d", tt.err, got, tt.hint, tt.exit)
		}
	}
}
