// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/material"
)

const program = "keymat-offline"

// Main runs keymat-offline with the process's own streams, environment and arguments, as cli.Main says.
func Main() int { return cli.Main(Run) }

// Run runs keymat-offline and returns its exit code.
func Run(ctx context.Context, env cli.Env, args []string) (status int) {
	r := newRun(env)
	return r.Execute(ctx, newRoot(r), args, func(err error) cli.Failure {
		advice := explainOffline(err)
		return cli.Failure{Error: err.Error(), Hints: advice.Hints, Exit: advice.Exit}
	})
}

// Tree is the tree of keymat-offline's commands, for documentation. It is not meant to be run.
func Tree() *cobra.Command { return newRoot(newRun(cli.Env{})) }

func newRun(env cli.Env) *cli.Run { return &cli.Run{Talk: cli.Talk{Env: env, Name: program}} }

func newRoot(r *cli.Run) *cobra.Command {
	root := &cobra.Command{
		Use:   program,
		Short: "Key ceremonies, on a machine without a network",
		Long: `keymat-offline is for the machine of a key ceremony that has no network: it is
keymat's command ceremony, and nothing that needs KMS. It has no code in it that
speaks HTTP or TLS, nor of AWS, and opens no socket but that of the ssh-agent.`,
		Example: `  keymat-offline version --hash
  keymat-offline ceremony preflight --workspace /mnt/keys`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	r.Flags(root.PersistentFlags())
	root.AddCommand(New(r, time.Now), cli.VersionCommand(r))
	root.AddCommand(cli.EnvironmentTopic(program, environment), cli.ExitCodesTopic(exitCodes))
	return root
}

var environment = [][2]string{
	{envAgent, "the ssh-agent that signs"},
	{"NO_COLOR", "anything: no colours on the terminal"},
}

const exitCodes = `  0    done
  1    failed; the error says why, the hint what to do
  2    wrong usage; nothing was done
  3    the answer is no: a machine is not fit, or a plan or record is not good
  130  interrupted`

// explainOffline finds the advice for an error: packages below state facts, and only here do we know what the user can type
// next.
func explainOffline(err error) cli.Advice {
	if cli.Interrupted(err) {
		return cli.Advice{Exit: cli.ExitInterrupted}
	}
	if advice, ok := cli.ExplainUsage(program, err); ok {
		return advice
	}
	if _, ok := errors.AsType[*cli.NoError](err); ok {
		return cli.Advice{Exit: cli.ExitNo}
	}
	if advice, ok := Explain(program, err); ok {
		return advice
	}
	if e, ok := errors.AsType[*material.UnsupportedSpecError](err); ok && e.Spec != "" {
		return cli.Hint("KMS imports %s", cli.List(material.Specs()))
	}
	if advice, ok := cli.ExplainLocal(err); ok {
		return advice
	}
	return cli.Advice{Exit: cli.ExitFailed}
}
