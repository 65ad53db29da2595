// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/term"
)

// Env is everything a run takes from its process.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	Prompter       term.Prompter // asks on the controlling terminal
}

// Main calls run with the process's own streams, environment and arguments, and gives its exit code. The first interrupt
// ends the run after what is in flight; a second one kills.
func Main(run func(ctx context.Context, env Env, args []string) (status int)) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	defer stop()
	return run(ctx, Env{
		Stdin:    os.Stdin,
		Stdout:   os.Stdout,
		Stderr:   os.Stderr,
		Getenv:   os.Getenv,
		Prompter: term.New(os.Getenv),
	}, os.Args[1:])
}

// A Run is one run of a program: what its commands share.
type Run struct {
	Talk
	started bool           // a command's own work began
	told    bool           // the result was printed
	closers []func() error // undone in reverse when the run ends
}

// AtEnd has something undone when the run ends, before all that was done earlier.
func (r *Run) AtEnd(undo func() error) { r.closers = append(r.closers, undo) }

// Close undoes what is to be undone. Execute calls it.
func (r *Run) Close() error {
	var errs []error
	for i := len(r.closers) - 1; i >= 0; i-- {
		errs = append(errs, r.closers[i]())
	}
	r.closers = nil
	return errors.Join(errs...)
}

// Print writes the result to stdout: as JSON if that is asked for, or as text writes it for people.
func (r *Run) Print(result any, text func(io.Writer)) error {
	r.Told()
	return r.Talk.Print(result, text)
}

// Told says that stdout has the result, so that an error is not written there as well.
func (r *Run) Told() { r.told = true }

// Execute runs a tree of commands and gives the exit code; explain says what is to be told of an error. One that came before
// a command's own work began is a *UsageError; any is an *InterruptedError once ctx has ended.
func (r *Run) Execute(ctx context.Context, root *cobra.Command, args []string, explain func(error) Failure) (status int) {
	noteStart(root, &r.started)
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetIn(r.Stdin)
	root.SetOut(r.Stdout)
	root.SetErr(r.Stderr)
	root.SetArgs(args)
	strictHelp(root)
	called, err := root.ExecuteContextC(ctx)
	err = errors.Join(err, r.Close())
	if err == nil {
		return ExitDone
	}
	if ctx.Err() != nil {
		err = &InterruptedError{err}
	}
	if !r.started {
		err = misused(called, args, err)
	}
	failure := explain(err)
	r.fail(failure)
	return failure.Exit
}

// A Failure is how an error appears in results.
type Failure struct {
	Error string   `json:"error"`
	Hints []string `json:"hints,omitempty"`
	Exit  int      `json:"exit_code"`
}

// noteStart makes a command and all below it note that their own work began.
func noteStart(c *cobra.Command, started *bool) {
	for _, sub := range c.Commands() {
		noteStart(sub, started)
	}
	if run := c.RunE; run != nil {
		c.RunE = func(cmd *cobra.Command, args []string) error {
			*started = true
			return run(cmd, args)
		}
	}
}

// fail tells an error and its hints; the result is told as well, unless there was one already.
func (r *Run) fail(f Failure) {
	fmt.Fprintf(r.Stderr, "%s: error: %s\n", r.Name, f.Error)
	for _, hint := range f.Hints {
		fmt.Fprintf(r.Stderr, "%s: hint: %s\n", r.Name, hint)
	}
	if r.JSON && !r.told {
		// Nobody is left to tell if this fails too.
		_ = WriteJSON(r.Stdout, f)
	}
}
