// SPDX-License-Identifier: Apache-2.0

package term

import (
	"context"
	"os"
	"strings"
	"unicode"
)

// tty is the terminal for the length of one question: keys arrive one by one,
// unechoed, and none that was typed before the question.
type tty struct {
	ctx     context.Context // of the question, which reading must give way to
	in, out *os.File
	restore func() // gives the terminal its former mode
}

// openTTY opens the terminal to ask what. The mode is changed before anything
// is shown: whoever types blindly, or pastes too early, must not see a secret
// appear on the screen.
func openTTY(ctx context.Context, what string) (*tty, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	in, out, err := openConsole()
	if err != nil {
		return nil, &NoTerminalError{What: what, Err: err}
	}
	restore, err := setMode(in, out)
	if err != nil {
		closeBoth(in, out)
		return nil, &NoTerminalError{What: what, Err: err}
	}
	return &tty{ctx: ctx, in: in, out: out, restore: restore}, nil
}

// end throws away what was typed after the answer (the rest of a pasted key
// must not become commands for the shell) and gives the terminal back.
func (t *tty) end() {
	t.restore()
	closeBoth(t.in, t.out)
}

func closeBoth(in, out *os.File) {
	in.Close()
	if out != in {
		out.Close()
	}
}

// Read returns the next keys. It wakes up now and then, since no platform lets
// a blocked read of a terminal be cancelled.
func (t *tty) Read(p []byte) (int, error) {
	for {
		if err := t.ctx.Err(); err != nil {
			return 0, err
		}
		if n, err := readSoon(t.in, p); n > 0 || err != nil {
			return n, err
		}
	}
}

// Write shows text.
func (t *tty) Write(p []byte) (int, error) { return t.out.Write(p) }

// Printable replaces control characters, which names that come from elsewhere
// may hold, lest they steer the terminal.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
