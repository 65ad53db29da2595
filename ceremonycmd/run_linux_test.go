// SPDX-License-Identifier: Apache-2.0

package ceremonycmd_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/keymat/keymat/ceremony/console/consoletest"
	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan/plantest"
	"github.com/keymat/keymat/ceremonycmd"
	"github.com/keymat/keymat/internal/cli"
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
	changes = append(changes, "profile: quorum ", "profile: fips-quorum ", "NAME OF THE LEAD", "Lea", "NAME OF THE WITNESS", "Wim",
		"NAME OF OPERATOR ONE", "Ona", "NAME OF OPERATOR TWO", "Otto", "NAME OF FETCHER ONE", "Fay", "NAME OF FETCHER TWO", "Flo",
		"NAME OF CUSTODIAN 1", "Cai", "NAME OF CUSTODIAN 2", "Col", "NAME OF CUSTODIAN 3", "Cyd")
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
	b.screen = strings.ReplaceAll(terminal.Screen(), "\r\n", "\n")
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
    With Lea (lead), Ona (operator-1), Otto (operator-2), Wim (witness)
on the fetching machine:
  Fetch wrapping keys and import tokens: primary
    With Fay (fetcher-1), Flo (fetcher-2)
`
	if stdout != want {
		t.Errorf("got %s, want %s", stdout, want)
	}
	checkGuide(t, b.screen)
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

// checkGuide demands that the guide shows what is on the screen, as far as it is the
// same each time: all that one custodian's share takes.
func checkGuide(t *testing.T, screen string) {
	t.Helper()
	guide, err := os.ReadFile("../docs/ceremony.md")
	if err != nil {
		t.Fatal(err)
	}
	_, excerpt, _ := strings.Cut(string(guide), "```text\n")
	excerpt, _, found := strings.Cut(excerpt, "```\n")
	if !found {
		t.Fatal("the guide shows nothing")
	}
	_, screen, _ = strings.Cut(screen, "\n10. ")
	screen, _, _ = strings.Cut("10. "+screen, "\n\n12. ")
	screen = regexp.MustCompile(`(?s)\x1b\[\?1049h.*?\x1b\[\?1049l`).ReplaceAllString(screen, "") // what one person alone sees
	screen = regexp.MustCompile(`(?m) +$`).ReplaceAllString(screen, "")
	screen = regexp.MustCompile(`(?s)(word 1 of 33:\n).*(11\.3 Share 2, word 33)`).ReplaceAllString(screen, "$1…\n$2")
	if got := strings.TrimSpace(screen); got != strings.TrimSpace(excerpt) {
		t.Errorf("the guide shows\n%s\nand the screen\n%s", excerpt, got)
	}
}

// TestRunDeparts: what is refused or interrupted is told, and the lead decides what
// is done about it. What was not sealed is lost once the session is stopped, and
// made anew in the next.
func TestRunDeparts(t *testing.T) {
	b := newRehearsal(t)
	stick := &consoletest.Stick{Base: t.TempDir()}
	p := &consoletest.People{Keys: b.dir, Media: stick.Mount}
	stdout, err := b.run(inTurn(p,
		turn{"1.1 Who of these is here? Type their IDs, or all, or none: ", "\x03"}, // before there is a record
		turn{"  1      try again\n  2      stop, which empties the machine's memory\n> ", "1\r"},
		turn{": your ID: ", "no\r"}, // at the gate open
		turn{"  2      record an exception\n  3      stop, which empties the machine's memory\n> ", "2\r"},
		turn{"what was expected?: ", "light\r"},
		turn{"what happened? No secret belongs here: ", "dark\r"},
		turn{"what was decided?: ", "candles\r"},
		turn{"  3      stop, which empties the machine's memory\n> ", "1\r"},
		turn{"put in copy-1 (CD-R number 1). The folder where it is mounted: ", "\x03"},
		turn{"  3      record an exception\n  4      void what is not sealed, and make it anew\n  5      stop, which empties the machine's memory\n> ", "4\r"},
		turn{"why? No secret belongs here: ", "the medium broke\r"},
		turn{"1      the escrow and its shares\n  2      the material as well\n> ", "1\r"},
		turn{"Press Enter to wipe the screen: ", "\x03"},
		turn{"stop, which empties the machine's memory\n> ", "\x03"},
	))
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != cli.ExitInterrupted {
		t.Fatalf("%v: %s", err, stdout)
	}
	p.Instead, p.Lead = nil, func(question string, _ []string) int {
		if strings.Contains(question, "Has the medium with what was fetched come") {
			return 1
		}
		return 0
	}
	if stdout, err = b.run(p); err != nil || !strings.HasPrefix(stdout, "test: SEALED\n") {
		t.Fatalf("%v: %s", err, stdout)
	}
	if found, err := evidence.Folder(b.dir).Verify(); err != nil || len(found.Problems) > 0 {
		t.Errorf("problems %v, error %v", found.Problems, err)
	}
	b.exits(0, "ceremony", "transcript", "show", b.dir)
	for _, want := range []string{"preflight: ", "dark", "candles", "the medium broke", "lost"} {
		if !strings.Contains(b.stdout.String(), want) {
			t.Errorf("the record does not tell %q: %s", want, &b.stdout)
		}
	}
}

// A turn is what is typed where something is shown at last.
type turn struct{ shown, keys string }

// inTurn has people type other keys than usual, one after another.
func inTurn(p *consoletest.People, turns ...turn) *consoletest.People {
	p.Instead = func(shown string) (string, bool) {
		if len(turns) == 0 || !strings.HasSuffix(shown, turns[0].shown) {
			return "", false
		}
		keys := turns[0].keys
		turns = turns[1:]
		return keys, true
	}
	return p
}

// TestRunNeedsPeople: without a terminal nothing is begun.
func TestRunNeedsPeople(t *testing.T) {
	b := newRehearsal(t)
	b.exits(1, "ceremony", "run", b.dir, "--no-input")
	b.says("hint: run it in a terminal")
	if _, err := os.Stat(b.path("transcript.jsonl")); err == nil {
		t.Error("there is a record")
	}
}
