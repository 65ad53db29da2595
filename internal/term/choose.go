// SPDX-License-Identifier: Apache-2.0

package term

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// An Option is one of the answers to choose from.
type Option struct {
	Key   string // what is typed for it before Enter, in either letter case; "" for Enter alone
	Label string
}

// key is how the option's key is called on the screen.
func (o Option) key() string {
	if o.Key == "" {
		return "Enter"
	}
	return o.Key
}

// menuWidth is how much fits in one line of any terminal, in characters.
const menuWidth = 78

// Choose shows the question and the options, in one line where they fit, and
// reads a key. What is no option's key is asked again. It returns the position
// in options.
func (t *Terminal) Choose(ctx context.Context, question string, options []Option) (int, error) {
	tty, err := openTTY(ctx, question)
	if err != nil {
		return 0, err
	}
	defer tty.end()
	prompt := t.menu(question, options)
	for {
		answer, err := tty.ask(prompt)
		if err != nil {
			return 0, err
		}
		for i, o := range options {
			if strings.EqualFold(answer, o.Key) {
				return i, nil
			}
		}
		fmt.Fprintf(tty, "Please type one of %s.\n", keys(options))
		prompt = "> "
	}
}

// Choose returns a *NoTerminalError.
func (Refuse) Choose(_ context.Context, question string, _ []Option) (int, error) {
	return 0, &NoTerminalError{What: question, NoInput: true}
}

// menu is the question with its options, and the mark behind which is typed.
func (t *Terminal) menu(question string, options []Option) string {
	var line, lines strings.Builder
	for i, o := range options {
		if i > 0 {
			io.WriteString(&line, " · ")
		}
		io.WriteString(&line, strings.TrimSpace(o.key()+" "+Printable(o.Label)))
		fmt.Fprintf(&lines, "  %-5s  %s\n", o.key(), Printable(o.Label))
	}
	if question == "" && utf8.RuneCountInString(line.String()) <= menuWidth {
		return t.emphasise(line.String()) + " > "
	}
	return t.emphasise(question) + "\n" + lines.String() + "> "
}

// keys lists what can be typed: "1, 2 or Enter".
func keys(options []Option) string {
	var all []string
	for _, o := range options {
		all = append(all, o.key())
	}
	last := len(all) - 1
	if last < 1 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:last], ", ") + " or " + all[last]
}
