// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/mockkms"
)

func newMockCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "mock",
		Short: "Run a KMS of your own, for labs and tests",
		Long: `A stand-in for AWS KMS that answers as KMS does. keymat --mock uses it inside the
process; keymat mock serve offers the same state to any KMS client over HTTP.

It protects nothing: whoever can reach it or read its state file has the keys.`,
		Example: `  keymat mock serve --memory
  keymat mock clock --advance 24h
  keymat mock events --key alias/app`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newMockServeCmd(a), newMockClockCmd(a), newMockEventsCmd(a), newMockFaultCmd(a), newMockConditionsCmd(a), newMockResetCmd(a))
	return c
}

func newMockResetCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "reset",
		Short: "Forget everything the mock knows",
		Long: `Empty the state of the mock: its keys, their material, aliases and tokens. Other
keymat processes that use it go on with an empty KMS. Bytes of old material may
stay in unused parts of the file; remove the file if that matters.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.mockReset(cmd) },
	}
}

func (a *app) mockReset(cmd *cobra.Command) error {
	if remote, err := a.remoteMock(cmd); err != nil || remote != nil {
		return cmp.Or(err, usagef("a mock that is being served cannot be emptied from here: serve another, or name the file of its state with --mock-state; --mock means keymat's own"))
	}
	path, err := a.mockStatePath()
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return a.print(wasReset{State: path})
	}
	if err := a.confirm(cmd.Context(), "Forget every key in "+path); err != nil {
		return err
	}
	if err := mockkms.ResetStore(path); err != nil {
		return err
	}
	return a.print(wasReset{State: path})
}

type wasReset struct {
	State string `json:"state"`
}

func (r wasReset) text(w io.Writer) { fmt.Fprintf(w, "the mock in %s is empty\n", r.State) }
