// SPDX-License-Identifier: Apache-2.0

package ceremonycmd_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/evidence/evidencetest"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/transcript"
)

// closed is a ceremony whose offline part is over, but for a signature.
func closed(t *testing.T) *planBench {
	t.Helper()
	b := &planBench{t: t, dir: t.TempDir()}
	c := evidencetest.New(t, b.dir)
	c.HoldOffline()
	if err := os.Remove(b.path("head.json.witness.sig")); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestStatus: who has to do what, who has not signed, and until when.
func TestStatus(t *testing.T) {
	b := closed(t)
	b.exits(0, "ceremony", "status", b.dir)
	text := b.stdout.String()
	for _, want := range []string{
		"\npayments-2026: CLOSED\n", "on the importing machine:\n  Begin the record of the importing machine\n    With ",
		"signatures:\n  head.json: ", "(witness) has not signed\n", "deadlines:\n  primary, with the token of bundle-1.json\n    on its way by 2026-12-02T",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %s", want, text)
		}
	}
	b.exits(0, "ceremony", "run", b.dir, "--dry-run", "--json")
	var status struct {
		Machine   transcript.Machine
		Here      []phase.Task
		Elsewhere []phase.Task
		Unsigned  []struct{ File, Person, Problem string }
		Deadlines []struct {
			Target, Bundle string
			Departure      time.Time
			ValidTo        time.Time `json:"valid_to"`
		}
	}
	if err := json.Unmarshal(b.stdout.Bytes(), &status); err != nil {
		t.Fatal(err)
	}
	if status.Machine != transcript.OfflineMachine || len(status.Here) != 0 || len(status.Elsewhere) != 1 || status.Elsewhere[0].Step != phase.Begin {
		t.Errorf("got %+v", status)
	}
	if len(status.Unsigned) != 1 || status.Unsigned[0].Person != "witness" || len(status.Deadlines) != 2 || status.Deadlines[0].ValidTo.Sub(status.Deadlines[0].Departure) != time.Hour {
		t.Errorf("got %+v", status)
	}
}

// TestStatusOfDamage tells the state before what is wrong, and then what is wrong.
func TestStatusOfDamage(t *testing.T) {
	b := closed(t)
	record, err := os.ReadFile(b.path("transcript.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.path("transcript.jsonl"), []byte(strings.Replace(string(record), `"share":2`, `"share":9`, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	b.exits(1, "ceremony", "status", b.dir)
	b.says("keymat-offline: error: ")
	if !strings.HasPrefix(b.stdout.String(), "Payments") {
		t.Errorf("got %s", &b.stdout)
	}
	b.exits(2, "ceremony", "status", b.dir, "--machine", "fetch")
	b.says(`this program cannot be the machine "fetch"`)
	b.exits(1, "ceremony", "run", t.TempDir())
	b.says("there is no plan.yaml in ")
	b.exits(1, "ceremony", "status", t.TempDir())
}
