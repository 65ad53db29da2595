// SPDX-License-Identifier: Apache-2.0

// Package term is the conversation with the person at the terminal: secrets
// typed without echo, confirmations, and a status line.
//
// Questions go to the controlling terminal itself, not to the standard streams:
// those carry results and the story, and may be pipes and files.
package term

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	xterm "golang.org/x/term"
)

// ErrInterrupted says that a question was answered with Ctrl-C. While a
// question is open that key is an answer like any other, not a signal.
var ErrInterrupted = errors.New("interrupted")

// NoTerminalError says that a question could not be put to anybody.
type NoTerminalError struct {
	What    string // the question
	NoInput bool   // questions were declined: there may well be a terminal
	Err     error  // why the terminal could not be used, if that was the reason
}

func (e *NoTerminalError) Error() string {
	question := strings.ReplaceAll(e.What, "\n", " ")
	switch {
	case e.NoInput:
		return fmt.Sprintf("cannot ask %q: questions are turned off", question)
	case e.Err != nil:
		return fmt.Sprintf("cannot ask %q: no terminal: %v", question, e.Err)
	}
	return fmt.Sprintf("cannot ask %q: no terminal", question)
}

func (e *NoTerminalError) Unwrap() error { return e.Err }

// Prompter asks a person. All methods return ErrInterrupted for Ctrl-C, io.EOF
// for Ctrl-D on an empty line, the context's error once it is cancelled, and
// *NoTerminalError if there is nobody to ask.
//
// A question may have several lines; the last is the one with the answer beside
// it. Control characters in it are not sent to the terminal.
type Prompter interface {
	// Secret asks for a line that nobody shall see, at most MaxSecret bytes of
	// it. The caller owns the bytes and clears them. Enter alone gives none.
	Secret(ctx context.Context, prompt string) ([]byte, error)
	// Confirm asks a question that Y answers with yes and all else with no.
	Confirm(ctx context.Context, question string) (bool, error)
	// Line asks for a line that may be seen, and gives it without the space
	// around it: for what somebody shall not agree to without thinking.
	Line(ctx context.Context, prompt string) (string, error)
	// Choose asks for one of several answers and returns its position. The
	// question may be empty where the options speak for themselves.
	Choose(ctx context.Context, question string, options []Option) (int, error)
	// Show shows a secret until Enter is pressed, and leaves nothing of it on the
	// screen or in what can be scrolled back to.
	Show(ctx context.Context, title string, secret []byte) error
}

// Terminal is the Prompter on the controlling terminal. It holds nothing open
// between questions.
type Terminal struct {
	plain bool // no colours
	dumb  bool // no escape sequences at all
}

// New returns the Prompter on the controlling terminal of the process; getenv
// is asked for NO_COLOR and TERM. Whether there is such a terminal is found out
// by the first question.
func New(getenv func(string) string) *Terminal {
	return &Terminal{plain: !wantsColor(getenv), dumb: getenv("TERM") == "dumb"}
}

// Refuse is the Prompter of somebody who does not want to be asked.
type Refuse struct{}

// Secret returns a *NoTerminalError.
func (Refuse) Secret(_ context.Context, prompt string) ([]byte, error) {
	return nil, &NoTerminalError{What: prompt, NoInput: true}
}

// Confirm returns a *NoTerminalError.
func (Refuse) Confirm(_ context.Context, question string) (bool, error) {
	return false, &NoTerminalError{What: question, NoInput: true}
}

// Line returns a *NoTerminalError.
func (Refuse) Line(_ context.Context, prompt string) (string, error) {
	return "", &NoTerminalError{What: prompt, NoInput: true}
}

// Show returns a *NoTerminalError.
func (Refuse) Show(_ context.Context, title string, _ []byte) error {
	return &NoTerminalError{What: title, NoInput: true}
}

// IsTerminal reports whether a stream is a file that is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && xterm.IsTerminal(int(f.Fd()))
}

// Width is how many characters fit in a line of a stream, or 0 where that is
// not a terminal, or not known.
func Width(stream any) int {
	f, ok := stream.(*os.File)
	if !ok {
		return 0
	}
	width, _, err := xterm.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// Color reports whether to write colours to a stream: to a terminal that can
// show them, unless NO_COLOR is set (https://no-color.org).
func Color(stream io.Writer, getenv func(string) string) bool {
	return IsTerminal(stream) && wantsColor(getenv)
}

func wantsColor(getenv func(string) string) bool {
	return getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"
}
