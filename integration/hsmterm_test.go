// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package integration_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/keymat/keymat/internal/term/termtest"
	"github.com/keymat/keymat/material"
)

// TestPINOnTheTerminal: PINs are asked for without echo, the security officer's first, and a key is destroyed only if its
// name is typed.
func TestPINOnTheTerminal(t *testing.T) {
	d := newTokenDesk(t)
	d.born(material.SymmetricDefault, "--wrap-with-trusted")
	d.keymat("fetch", d.created(material.SymmetricDefault), "--algorithm", "RSAES_OAEP_SHA_1", "--out", "params.json")

	said := d.answer(0, []string{"wrap", "--label", "app", "--params", "params.json", "--out", "wrapped.json", "--trusted"},
		"PIN of the security officer of token \"ceremony\": ", soPIN, "PIN of the user of token \"ceremony\": ", userPIN)
	if !strings.Contains(said, "the wrapping key to trust: sha256:") {
		t.Errorf("the officer is not told which key it is: %s", said)
	}
	said = d.answer(1, []string{"delete", "app"}, "PIN of the user", userPIN, "Type app to go on", "yes")
	if !strings.Contains(said, "you did not agree, and nothing was changed") {
		t.Errorf("got %s", said)
	}
	d.answer(0, []string{"delete", "app"}, "PIN of the user", userPIN, "Type app to go on", "app")
	d.refuses(`the token has no key "app"`, "delete", "app", "--yes")
}

// answer runs a command on a terminal of its own, where it asks and is answered in turn, and returns its stderr.
func (d *tokenDesk) answer(status int, args []string, talk ...string) string {
	d.t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(built.hsm, append(args, "--module", softHSM)...)
	cmd.Dir, cmd.Env, cmd.Stderr = d.dir, append(environment(d.dir, ""), d.env...), &stderr
	console := termtest.Open(d.t)
	console.Start(cmd)
	for i := 0; i < len(talk); i += 2 {
		console.Expect(talk[i])
		console.Type(talk[i+1] + "\r")
	}
	_ = console.Wait() // the exit code tells
	if got := cmd.ProcessState.ExitCode(); got != status {
		d.t.Errorf("%s: exit code %d, want %d: %s", strings.Join(args, " "), got, status, stderr.String())
	}
	if screen := console.Screen(); strings.Contains(screen, soPIN) || strings.Contains(screen, userPIN) {
		d.t.Errorf("a PIN is on the screen: %q", screen)
	}
	return stderr.String()
}
