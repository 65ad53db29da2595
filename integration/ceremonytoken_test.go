// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package integration_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
)

// A tokenDay is a ceremony whose material is made in a SoftHSM token. Two custodians know
// a part of its PIN each, and a third attests a backup.
type tokenDay struct {
	*day
	token   *tokenDesk
	screens []string
}

// half is where the PIN is split.
const half = 7

func newTokenDay(t *testing.T) *tokenDay {
	t.Helper()
	token := newTokenDesk(t)
	d := &tokenDay{day: newDay(t, token.desk), token: token}
	d.people.PINs = map[string]string{"custodian-1": userPIN[:half], "custodian-2": userPIN[half:]}
	return d
}

// agree puts a plan that is signed into the folders of the machines, for what SoftHSM can do.
func (d *tokenDay) agree(spec material.Spec, arn string, changes ...string) {
	d.t.Helper()
	d.agreeOn([]string{"--spec", string(spec), "--token", "ceremony", "--target", arn}, append(changes, "RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1")...)
}

// offline holds the part of the machine with the token.
func (d *tokenDay) offline() error {
	d.t.Helper()
	_, err := d.play(built.hsm, "O", "M", "--module", softHSM)
	d.screens = append(d.screens, d.shown)
	return err
}

// TestCeremonyInToken holds whole ceremonies: the key is born in a token, wrapped there, and imported; what was
// interrupted goes on with the key that the token has.
func TestCeremonyInToken(t *testing.T) {
	d := newTokenDay(t)
	arn := d.created("--spec", "SYMMETRIC_DEFAULT")
	d.agree(material.SymmetricDefault, arn)

	if o := d.try(built.offline, "ceremony", "run", "O", "--dry-run"); o.status != 0 {
		t.Errorf("keymat-offline does not say what is next: %s", o.stderr)
	}
	d.interruptedAt(`was it made\?\n[^>]*> \z`)
	made := d.fingerprint()
	if err := d.offline(); err != nil {
		t.Fatalf("%v: %s", err, d.shown)
	}
	if again := d.fingerprint(); made == "" || again != made {
		t.Errorf("after the interruption the key is %s, and was %s", again, made)
	}
	d.hold(built.keymat, "I", "--machine", "import")
	d.proves("VERIFIED 1 of 1")
	d.write("verify.sh", d.keymat("ceremony", "verify", "--shell"))
	d.run("/bin/sh", "verify.sh", "I")
	d.checkReport()
	d.checkPIN()

	recovered := d.token.recoverLabelled(material.SymmetricDefault, "REHEARSAL test")
	if got := recovered.Fingerprint().String(); got != made {
		t.Errorf("the token has the key %s, and the record says %s", got, made)
	}
	d.keymat("confirm", arn, "--material", "recovered.key", "--reimport")
}

// TestHMACCeremonyInToken: the token computes the answers by which it is seen that KMS has the key; without a backup.
func TestHMACCeremonyInToken(t *testing.T) {
	d := newTokenDay(t)
	d.agree(material.HMAC384, d.created("--spec", "HMAC_384"),
		"  backups:            # or [], and without_backup: why there is none\n    - {id: backup-1, label: BACKUP TOKEN NUMBER 1, serial: SERIAL NUMBER, site: archive-2, holder: custodian-3}\n",
		"  backups: []\n  without_backup: it is a rehearsal\n")
	if err := d.offline(); err != nil {
		t.Fatalf("%v: %s", err, d.shown)
	}
	d.hold(built.keymat, "I", "--machine", "import")
	d.proves("VERIFIED 1 of 1")
	d.checkPIN()
}

