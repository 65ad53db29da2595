// SPDX-License-Identifier: Apache-2.0

package cmd_test

import (
	"flag"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/keymat/keymat/mockkms"
)

var update = flag.Bool("update", false, "rewrite the transcripts in the documentation")

// TestTranscripts types every command of the ```console blocks in README.md
// and the guides, and compares what keymat says with what is printed there, up
// to what differs from run to run. The blocks of one page share a folder.
func TestTranscripts(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join("..", "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, filepath.Join("..", "README.md")) {
		t.Run(filepath.Base(page), func(t *testing.T) { checkPage(t, page) })
	}
}

var console = regexp.MustCompile("(?s)```console\n(.*?)```")

func checkPage(t *testing.T, page string) {
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	run := newShell(t)
	now := console.ReplaceAllStringFunc(string(content), func(block string) string {
		written := strings.TrimSuffix(strings.TrimPrefix(block, "```console\n"), "```")
		played := play(written, run)
		if steady(played) != steady(written) {
			t.Errorf("the page says:\n%s\nkeymat says:\n%s", written, played)
			return "```console\n" + played + "```"
		}
		return block
	})
	if *update && now != string(content) {
		if err := os.WriteFile(page, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// play repeats the commands of a block, those lines that begin with "$ ".
func play(block string, run func(string) string) string {
	var played strings.Builder
	for line := range strings.Lines(block) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			played.WriteString(line)
			played.WriteString(run(strings.TrimSpace(command)))
		}
	}
	return played.String()
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

// steady replaces what differs from run to run.
func steady(transcript string) string {
	for _, r := range []struct{ pattern, with string }{
		{`mrk-[0-9a-f]{32}`, "MRK"},
		{`[0-9a-f]{8}([-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}`, "UUID"},
		{`[0-9a-f]{64}`, "DIGEST"},
		{`\b[0-9a-f]{12}\b`, "SHORT"}, // the beginning of one
		{`\b[0-9a-f]{32}\b`, "ID"},
		{`(cmac|hmac):[0-9a-f]{10}`, "$1:CHECK"},
		{`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`, "TIME"},
		{`\d{4}-\d\d-\d\d`, "DATE"},
		{`\d+ (d|h) \d+ (h|m)`, "SPAN"},
		{`\d+\.\d s`, "SECONDS"},
		{`by [^ @]+@[^ :]+:`, "by USER:"},
		{`import token( +)\d+ bytes`, "import token$1 LENGTH"}, // the encoding of its RSA key varies
	} {
		transcript = regexp.MustCompile(r.pattern).ReplaceAllString(transcript, r.with)
	}
	return transcript
}
