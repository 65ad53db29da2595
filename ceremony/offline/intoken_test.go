// SPDX-License-Identifier: Apache-2.0

package offline_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
)

// inToken is a ceremony whose material is made in a token.
var inToken = sketch{spec: material.SymmetricDefault, token: "ceremony"}

// TestInToken holds whole ceremonies, up to what goes to the machine that imports.
func TestInToken(t *testing.T) {
	for name, s := range map[string]sketch{
		"AES-256":             inToken,
		"AES-256, two days":   {spec: material.SymmetricDefault, token: "ceremony", changes: []string{"session: same-day", "session: two-day"}},
		"HMAC_512, rehearsal": {spec: material.HMAC512, token: "ceremony", changes: []string{"rehearsal: false", "rehearsal: true"}},
		"ECC_NIST_P256":       {spec: material.ECCNISTP256, token: "ceremony", arns: []string{primaryARN, replicaARN}},
		"no backup":           {spec: material.SymmetricDefault, token: "ceremony", changes: withoutBackup},
	} {
		t.Run(name, func(t *testing.T) {
			c, d := newCeremony(t, s), newDevice()
			c.mirrors = []string{c.media("mirror")}
			p := c.tokenRoom()
			m := c.withToken(d)
			c.mustHold(m, p, "")
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
			c.wrappedInToken(d)
			c.checkMirror()
			for _, folder := range append([]string{string(c.folder), c.lastOut()}, c.mirrors...) {
				c.verified(folder)
			}
		})
	}
}

var withoutBackup = []string{
	"  backups:            # or [], and without_backup: why there is none\n    - {id: backup-1, label: BACKUP TOKEN NUMBER 1, serial: SERIAL NUMBER, site: archive-2, holder: custodian-3}\n",
	"  backups: []\n  without_backup: the key is for one day\n",
}

// TestInTokenAgain brings the key of an earlier ceremony into KMS once more.
func TestInTokenAgain(t *testing.T) {
	first, d := newCeremony(t, inToken), newDevice()
	m := first.withToken(d)
	first.mustHold(m, first.tokenRoom(), "")
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	kept, _ := first.state().Kept()
	again := newCeremony(t, sketch{spec: material.SymmetricDefault, token: "ceremony", changes: []string{
		"id: payments-2026", "id: payments-2027", "# expected:\n#   token_key: 32 hexadecimal digits\n#   fingerprint: cmac:0a1b2c3d4e",
		fmt.Sprintf("expected:\n  token_key: %s\n  fingerprint: %s", kept.ID, kept.Fingerprint),
	}})
	d.serial = "0002" // a backup does as well
	p := again.tokenRoom()
	m = again.withToken(d)
	again.mustHold(m, p, "")
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(again.lines(), "generate") || !slices.Contains(again.lines(), "unlock") {
		t.Errorf("the lines are %v", again.lines())
	}
	again.wrappedInToken(d)
	again.verified(string(again.folder))
}

// TestInTokenPowerCuts: whenever the power fails, the key is found again in the token,
// or no line tells of it and it is destroyed there.
func TestInTokenPowerCuts(t *testing.T) {
	c, d := newCeremony(t, inToken), newDevice()
	p := c.tokenRoom()
	var moments []moment
	var keys []map[string]stored // in the token, at each of them
	p.before = func(method string) {
		moments = c.capture(p, fmt.Sprintf("%s after the line %v", method, last(c.lines())), moments)
		for len(keys) < len(moments) {
			keys = append(keys, maps.Clone(d.keys))
		}
	}
	c.mustHold(c.withToken(d), p, "")
	c.wrappedInToken(d)
	const least = 15
	if len(moments) < least {
		t.Fatalf("the power was cut %d times", len(moments))
	}
	orphans := 0
	for i, now := range moments {
		c.revive(now)
		d.keys = maps.Clone(keys[i])
		p := c.tokenRoom()
		m := c.withToken(d)
		made := c.state().Fingerprint()
		if c.state().InMemory() {
			t.Errorf("the records say that the token is still unlocked; the power was cut at: %s", now.when)
		}
		c.clock = c.clock.Add(time.Minute)
		c.mustHold(m, p, "")
		if made != "" && c.state().Fingerprint() != made {
			t.Errorf("the key was made anew; the power was cut at: %s", now.when)
		}
		if slices.Contains(c.lines(), "exception") {
			orphans++
		}
		c.wrappedInToken(d)
		m.Close()
		if t.Failed() {
			t.Fatalf("the power was cut at: %s", now.when)
		}
	}
	if orphans == 0 {
		t.Error("the power was never cut between the key and the line about it")
	}
}

// TestInTokenVoid: a key that is void is destroyed in the token, and another made.
func TestInTokenVoid(t *testing.T) {
	c, d := newCeremony(t, inToken), newDevice()
	p := c.tokenRoom()
	m := c.withToken(d)
	c.mustHold(m, p, phase.BackUp)
	if err := m.Void(context.Background(), p, "somebody was alone with the token"); err != nil {
		t.Fatal(err)
	}
	if len(d.keys) != 0 || c.state().Phase() != phase.Void {
		t.Errorf("the token has %d keys, and the ceremony is %s", len(d.keys), c.state().Phase())
	}
	c.mustHold(m, p, phase.BackUp)

	// The next one cannot be destroyed, for the token breaks: what is left in it is never used.
	d.fail["destroy"] = errDevice
	p.decide = func(question string, options []string) int {
		if strings.HasPrefix(question, "Can the token be reached") {
			return 1
		}
		return max(slices.Index(options, "destroy it"), 0)
	}
	if err := m.Void(context.Background(), p, "the token breaks"); err != nil {
		t.Fatal(err)
	}
	if len(d.keys) != 1 || c.state().Phase() != phase.Void {
		t.Errorf("the token has %d keys, and the ceremony is %s", len(d.keys), c.state().Phase())
	}
	delete(d.fail, "destroy")
	c.mustHold(m, p, "")
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	c.wrappedInToken(d)
	c.verified(string(c.folder))
}

