// SPDX-License-Identifier: Apache-2.0

package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/term"
)

// A bench runs a program that has one command.
type bench struct {
	cli.Run
	stdout, stderr bytes.Buffer
}

func newBench() *bench {
	b := new(bench)
	b.Talk = cli.Talk{Name: "program", Env: cli.Env{Stdin: strings.NewReader(""), Stdout: &b.stdout, Stderr: &b.stderr, Prompter: term.Refuse{}}}
	return b
}

func (b *bench) execute(ctx context.Context, command func() error, args ...string) (status int, explained error) {
	root := &cobra.Command{Use: "program"}
	b.Flags(root.PersistentFlags())
	root.AddCommand(&cobra.Command{Use: "command", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error { return command() }})
	status = b.Execute(ctx, root, args, func(err error) cli.Failure {
		explained = err
		return cli.Failure{Error: err.Error(), Hints: []string{"do it"}, Exit: 7}
	})
	return status, explained
}

// TestExecute: how a run ends, and what is told then.
func TestExecute(t *testing.T) {
	wrong := errors.New("wrong")
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name           string
		ctx            context.Context
		command        func(b *bench) error
		args           []string
		status         int
		stdout, stderr string
	}{
		{"done", t.Context(), func(*bench) error { return nil }, []string{"command"}, 0, "", ""},
		{"failed", t.Context(), func(*bench) error { return wrong }, []string{"command"}, 7, "", "program: error: wrong\nprogram: hint: do it\n"},
		{"failed, for programs", t.Context(), func(*bench) error { return wrong }, []string{"command", "--json"}, 7,
			"{\n  \"error\": \"wrong\",\n  \"hints\": [\n    \"do it\"\n  ],\n  \"exit_code\": 7\n}\n", "program: error: wrong\nprogram: hint: do it\n"},
		{"failed after the result", t.Context(), func(b *bench) error { return errors.Join(b.Print(1, nil), wrong) }, []string{"command", "--json"}, 7,
			"1\n", "program: error: wrong\nprogram: hint: do it\n"},
		{"interrupted", interrupted, func(*bench) error { return wrong }, []string{"command"}, 7, "", "program: error: interrupted: wrong\nprogram: hint: do it\n"},
		{"called wrongly", t.Context(), func(*bench) error { return nil }, []string{"command", "--frob"}, 7, "", "program: error: unknown flag: --frob\nprogram: hint: do it\n"},
		{"undone badly", t.Context(), func(b *bench) error { b.AtEnd(func() error { return wrong }); return nil }, []string{"command"}, 7,
			"", "program: error: wrong\nprogram: hint: do it\n"},
	} {
		b := newBench()
		status, explained := b.execute(tt.ctx, func() error { return tt.command(b) }, tt.args...)
		if status != tt.status || b.stdout.String() != tt.stdout || b.stderr.String() != tt.stderr {
			t.Errorf("%s: exit code %d, want %d; got %q and %q, want %q and %q", tt.name, status, tt.status, &b.stdout, &b.stderr, tt.stdout, tt.stderr)
		}
		usage, ok := errors.AsType[*cli.UsageError](explained)
		if want := tt.name == "called wrongly"; ok != want || ok && !usage.Unparsed {
			t.Errorf("%s: a *UsageError is %t, want %t", tt.name, ok, want)
		}
		if got, want := cli.Interrupted(explained), tt.name == "interrupted"; got != want {
			t.Errorf("%s: interrupted is %t, want %t", tt.name, got, want)
		}
	}
}

// TestAtEnd: the last thing done is the first undone, whatever fails, and once.
func TestAtEnd(t *testing.T) {
	b := newBench()
	var undone []string
	for _, name := range []string{"first", "second"} {
		b.AtEnd(func() error { undone = append(undone, name); return errors.New(name) })
	}
	if err := b.Close(); err == nil || err.Error() != "second\nfirst" {
		t.Errorf("got %v", err)
	}
	if err := b.Close(); err != nil || strings.Join(undone, " ") != "second first" {
		t.Errorf("undone %q, then %v", undone, err)
	}
}

func TestExplain(t *testing.T) {
	for _, tt := range []struct {
		err  error
		hint string // a part of it
		exit int
	}{
		{&cli.UsageError{Err: io.EOF, Unparsed: true}, "program help", cli.ExitUsage},
		{&cli.UsageError{Err: io.EOF, Unparsed: true, Command: "program command", Meant: "--flag"}, "did you mean --flag?\nprogram command --help", cli.ExitUsage},
		{cli.Usagef("wrong"), "", cli.ExitUsage},
		{&files.ExistsError{Name: "out"}, "--force", cli.ExitFailed},
		{&term.NoTerminalError{What: "x"}, "--yes", cli.ExitFailed},
		{fs.ErrPermission, "who owns", cli.ExitFailed},
		{syscall.ENOSPC, "make room", cli.ExitFailed},
		{syscall.EROFS, "can be written to", cli.ExitFailed},
		{syscall.EIO, "do not trust", cli.ExitFailed},
	} {
		err := fmt.Errorf("doing something: %w", tt.err)
		got, ok := cli.ExplainUsage("program", err)
		if !ok {
			got, ok = cli.ExplainLocal(err)
		}
		if hints := strings.Join(got.Hints, "\n"); !ok || got.Exit != tt.exit || !strings.Contains(hints, tt.hint) || (hints == "") != (tt.hint == "") {
			t.Errorf("%v: got %+v, want %q and exit code %d", tt.err, got, tt.hint, tt.exit)
		}
	}
	if got, ok := cli.ExplainLocal(io.EOF); ok {
		t.Errorf("got %+v for what nobody knows", got)
	}
}

// TestFlagGroups: flags that are missing or too many are named as they are typed.
func TestFlagGroups(t *testing.T) {
	for args, want := range map[string]string{
		"":                       "missing --must",
		"--must x --a 1 --c 1":   "--a and --c cannot be given together",
		"--must x --cert 1":      "--cert and --key go together: missing --key",
		"--must x":               "missing --a, --b or --c",
		"--must x --a":           "flag needs an argument: --a",
		"--must x --a 1 surplus": `unknown command "surplus" for "program command"`,
	} {
		b := newBench()
		c := &cobra.Command{Use: "command", Args: cobra.NoArgs, RunE: func(*cobra.Command, []string) error { return nil }}
		for _, name := range []string{"must", "a", "b", "c", "cert", "key"} {
			c.Flags().String(name, "", "")
		}
		cli.Require(c, "must")
		c.MarkFlagsMutuallyExclusive("a", "b", "c")
		c.MarkFlagsOneRequired("a", "b", "c")
		c.MarkFlagsRequiredTogether("cert", "key")
		root := &cobra.Command{Use: "program"}
		root.AddCommand(c)
		var got error
		b.Execute(t.Context(), root, append([]string{"command"}, strings.Fields(args)...), func(err error) cli.Failure {
			got = err
			return cli.Failure{Exit: cli.ExitUsage}
		})
		if got == nil || got.Error() != want {
			t.Errorf("%s: got error %v, want %s", args, got, want)
		}
	}
}
