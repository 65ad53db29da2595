// SPDX-License-Identifier: Apache-2.0

package ceremonycmd_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/evidence/evidencetest"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// TestSecondRecord adds to, ends, signs and shows the second record of a ceremony, and signs the first once more.
func TestSecondRecord(t *testing.T) {
	b := &planBench{t: t, dir: t.TempDir()}
	c := evidencetest.New(t, b.dir)
	c.HoldOffline()
	c.Open(transcript.ImportMachine)
	c.Pass(plan.GateImport)
	begun := c.Plan.Gates[plan.GateClose][0]
	if err := os.Remove(b.path("head.json." + begun + ".sig")); err != nil {
		t.Fatal(err)
	}
	key := keyFile(t, begun)

	b.exits(0, "ceremony", "transcript", "sign", b.dir, "--as", begun, "--key", key, "--yes") // the second has no head yet
	b.exists("head.json." + begun + ".sig")
	b.exits(0, "ceremony", "transcript", "note", b.dir, "--by", begun, "--text", "at the office")
	b.exits(0, "ceremony", "transcript", "end", b.dir, "--by", begun)
	b.prints("the record of payments-2026, transcript-2.jsonl, is closed, with 4 lines;")
	for _, person := range c.Plan.Gates[plan.GateClose] {
		b.exits(0, "ceremony", "transcript", "sign", b.dir, "--as", person, "--key", keyFile(t, person), "--yes")
		b.exists("head-2.json." + person + ".sig")
	}
	b.exits(1, "ceremony", "transcript", "sign", b.dir, "--as", begun, "--key", key, "--record", "1", "--yes")
	b.says("head.json." + begun + ".sig exists already")
	b.exits(0, "ceremony", "verify", b.dir)

	b.exits(0, "ceremony", "transcript", "show", b.dir)
	b.says("transcript-2.jsonl, of 2 records")
	b.prints("at the office")
	b.exits(0, "ceremony", "transcript", "show", b.dir, "--record", "1", "--json")
	b.prints(`"record": "transcript.jsonl"`)
	if strings.Contains(b.stdout.String(), "at the office") {
		t.Error("the first record has a line of the second")
	}
	for _, number := range []string{"-1", "3"} {
		for _, command := range [][]string{{"show"}, {"sign", "--as", begun}} {
			b.exits(2, append(append([]string{"ceremony", "transcript"}, command...), b.dir, "--record", number)...)
			b.says("has 2 records, and none of number " + number)
		}
	}
}

// keyFile is a file with the private key of somebody, as package evidencetest makes them.
func keyFile(t *testing.T, person string) string {
	t.Helper()
	seed := sha256.Sum256([]byte(person))
	block, err := ssh.MarshalPrivateKey(ed25519.NewKeyFromSeed(seed[:]), "")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), person+".key")
	if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// prints demands that the last run has told something on stdout.
func (b *planBench) prints(text string) {
	b.t.Helper()
	if !strings.Contains(b.stdout.String(), text) {
		b.t.Errorf("%q is not in %s", text, &b.stdout)
	}
}

// exists demands that there is a file.
func (b *planBench) exists(name string) {
	b.t.Helper()
	if _, err := os.Stat(b.path(name)); err != nil {
		b.t.Error(err)
	}
}
