// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/evidence/evidencetest"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// folderMutants is how many changed folders each verifier is asked about: with
// the mutations of a record that was kept by hand, a thousand.
const folderMutants = 1000 - mutations

// TestShellVerifiesCeremonies has the script look at ceremonies that we verify.
func TestShellVerifiesCeremonies(t *testing.T) {
	t.Parallel()
	tool(t, "ssh-keygen", "openssh-client")
	script := verifier(t)
	for name, replacements := range map[string][]string{"real": nil, "rehearsal": {"rehearsal: false", "rehearsal: true"}} {
		folder := t.TempDir()
		evidencetest.Whole(t, folder, replacements...)
		agree(t, script, folder, name, true)
	}
	folder := t.TempDir()
	evidencetest.Whole(t, folder, "  - id: witness\n    name: ", "  - name: W\n    id: witness\n    # ")
	agree(t, script, folder, "members of people in another order", true)

	folder = t.TempDir()
	evidencetest.Eventful(t, folder)
	agree(t, script, folder, "eventful", true)

	folder = t.TempDir()
	c := evidencetest.New(t, folder)
	c.Open(transcript.OfflineMachine)
	agree(t, script, folder, "open", true)
	c.Pass(plan.GateOpen)
	c.Make()
	c.Cut()
	agree(t, script, folder, "cut off and resumed", true)
}

// TestShellFindsMutants changes one thing at a time in the folder of a ceremony:
// whatever it is, we find it, and so does the script that works without keymat.
func TestShellFindsMutants(t *testing.T) {
	t.Parallel()
	tool(t, "ssh-keygen", "openssh-client")
	script, eventful, whole, other := verifier(t), t.TempDir(), t.TempDir(), t.TempDir()
	evidencetest.Eventful(t, eventful)
	evidencetest.Whole(t, whole)
	evidencetest.Whole(t, other, "payments-2026", "payments-2027")
	for worker, from := range []string{eventful, whole} {
		t.Run(fmt.Sprint(worker), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(worker), 2)) // the same each time
			for i := range folderMutants / 2 {
				folder := filepath.Join(t.TempDir(), fmt.Sprint(i))
				if err := os.CopyFS(folder, os.DirFS(from)); err != nil {
					t.Fatal(err)
				}
				agree(t, script, folder, evidencetest.Mutate(t, r, folder, other), false)
				if err := os.RemoveAll(folder); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// verifier is the script, in a file.
func verifier(t *testing.T) string {
	t.Helper()
	script := filepath.Join(t.TempDir(), "verify.sh")
	if err := os.WriteFile(script, []byte(transcript.Shell()), 0o644); err != nil {
		t.Fatal(err)
	}
	return script
}

// agree asks both verifiers about a folder.
func agree(t *testing.T, script, folder, what string, good bool) {
	t.Helper()
	v, err := evidence.Folder(folder).Verify()
	if err != nil {
		t.Fatal(err)
	}
	output, err := exec.Command("/bin/sh", script, folder).CombinedOutput()
	if ours, theirs := len(v.Problems) == 0, err == nil; ours != good || theirs != good {
		t.Errorf("%s: we find %v, the script %v:\n%s", what, v.Problems, err, output)
	}
}
