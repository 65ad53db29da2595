// SPDX-License-Identifier: Apache-2.0

package ceremonycmd_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/evidence/evidencetest"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/ceremonycmd"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/material"
)

// A deskClerk keeps a register, at a time of the test's.
type deskClerk struct {
	t              *testing.T
	dir            string
	now            time.Time
	stdout, stderr bytes.Buffer
}

func newDeskClerk(t *testing.T) *deskClerk {
	return &deskClerk{t: t, dir: t.TempDir(), now: evidencetest.Begin.AddDate(0, 0, 1)}
}

func (d *deskClerk) path(name string) string { return filepath.Join(d.dir, name) }

// exits runs the command ceremony, which has to end with this exit code.
func (d *deskClerk) exits(want int, args ...string) {
	d.t.Helper()
	d.stdout.Reset()
	d.stderr.Reset()
	r := &cli.Run{Talk: cli.Talk{Name: "keymat", Env: cli.Env{
		Stdin: strings.NewReader(""), Stdout: &d.stdout, Stderr: &d.stderr, Prompter: term.Refuse{}, Getenv: func(string) string { return "" },
	}}}
	root := &cobra.Command{Use: "keymat"}
	r.Flags(root.PersistentFlags())
	root.AddCommand(ceremonycmd.New(r, func() time.Time { return d.now }))
	got := r.Execute(context.Background(), root, append([]string{"ceremony"}, args...), func(err error) cli.Failure {
		advice, ok := ceremonycmd.Explain("keymat", err)
		if _, no := errors.AsType[*cli.NoError](err); no {
			advice.Exit = cli.ExitNo
		} else if usage, is := cli.ExplainUsage("keymat", err); is {
			advice = usage
		} else if !ok {
			advice.Exit = cli.ExitFailed
		}
		return cli.Failure{Error: err.Error(), Hints: advice.Hints, Exit: advice.Exit}
	})
	if got != want {
		d.t.Fatalf("%q: exit code %d, want %d\n%s%s", args, got, want, &d.stdout, &d.stderr)
	}
}

// says demands that the last run has told something.
func (d *deskClerk) says(texts ...string) {
	d.t.Helper()
	said := regexp.MustCompile(` +`).ReplaceAllString(d.stdout.String()+d.stderr.String(), " ")
	for _, text := range texts {
		if !strings.Contains(said, text) {
			d.t.Errorf("%q is not in\n%s", text, said)
		}
	}
}

// folder is an empty one.
func (d *deskClerk) folder(name string) string {
	d.t.Helper()
	if err := os.Mkdir(d.path(name), 0o700); err != nil {
		d.t.Fatal(err)
	}
	return d.path(name)
}

// drill writes the record of one.
func (d *deskClerk) drill(name, id string, v escrow.DrillVerdict) string {
	d.t.Helper()
	drill := escrow.Drill{
		At: d.now.UTC().Truncate(time.Second), By: "officer@desk", Tool: "keymat v1", Method: "encrypt and decrypt", Verdict: v, KeyARN: evidencetest.PrimaryARN,
		Escrow: escrow.DrilledEscrow{Created: evidencetest.Begin, Profile: escrow.FIPSQuorum, KeySpec: material.SymmetricDefault, Fingerprint: "cmac:0a1b2c3d4e"},
	}
	if err := drill.Escrow.ID.UnmarshalText([]byte(id)); err != nil {
		d.t.Fatal(err)
	}
	var b bytes.Buffer
	if err := drill.Encode(&b); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(d.path(name), b.Bytes(), 0o600); err != nil {
		d.t.Fatal(err)
	}
	return d.path(name)
}

// escrowOf is the ID of the escrow in a register.
func (d *deskClerk) escrowOf(register, key string) string {
	d.t.Helper()
	d.exits(0, "register", "show", register, key, "--json")
	var shown struct{ Escrow struct{ ID string } }
	if err := json.Unmarshal(d.stdout.Bytes(), &shown); err != nil {
		d.t.Fatal(err)
	}
	return shown.Escrow.ID
}

