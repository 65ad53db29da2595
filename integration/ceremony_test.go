// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mutations is how many changed folders each verifier is asked about.
const mutations = 250

// recorded plays a small ceremony at a desk, with a power cut, in the folder c.
func recorded(t *testing.T) *desk {
	t.Helper()
	keygen := tool(t, "ssh-keygen", "openssh-client")
	d := newDesk(t)
	planWithKeys(d, keygen)
	for _, who := range []string{"lead", "witness"} {
		d.keymat("ceremony", "plan", "sign", "plan.yaml", "--as", who, "--key", who+".key", "--yes")
	}
	d.sh("mkdir c && cp plan.yaml plan.yaml.*.sig c")
	d.keymat("ceremony", "transcript", "begin", "c", "--by", "lead")
	d.keymat("ceremony", "transcript", "confirm", "c", "--gate", "identity", "--by", "operator-1", "--by", "witness", "--text", `"event":"resume" and }}`)
	d.sh(`printf '{"seq":2,"pr' >> c/transcript.jsonl`)
	d.keymat("ceremony", "transcript", "exception", "c", "--by", "lead", "--expected", "light", "--happened", "dark", "--decided", "candles")
	d.keymat("ceremony", "transcript", "note", "c", "--by", "lead", "--text", "Größe, \u2028 and a \\ backslash")
	d.keymat("ceremony", "transcript", "end", "c", "--by", "lead")
	for _, who := range []string{"lead", "operator-1", "witness"} {
		d.keymat("ceremony", "transcript", "sign", "c", "--as", who, "--key", who+".key", "--yes")
	}
	d.write("verify.sh", d.keymat("ceremony", "verify", "--shell"))
	return d
}

// TestShellVerifierAgrees changes the folder of a ceremony in many ways, and asks
// keymat and the script that works without it.
func TestShellVerifierAgrees(t *testing.T) {
	d := recorded(t)
	tool(t, "sha256sum", "coreutils")
	if o := d.try("/bin/sh", "verify.sh", "c"); o.status != 0 {
		t.Fatalf("the script refuses the ceremony: %s%s", o.stdout, o.stderr)
	}
	d.keymat("ceremony", "verify", "c")
	r := rand.New(rand.NewPCG(1, 2)) // the same each time
	for i := range mutations {
		folder := fmt.Sprintf("c%d", i)
		d.sh("cp -r c " + folder)
		what := mutate(d, r, folder)
		ours := d.try(built.keymat, "ceremony", "verify", folder)
		theirs := d.try("/bin/sh", "verify.sh", folder)
		if ours.status != 3 || theirs.status == 0 {
			t.Errorf("%s: keymat ends with %d, the script with %d\n%s%s", what, ours.status, theirs.status, ours.stdout, theirs.stdout)
		}
		if err := os.RemoveAll(d.path(folder)); err != nil {
			t.Fatal(err)
		}
	}
}

// mutate changes one thing, which both verifiers look at, and says what.
func mutate(d *desk, r *rand.Rand, folder string) string {
	d.t.Helper()
	file := filepath.Join(folder, "transcript.jsonl")
	content := d.read(file)
	lines := bytes.SplitAfter(content, []byte("\n"))
	lines = lines[:len(lines)-1]
	at := r.IntN(len(lines))
	var what string
	switch r.IntN(9) {
	case 0, 1, 2:
		i := r.IntN(len(content))
		content[i] ^= 1 << r.IntN(8)
		what = fmt.Sprintf("byte %d flipped", i)
	case 3:
		content = slices.Concat(slices.Delete(slices.Clone(lines), at, at+1)...)
		what = fmt.Sprintf("line %d dropped", at+1)
	case 4:
		content = slices.Concat(slices.Insert(slices.Clone(lines), at, lines[r.IntN(len(lines))])...)
		what = fmt.Sprintf("a line inserted at %d", at+1)
	case 5:
		other := (at + 1 + r.IntN(len(lines)-1)) % len(lines)
		lines[at], lines[other] = lines[other], lines[at]
		content = slices.Concat(lines...)
		what = fmt.Sprintf("lines %d and %d exchanged", at+1, other+1)
	case 6:
		i := r.IntN(len(content))
		content = content[:i]
		what = fmt.Sprintf("cut off at byte %d", i)
	case 7:
		return mutateSignature(d, r, folder)
	case 8:
		i := r.IntN(len(content))
		content = slices.Insert(content, i, byte(r.IntN(256)))
		what = fmt.Sprintf("a byte inserted at %d", i)
	}
	d.write(file, content)
	return what
}

// mutateSignature changes what stands beside the record.
func mutateSignature(d *desk, r *rand.Rand, folder string) string {
	d.t.Helper()
	people := []string{"lead", "operator-1", "witness"}
	i := r.IntN(len(people))
	name := filepath.Join(folder, "head.json."+people[i]+".sig")
	switch r.IntN(4) {
	case 0:
		other := "head.json." + people[(i+1)%len(people)] + ".sig"
		d.write(name, d.read(filepath.Join(folder, other)))
		return "the signature of " + people[i] + " exchanged"
	case 1:
		if err := os.Remove(d.path(name)); err != nil {
			d.t.Fatal(err)
		}
		return "the signature of " + people[i] + " removed"
	case 2:
		head := d.read(filepath.Join(folder, "head.json"))
		d.write(filepath.Join(folder, "head.json"), bytes.Replace(head, []byte(`"lines":`), []byte(`"lines":1`), 1))
		return "another number of lines signed"
	}
	plan := string(d.read(filepath.Join(folder, "plan.yaml")))
	d.write(filepath.Join(folder, "plan.yaml"), []byte(strings.Replace(plan, "threshold: 3", "threshold: 2", 1)))
	return "the plan changed"
}
