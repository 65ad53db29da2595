// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package integration_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// newRehearsal is a desk with a plan to be rehearsed, without what takes long.
func newRehearsal(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t)
	d.keymat("ceremony", "plan", "init", "plan.yaml", "--id", "payments-2026", "--date", "2026-12-01", "--quorum", "2/3",
		"--target", "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", "--no-input")
	text := string(d.read("plan.yaml"))
	for old, with := range map[string]string{"key_spec: RSA_4096": "key_spec: RSA_2048", "profile: quorum ": "profile: fips-quorum ", "session: same-day": "session: two-day"} {
		if !strings.Contains(text, old) {
			t.Fatalf("the plan has no %q", old)
		}
		text = strings.ReplaceAll(text, old, with)
	}
	d.write("plan.yaml", []byte(text))
	return d
}

// rehearsing is the command that plays the plan, or goes on with it.
var rehearsing = []string{"ceremony", "rehearse", "plan.yaml", "--dir", "played", "--no-input"}

// rehearsed is where the rehearsal leaves what an auditor gets.
const rehearsed = "played/by-plan/import"

// faulted rehearses from the beginning with a fault that strace injects into one of
// the system calls of each thread.
func (d *desk) faulted(fault string) outcome {
	d.t.Helper()
	if err := os.RemoveAll(d.path("played")); err != nil {
		d.t.Fatal(err)
	}
	call, _, _ := strings.Cut(fault, ":")
	line := []string{"-f", "-q", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=" + fault, built.keymat}
	return d.try(tool(d.t, "strace", "strace"), append(line, rehearsing...)...)
}

// checkGoesOn calls the same command again: then the ceremony comes to its end,
// nothing was lost on the way, and an auditor finds nothing.
func (d *desk) checkGoesOn(fault string) {
	d.t.Helper()
	o := d.try(built.keymat, rehearsing...)
	if o.status != 0 || !bytes.Contains(o.stdout, []byte("VERIFIED 1 of 1")) {
		d.t.Fatalf("after %s: exit code %d\n%s%s", fault, o.status, o.stdout, o.stderr)
	}
	if o := d.try(built.keymat, "ceremony", "verify", rehearsed); o.status != 0 {
		d.t.Fatalf("after %s the evidence does not verify\n%s%s", fault, o.stdout, o.stderr)
	}
}

// TestCeremonyPowerCuts ends rehearsals by kill -9 before their system calls on
// files, one after the other: acceptance check 10. The machines then go on from
// what is on their disks, as after a power cut: the rules of the ceremony hold over
// all of its records, and it comes to its end.
func TestCeremonyPowerCuts(t *testing.T) {
	for call, stride := range map[string]int{"fsync": 4, "fdatasync": 1, "linkat": 5, "write": 17, "mkdirat": 3} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			d := newRehearsal(t)
			kills := 0
			for n := 1; ; n += stride {
				fault := fmt.Sprintf("%s:signal=SIGKILL:when=%d", call, n)
				o := d.faulted(fault)
				if o.status == 0 {
					break
				}
				if o.status != killed {
					t.Fatalf("%s: exit code %d\n%s", fault, o.status, o.stderr)
				}
				kills++
				d.checkGoesOn(fault)
			}
			// How many there are depends on the threads that do the work: strace counts for each.
			if t.Logf("%d kills", kills); kills == 0 {
				t.Error("nothing was killed")
			}
		})
	}
}

// TestCeremonyMedia has media fail, or be full, or be taken out: acceptance check
// 11. What failed is told with the name of the file, no step counts as done that
// was not, and the same command goes on.
func TestCeremonyMedia(t *testing.T) {
	for fault, stride := range map[string]int{
		"fsync:error=EIO": 13, "fsync:error=ENOSPC": 11, "linkat:error=ENOSPC": 11, "openat:error=EROFS": 97,
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			d := newRehearsal(t)
			failures := 0
			for n := 2; n < 6*stride; n += stride {
				fault := fmt.Sprintf("%s:when=%d", fault, n)
				o := d.faulted(fault)
				if o.status == 0 { // it was struck where that does no harm, or tried again
					continue
				}
				failures++
				const why = `(input/output error|no space left on device|read-only file system)`
				told := o.status == 1 && regexp.MustCompile(`keymat: error: .*`+why).Match(o.stderr)
				if o.status == 3 { // it struck whoever looked at the evidence afterwards
					told = regexp.MustCompile(`by-plan: .*` + why).Match(o.stdout)
				}
				if !told {
					t.Errorf("%s: exit code %d\n%s%s", fault, o.status, o.stdout, o.stderr)
				}
				d.checkGoesOn(fault)
			}
			if t.Logf("%d failures", failures); failures == 0 {
				t.Error("nothing has failed")
			}
		})
	}
}

// TestCeremonySecretsReachNoMedium traces every byte that a ceremony gives to the
// kernel: acceptance check 3. The material is in the mock alone, for KMS has to have
// it; the key of the escrow is nowhere, and shares are where people keep them.
func TestCeremonySecretsReachNoMedium(t *testing.T) {
	d := newRehearsal(t)
	written := d.traceWrites(append(rehearsing, "--verbose")...)
	kept, err := filepath.Glob(d.path("played/by-plan/people/custodian-*/share-*.txt"))
	if err != nil || len(kept) != 3 {
		t.Fatalf("custodians keep %q, error %v", kept, err)
	}
	var words []term
	for _, name := range kept {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all := strings.Fields(string(text))
		for i := 4; i+3 <= len(all); i += 3 { // what all shares begin with is not secret
			run := strings.Join(all[i:i+3], " ")
			words = append(words, term{"words", []byte(run)}, term{"words", []byte(strings.ToUpper(run))})
		}
	}
	shares := []string{"--share", kept[0], "--share", kept[1]}
	d.keymat(append([]string{"escrow", "combine", "--out", "key.txt"}, shares...)...)
	d.write("real.escrow", d.escrowOf("played/by-plan/offline"))
	d.keymat(append([]string{"escrow", "open", "real.escrow", "--out", "app.key"}, shares...)...)

	checkReach(t, written, "the material", searchTerms([][]byte{d.read("app.key")}), d.path("played/by-plan/kms.db"))
	checkReach(t, written, "the key of the escrow", searchTerms([][]byte{unhex(t, d.read("key.txt"))}), "")
	checkReach(t, written, "a share", words, d.path("played/by-plan/people"))
}

// escrowOf is the escrow of a rehearsal as a real one: no command opens it as it is.
func (d *desk) escrowOf(folder string) []byte {
	d.t.Helper()
	found, err := filepath.Glob(filepath.Join(d.path(folder), "*.escrow"))
	if err != nil || len(found) != 1 {
		d.t.Fatalf("the folder has the escrows %q, error %v", found, err)
	}
	name, err := filepath.Rel(d.dir, found[0])
	if err != nil {
		d.t.Fatal(err)
	}
	if o := d.try(built.keymat, "escrow", "drill", name, "--offline", "--no-input"); o.status == 0 {
		d.t.Errorf("the escrow of a rehearsal passes for a real one: %s", o.stdout)
	}
	return bytes.Replace(d.read(name), []byte("keymat/rehearsal-escrow"), []byte("keymat/escrow"), 1)
}
