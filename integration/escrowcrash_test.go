// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package integration_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
)

// A copying is a command that makes a copy of material, in the file copy.
type copying struct {
	name  string
	args  []string // KEY stands for the key that it imports into
	opens []string // what opens the copy
}

const crashRecipient = "age102nvq67pnm3sjmva4pa5avvf6vph84wr6djy055c5reva244qq2qkd8r5z"

// copyings are all of them.
func copyings() []copying {
	bring := []string{"bring", "--key", "KEY", "--wrapping-key", "RSA_2048", "--never-expires"}
	quorum := []string{"--quorum", "2/3", "--fips", "--shares-dir", "cards"} // which takes a fifth of the time that age does
	cards := []string{"--share", "cards/share-3.html", "--share", "cards/share-1.html"}
	return []copying{
		{"bring to recipients", slices.Concat(bring, []string{"--escrow-to", crashRecipient, "--escrow-out", "copy"}), []string{"--identity", "id.txt"}},
		{"bring to a quorum", slices.Concat(bring, quorum, []string{"--escrow-out", "copy"}), cards},
		{"bring to a key", slices.Concat(bring, []string{"--seal-key", "kek.key", "--escrow-out", "copy"}), []string{"--open-key", "kek.key"}},
		{"bring to a file", slices.Concat(bring, []string{"--out", "copy"}), nil},
		{"rotate", slices.Concat([]string{"rotate", "KEY", "--wrapping-key", "RSA_2048", "--never-expires", "--escrow-out", "copy"}, quorum), cards},
		{"seal", slices.Concat([]string{"escrow", "seal", "--generate", "--spec", "HMAC_256", "--out", "copy"}, quorum), cards},
		{"split", slices.Concat([]string{"escrow", "split", "old.escrow", "--open-key", "kek.key", "--out", "copy"}, quorum), cards},
	}
}

// newCopyDesk has all that the commands need.
func newCopyDesk(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t)
	identity, err := os.ReadFile("../escrow/testdata/v1/x25519.identity")
	if err != nil {
		t.Fatal(err)
	}
	d.write("id.txt", identity)
	d.write("kek.key", bytes.Repeat([]byte{7}, 32))
	d.keymat("escrow", "seal", "--generate", "--spec", "HMAC_256", "--seal-key", "kek.key", "--out", "old.escrow")
	d.keymat("generate", "--spec", "SYMMETRIC_DEFAULT", "--out", "before.key")
	d.keymat("escrow", "seal", "--material", "before.key", "--spec", "SYMMETRIC_DEFAULT", "--seal-key", "kek.key", "--out", "before.escrow")
	return d
}

// killPoints are the calls at which a command is ended, and how often. strace
// kills before the call: by close a file or its folder has been flushed.
var killPoints = []struct {
	call  string
	kills int
}{{"fsync", 40}, {"close", 20}, {"write", 10}, {"all", 10}}

// TestKills ends commands by kill -9 around their flushes to disk, where they
// write anything to anywhere, at any moment, and before and after each of their
// calls of KMS: more than 500 times. Afterwards
// either nothing was imported, or the copy is there, opens and is what KMS holds.
// Where there is an escrow at all, it opens. A rotation can be finished.
func TestKills(t *testing.T) {
	var total atomic.Int64
	t.Run("each", func(t *testing.T) {
		for _, c := range copyings() {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				d := newCopyDesk(t)
				for _, point := range killPoints {
					kills := point.kills
					if c.rotates() { // it waits
						kills /= 2
					}
					d.killAt(c, point.call, kills)
					total.Add(int64(kills))
				}
				total.Add(int64(d.killAtCalls(c)))
			})
		}
	})
	t.Logf("%d kills", total.Load())
	if total.Load() < 500 {
		t.Errorf("only %d kills", total.Load())
	}
}

// killAt ends the command as often before one of its calls of this name: each in
// turn, or of all calls any.
func (d *desk) killAt(c copying, call string, kills int) {
	d.t.Helper()
	most := 1000 // calls that a thread makes, as far as is known
	for n := 1; kills > 0; n++ {
		if call == "all" {
			n = 1 + rand.IntN(most)
		}
		switch o := d.interrupted(c, fmt.Sprintf("%s:signal=SIGKILL:when=%d", call, n)); o.status {
		case killed:
			kills--
		case 0: // it ended before that, and begins anew
			most = max(100, min(most, n))
			n = 0
		default:
			d.t.Fatalf("%s: exit code %d, %s", c.name, o.status, o.stderr)
		}
	}
}

// killed is the exit code of a process that a signal ended; strace ends as what
// it watches does.
const killed = -1

// A trial is one run of a command.
type trial struct {
	copying
	line   []string // with the key it imports into
	key    string   // "" if it imports nothing
	before sealed   // if it rotates
}

