// SPDX-License-Identifier: Apache-2.0

package cmd_test

import (
	"flag"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/keymat/keymat/internal/transcript"
	"github.com/keymat/keymat/mockkms"
)

var update = flag.Bool("update", false, "rewrite the transcripts in the documentation")

// TestTranscripts plays README.md and the guides. The blocks of one page share a folder.
func TestTranscripts(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join("..", "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, filepath.Join("..", "README.md")) {
		if filepath.Base(page) == "hsm.md" {
			continue // takes a token: the integration tests play it
		}
		t.Run(filepath.Base(page), func(t *testing.T) { transcript.Check(t, page, newShell(t), *update) })
	}
}

// newShell gives a shell in an empty folder, with a mock that is its KMS.
func newShell(t *testing.T) func(string) string {
	server := httptest.NewServer(mockkms.New(mockkms.WithSharedWrappingKeys(), mockkms.WithRotationTime(rotationTime), mockkms.WithReplicationTime(rotationTime)).Server())
	t.Cleanup(server.Close)
	dir := t.TempDir()
	env := append(os.Environ(),
		"HOME="+dir,
		"AWS_ENDPOINT_URL_KMS="+server.URL,
		"AWS_REGION=eu-central-1",
		"AWS_ACCESS_KEY_ID=mock",
		"AWS_SECRET_ACCESS_KEY=mock",
		"GORACE=atexit_sleep_ms=0",
	)
	return func(command string) string {
		c := exec.Command("sh", "-c", command)
		c.Dir, c.Env = dir, env
		out, _ := c.CombinedOutput() // a transcript may show a failure
		return string(out)
	}
}
