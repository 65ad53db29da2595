// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/mockkms"
)

// app is one run of keymat: what the commands share.
type app struct {
	env     Env
	globals globals
	started bool           // a command's own work began
	closers []func() error // undone in reverse when the run ends
	told    bool           // the result was printed

	mock  *mockkms.KMS     // the one inside keymat, once it is open
	clock func() time.Time // the time at KMS, once it was asked for
}

func (a *app) close() error {
	var errs []error
	for i := len(a.closers) - 1; i >= 0; i-- {
		errs = append(errs, a.closers[i]())
	}
	a.closers = nil
	return errors.Join(errs...)
}

// result is what a command found or made. Its JSON form is stable; text is for
// people.
type result interface{ text(w io.Writer) }

// talk is how this run talks.
func (a *app) talk() *cli.Talk {
	return &cli.Talk{
		Name:     "keymat",
		Stdout:   a.env.Stdout,
		Stderr:   a.env.Stderr,
		Getenv:   a.env.Getenv,
		Prompter: a.env.Prompter,
		JSON:     a.globals.json,
		Yes:      a.globals.yes,
		NoInput:  a.globals.noInput,
		Quiet:    a.globals.quiet,
	}
}

// print writes the result to stdout.
func (a *app) print(r result) error {
	a.told = true
	return a.talk().Print(r, r.text)
}

func writeJSON(w io.Writer, v any) error { return cli.WriteJSON(w, v) }

// say tells the story on stderr.
func (a *app) say(format string, args ...any) { a.talk().Say(format, args...) }

// busy tells what takes a while until done is called.
func (a *app) busy(what string) (done func()) { return a.talk().Busy(what) }

// warn tells what must not be missed, also when asked to be quiet.
func (a *app) warn(format string, args ...any) { a.talk().Warn(format, args...) }

// confirm asks for consent to something that cannot be taken back.
func (a *app) confirm(ctx context.Context, question string) error {
	return a.talk().Confirm(ctx, question)
}

// confirmByName asks for the name of what is about to be harmed.
func (a *app) confirmByName(ctx context.Context, what, name string) error {
	return a.talk().ConfirmByName(ctx, what, name)
}

// passphrase asks for the passphrase of what, without showing it.
func (a *app) passphrase(ctx context.Context, what string) ([]byte, error) {
	return a.prompter().Secret(ctx, "Passphrase of "+what)
}

func (a *app) prompter() term.Prompter { return a.talk().Asker() }

func fields(w io.Writer, pairs ...string) { cli.Fields(w, pairs...) }

func left(t, now time.Time) string { return cli.Left(t, now) }

func deadline(t, now time.Time) string { return cli.Deadline(t, now) }

func list[T ~string](words []T) string { return cli.List(words) }
