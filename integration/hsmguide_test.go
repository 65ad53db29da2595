// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/keymat/keymat/internal/transcript"
)

var update = flag.Bool("update", false, "rewrite the transcripts in the documentation")

// TestHSMGuide plays docs/hsm.md with a token of SoftHSM.
func TestHSMGuide(t *testing.T) {
	d := newTokenDesk(t)
	mock, err := serve(d.dir, "--memory", "--shared-wrapping-keys")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mock.kill)
	d.url = mock.url
	env := append(environment(d.dir, d.url), d.env...)
	env = append(env, "MODULE="+softHSM, "PATH="+filepath.Dir(built.hsm)+string(filepath.ListSeparator)+os.Getenv("PATH"))
	transcript.Check(t, filepath.Join("..", "docs", "hsm.md"), func(command string) string {
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir, cmd.Env = d.dir, env
		out, _ := cmd.CombinedOutput() // a transcript may show a failure
		return string(out)
	}, *update)
}
