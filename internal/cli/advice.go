// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/term"
)

// Exit codes, as documented in the help topic exit-codes.
const (
	ExitDone        = 0
	ExitFailed      = 1
	ExitUsage       = 2
	ExitNo          = 3
	ExitPartly      = 4
	ExitInterrupted = 130
)

// A UsageError is an error in how a program was called.
type UsageError struct {
	Err      error
	Unparsed bool // the program could not even begin with it, so that Err says less by itself

	Command string // that was called, such as "keymat fleet plan", if Unparsed
	Meant   string // the command or flag that may have been meant, if Unparsed and one is near
}

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// Usagef makes a *UsageError.
func Usagef(format string, args ...any) error { return &UsageError{Err: fmt.Errorf(format, args...)} }

// A NoError is the answer no, and what the question was about: exit code 3.
type NoError struct {
	Reason string
	Next   string // what to type about it; "" where that is plain, or nothing
}

func (e *NoError) Error() string { return e.Reason }

// An InterruptedError is whatever ended a run that was interrupted.
type InterruptedError struct{ Err error }

func (e *InterruptedError) Error() string { return "interrupted: " + e.Err.Error() }
func (e *InterruptedError) Unwrap() error { return e.Err }

// Interrupted reports whether an interrupt ended the run, or a question in it.
func Interrupted(err error) bool {
	_, ok := errors.AsType[*InterruptedError](err)
	return ok || errors.Is(err, term.ErrInterrupted)
}

// InFile says in which file an error was found.
func InFile(name string, err error) error { return fmt.Errorf("%s: %w", name, err) }

// Advice is what to do about an error.
type Advice struct {
	Hints []string
	Exit  int // code
}

// Hint is the advice to do one thing, for an error after which the run has failed.
func Hint(format string, args ...any) Advice {
	return Advice{Hints: []string{fmt.Sprintf(format, args...)}, Exit: ExitFailed}
}

// Advice is what to do about the answer.
func (e *NoError) Advice() Advice {
	if e.Next == "" {
		return Advice{Exit: ExitNo}
	}
	return Advice{Hints: []string{e.Next}, Exit: ExitNo}
}

// ExplainUsage covers how the program of this name was called.
func ExplainUsage(program string, err error) (Advice, bool) {
	e, ok := errors.AsType[*UsageError](err)
	if !ok {
		return Advice{}, false
	}
	if !e.Unparsed {
		return Advice{Exit: ExitUsage}, true
	}
	var hints []string
	if e.Meant != "" {
		hints = append(hints, "did you mean "+e.Meant+"?")
	}
	where := program + " help, or a command with --help,"
	if e.Command != "" && e.Command != program {
		where = e.Command + " --help"
	}
	return Advice{Hints: append(hints, where+" says what can be given"), Exit: ExitUsage}, true
}

// ExplainLocal covers the files, disks and terminals of this machine.
func ExplainLocal(err error) (Advice, bool) {
	if _, ok := errors.AsType[*files.ExistsError](err); ok {
		return Hint("name another file; --force overwrites, where a command has it"), true
	}
	if _, ok := errors.AsType[*term.NoTerminalError](err); ok {
		return Hint("run it in a terminal; --yes answers confirmations, but nothing answers for a passphrase"), true
	}
	switch {
	case errors.Is(err, fs.ErrPermission):
		return Hint("look at who owns the file and its folder"), true
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return Hint("make room there, or name a file on another disk, and run it again"), true
	case errors.Is(err, syscall.EROFS):
		return Hint("name a file on a disk that can be written to, and run it again"), true
	case errors.Is(err, syscall.EIO):
		return Hint("do not trust that disk any more; name a file on another one, and run it again"), true
	}
	return Advice{}, false
}