// TestInTokenRefusals: what is not the token, or not the key, is not used.
func TestInTokenRefusals(t *testing.T) {
	c, d := newCeremony(t, inToken), newDevice()
	p := c.tokenRoom()

	without := c.machine()
	want[*offline.SourceError](c, without, p, without.Agenda().Here[0])
	if err := without.Close(); err != nil {
		t.Fatal(err)
	}

	m := c.withToken(d)
	c.mustHold(m, p, phase.Generate)
	generate := m.Agenda().Here[0]
	p.absent = []string{"custodian-2"}
	want[*phase.PeopleError](c, m, p, generate)
	p.absent = nil
	p.pins["custodian-2"] = "wrong"
	refuses(c, m, p, generate)
	p.pins["custodian-2"] = strings.Repeat("9", 300)
	want[*offline.DiffersError](c, m, p, generate)
	p.pins["custodian-2"] = devicePIN[3:]
	for _, method := range []string{"able", "generate", "labelled"} {
		d.fail[method] = errDevice
		refuses(c, m, p, generate)
		delete(d.fail, method)
	}
	if len(d.keys) != 0 || d.in {
		t.Errorf("the token has %d keys; somebody is logged in: %t", len(d.keys), d.in)
	}
	d.in = true
	stranger, err := d.Generate(material.SymmetricDefault, "payments-2026")
	if err != nil {
		t.Fatal(err)
	}
	decide := p.decide
	p.decide = nil
	want[*offline.OrphanError](c, m, p, generate)
	if d.keys[stranger.ID].made == nil {
		t.Error("a key that nobody knows was destroyed without a word")
	}
	p.decide = decide

	c.mustHold(m, p, phase.Wrap)
	kept, _ := c.state().Kept()
	wrap := m.Agenda().Here[0]
	own := d.keys[kept.ID]
	if own.made == nil {
		t.Fatal("the key is not in the token")
	}
	other, err := material.Generate(material.SymmetricDefault)
	if err != nil {
		t.Fatal(err)
	}
	d.keys[kept.ID] = stored{own.label, other}
	want[*offline.DiffersError](c, m, p, wrap)
	delete(d.keys, kept.ID)
	want[*offline.NoKeyError](c, m, p, wrap)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}

	m = c.withToken(d)
	unlock := m.Agenda().Here[0]
	if unlock.Step != phase.Unlock {
		t.Fatalf("the next step is %s, want %s", unlock, phase.Unlock)
	}
	want[*offline.NoKeyError](c, m, p, unlock)
	d.keys[kept.ID] = stored{own.label, other}
	want[*offline.DiffersError](c, m, p, unlock)
	if d.in {
		t.Error("somebody is still logged in to the token")
	}
	d.keys[kept.ID] = own
	c.mustHold(m, p, "")
	c.wrappedInToken(d)
}

// refuses demands that a task is not done, for what the token says.
func refuses(c *ceremony, m *offline.Machine, p *people, task phase.Task) {
	c.t.Helper()
	before := len(c.lines())
	if err := m.Perform(context.Background(), p, task); err == nil || !strings.Contains(err.Error(), errDevice.Error()) {
		c.t.Errorf("%s: error %v, want %v", task, err, errDevice)
	}
	if after := len(c.lines()); after != before {
		c.t.Errorf("%s: %d lines were added", task, after-before)
	}
}

// TestBackupIsAttested: the program sees no backup, and says so.
func TestBackupIsAttested(t *testing.T) {
	c, d := newCeremony(t, inToken), newDevice()
	p := c.tokenRoom()
	m := c.withToken(d)
	c.mustHold(m, p, phase.BackUp)
	task := m.Agenda().Here[0]
	p.decide = func(string, []string) int { return 1 }
	want[*offline.PostponedError](c, m, p, task)
	p.absent, p.decide = []string{"custodian-3"}, nil
	want[*phase.PeopleError](c, m, p, task)
	p.absent = nil
	c.mustHold(m, p, phase.Accept)
	records, err := c.folder.Records()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range records[0].Entries {
		if b, ok := e.Event.(transcript.BackedUp); ok {
			if told := transcript.Tell(b).Text; !strings.Contains(told, "SERIAL NUMBER") || !strings.Contains(told, "this program has not seen") {
				t.Errorf("the backup is told as %q", told)
			}
			if !slices.Contains(e.Actors, "custodian-3") {
				t.Errorf("the backup is attested by %v", e.Actors)
			}
		}
		if g, ok := e.Event.(transcript.Confirmed); ok && g.Gate == plan.GateSealed && !strings.Contains(g.Text, "people attest") {
			t.Errorf("the gate sealed was passed for %q", g.Text)
		}
	}
}
