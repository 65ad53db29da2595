// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

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

// print writes the result to stdout.
func (a *app) print(r result) error {
	a.told = true
	if !a.globals.json {
		r.text(a.env.Stdout)
		return nil
	}
	return writeJSON(a.env.Stdout, r)
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// say tells the story on stderr.
func (a *app) say(format string, args ...any) {
	if !a.globals.quiet {
		fmt.Fprintf(a.env.Stderr, "keymat: "+format+"\n", args...)
	}
}

// busy tells what takes a while until done is called: in a line that goes away
// on a terminal, in a plain one elsewhere.
func (a *app) busy(what string) (done func()) {
	if a.globals.quiet {
		return func() {}
	}
	p := term.NewProgress(a.env.Stderr, term.Color(a.env.Stderr, a.env.Getenv))
	p.Update("keymat: " + what)
	return func() { p.Done("") }
}

// warn tells what must not be missed, also when asked to be quiet.
func (a *app) warn(format string, args ...any) {
	fmt.Fprintf(a.env.Stderr, "keymat: warning: "+format+"\n", args...)
}

// confirm asks for consent to something that cannot be taken back. --yes
// gives it; without a terminal there is nobody to ask.
func (a *app) confirm(ctx context.Context, question string) error {
	if a.globals.yes {
		return nil
	}
	yes, err := a.prompter().Confirm(ctx, question)
	if err == nil && !yes {
		return errDeclined
	}
	return err
}

var errDeclined = errors.New("you did not agree, and nothing was changed")

// confirmByName asks for the name of what is about to be harmed, since yes is
// said too easily. --yes gives it.
func (a *app) confirmByName(ctx context.Context, what, name string) error {
	if a.globals.yes {
		return nil
	}
	typed, err := a.prompter().Line(ctx, fmt.Sprintf("%s.\nType %s to go on", what, name))
	if err == nil && typed != name {
		return errDeclined
	}
	return err
}

// passphrase asks for the passphrase of what, without showing it.
func (a *app) passphrase(ctx context.Context, what string) ([]byte, error) {
	return a.prompter().Secret(ctx, "Passphrase of "+what)
}

func (a *app) prompter() term.Prompter {
	if a.globals.noInput {
		return term.Refuse{}
	}
	return a.env.Prompter
}

// fields prints name and value pairs in two columns, leaving out empty values.
func fields(w io.Writer, pairs ...string) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			fmt.Fprintf(tw, "%s\t%s\n", pairs[i], pairs[i+1])
		}
	}
	tw.Flush()
}

// left is how long it is until t, in the two units that matter: "23 h 58 m".
func left(t, now time.Time) string {
	d := t.Sub(now)
	switch {
	case d <= 0:
		return "over"
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return fmt.Sprintf("%d m", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d m", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d d %d h", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// deadline is a time and what is left until then.
func deadline(t, now time.Time) string {
	if left := left(t, now); left != "over" {
		return fmt.Sprintf("%s (%s left)", t.UTC().Format(time.RFC3339), left)
	}
	return t.UTC().Format(time.RFC3339) + " (over)"
}

// list joins words for a sentence.
func list[T ~string](words []T) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	return strings.Join(all, ", ")
}
