// SPDX-License-Identifier: Apache-2.0

package ceremonycmd_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/console/consoletest"
	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan/plantest"
	"github.com/keymat/keymat/ceremonycmd"
	"github.com/keymat/keymat/internal/term/termtest"
)

// asProgram makes this test binary keymat-offline.
const asProgram = "KEYMAT_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(ceremonycmd.Main())
	}
	os.Exit(m.Run())
}

// newRehearsal is a folder with the signed plan of a rehearsal, with a mode for
// each share.
func newRehearsal(t *testing.T, changes ...string) *planBench {
	t.Helper()
	b := &planBench{t: t, dir: t.TempDir()}
	b.exits(0, "ceremony", "plan", "init", b.path("plan.yaml"), "--id", "test", "--target", planTarget, "--quorum", "2/3", "--rehearsal", "--no-input")
	drafted, err := os.ReadFile(b.path("plan.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	changes = append(changes, "profile: quorum ", "profile: fips-quorum ")
	if err := os.WriteFile(b.path("plan.yaml"), []byte(strings.NewReplacer(changes...).Replace(string(drafted))), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := plantest.FillKeys(b.path("plan.yaml"), b.dir); err != nil {
		t.Fatal(err)
	}
	for _, person := range []string{"lead", "witness"} {
		b.exits(0, "ceremony", "plan", "sign", b.path("plan.yaml"), "--as", person, "--key", b.path(person+".key"), "--yes", "--no-input")
	}
	return b
}

// run holds the ceremony in the folder with people at a terminal.
func (b *planBench) run(p *consoletest.People, args ...string) (stdout string, err error) {
	b.t.Helper()
	terminal := termtest.Open(b.t)
	cmd := exec.Command(os.Args[0], append([]string{"ceremony", "run", b.dir}, args...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "TERM=xterm", "NO_COLOR=1", "GORACE=atexit_sleep_ms=0")
	terminal.Attach(cmd)
	var out bytes.Buffer
	cmd.Stdout = &out
	terminal.Start(cmd)
	err = p.Play(b.t, terminal)
	if testing.Verbose() {
		b.t.Log(terminal.Screen())
	}
	return out.String(), err
}

// TestRun holds the offline part of a rehearsal, up to the seal, at a terminal.
func TestRun(t *testing.T) {
	b := newRehearsal(t, "session: same-day", "session: two-day")
	stick := &consoletest.Stick{Base: t.TempDir()}
	stdout, err := b.run(&consoletest.People{Keys: b.dir, Media: stick.Mount}, t.TempDir())
	if err != nil {
		t.Fatalf("%v: %s", err, stdout)
	}
	const want = `test: SEALED
here, on the offline machine:
  Begin the record of the offline machine
    With NAME OF THE LEAD (lead), NAME OF OPERATOR ONE (operator-1), NAME OF OPERATOR TWO (operator-2), NAME OF THE WITNESS (witness)
on the fetching machine:
  Fetch wrapping keys and import tokens: primary
    With NAME OF FETCHER ONE (fetcher-1), NAME OF FETCHER TWO (fetcher-2)
`
	if stdout != want {
		t.Errorf("got %s, want %s", stdout, want)
	}
	found, err := evidence.Folder(b.dir).Verify()
	if err != nil || len(found.Problems) > 0 || found.State.Phase() != phase.Sealed {
		t.Errorf("problems %v, error %v", found.Problems, err)
	}
	b.exits(0, "ceremony", "status", b.dir, "--json")
	var status struct {
		Progress string
		Unsigned []any
		Here     []phase.Task
	}
	if err := json.Unmarshal(b.stdout.Bytes(), &status); err != nil || status.Progress != "SEALED" || len(status.Unsigned) > 0 || len(status.Here) != 1 {
		t.Errorf("status %s, error %v", &b.stdout, err)
	}
}