// TestTokenCeremonyRefusals: a wrong PIN, a token that cannot wrap as the plan wants, and a program that reaches none.
func TestTokenCeremonyRefusals(t *testing.T) {
	d := newTokenDay(t)
	arn := d.created("--spec", "SYMMETRIC_DEFAULT")
	d.agreeOn([]string{"--spec", "SYMMETRIC_DEFAULT", "--token", "ceremony", "--target", arn}) // for SHA-256
	stops := func(question string, options []string) int {
		if strings.Contains(question, "it was not done") {
			return len(options) - 1
		}
		return 0
	}
	d.people.Lead = stops
	refused := func(want string, err error) {
		t.Helper()
		if shown := strings.Join(strings.Fields(d.shown), " "); err == nil || !strings.Contains(shown, want) {
			t.Errorf("error %v, want %q on the screen:\n%s", err, want, d.shown)
		}
	}
	_, err := d.play(built.offline, "O")
	refused("hold the ceremony with keymat-hsm ceremony run", err)
	d.people.PINs["custodian-2"] = "000000"
	refused("the token does not take this PIN of the user", d.offline())
	d.people.PINs["custodian-2"] = userPIN[half:]
	refused("the token cannot wrap SYMMETRIC_DEFAULT material with RSAES_OAEP_SHA_256", d.offline())
	if keys := d.token.hsm("list"); strings.Contains(string(keys.stdout), "REHEARSAL") {
		t.Errorf("a key was made nevertheless: %s", keys.stdout)
	}
	d.checkPIN()
}

// interruptedAt has people press Ctrl-C at a question, and the lead stop.
func (d *tokenDay) interruptedAt(pattern string) {
	d.t.Helper()
	at, done := regexp.MustCompile(pattern), false
	lead := d.people.Lead
	d.people.Lead = func(question string, options []string) int {
		if strings.Contains(question, "it was not done") {
			return len(options) - 1
		}
		return lead(question, options)
	}
	d.people.Instead = func(shown string) (string, bool) {
		if done || !at.MatchString(shown) {
			return "", false
		}
		done = true
		return "\x03", true
	}
	if err := d.offline(); err == nil || !done {
		d.t.Fatalf("it was not interrupted: %s", d.shown)
	}
	d.people.Lead, d.people.Instead = lead, nil
}

// fingerprint is that of the key that the records tell of.
func (d *tokenDay) fingerprint() string {
	d.t.Helper()
	records, err := evidence.Folder(d.path("O")).Records()
	if err != nil {
		d.t.Fatal(err)
	}
	var all []string
	for _, e := range records[0].Entries {
		if made, ok := e.Event.(transcript.Generated); ok {
			all = append(all, made.Fingerprint)
			if key := made.Token; !key.Token.SoftHSM || key.Token.Serial == "" || !slices.Contains(key.Attributes, "CKA_ALWAYS_SENSITIVE") {
				d.t.Errorf("the record says of the key: %+v", key)
			}
		}
	}
	if len(all) != 1 {
		d.t.Fatalf("keys were made: %v", all)
	}
	return all[0]
}

// checkReport: it names SoftHSM, calls nothing an HSM, and says what a token does not prove.
func (d *tokenDay) checkReport() {
	d.t.Helper()
	report := string(d.read("report.html"))
	for _, want := range []string{"SoftHSM 2.6, a program", "CKA_ALWAYS_SENSITIVE", "attested", "no program has seen"} {
		if !strings.Contains(report, want) {
			d.t.Errorf("the report does not say %q", want)
		}
	}
	if claim := regexp.MustCompile(`[^t]HSM\b`).FindString(report); claim != "" {
		d.t.Errorf("the report says %q", claim)
	}
}

// checkPIN: the PIN is in no file of the machines, and was on no screen.
func (d *tokenDay) checkPIN() {
	d.t.Helper()
	for _, screen := range d.screens {
		if strings.Contains(screen, userPIN[:half]) || strings.Contains(screen, userPIN[half:]) {
			d.t.Errorf("the PIN is on the screen: %q", screen)
		}
	}
	looked := 0
	for _, folder := range []string{"O", "M", "I", "media"} {
		err := filepath.WalkDir(d.path(folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			if looked++; bytes.Contains(content, []byte(userPIN[:half])) || bytes.Contains(content, []byte(userPIN[half:])) {
				d.t.Errorf("the PIN is in %s", path)
			}
			return err
		})
		if err != nil && !os.IsNotExist(err) {
			d.t.Fatal(err)
		}
	}
	if looked == 0 {
		d.t.Error("there are no files to look for the PIN in")
	}
}
