// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/console"
	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/record"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/browser"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/entry"
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
		{&browser.MissingError{}, "--browser", cli.ExitFailed},
		{&browser.PrintError{Err: errors.New("it rains")}, "another Chromium", cli.ExitFailed},
		{&evidence.NoPlanError{Folder: "/media/a"}, "keymat-offline ceremony plan init", cli.ExitFailed},
		{&evidence.NoPlanError{Folder: "/media/a", Missing: true}, "the medium is in", cli.ExitFailed},
		{&record.MissingError{}, "keymat-offline ceremony transcript begin", cli.ExitFailed},
		{&record.BusyError{}, "wait for the other", cli.ExitFailed},
		{transcript.ErrClosed, "another record", cli.ExitFailed},
		{&transcript.SecretError{}, "by its number", cli.ExitFailed},
		{&transcript.DivergedError{}, "keep both", cli.ExitFailed},
		{&transcript.MediumError{}, "run it again", cli.ExitFailed},
		{&gateError{}, "has to be there", cli.ExitFailed},
		{&console.RefusedError{Gate: plan.GateOpen}, "sheet for exceptions", cli.ExitFailed},
		{&console.KeylessError{Person: "lead"}, "a key in the plan", cli.ExitFailed},
		{entry.ErrBrokenOff, "from the first word", cli.ExitFailed},
		{&offline.AbsentError{Person: "custodian-3"}, "wait for custodian-3", cli.ExitFailed},
		{&phase.PeopleError{}, "name all who are here", cli.ExitFailed},
		{&offline.MisreadError{Share: 1, Err: errors.New("wrong")}, "once more", cli.ExitFailed},
		{&offline.OtherShareError{}, "their own share", cli.ExitFailed},
		{&offline.TokenError{}, "a new token", cli.ExitFailed},
		{&offline.SessionError{}, "in another one a quorum", cli.ExitFailed},
		{&offline.FaultyPlanError{}, "keymat-offline ceremony plan lint", cli.ExitFailed},
		{&offline.SourceError{Source: plan.FromPKCS11}, "keymat-hsm ceremony run", cli.ExitFailed},
		{&offline.WrappingKeyError{}, "wrap nothing for it", cli.ExitFailed},
		{&phase.IncidentError{}, "nothing may be tried again", cli.ExitFailed},
		{&gap.MediumError{}, "another medium", cli.ExitFailed},
		{&gap.HeardError{}, "all 32 words", cli.ExitFailed},
		{&gap.RehearsalError{}, "rehearsals apart", cli.ExitFailed},
		{&gap.OtherPlanError{}, "keymat-offline ceremony plan verify", cli.ExitFailed},
		{&gap.AlteredError{}, "keep the medium", cli.ExitFailed},
		{&offline.SameMediumError{}, "a medium of its own", cli.ExitFailed},
		{&offline.OldMediumError{}, "put in a new medium", cli.ExitFailed},
		{&offline.BundlesError{}, "one new bundle", cli.ExitFailed},
		{&offline.MissingError{}, "the right one", cli.ExitFailed},
		{&stoppedError{"a task", term.ErrInterrupted}, "", cli.ExitInterrupted},
		{unsignedBy("bundle-1.json", "fetcher-2"), "ssh-keygen -Y sign -f KEY -n keymat-bundle@v1 bundle-1.json", cli.ExitFailed},
		{unsignedBy("head-2.json", "lead"), "-n keymat-transcript@v1 head-2.json, and renames the signature to head-2.json.lead.sig", cli.ExitFailed},
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

// unsignedBy is a file that one person has not signed, and another has.
func unsignedBy(name, person string) error {
	return &offline.SignatureError{Name: name, Approvals: []plan.Approval{{Person: "witness", Required: true}, {Person: person, Required: true, Problem: "has not signed"}}}
}
