// SPDX-License-Identifier: Apache-2.0

package cmd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/keymat/keymat/internal/term/termtest"
)

// student sits at a terminal, with a home of their own.
type student struct {
	*termtest.Console
	t    *testing.T
	home string
}

// sits begins keymat at a new terminal.
func sits(t *testing.T, home string, args ...string) student {
	t.Helper()
	keymat, err := exec.LookPath("keymat")
	if err != nil {
		t.Fatal(err)
	}
	s := student{termtest.Open(t), t, home}
	cmd := exec.Command(keymat, args...)
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "HOME="+home, "XDG_STATE_HOME="+filepath.Join(home, "state"), "NO_COLOR=1", "TERM=xterm", "GORACE=atexit_sleep_ms=0")
	s.Attach(cmd)
	s.Start(cmd)
	return s
}

// sees waits for text, and then types an answer.
func (s student) sees(text, answer string) {
	s.t.Helper()
	s.Expect(text)
	s.Type(answer + "\r")
}

func (s student) ends(status int) {
	s.t.Helper()
	got := 0
	if err := s.Wait(); err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			s.t.Fatal(err)
		}
		got = exit.ExitCode()
	}
	if got != status {
		s.t.Errorf("exit code %d, want %d; screen: %s", got, status, s.Screen())
	}
}

const menu = "Enter do it"

func TestLessonAtATerminal(t *testing.T) {
	home := t.TempDir()
	s := sits(t, home, "lab")
	s.sees("Which lesson?", "")
	s.Expect("Bring your own key (lesson byok)")
	s.Expect("Can it encrypt?")
	s.sees("just show me · q quit > ", "1")
	s.sees(menu, "")
	s.Expect("You said 1; it is 2")
	for step := 2; step <= 9; step++ {
		s.Expect(fmt.Sprintf("\n%d. ", step))
		if step == 4 || step == 7 || step == 8 {
			s.sees("just show me · q quit > ", "2")
		}
		s.sees(menu, "")
	}
	s.Expect("Done: lesson byok, 9 steps. You predicted 1 of 4.")
	s.ends(0)
}

func TestLeavingAndComingBack(t *testing.T) {
	home := t.TempDir()
	s := sits(t, home, "lab", "byok")
	s.sees("Enter just show me · q quit > ", "2")
	s.sees(menu, "c")
	s.Expect("aws kms create-key --origin EXTERNAL")
	s.sees(menu, "e")
	s.Expect("custom key store")
	s.sees(menu, "what?")
	s.sees("Please type one of Enter, c, e or q.", "")
	s.Expect("You were right with 2")
	s.Expect("2. Make 32 random bytes")
	s.sees(menu, "q")
	s.Expect("You stopped before step 2 of 9. keymat lab byok goes on there.")
	s.ends(0)

	s = sits(t, home, "lab", "byok")
	s.Expect("You stopped before step 2 of 9.")
	s.sees("quit", "")
	s.Expect("Step 1 is done again, on a new key.")
	s.Expect("2. Make 32 random bytes")
	s.sees(menu, "")
	s.Expect("3. Fetch")
	s.sees(menu, "q")
	s.ends(0)
	kept, err := os.ReadFile(filepath.Join(home, "state", "keymat", "lab.json"))
	if want := `{"kind":"keymat/lab-progress","version":1,"lessons":{"byok":{"predictions":[1,-1]}}}`; err != nil || string(kept) != want {
		t.Errorf("kept %s, %v, want %s", kept, err, want)
	}
	if strings.Contains(s.Screen(), "1. Make a KMS key") {
		t.Error("a step was played twice")
	}

	s = sits(t, home, "lab", "byok")
	s.sees("You stopped before step 3 of 9.", "a")
	s.Expect("1. Make a KMS key")
	s.Expect("just show me · q quit > ")
	s.Type("\x03")
	s.ends(130)
}

// TestForgetfulTeacher: a home that keeps nothing is no reason not to learn.
func TestForgetfulTeacher(t *testing.T) {
	home := t.TempDir()
	progress := filepath.Join(home, "state", "keymat", "lab.json")
	if err := os.MkdirAll(filepath.Dir(progress), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(progress, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := sits(t, home, "lab", "byok")
	s.Expect("warning: how far you came is not known")
	s.sees("just show me", "")
	s.sees(menu, "")
	s.Expect("2. Make 32 random bytes")
	s.sees(menu, "q")
	s.ends(0)
	if kept, err := os.ReadFile(progress); err != nil || string(kept) != "{}" {
		t.Errorf("the file of others is now %s, %v", kept, err)
	}
}

// TestInterruptedLesson: a signal ends a lesson that waits for an answer.
func TestInterruptedLesson(t *testing.T) {
	s := sits(t, t.TempDir(), "lab", "byok")
	s.Expect("just show me · q quit > ")
	s.Signal(syscall.SIGTERM)
	s.ends(130)
}
