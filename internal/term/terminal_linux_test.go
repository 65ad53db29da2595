// SPDX-License-Identifier: Apache-2.0

package term_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/internal/term/termtest"
)

// asked names the question that this test binary, started again by ask on a
// terminal of its own, puts to the person there.
const asked = "KEYMAT_TEST_ASK"

func TestMain(m *testing.M) {
	if question := os.Getenv(asked); question != "" {
		answer(question)
		return
	}
	os.Exit(m.Run())
}

// answer asks the question and prints the answer to standard output.
func answer(question string) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	signal.Ignore(syscall.SIGHUP)
	var got any
	var err error
	terminal := term.New(os.Getenv)
	switch question {
	case "secret":
		var secret []byte
		secret, err = terminal.Secret(ctx, "Passphrase for \x1b[2Jkey.pem")
		got = string(secret)
	case "confirm":
		got, err = terminal.Confirm(ctx, "This cannot be undone.\nDelete it")
	case "line":
		got, err = terminal.Line(ctx, "This cannot be undone.\nType alias/app")
	case "choose":
		got, err = terminal.Choose(ctx, "What does \x1b KMS say?", []term.Option{{Key: "1", Label: "yes"}, {Key: "2", Label: "no"}, {Label: "let me see"}})
	case "menu":
		got, err = terminal.Choose(ctx, "", []term.Option{{Label: "go on"}, {Key: "q", Label: "quit"}})
	case "show":
		err = terminal.Show(ctx, "Share \x1b[2J1", []byte("tomato\npotato"))
	}
	fmt.Printf("%#v %v", got, err)
}

// ask runs answer on a new terminal; outcome ends it and returns what it
// printed.
func ask(t *testing.T, console *termtest.Console, question string, env ...string) (outcome func() string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asked+"="+question, "GORACE=atexit_sleep_ms=0") // or each end takes a second
	cmd.Env = append(cmd.Env, env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	console.Start(cmd)
	return func() string {
		t.Helper()
		if err := console.Wait(); err != nil {
			t.Fatalf("%v: %s", err, stderr.Bytes())
		}
		return stdout.String()
	}
}

const prompt = "Passphrase for \uFFFD[2Jkey.pem: " // the control character is not let through

func TestSecret(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", term.MaxSecret/16)
	tests := []struct{ name, keys, want string }{
		{"enter", "tomato\r", `"tomato" <nil>`},
		{"newline", "tomato\n", `"tomato" <nil>`},
		{"nothing", "\r", `"" <nil>`},
		{"backspace", "tomü\x7f\x7f\b\x7f\x7fa\x7fb\r", `"b" <nil>`},
		{"start again", "tomato\x15b\r", `"b" <nil>`},
		{"end of input after a line", "tomato\x04", `"tomato" <nil>`},
		{"end of input", "\x04", `"" EOF`},
		{"interrupt", "toma\x03", `"" interrupted`},
		{"the rest of a paste", "tomato\rrm -r .\r", `"tomato" <nil>`},
		{"greatest length", long + "\r", fmt.Sprintf("%q <nil>", long)},
		{"one too many", long + "x\r", fmt.Sprintf(`"" the answer is longer than %d bytes`, term.MaxSecret)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			console := termtest.Open(t)
			outcome := ask(t, console, "secret")
			console.Expect(prompt)
			if console.Echoes() {
				t.Error("echo is on behind the prompt")
			}
			console.Type(test.keys)
			if got := outcome(); got != test.want {
				t.Errorf("got %.80s, want %.80s", got, test.want)
			}
			if got, want := console.Screen(), prompt+"\r\n"; got != want {
				t.Errorf("screen %q, want %q", got, want)
			}
			if !console.Echoes() {
				t.Error("echo was not turned on again")
			}
		})
	}
}

// TestSecretTypedAhead types before there is a question. The terminal shows
// that, as it must, but it does not become part of the answer.
func TestSecretTypedAhead(t *testing.T) {
	console := termtest.Open(t)
	console.Type("toma")
	console.Expect("toma")
	outcome := ask(t, console, "secret")
	console.Expect(prompt)
	console.Type("potato\r")
	if got, want := outcome(), `"potato" <nil>`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := console.Screen(); strings.Contains(got, "pota") {
		t.Errorf("the secret is on the screen: %q", got)
	}
}

func TestTerminated(t *testing.T) {
	for question, shown := range map[string]string{"secret": prompt, "confirm": "[y/N]"} {
		t.Run(question, func(t *testing.T) {
			t.Parallel()
			console := termtest.Open(t)
			outcome := ask(t, console, question)
			console.Expect(shown)
			console.Signal(syscall.SIGTERM)
			if got, want := outcome(), "context canceled"; !strings.HasSuffix(got, want) {
				t.Errorf("got %s, want %s", got, want)
			}
			if !console.Echoes() {
				t.Error("echo was not turned on again")
			}
		})
	}
}

