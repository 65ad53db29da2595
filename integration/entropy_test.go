// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keymat/keymat/internal/term/termtest"
)

// TestPythonReproducesTheVectors has Python's standard library mix and combine
// what the vectors of material/entropy say.
func TestPythonReproducesTheVectors(t *testing.T) {
	d := newDesk(t)
	script, err := filepath.Abs("testdata/entropy.py")
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := filepath.Abs("../material/entropy/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	python := tool(t, "python3", "python3")
	if got := string(d.run(python, "-B", script, vectors)); got != "11 vectors\n" {
		t.Errorf("python says %q", got)
	}
	content, err := os.ReadFile(vectors)
	if err != nil {
		t.Fatal(err)
	}
	d.write("altered.json", []byte(strings.Replace(string(content), `"throws": "4`, `"throws": "5`, 1)))
	if o := d.try(python, "-B", script, "altered.json"); o.status == 0 {
		t.Error("python does not notice another throw")
	}
}

// TestPythonCombinesTypedComponents types components at a terminal, and has
// Python combine the same.
func TestPythonCombinesTypedComponents(t *testing.T) {
	d := newDesk(t)
	components := []string{strings.Repeat("5a", 64), strings.Repeat("c3", 32) + strings.Repeat("0f", 32), hex.EncodeToString(d.openssl("rand", "64"))}
	console := termtest.Open(t)
	cmd := exec.Command(built.keymat, "generate", "--spec", "HMAC_512", "--components", "3", "--out", "mac.key", "--randomness-out", "mac.randomness")
	cmd.Dir, cmd.Env = d.dir, environment(d.dir, "")
	console.Attach(cmd)
	console.Start(cmd)
	for _, c := range components {
		console.Expect("(128 hexadecimal digits, not shown)")
		console.Type(c + "\r")
		console.Expect("its check value")
		console.Type("\r")
		console.Expect("again: ")
		console.Type(c + "\r")
	}
	if err := console.Wait(); err != nil {
		t.Fatalf("%v: %s", err, console.Screen())
	}
	for _, c := range components {
		if strings.Contains(console.Screen(), c[:16]) {
			t.Error("a component is on the screen")
		}
	}
	const combine = `import sys
sum = 0
for c in sys.stdin.read().split(): sum ^= int(c, 16)
print(sum.to_bytes(64, "big").hex())`
	d.write("components", []byte(strings.Join(components, "\n")))
	want := strings.TrimSpace(string(d.sh("python3 -c '" + combine + "' <components")))
	if got := hex.EncodeToString(d.read("mac.key")); got != want {
		t.Error("python combines other material")
	}
}
