// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package integration_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/evidence"
)

// TestCeremoniesLater follows a key from its first ceremony to its last, each held by
// people who know what the screens show and have what they kept: new shares are
// dealt, of which one goes to somebody new; they bring the material back into KMS,
// where it was deleted; and in the end everything is destroyed.
func TestCeremoniesLater(t *testing.T) {
	t.Parallel()
	d := newMockDay(t)
	key := d.created("--spec", "SYMMETRIC_DEFAULT")
	d.agree("SYMMETRIC_DEFAULT", "2/3", []string{key}, "profile: quorum ", "profile: fips-quorum ", "key_spec: RSA_4096", "key_spec: RSA_3072")
	d.hold(built.offline, "O", "M")
	d.hold(built.keymat, "I", "--machine", "import")
	d.proves("VERIFIED 1 of 1")
	d.write("message", []byte("for years"))
	var encrypted struct{ CiphertextBlob string }
	d.awsJSON(&encrypted, "encrypt", "--key-id", key, "--plaintext", "fileb://message")
	d.write("ciphertext", d.unbase64(encrypted.CiphertextBlob))
	d.labelled()

	d.again("refresh", "I", nil, map[string]string{
		"CD-R number 1": "CD-R number 3", "CD-R number 2": "CD-R number 4", "share: 3, custodian: custodian-3": "share: 3, custodian: newcomer",
		"\npeople:\n": "\npeople:\n  - id: newcomer\n    name: \"NAME OF THE NEWCOMER\"\n    roles: [custodian]\n",
	})
	d.hold(built.offline, "refresh/O", "refresh/M")
	for _, said := range []string{`\(operator-2\): put in a medium with the escrow `, `it takes 2 shares of the escrow `, `put in an empty medium, for the evidence of the ceremony`} {
		if !regexp.MustCompile(said).MatchString(d.shown) {
			t.Errorf("nobody was told %q", said)
		}
	}
	dealt := d.left("CLOSED")
	old, renewed := d.escrows("media/copy-1-cd-r-number-1"), d.escrows("media/copy-1-cd-r-number-3")
	if len(old) != 1 || len(renewed) != 1 || slices.Equal(old, renewed) {
		t.Errorf("the old copy has %q, the new one %q", old, renewed)
	}

	d.aws("delete-imported-key-material", "--key-id", key)
	d.again("import", dealt, []string{"--keys-of", "I"}, nil)
	d.fetches = "import/F"
	d.hold(built.offline, "import/O", "import/M")
	d.hold(built.keymat, "import/I", "--machine", "import")
	if found, err := evidence.Folder(d.path("import/I")).Verify(); err != nil || len(found.Problems) > 0 || found.State.Progress() != "VERIFIED 1 of 1" {
		t.Errorf("%s, with the problems %q, error %v", found.State.Progress(), found.Problems, err)
	}
	var decrypted struct{ Plaintext string }
	d.awsJSON(&decrypted, "decrypt", "--key-id", key, "--ciphertext-blob", "fileb://ciphertext")
	if got := string(d.unbase64(decrypted.Plaintext)); got != "for years" {
		t.Errorf("the key decrypts to %q", got)
	}

	d.aws("delete-imported-key-material", "--key-id", key)
	d.again("destroy", "import/I", nil, nil)
	d.hold(built.offline, "destroy/O", "destroy/M")
	d.keymat("ceremony", "report", d.left("DISCARDED 5 of 5"), "--out", "certificate.html")
	certificate := string(d.read("certificate.html"))
	for _, text := range []string{"Certificate of destruction", "In this rehearsal, those who signed the record certify", "share 3, of newcomer, was brought back", "TE-3", "PendingImport: it holds no material"} {
		if !strings.Contains(certificate, text) {
			t.Errorf("the certificate does not say %q", text)
		}
	}
	if strings.Contains(certificate, "it is in no bag") || strings.Contains(certificate, "it is in the bag") {
		t.Error("a bag is another than it went into")
	}
}

// labelled has people find the medium with an escrow by what is written on it.
func (d *day) labelled() {
	mount := d.people.Media
	d.people.Media = func(what string) string {
		id, ok := strings.CutPrefix(what, "a medium with the escrow ")
		if !ok {
			return mount(what)
		}
		id, _, _ = strings.Cut(id, ",")
		found, _ := filepath.Glob(d.path("media/copy-*/" + id + ".escrow"))
		if len(found) == 0 {
			d.t.Errorf("nobody has %s", what)
			return mount(what)
		}
		return filepath.Dir(found[0])
	}
}

// again drafts the plan of a later ceremony from the evidence of an earlier one, has
// people correct and sign it, and puts it into the folders of the machines, which are
// in one that is called after the purpose.
func (d *day) again(purpose, from string, flags []string, corrections map[string]string) {
	d.t.Helper()
	d.sh("mkdir " + purpose)
	name := filepath.Join(purpose, "plan.yaml")
	d.keymat(append([]string{"ceremony", "reopen", from, "--id", "test-" + purpose, "--purpose", purpose, "--out", name}, flags...)...)
	draft := string(d.read(name))
	expected, rest, _ := strings.Cut(draft, "\nescrow:\n") // who opens the old escrow stays
	for old, with := range corrections {
		if !strings.Contains(rest, old) {
			d.t.Fatalf("the draft has no %q:\n%s", old, draft)
		}
		rest = strings.Replace(rest, old, with, 1)
	}
	d.write(name, []byte(expected+"\nescrow:\n"+rest))
	d.keymat("ceremony", "plan", "lint", name)
	for _, who := range []string{"lead", "witness"} {
		d.keymat("ceremony", "plan", "sign", name, "--as", who, "--key", who+".key", "--yes")
	}
	d.sh("cd " + purpose + " && mkdir O F I M && for m in O F I; do cp plan.yaml plan.yaml.*.sig $m; done")
}

// left is the medium with the evidence of a ceremony that took place on the offline
// machine alone: somebody who has nothing else sees that it is over.
func (d *day) left(progress string) string {
	d.t.Helper()
	said := regexp.MustCompile(`unmount what is at (\S+), and take it out`).FindAllStringSubmatch(d.shown, -1)
	if len(said) == 0 {
		d.t.Fatalf("nothing has left the machine:\n%s", d.shown)
	}
	folder := said[len(said)-1][1]
	if found, err := evidence.Folder(folder).Verify(); err != nil || len(found.Problems) > 0 || found.State.Progress() != progress {
		d.t.Errorf("%s, with the problems %q, error %v", found.State.Progress(), found.Problems, err)
	}
	d.keymat("ceremony", "verify", folder)
	return folder
}

// escrows are the names of those on a medium.
func (d *day) escrows(folder string) (names []string) {
	d.t.Helper()
	entries, err := os.ReadDir(d.path(folder))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".escrow") {
			names = append(names, e.Name())
		}
	}
	return names
}

// lookUp is which of some states the KMS key is in that the screen names last.
func (d *day) lookUp(options []string) int {
	d.t.Helper()
	named := regexp.MustCompile(`arn:aws:kms:[^\s:]+:\d+:key/[0-9a-z-]+`).FindAllString(string(bytes.ReplaceAll([]byte(d.screen()), []byte("\r\n"), nil)), -1)
	if len(named) == 0 {
		d.t.Fatalf("the screen names no KMS key: %s", d.screen())
	}
	var described struct{ KeyMetadata struct{ KeyState string } }
	d.awsJSON(&described, "describe-key", "--key-id", named[len(named)-1])
	return slices.IndexFunc(options, func(o string) bool { return strings.HasPrefix(o, described.KeyMetadata.KeyState+": ") })
}
