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
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"golang.org/x/sys/unix"

	"github.com/keymat/keymat/material"
)

// A copying is a command that makes a copy of material, in the file copy.
type copying struct {
	name     string
	args     []string // KEY stands for the key that it imports into
	opens    []string // what opens the copy
	replaces bool     // another escrow, old.escrow
}

const crashRecipient = "age102nvq67pnm3sjmva4pa5avvf6vph84wr6djy055c5reva244qq2qkd8r5z"

// copyings are all of them.
func copyings() []copying {
	bring := []string{"bring", "--key", "KEY", "--wrapping-key", "RSA_2048", "--never-expires"}
	quorum := []string{"--quorum", "2/3", "--fips", "--shares-dir", "cards"} // which takes a fifth of the time that age does
	cards := []string{"--share", "cards/share-3.html", "--share", "cards/share-1.html"}
	seal := slices.Concat([]string{"escrow", "seal", "--generate", "--spec", "HMAC_256", "--out", "copy"}, quorum)
	return []copying{
		{name: "bring to recipients", args: slices.Concat(bring, []string{"--escrow-to", crashRecipient, "--escrow-out", "copy"}), opens: []string{"--identity", "id.txt"}},
		{name: "bring to a quorum", args: slices.Concat(bring, quorum, []string{"--escrow-out", "copy"}), opens: cards},
		{name: "bring to a key", args: slices.Concat(bring, []string{"--seal-key", "kek.key", "--escrow-out", "copy"}), opens: []string{"--open-key", "kek.key"}},
		{name: "bring to a file", args: slices.Concat(bring, []string{"--out", "copy"})},
		{name: "rotate", args: slices.Concat([]string{"rotate", "KEY", "--wrapping-key", "RSA_2048", "--never-expires", "--escrow-out", "copy"}, quorum), opens: cards},
		{name: "seal", args: seal, opens: cards},
		{name: "seal over another", args: append(seal[:len(seal):len(seal)], "--force"), opens: cards, replaces: true},
		{name: "split", args: slices.Concat([]string{"escrow", "split", "old.escrow", "--open-key", "kek.key", "--out", "copy"}, quorum), opens: cards},
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
	var total, deepest atomic.Int64
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
					deep := d.killAt(c, point.call, kills)
					total.Add(int64(kills))
					if point.call == "fsync" && deep > int(deepest.Load()) {
						deepest.Store(int64(deep))
					}
				}
				total.Add(int64(d.killAtCalls(c)))
			})
		}
	})
	t.Logf("%d kills, up to the %dth fsync of a thread", total.Load(), deepest.Load())
	if total.Load() < 500 || deepest.Load() < 3 {
		t.Errorf("only %d kills, up to the %dth fsync of a thread", total.Load(), deepest.Load())
	}
}

// killAt ends the command as often before one of its calls of this name: each in
// turn, or of all calls any. deepest is the last that it came to. strace must not
// use seccomp for that: then it signals at first calls only (6.1).
func (d *desk) killAt(c copying, call string, kills int) (deepest int) {
	d.t.Helper()
	most := 1000 // calls that a thread makes, as far as is known
	for n := 1; kills > 0; n++ {
		if call == "all" {
			n = 1 + rand.IntN(most)
		}
		switch o := d.interrupted(c, fmt.Sprintf("%s:signal=SIGKILL:when=%d", call, n)); o.status {
		case killed:
			kills--
			deepest = max(deepest, n)
			d.checkNoneHidden(c, call)
		case 0: // it ended before that, and begins anew
			most = max(100, min(most, n))
			n = 0
		default:
			d.t.Fatalf("%s: exit code %d, %s", c.name, o.status, o.stderr)
		}
	}
	return deepest
}

// checkNoneHidden demands that nothing is left of files that were being written.
// Where one is replaced it has a name for a moment, and where there are no files
// without names each has.
func (d *desk) checkNoneHidden(c copying, fault string) {
	d.t.Helper()
	nameless, err := os.OpenFile(d.dir, unix.O_TMPFILE|os.O_RDWR, 0o600)
	if err != nil || c.replaces {
		return
	}
	nameless.Close()
	for _, pattern := range []string{".keymat-*", "cards/.keymat-*"} {
		if left, err := filepath.Glob(d.path(pattern)); err != nil || len(left) > 0 {
			d.t.Errorf("%s: killed at %s it left %q, error %v", c.name, fault, left, err)
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
	line := []string{"-f", "-q", "-y", "-o", "strace.log", "-e", "trace=" + call, "-e", "inject=" + fault, built.keymat}
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
	for name, content := range d.replaced(run) {
		d.write(filepath.Base(name), []byte(content))
	}
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

// replaced is what is under the name of the copy before, if anything.
func (d *desk) replaced(run trial) map[string]string {
	if !run.replaces {
		return nil
	}
	return map[string]string{d.path("copy"): string(d.read("old.escrow"))}
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
	copied, err := os.ReadFile(d.path("copy"))
	there := err == nil
	old := run.replaces && bytes.Equal(copied, d.read("old.escrow"))
	imported := d.imported(run)
	var look outcome
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		d.t.Fatal(err)
	case imported && !there:
		d.t.Errorf("%s: imported, and there is no copy", fault)
		return
	case run.replaces && !there:
		d.t.Errorf("%s: the escrow is gone, and there is no other", fault)
	case o.status == 0 && (!there || old || run.key != "" && !imported):
		d.t.Errorf("%s: ended well, but copy is %t and imported is %t", fault, there, imported)
	case imported && !run.rotates():
		look = d.try(built.keymat, slices.Concat([]string{"confirm", run.key, "--material", "copy", "--no-input"}, run.opens)...)
	case there && run.opens != nil && !old:
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
	for _, c := range copyings() {
		if !slices.Contains([]string{"bring to a quorum", "bring to a file", "seal over another"}, c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newCopyDesk(t)
			faults := []string{"write:error=ENOSPC", "fsync:error=ENOSPC", "fsync:error=EIO", "openat:error=EROFS", "linkat:error=EROFS"}
			if c.replaces { // what reads nothing from KMS, too
				faults = append(faults, "read:error=EIO", "renameat:error=EIO")
			}
			for _, fault := range faults {
				hit := 0
				for n, happened := 1, true; happened; n++ {
					var ours bool
					if happened, ours = d.faulty(c, fmt.Sprintf("%s:when=%d", fault, n)); ours {
						hit++
					}
				}
				if hit == 0 && c.name != "bring to a file" { // of its many files some always are on the thread that counts
					t.Errorf("%s never met a file of keymat's", fault)
				}
			}
		})
	}
}

// ofOurs finds calls of strace's on files that keymat writes.
var ofOurs = regexp.MustCompile(`\.keymat-|>\(deleted\)|O_TMPFILE| fsync\(| linkat\(`)

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
		ours = ours || ofOurs.MatchString(line)
	}
	if bytes.Contains(o.stderr, []byte("netpollBreak write failed")) {
		return happened, false // the fault hit Go's own machinery: one more crash
	}
	told := bytes.Contains(o.stderr, []byte("could not be kept, so nothing was created or imported: "))
	if ours && (o.status != 1 || !bytes.Contains(o.stderr, []byte("keymat: hint: ")) || told == c.replaces) {
		d.t.Errorf("%s: exit code %d, %s", fault, o.status, o.stderr)
	}
	for _, pattern := range []string{".keymat-*", "cards/.keymat-*"} {
		if left, err := filepath.Glob(d.path(pattern)); err != nil || len(left) > 0 {
			d.t.Errorf("%s left %q behind, error %v", fault, left, err)
		}
	}
	return happened, ours
}
