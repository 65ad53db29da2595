// SPDX-License-Identifier: Apache-2.0

// Package hsmcmd is the keymat-hsm command line. It is built, documented and tested without a C compiler: what loads a
// PKCS #11 library comes from outside.
package hsmcmd

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/term"
)

// Exit codes, a part of those in keymat help exit-codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// A Library is a PKCS #11 library that was loaded.
type Library interface {
	hsm.Module
	Close() error
}

// A Loader loads the PKCS #11 library in a file.
type Loader func(file string) (Library, error)

// Env is everything a run takes from its process.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Prompter       term.Prompter // asks on the controlling terminal
	Load           Loader
}

// Main runs keymat-hsm with the process's own streams, environment and arguments. The first interrupt ends the run after
// what is in flight; a second one kills.
func Main(load Loader) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()
	return Run(ctx, Env{
		Stdin:    os.Stdin,
		Stdout:   os.Stdout,
		Stderr:   os.Stderr,
		Getenv:   os.Getenv,
		Prompter: term.New(os.Getenv),
		Load:     load,
	}, os.Args[1:])
}

// Run runs keymat-hsm and returns its exit code.
func Run(ctx context.Context, env Env, args []string) (status int) {
	a := newApp(env)
	root := newRoot(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	err = errors.Join(err, a.close())
	if err == nil {
		return exitDone
	}
	advice := explain(err)
	switch {
	case ctx.Err() != nil || errors.Is(err, term.ErrInterrupted):
		advice.exit = exitInterrupted
	case !a.started:
		advice = usageAdvice()
	}
	a.Fail(cli.Failure{Error: err.Error(), Hints: advice.hints, Exit: advice.exit}, a.told)
	return advice.exit
}

// app is one run: what the commands share.
type app struct {
	cli.Talk
	env     Env
	started bool           // a command's own work began
	told    bool           // the result was printed
	closers []func() error // undone in reverse when the run ends
}

func newApp(env Env) *app {
	return &app{env: env, Talk: cli.Talk{
		Name: "keymat-hsm", Stdout: env.Stdout, Stderr: env.Stderr, Getenv: env.Getenv, Prompter: env.Prompter,
	}}
}

func (a *app) close() error {
	var errs []error
	for i := len(a.closers) - 1; i >= 0; i-- {
		errs = append(errs, a.closers[i]())
	}
	a.closers = nil
	return errors.Join(errs...)
}

// result is what a command found or made. Its JSON form is stable; text is for people.
type result interface{ text(w io.Writer) }

func (a *app) print(r result) error {
	a.told = true
	return a.Print(r, r.text)
}
