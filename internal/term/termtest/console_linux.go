// SPDX-License-Identifier: Apache-2.0

// Package termtest runs a command on a terminal of its own, for tests of what
// it asks a person. Linux only.
package termtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// hung is when a command that should have shown something is given up. It may be
// making a large RSA key on a slow machine.
const hung = 3 * time.Minute

// Console is a pseudo-terminal and what has been shown on it. Its methods fail
// the test rather than return errors.
type Console struct {
	t        testing.TB
	keyboard *os.File // the master side: keys in, screen out
	line     *os.File // the side of the command
	cmd      *exec.Cmd
	screen   strings.Builder
	hungUp   bool
	expected int // how much of screen has been expected
}

// Open returns a console with nothing running on it yet.
func Open(t testing.TB) *Console {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	var number int
	control(t, keyboard, func(fd int) error {
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		number, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		return err
	})
	line, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line.Close() })
	return &Console{t: t, keyboard: keyboard, line: line}
}

// Start runs cmd with the console as its controlling terminal. Its standard
// streams stay what cmd says; those that are nil are the null device.
func (c *Console) Start(cmd *exec.Cmd) {
	c.t.Helper()
	cmd.ExtraFiles = append(cmd.ExtraFiles, c.line)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 2 + len(cmd.ExtraFiles)}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.cmd = cmd
	c.t.Cleanup(func() { cmd.Process.Kill() })
	// The command's copy is the last one, so that its end is the screen's end.
	if err := c.line.Close(); err != nil {
		c.t.Fatal(err)
	}
}

// Attach makes the console the standard streams of cmd, as in a shell. Start
// must follow.
func (c *Console) Attach(cmd *exec.Cmd) {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.line, c.line, c.line
}

// Type presses keys. Questions throw away what was typed before them: Expect
// the question first.
func (c *Console) Type(keys string) {
	c.t.Helper()
	if _, err := c.keyboard.WriteString(keys); err != nil {
		c.t.Fatal(err)
	}
}

// Expect waits until text has been shown, after what was expected before.
func (c *Console) Expect(text string) {
	c.t.Helper()
	for {
		if i := strings.Index(c.screen.String()[c.expected:], text); i >= 0 {
			c.expected += i + len(text)
			return
		}
		if err := c.watch(); err != nil {
			c.t.Fatalf("expecting %q: %v; screen: %q", text, err, c.Screen())
		}
	}
}

// Until waits until what was shown, after what was expected before, is something,
// and returns it. ok is false if the command ended before.
func (c *Console) Until(is func(shown string) bool) (shown string, ok bool) {
	c.t.Helper()
	for {
		if shown = c.screen.String()[c.expected:]; is(shown) {
			c.expected = c.screen.Len()
			return shown, true
		}
		switch err := c.watch(); {
		case errors.Is(err, unix.EIO): // nobody has the other side open
			return c.screen.String()[c.expected:], false
		case err != nil:
			c.t.Fatalf("waiting: %v; screen: %q", err, c.Screen())
		}
	}
}

// Wait waits for the command to end and returns its error.
func (c *Console) Wait() error {
	c.t.Helper()
	if c.hungUp {
		return c.cmd.Wait()
	}
	for {
		switch err := c.watch(); {
		case errors.Is(err, unix.EIO): // nobody has the other side open
			return c.cmd.Wait()
		case err != nil:
			c.t.Fatalf("waiting for the command: %v; screen: %q", err, c.Screen())
		}
	}
}

// Signal sends the command a signal.
func (c *Console) Signal(s os.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}

// Hangup takes the terminal away.
func (c *Console) Hangup() {
	c.t.Helper()
	if err := c.keyboard.Close(); err != nil {
		c.t.Fatal(err)
	}
	c.hungUp = true
}

// Screen returns everything shown so far, control sequences included.
func (c *Console) Screen() string { return c.screen.String() }

// Echoes reports whether the terminal shows what is typed.
func (c *Console) Echoes() bool {
	c.t.Helper()
	var mode *unix.Termios
	control(c.t, c.keyboard, func(fd int) (err error) {
		mode, err = unix.IoctlGetTermios(fd, unix.TCGETS)
		return err
	})
	return mode.Lflag&unix.ECHO != 0
}

// watch adds what is shown next to the screen.
func (c *Console) watch() error {
	var more [4096]byte
	if err := c.keyboard.SetReadDeadline(time.Now().Add(hung)); err != nil {
		return err
	}
	n, err := c.keyboard.Read(more[:])
	c.screen.Write(more[:n])
	return err
}

// control calls f with the descriptor of file, leaving it to the poller, which
// the time limit of watch needs.
func control(t testing.TB, file *os.File, f func(fd int) error) {
	t.Helper()
	raw, err := file.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = f(int(fd)) })
	if err := errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
}
