// SPDX-License-Identifier: Apache-2.0

package term

import (
	"context"
	"fmt"
	"strings"
)

// Confirm shows the question with a question mark and [y/N].
func (t *Terminal) Confirm(ctx context.Context, question string) (bool, error) {
	tty, err := openTTY(ctx, question)
	if err != nil {
		return false, err
	}
	defer tty.end()
	answer, err := tty.ask(t.emphasise(question) + "? [y/N] ")
	if err != nil {
		return false, err
	}
	yes := strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes")
	return yes, nil
}

// Line shows the prompt with a colon.
func (t *Terminal) Line(ctx context.Context, prompt string) (string, error) {
	tty, err := openTTY(ctx, prompt)
	if err != nil {
		return "", err
	}
	defer tty.end()
	return tty.ask(t.emphasise(prompt) + ": ")
}

// ask shows a prompt and reads a line that may be seen.
func (t *tty) ask(prompt string) (string, error) {
	fmt.Fprint(t, prompt)
	answer, err := readLine(t, t)
	fmt.Fprintln(t)
	return strings.TrimSpace(string(answer)), err
}

// emphasise makes the last line of a question stand out.
func (t *Terminal) emphasise(question string) string {
	question = Printable(question)
	if t.plain {
		return question
	}
	last := strings.LastIndexByte(question, '\n') + 1
	return question[:last] + "\x1b[1m" + question[last:] + "\x1b[0m"
}