// TestRegister follows a key from its first ceremony to its last.
func TestRegister(t *testing.T) {
	d := newDeskClerk(t)
	made := evidencetest.Whole(t, d.folder("first"), "valid_to: never   #", "valid_to: 2027-11-30T00:00:00Z   #")
	r := d.path("register.jsonl")
	d.exits(0, "register", "init", r, "--organisation", "Example", "--by", "officer")
	d.says("register.jsonl: the register of Example")
	d.exits(1, "register", "init", r, "--organisation", "Example", "--by", "officer")
	d.says("exists already")
	d.exits(0, "register", "due", r)
	d.says("nothing to be done until 2027-01-01")

	d.exits(2, "register", "add", r)
	d.says("folder is missing")
	d.exits(0, "register", "add", r, d.path("first"), "--as", "payments", "--by", "officer", "--protects-until", "2028-12-01")
	d.says("state active since 2026-12-02", "in KMS "+evidencetest.PrimaryARN, "expires 2027-11-30", "protects until 2028-12-01", "review 2027-12-02", "next drill 2027-03-02, every 90 d",
		"officer add: by the ceremony payments-2026: SYMMETRIC_DEFAULT material, in the escrow ")
	d.exits(1, "register", "add", r, d.path("first"), "--as", "payments", "--by", "officer")
	d.says("payments: the register has the ceremony payments-2026")

	d.exits(3, "register", "due", r, "--within", "90d")
	d.says("2027-03-02 in 90 d 0 h payments recovery has to be exercised", "1 thing to be done")
	d.exits(3, "register", "due", r, "--within", "2000d", "--json")
	var due struct {
		Due []struct{ Key, Matter, ARN string }
	}
	if err := json.Unmarshal(d.stdout.Bytes(), &due); err != nil || len(due.Due) != 4 || due.Due[1].Matter != "expiry" || due.Due[1].ARN != evidencetest.PrimaryARN {
		t.Errorf("got %+v, %v", due, err)
	}
	id := d.escrowOf(r, "payments")
	d.now = d.now.AddDate(0, 0, 80)
	d.exits(0, "register", "drill", r, d.drill("drill.json", id, escrow.DrillProven), "--by", "officer")
	d.says("last drill 2027-02-20, proven", "next drill 2027-05-21, every 90 d")
	d.exits(1, "register", "drill", r, d.path("drill.json"), "--by", "officer")
	d.now = d.now.AddDate(0, 0, 1)
	d.exits(3, "register", "drill", r, d.drill("worse.json", id, escrow.DrillMismatch), "--by", "officer")
	d.says("last drill 2027-02-20, proven", "holds other material", "drill: the escrow "+id+" opened on 2027-02-21, for officer@desk; compared with "+evidencetest.PrimaryARN+": mismatch")
	d.exits(3, "register", "drill", r, d.drill("other.json", strings.Repeat("ab", 16), escrow.DrillProven), "--by", "officer")
	d.says("brings back no key of the register")

	d.exits(0, "register", "schedule", r, "payments", "--review", "2029-01-01", "--reason", "reviewed", "--by", "officer")
	d.says("review 2029-01-01", "protects until 2028-12-01", "every 90 d", "schedule: drilled every 90 days, protects until 2028-12-01, reviewed by 2029-01-01: reviewed")
	d.exits(2, "register", "schedule", r, "payments", "--reason", "nothing", "--by", "officer")
	d.exits(2, "register", "schedule", r, "payments", "--drill-every", "ninety", "--reason", "x", "--by", "officer")

	d.exits(1, "register", "state", r, "payments", "--to", "suspended", "--reason", "looked into", "--by", "officer")
	d.says("takes two people", "hint: name both of them")
	d.exits(0, "register", "state", r, "payments", "--to", "suspended", "--reason", "looked into", "--by", "officer", "--by", "lead", "--on", "2027-02-01")
	d.says("state suspended since 2027-02-01", "officer, lead state: from active to suspended, on 2027-02-01: looked into")
	d.exits(2, "register", "state", r, "payments", "--to", "active", "--reason", "x", "--by", "officer", "--by", "lead", "--on", "2028-02-01")
	d.exits(1, "register", "state", r, "payments", "--to", "pre-activation", "--reason", "x", "--by", "officer", "--by", "lead")
	d.says("hint: from suspended a key goes to active, deactivated, compromised, destroyed")
	d.exits(1, "register", "state", r, "payments", "--to", "destroyed", "--reason", "x", "--by", "officer", "--by", "lead")
	d.says("the escrow "+id+" brings it back", "hint: hold a ceremony that destroys what brings it back")
	d.exits(1, "register", "state", r, "invoices", "--to", "active", "--reason", "x", "--by", "officer", "--by", "lead")
	d.says("the register has no key invoices; it has payments")

	evidencetest.Destruction(t, d.folder("last"), made)
	d.now = evidencetest.Begin.AddDate(1, 0, 1)
	d.exits(0, "register", "add", r, d.path("last"), "--by", "officer")
	d.says("state suspended", "by the ceremony payments-2027 the escrow "+id+" was destroyed")
	d.exits(0, "register", "state", r, "payments", "--to", "destroyed", "--reason", "no longer needed", "--by", "officer", "--by", "lead")
	d.exits(0, "register", "due", r, "--within", "20000d")
	d.exits(0, "register", "show", r)
	d.says("Example, 1 key, 9 lines", "payments destroyed SYMMETRIC_DEFAULT cmac:")
}

