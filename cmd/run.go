// SPDX-License-Identifier: Apache-2.0

// Package cmd is the keymat command line: flags, prompts, words and exit codes.
// What the commands do is done by the packages below it.
package cmd

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/keymat/keymat/internal/term"
)

// Exit codes, as documented in `keymat help exit-codes`.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNo          = 3
	exitPartly      = 4
	exitInterrupted = 130
)

// Env is everything a run of keymat takes from its process.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Prompter       term.Prompter // asks on the controlling terminal
}

// Main runs keymat with the process's own streams, environment and arguments.
// The first interrupt ends the run after what is in flight; a second one kills.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()
	return Run(ctx, Env{
		Stdin:    os.Stdin,
		Stdout:   os.Stdout,
		Stderr:   os.Stderr,
		Getenv:   os.Getenv,
		Prompter: term.New(os.Getenv),
	}, os.Args[1:])
}

// Run runs keymat and returns its exit code.
func Run(ctx context.Context, env Env, args []string) (status int) {
	a := &app{env: env}
	root := newRoot(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	err = errors.Join(err, a.close())
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil {
		err = &interruptedError{err}
	}
	if !a.started {
		err = &usageError{err: err, unparsed: true}
	}
	return a.fail(err)
}
