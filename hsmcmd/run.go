// SPDX-License-Identifier: Apache-2.0

// Package hsmcmd is the keymat-hsm command line. It is built, documented and tested without a C compiler: what loads a
// PKCS #11 library comes from outside.
package hsmcmd

import (
	"context"
	"io"

	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/internal/cli"
)

const program = "keymat-hsm"

// A Library is a PKCS #11 library that was loaded.
type Library interface {
	hsm.Module
	Close() error
}

// A Loader loads the PKCS #11 library in a file.
type Loader func(file string) (Library, error)

// Main runs keymat-hsm with the process's own streams, environment and arguments, as cli.Main says.
func Main(load Loader) int {
	return cli.Main(func(ctx context.Context, env cli.Env, args []string) int { return Run(ctx, env, load, args) })
}

// Run runs keymat-hsm and returns its exit code.
func Run(ctx context.Context, env cli.Env, load Loader, args []string) (status int) {
	a := newApp(env, load)
	return a.Execute(ctx, newRoot(a), args, func(err error) cli.Failure {
		advice := explain(err)
		return cli.Failure{Error: err.Error(), Hints: advice.Hints, Exit: advice.Exit}
	})
}

// app is one run: what the commands share.
type app struct {
	cli.Run
	loader Loader
}

func newApp(env cli.Env, load Loader) *app {
	return &app{Run: cli.Run{Talk: cli.Talk{Env: env, Name: program}}, loader: load}
}

// result is what a command found or made. Its JSON form is stable; text is for people.
type result interface{ text(w io.Writer) }

func (a *app) print(r result) error { return a.Print(r, r.text) }
