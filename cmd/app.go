// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"io"
	"time"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/entry"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/mockkms"
)

// app is one run of keymat: what the commands share.
type app struct {
	cli.Run
	globals globals

	mock  *mockkms.KMS     // the one inside keymat, once it is open
	clock func() time.Time // the time at KMS, once it was asked for
}

func newApp(env Env) *app { return &app{Run: cli.Run{Talk: cli.Talk{Env: env, Name: program}}} }

// result is what a command found or made. Its JSON form is stable; text is for
// people.
type result interface{ text(w io.Writer) }

// print writes the result to stdout.
func (a *app) print(r result) error { return a.Print(r, r.text) }

func writeJSON(w io.Writer, v any) error { return cli.WriteJSON(w, v) }

// say tells the story on stderr.
func (a *app) say(format string, args ...any) { a.Say(format, args...) }

// busy tells what takes a while until done is called.
func (a *app) busy(what string) (done func()) { return a.Busy(what) }

// warn tells what must not be missed, also when asked to be quiet.
func (a *app) warn(format string, args ...any) { a.Warn(format, args...) }

// confirm asks for consent to something that cannot be taken back.
func (a *app) confirm(ctx context.Context, question string) error {
	return a.Confirm(ctx, question)
}

// confirmByName asks for the name of what is about to be harmed.
func (a *app) confirmByName(ctx context.Context, what, name string) error {
	return a.ConfirmByName(ctx, what, name)
}

// passphrase asks for the passphrase of what, without showing it.
func (a *app) passphrase(ctx context.Context, what string) ([]byte, error) {
	return a.Passphrase(ctx, what)
}

func (a *app) prompter() term.Prompter { return a.Asker() }

// desk is where people enter what nobody may see.
func (a *app) desk() entry.Desk { return entry.Desk{Prompter: a.prompter(), Warn: a.warn} }

func fields(w io.Writer, pairs ...string) { cli.Fields(w, pairs...) }

func left(t, now time.Time) string { return cli.Left(t, now) }

func deadline(t, now time.Time) string { return cli.Deadline(t, now) }

func list[T ~string](words []T) string { return cli.List(words) }
