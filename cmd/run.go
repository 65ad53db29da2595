// SPDX-License-Identifier: Apache-2.0

// Package cmd is the keymat command line: flags, prompts, words and exit codes.
// What the commands do is done by the packages below it.
package cmd

import (
	"context"

	"github.com/keymat/keymat/internal/cli"
)

const program = "keymat"

// Env is everything a run of keymat takes from its process.
type Env = cli.Env

// Main runs keymat with the process's own streams, environment and arguments.
// The first interrupt ends the run after what is in flight; a second one kills.
func Main() int { return cli.Main(Run) }

// Run runs keymat and returns its exit code.
func Run(ctx context.Context, env Env, args []string) (status int) {
	a := newApp(env)
	return a.Execute(ctx, newRoot(a), args, failure)
}
