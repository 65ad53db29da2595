// SPDX-License-Identifier: Apache-2.0

package cmd_test

import (
	"os"
	"strings"
	"testing"
)

// TestBringAsks makes escrows on the way that people have a part in: a passphrase
// that is typed, shares that are shown. Nothing is created before they are done.
func TestBringAsks(t *testing.T) {
	d := newDesk(t)
	bring := func(escrow string, args ...string) []string {
		return append([]string{"bring", "--mock", "--mock-state", d.path("mock.db"), "--region", "eu-central-1", "--wrapping-key", "RSA_2048",
			"--spec", "HMAC_256", "--never-expires", "--escrow-out", d.path(escrow)}, args...)
	}
	d.run(&person{answers: []string{"one", "another"}}, 1, bring("never.escrow", "--passphrase")...)
	d.wantTold("error: a copy of the material could not be kept, so nothing was created or imported: the two passphrases differ, and nothing was written")
	d.run(&person{answers: []string{"one"}}, 1, bring("never.escrow", "--passphrase")...)
	if _, err := os.Stat(d.path("never.escrow")); err == nil || strings.Contains(d.stderr.String(), "created arn:") {
		t.Errorf("there is an escrow, or a key: %v, %s", err, &d.stderr)
	}

	d.run(&person{answers: []string{"one", "one"}}, 0, bring("p.escrow", "--passphrase")...)
	d.wantTold("read it back and opened it with the passphrase\n")
	if !strings.Contains(d.stdout.String(), "p.escrow (reopened with the passphrase)") {
		t.Errorf("the result is %s", &d.stdout)
	}

	p := new(person)
	d.run(p, 0, bring("q.escrow", "--quorum", "2/3", "--fips", "--show-shares")...)
	d.wantTold("read it back and opened it with the shares as dealt\n")
	if len(p.shown) != 3 || strings.Index(d.stderr.String(), "wrote the escrow") > strings.Index(d.stderr.String(), "created arn:") {
		t.Errorf("%d shares were shown, and told was %s", len(p.shown), &d.stderr)
	}
}
