// SPDX-License-Identifier: Apache-2.0

// Package cli is what the command lines of keymat's binaries have in common: how they tell results and the story, ask for
// consent, and fail.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/pflag"

	"github.com/keymat/keymat/internal/term"
)

// Talk is how one run talks: results on stdout, the story on stderr, questions on the terminal.
type Talk struct {
	Env
	Name string // of the binary, which begins each line of the story

	JSON    bool // results, and errors, as one JSON object
	Yes     bool // confirmations are given
	NoInput bool // questions are declined
	Quiet   bool // only errors and warnings are told
}

// Flags registers the flags that say how a run talks.
func (t *Talk) Flags(f *pflag.FlagSet) {
	f.BoolVar(&t.JSON, "json", false, "print the result as one JSON object")
	f.BoolVarP(&t.Yes, "yes", "y", false, "answer yes to confirmations")
	f.BoolVar(&t.NoInput, "no-input", false, "never ask; fail where something would have to be asked")
	f.BoolVarP(&t.Quiet, "quiet", "q", false, "say nothing but errors on stderr")
}

// Print writes a result to stdout: as JSON if that is asked for, or as text writes it for people.
func (t *Talk) Print(result any, text func(io.Writer)) error {
	if !t.JSON {
		text(t.Stdout)
		return nil
	}
	return WriteJSON(t.Stdout, result)
}

// WriteJSON writes one indented JSON object.
func WriteJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// Say tells the story.
func (t *Talk) Say(format string, args ...any) {
	if !t.Quiet {
		fmt.Fprintf(t.Stderr, t.Name+": "+format+"\n", args...)
	}
}

// Warn tells what must not be missed, also when asked to be quiet.
func (t *Talk) Warn(format string, args ...any) {
	fmt.Fprintf(t.Stderr, t.Name+": warning: "+format+"\n", args...)
}

// Busy tells what takes a while until done is called: in a line that goes away on a terminal, in a plain one elsewhere.
func (t *Talk) Busy(what string) (done func()) {
	if t.Quiet {
		return func() {}
	}
	p := term.NewProgress(t.Stderr, term.Color(t.Stderr, t.Getenv))
	p.Update(t.Name + ": " + what)
	return func() { p.Done("") }
}

// ErrDeclined says that a confirmation was not given.
var ErrDeclined = errors.New("you did not agree, and nothing was changed")

// Confirm asks for consent to something that cannot be taken back. Without a terminal there is nobody to ask.
func (t *Talk) Confirm(ctx context.Context, question string) error {
	if t.Yes {
		return nil
	}
	yes, err := t.Asker().Confirm(ctx, question)
	if err == nil && !yes {
		return ErrDeclined
	}
	return err
}

// ConfirmByName asks for the name of what is about to be harmed, since yes is said too easily.
func (t *Talk) ConfirmByName(ctx context.Context, what, name string) error {
	if t.Yes {
		return nil
	}
	typed, err := t.Asker().Line(ctx, fmt.Sprintf("%s.\nType %s to go on", what, name))
	if err == nil && typed != name {
		return ErrDeclined
	}
	return err
}

// Passphrase asks for the passphrase of what, without showing it.
func (t *Talk) Passphrase(ctx context.Context, what string) ([]byte, error) {
	return t.Asker().Secret(ctx, "Passphrase of "+what)
}

// Asker returns the Prompter, or one that refuses where questions are declined.
func (t *Talk) Asker() term.Prompter {
	if t.NoInput {
		return term.Refuse{}
	}
	return t.Prompter
}
