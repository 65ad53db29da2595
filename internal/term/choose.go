// SPDX-License-Identifier: Apache-2.0

package term

import (
	"context"
	"fmt"
	"strconv"
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

// Select shows the options numbered from 1 and asks for a number until it gets
// one: that reads well everywhere, on a screen reader and in a log too.
func (t *Terminal) Select(ctx context.Context, question string, options []string) (int, error) {
	tty, err := openTTY(ctx, question)
	if err != nil {
		return 0, err
	}
	defer tty.end()
	fmt.Fprintf(tty, "%s:\n", t.emphasise(question))
	for i, option := range options {
		fmt.Fprintf(tty, "%3d  %s\n", i+1, printable(option))
	}
	for {
		answer, err := tty.ask(fmt.Sprintf("Number (1-%d): ", len(options)))
		if err != nil {
			return 0, err
		}
		if n, err := strconv.Atoi(answer); err == nil && 1 <= n && n <= len(options) {
			return n - 1, nil
		}
	}
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
	question = printable(question)
	if t.plain {
		return question
	}
	last := strings.LastIndexByte(question, '\n') + 1
	return question[:last] + "\x1b[1m" + question[last:] + "\x1b[0m"
}