// TestRegisterRefreshed: after new shares were dealt, the old escrow has to be destroyed,
// and until it is, the key is not.
func TestRegisterRefreshed(t *testing.T) {
	d := newDeskClerk(t)
	made := evidencetest.Whole(t, d.folder("first"))
	r := d.path("register.jsonl")
	d.exits(0, "register", "init", r, "--organisation", "Example", "--by", "officer")
	d.exits(0, "register", "add", r, d.path("first"), "--as", "payments", "--by", "officer")
	old := d.escrowOf(r, "payments")

	d.now = evidencetest.Begin.AddDate(1, 0, 1)
	refreshed := evidencetest.Refresh(t, d.folder("refresh"), made)
	d.exits(0, "register", "add", r, d.path("refresh"), "--by", "officer")
	d.says("state active", "replaced "+old+", whose shares still open it", "in KMS "+evidencetest.PrimaryARN, "took the place of "+old)
	if d.escrowOf(r, "payments") == old {
		t.Error("the old escrow brings the key back")
	}
	d.exits(3, "register", "due", r, "--within", "30d")
	d.says("2028-01-01 in 30 d 0 h payments the escrow " + old + ", which was replaced, has to be destroyed with its shares")

	evidencetest.Destruction(t, d.folder("last"), refreshed)
	d.exits(0, "register", "add", r, d.path("last"), "--by", "officer")
	d.exits(1, "register", "state", r, "payments", "--to", "destroyed", "--reason", "x", "--by", "officer", "--by", "lead")
	d.says("the escrow "+old+" brings it back", "hint: hold a ceremony that destroys what brings it back")
	evidencetest.Destruction(t, d.folder("old"), made)
	d.exits(0, "register", "add", r, d.path("old"), "--by", "officer")
	d.exits(0, "register", "state", r, "payments", "--to", "destroyed", "--reason", "x", "--by", "officer", "--by", "lead")
}

