// SPDX-License-Identifier: Apache-2.0

package cmd_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestBringAsks makes escrows on the way that people have a part in: a passphrase
// that is typed, shares that are shown. Nothing is created before they are done.
func TestBringAsks(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.stockMock()
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

// TestDrillOfEarlierMaterial: after a rotation the key needs both materials, and
// each escrow is proven to be one of them.
func TestDrillOfEarlierMaterial(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.stockMock()
	if err := os.WriteFile(d.path("kek"), make([]byte, 32), 0o600); err != nil {
		t.Fatal(err)
	}
	mock := []string{"--mock", "--mock-state", d.path("mock.db"), "--region", "eu-central-1", "--wrapping-key", "RSA_2048"}
	run := func(status int, args ...string) { d.run(new(person), status, append(args, mock...)...) }
	seal := func(escrow string) []string {
		return []string{"--seal-key", d.path("kek"), "--escrow-out", d.path(escrow)}
	}
	run(0, append([]string{"bring", "--alias", "alias/app", "--expires", "30d"}, seal("one.escrow")...)...)
	run(0, append([]string{"rotate", "alias/app", "--json", "--expires", "60d"}, seal("two.escrow")...)...)
	var rotated struct {
		Before string `json:"previous_key_material_id"`
	}
	if err := json.Unmarshal(d.stdout.Bytes(), &rotated); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		status int
		escrow string
		more   []string
	}{
		{0, "two.escrow", nil},
		{3, "one.escrow", nil},
		{0, "one.escrow", []string{"--material-id", rotated.Before}},
		{3, "two.escrow", []string{"--material-id", rotated.Before}},
	} {
		run(tt.status, append([]string{"escrow", "drill", d.path(tt.escrow), "--key", "alias/app", "--reimport", "--open-key", d.path("kek")}, tt.more...)...)
	}
}
