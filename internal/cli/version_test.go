// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/keymat/keymat/internal/cli"
)

// TestVersionHash: the digest is that of the file which runs, here that of the test.
func TestVersionHash(t *testing.T) {
	name, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	b := newBench()
	c := cli.VersionCommand(&b.Run)
	c.SetArgs([]string{"--hash"})
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	if got, want := b.stdout.String(), "\nsha256  "+hex.EncodeToString(sum[:])+"\n  "+strings.Join(cli.Speak(sum).Lines(), "\n  ")+"\n"; !strings.HasSuffix(got, want) {
		t.Errorf("got %q, want %q at its end", got, want)
	}
	b.stdout.Reset()
	c.SetArgs([]string{"--hash=false"})
	if err := c.Execute(); err != nil || strings.Contains(b.stdout.String(), "sha256") {
		t.Errorf("got %q, %v", &b.stdout, err)
	}
}