func TestRegisterRefuses(t *testing.T) {
	d := newDeskClerk(t)
	r := d.path("register.jsonl")
	d.exits(0, "register", "init", r, "--organisation", "Example", "--by", "officer")
	changed := evidencetest.Whole(t, d.folder("changed"))
	content, err := changed.Folder.Read("transcript.jsonl", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	changed.Write("transcript.jsonl", bytes.Replace(content, []byte("seen and compared"), []byte("seen and approved"), 1))
	d.exits(3, "register", "add", r, d.path("changed"), "--by", "officer")
	d.says("! transcript.jsonl: line 3: its prev is not the digest of line 2", "the folder of the ceremony does not verify")

	evidencetest.Whole(t, d.folder("rehearsal"), "rehearsal: false", "rehearsal: true")
	d.exits(1, "register", "add", r, d.path("rehearsal"), "--by", "officer")
	d.says("payments-2026 was a rehearsal")

	evidencetest.Eventful(t, d.folder("unfinished"))
	d.exits(1, "register", "add", r, d.path("unfinished"), "--by", "officer")
	d.says("payments-2026: still to come: ", "hint: add it when it is over")

	if err := os.WriteFile(r, []byte("{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.exits(1, "register", "show", r)
	d.says("the record is damaged")
}

func TestReopen(t *testing.T) {
	d := newDeskClerk(t)
	first := evidencetest.Whole(t, d.folder("first"))
	for _, purpose := range []plan.Purpose{plan.ForImport, plan.ForRefresh, plan.ForDestruction} {
		out := d.path(string(purpose) + ".yaml")
		d.exits(0, "reopen", d.path("first"), "--id", "payments-2027", "--purpose", string(purpose), "--out", out)
		d.says("begins with the escrow ", "run keymat ceremony plan lint "+out)
		content, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		p, err := plan.Read(bytes.NewReader(content))
		if err != nil || plan.HasErrors(p.Lint()) {
			t.Fatalf("%v, %v", err, p.Lint())
		}
		if p.Purpose != purpose || p.Title != "Payments: the root key" || p.Expected.MaterialID != strings.Repeat("0a", 32) || p.Date.Format(time.DateOnly) != "2026-12-16" {
			t.Errorf("got %+v", p)
		}
	}
	d.exits(1, "reopen", d.path("first"), "--id", "payments-2027", "--out", d.path("import.yaml"))
	d.says("exists already")
	d.exits(1, "reopen", d.path("first"), "--id", "payments-2026", "--out", d.path("same.yaml"))
	d.says("id: that of the earlier ceremony")
	d.exits(2, "reopen", d.path("first"), "--id", "payments-2027", "--purpose", "rotate", "--out", d.path("x.yaml"))
	d.exits(2, "reopen", d.path("first"), "--id", "payments-2027", "--date", "soon", "--out", d.path("x.yaml"))

	again := evidencetest.Again(t, d.folder("refresh"), first, plan.ForRefresh)
	again.Open(transcript.OfflineMachine)
	d.exits(3, "reopen", d.path("refresh"), "--id", "payments-2028", "--out", d.path("x.yaml"))
	d.says("no step in it says what was made")
	again.Pass(plan.GateOpen)
	again.Recover()
	d.exits(0, "reopen", d.path("refresh"), "--keys-of", d.path("first"), "--id", "payments-2028", "--out", d.path("filled.yaml"))
	content, err := os.ReadFile(d.path("filled.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if p, err := plan.Read(bytes.NewReader(content)); err != nil || plan.HasErrors(p.Lint()) || p.Targets[0].Key != evidencetest.PrimaryARN {
		t.Errorf("error %v\n%s", err, content)
	}
	evidencetest.Eventful(t, d.folder("other"))
	d.exits(3, "reopen", d.path("refresh"), "--keys-of", d.path("other"), "--id", "payments-2028", "--out", d.path("x.yaml"))
	d.says("the ceremony is about other material: ")

	evidencetest.New(t, d.folder("planned"))
	d.exits(3, "reopen", d.path("planned"), "--id", "payments-2027", "--out", d.path("x.yaml"))
	d.says("does not verify")

	made := evidencetest.Whole(t, d.folder("made"))
	evidencetest.Destruction(t, d.folder("gone"), made)
	d.exits(3, "reopen", d.path("gone"), "--id", "payments-2028", "--out", d.path("x.yaml"))
	d.says("there is no escrow that brings the material back")
}

// TestConfirmNowhere: nobody confirms a gate that a ceremony does not come to.
func TestConfirmNowhere(t *testing.T) {
	d := newDeskClerk(t)
	c := evidencetest.Again(t, d.folder("again"), evidencetest.Whole(t, d.folder("first")), plan.ForRefresh)
	c.Open(transcript.OfflineMachine)
	d.exits(3, "transcript", "confirm", d.path("again"), "--gate", "import", "--by", "lead", "--text", "x")
	d.says("no ceremony to refresh comes to the gate import")
}