// TestHangup takes the terminal away from a question that outlives the signal
// which goes with that.
func TestHangup(t *testing.T) {
	console := termtest.Open(t)
	outcome := ask(t, console, "secret")
	console.Expect(prompt)
	console.Type("toma")
	console.Hangup()
	if got, want := outcome(), `"" unexpected EOF`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestConfirm(t *testing.T) {
	tests := []struct{ name, keys, shown, want string }{
		{"y", "y\r", "y", "true <nil>"},
		{"Yes", "Yes\r", "Yes", "true <nil>"},
		{"n", "n\r", "n", "false <nil>"},
		{"nothing", "\r", "", "false <nil>"},
		{"something", "yesterday\r", "yesterday", "false <nil>"},
		{"changed mind", "né\x7f\x7f\x7fy\r", "né\b \b\b \by", "true <nil>"},
		{"an arrow key", "\x1b[Ay\r", "[Ay", "false <nil>"},
		{"interrupt", "y\x03", "y", "false interrupted"},
		{"end of input", "\x04", "", "false EOF"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			console := termtest.Open(t)
			outcome := ask(t, console, "confirm", "NO_COLOR=1")
			console.Expect("This cannot be undone.\r\n")
			console.Expect("Delete it? [y/N] ")
			console.Type(test.keys)
			if got := outcome(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			shown := "This cannot be undone.\r\nDelete it? [y/N] " + test.shown + "\r\n"
			if got := console.Screen(); got != shown {
				t.Errorf("screen %q, want %q", got, shown)
			}
			if !console.Echoes() {
				t.Error("echo was not turned on again")
			}
		})
	}
}

func TestLine(t *testing.T) {
	tests := []struct{ name, keys, shown, want string }{
		{"a word", "alias/app\r", "alias/app", `"alias/app" <nil>`},
		{"space around it", "  alias/app \r", "  alias/app ", `"alias/app" <nil>`},
		{"changed", "alias/apt\x7fp\r", "alias/apt\b \bp", `"alias/app" <nil>`},
		{"nothing", "\r", "", `"" <nil>`},
		{"interrupt", "alias\x03", "alias", `"" interrupted`},
		{"end of input", "\x04", "", `"" EOF`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			console := termtest.Open(t)
			outcome := ask(t, console, "line", "NO_COLOR=1")
			console.Expect("Type alias/app: ")
			console.Type(test.keys)
			if got := outcome(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			shown := "This cannot be undone.\r\nType alias/app: " + test.shown + "\r\n"
			if got := console.Screen(); got != shown {
				t.Errorf("screen %q, want %q", got, shown)
			}
			if !console.Echoes() {
				t.Error("echo was not turned on again")
			}
		})
	}
}

func TestColors(t *testing.T) {
	const bold = "\x1b[1m"
	for _, test := range []struct {
		env  string
		want bool
	}{{"NO_COLOR=", true}, {"NO_COLOR=1", false}, {"TERM=dumb", false}} {
		t.Run(test.env, func(t *testing.T) {
			t.Parallel()
			console := termtest.Open(t)
			outcome := ask(t, console, "confirm", "NO_COLOR=", "TERM=xterm", test.env)
			console.Expect("[y/N]")
			console.Type("\r")
			outcome()
			if got := strings.Contains(console.Screen(), bold); got != test.want {
				t.Errorf("bold %t, want %t: %q", got, test.want, console.Screen())
			}
		})
	}
}

// TestNoTerminal runs the question in a session without a controlling terminal.
func TestNoTerminal(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asked+"=confirm")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	got, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	want := `false cannot ask "This cannot be undone. Delete it": no terminal: opening /dev/tty: no such device or address`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestShow: a secret is gone from the screen, and from what is above it, when
// Enter, Ctrl-C or a signal has ended the question.
func TestShow(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(*termtest.Console)
		want string
	}{
		{"enter", func(c *termtest.Console) { c.Type("\r") }, "<nil> <nil>"},
		{"Ctrl-C", func(c *termtest.Console) { c.Type("\x03") }, "<nil> interrupted"},
		{"a signal", func(c *termtest.Console) { c.Signal(syscall.SIGTERM) }, "<nil> context canceled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			console := termtest.Open(t)
			outcome := ask(t, console, "show", "TERM=xterm")
			console.Expect("\x1b[?1049h\x1b[2J\x1b[HShare \uFFFD[2J1\r\n\r\ntomato\r\npotato\r\n\r\nPress Enter to wipe the screen: ")
			tt.end(console)
			if got := outcome(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if screen := console.Screen(); !strings.HasSuffix(screen, "\x1b[2J\x1b[3J\x1b[H\x1b[?1049l") {
				t.Errorf("screen %q", screen)
			}
		})
	}
}

// TestShowOnDumbTerminal: a screen that cannot be wiped shows no secret.
func TestShowOnDumbTerminal(t *testing.T) {
	console := termtest.Open(t)
	outcome := ask(t, console, "show", "TERM=dumb")
	if got := outcome(); !strings.Contains(got, "this terminal cannot wipe its screen") {
		t.Errorf("got %s", got)
	}
	if screen := console.Screen(); strings.Contains(screen, "tomato") {
		t.Errorf("screen %q", screen)
	}
}

func TestChoose(t *testing.T) {
	const menu = "What does \uFFFD KMS say?\r\n  1      yes\r\n  2      no\r\n  Enter  let me see\r\n> "
	tests := []struct{ name, question, menu, keys, again, want string }{
		{"number", "choose", menu, "2\r", "", "1 <nil>"},
		{"enter", "choose", menu, "\r", "", "2 <nil>"},
		{"ask again", "choose", menu, "3\r", "Please type one of 1, 2 or Enter.\r\n> ", "0 <nil>"},
		{"interrupt", "choose", menu, "\x03", "", "0 interrupted"},
		{"end", "choose", menu, "\x04", "", "0 EOF"},
		{"one line", "menu", "Enter go on · q quit > ", "Q\r", "", "1 <nil>"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			console := termtest.Open(t)
			outcome := ask(t, console, test.question, "NO_COLOR=1")
			console.Expect(test.menu)
			console.Type(test.keys)
			if test.again != "" {
				console.Expect(test.again)
				console.Type("1\r")
			}
			if got := outcome(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// TestChooseGivesWay: what a signal ends must not wait for a key.
func TestChooseGivesWay(t *testing.T) {
	console := termtest.Open(t)
	outcome := ask(t, console, "menu")
	console.Expect("quit")
	console.Signal(syscall.SIGTERM)
	if got, want := outcome(), "0 context canceled"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
