// SPDX-License-Identifier: Apache-2.0

// Package transcript holds the documentation to what the programs say: it types every command of the ```console blocks of a
// page and compares what comes with what is printed there, up to what differs from run to run.
package transcript

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Check plays the blocks of a page, one command after the other, with run, which returns all that a command says. Where
// that is something else than the page says the test fails, and with update the page is rewritten.
func Check(t testing.TB, page string, run func(command string) string, update bool) {
	t.Helper()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	console := regexp.MustCompile("(?s)```console\n(.*?)```")
	now := console.ReplaceAllStringFunc(string(content), func(block string) string {
		written := strings.TrimSuffix(strings.TrimPrefix(block, "```console\n"), "```")
		played := play(written, run)
		if steady(played) != steady(written) {
			t.Errorf("the page says:\n%s\nthe program says:\n%s", written, played)
			return "```console\n" + played + "```"
		}
		return block
	})
	if update && now != string(content) {
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

// steady replaces what differs from run to run.
func steady(transcript string) string {
	for _, r := range []struct{ pattern, with string }{
		{`mrk-[0-9a-f]{32}`, "MRK"},
		{`[0-9a-f]{8}([-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}`, "UUID"},
		{`[0-9a-f]{64}`, "DIGEST"},
		{`\b[0-9a-f]{12}\b`, "SHORT"}, // the beginning of one
		{`\b[0-9a-f]{16}\b`, "SERIAL"},
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