// interrupted runs a command anew, with a fault that strace injects into one of
// its system calls, and checks what is left. strace counts the calls of each
// thread, and Go changes threads as it likes.
func (d *desk) interrupted(c copying, fault string) outcome {
	d.t.Helper()
	d.clearCopies()
	run := d.prepare(c)
	call, _, _ := strings.Cut(fault, ":")
	line := []string{"-f", "-q", "-y", "--seccomp-bpf", "-o", "strace.log", "-e", "trace=" + call, "-e", "inject=" + fault, built.keymat}
	o := d.try(tool(d.t, "strace", "strace"), append(append(line, run.line...), "--no-input")...)
	d.checkLeft(run, fault, o)
	return o
}

// clearCopies removes what an earlier run left.
func (d *desk) clearCopies() {
	d.t.Helper()
	for _, old := range []string{"cards", "copy"} {
		if err := os.RemoveAll(d.path(old)); err != nil {
			d.t.Fatal(err)
		}
	}
}

// prepare makes the key that the command imports into, if it does: one that
// waits for its first material, or one with material that it rotates.
func (d *desk) prepare(c copying) trial {
	d.t.Helper()
	run := trial{copying: c, line: slices.Clone(c.args)}
	i := slices.Index(run.line, "KEY")
	switch {
	case i < 0:
		return run
	case c.rotates():
		run.before = d.toRotate()
		run.key = run.before.key
	default:
		run.key = createKey(d.t, newClient(d.url), material.HMAC256)
	}
	run.line[i] = run.key
	return run
}

func (c copying) rotates() bool { return c.args[0] == "rotate" }

// imported reports whether KMS has got material from the command.
func (d *desk) imported(run trial) bool {
	d.t.Helper()
	switch {
	case run.key == "":
		return false
	case run.rotates():
		return len(d.materials(run.key)) > 1
	}
	described, err := newClient(d.url).DescribeKey(d.t.Context(), &kms.DescribeKeyInput{KeyId: &run.key})
	if err != nil {
		d.t.Fatal(err)
	}
	return described.KeyMetadata.KeyState != types.KeyStatePendingImport
}

// checkLeft looks at what a command has left behind that ended so.
func (d *desk) checkLeft(run trial, fault string, o outcome) {
	d.t.Helper()
	_, err := os.Stat(d.path("copy"))
	there := err == nil
	imported := d.imported(run)
	var look outcome
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		d.t.Fatal(err)
	case imported && !there:
		d.t.Errorf("%s: imported, and there is no copy", fault)
		return
	case o.status == 0 && (!there || run.key != "" && !imported):
		d.t.Errorf("%s: ended well, but copy is %t and imported is %t", fault, there, imported)
	case imported && !run.rotates():
		look = d.try(built.keymat, slices.Concat([]string{"confirm", run.key, "--material", "copy", "--no-input"}, run.opens)...)
	case there && run.opens != nil:
		look = d.try(built.keymat, slices.Concat([]string{"escrow", "drill", "copy", "--offline", "--no-input"}, run.opens)...)
	}
	if look.status != 0 {
		d.t.Errorf("%s: the copy does not open: exit code %d, %s", fault, look.status, look.stderr)
		return
	}
	if run.rotates() {
		d.finishRotation(run, fault, there)
	}
}

// TestFaultyDisks lets the disk be full, read-only or broken at every call. What
// cannot be kept is not imported, and the message says what to do.
func TestFaultyDisks(t *testing.T) {
	all := copyings()
	quorum := all[1]
	for _, c := range []copying{quorum, all[3]} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newCopyDesk(t)
			for _, fault := range []string{"write:error=ENOSPC", "fsync:error=ENOSPC", "fsync:error=EIO", "openat:error=EROFS", "renameat2:error=EROFS"} {
				hit := 0
				for n, happened := 1, true; happened; n++ {
					var ours bool
					if happened, ours = d.faulty(c, fmt.Sprintf("%s:when=%d", fault, n)); ours {
						hit++
					}
				}
				if hit == 0 && c.name == quorum.name { // of its many files some always are on the thread that counts
					t.Errorf("%s never met a file of keymat's", fault)
				}
			}
		})
	}
}

// faulty reports whether the fault happened at all, and whether it did in one of
// keymat's own calls on files. Then the message has to say so.
func (d *desk) faulty(c copying, fault string) (happened, ours bool) {
	d.t.Helper()
	o := d.interrupted(c, fault)
	for line := range strings.Lines(string(d.read("strace.log"))) {
		if !strings.Contains(line, "(INJECTED)") {
			continue
		}
		happened = true
		if strings.Contains(line, ".keymat-") || strings.Contains(line, " fsync(") {
			ours = true
		}
	}
	if bytes.Contains(o.stderr, []byte("netpollBreak write failed")) {
		return happened, false // the fault hit Go's own machinery: one more crash
	}
	if ours && (o.status != 1 || !bytes.Contains(o.stderr, []byte("keymat: hint: ")) ||
		!bytes.Contains(o.stderr, []byte("could not be kept, so nothing was created or imported: "))) {
		d.t.Errorf("%s: exit code %d, %s", fault, o.status, o.stderr)
	}
	for _, pattern := range []string{".keymat-*", "cards/.keymat-*"} {
		if left, err := filepath.Glob(d.path(pattern)); err != nil || len(left) > 0 {
			d.t.Errorf("%s left %q behind, error %v", fault, left, err)
		}
	}
	return happened, ours
}
