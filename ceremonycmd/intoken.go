// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/cli"
)

// InToken is the command ceremony of a program that reaches tokens: it is the offline machine of ceremonies whose material is
// made in one, and has nothing else of the command, which keymat-offline has. Connect gives the token of a run; explain knows
// what goes wrong with it.
func InToken(run *cli.Run, now func() time.Time, connect func() (offline.Token, error), explain func(error) (cli.Advice, bool)) *cobra.Command {
	a := &app{Run: run, now: now}
	a.stations = []Station{{Name: transcript.OfflineMachine, Explain: explain, Open: func(_ context.Context, o Opening) (Machine, error) {
		token, err := connect()
		if err != nil {
			return nil, err
		}
		m, err := offline.Open(o.Folder, o.Mirrors, a.now, o.Tool)
		if err != nil {
			return nil, err
		}
		m.UseToken(token)
		return m, nil
	}}}
	c := &cobra.Command{
		Use:   "ceremony",
		Short: "Hold a key ceremony whose material is made in a token",
		Long: `Hold a key ceremony by a plan with source: pkcs11, which keymat ceremony plan init
--token drafts. Everything else of a ceremony, such as its plan, status, verification
and report, is with keymat and keymat-offline.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newTokenRunCmd(a))
	return c
}

func newTokenRunCmd(a *app) *cobra.Command {
	c := newRunCmd(a)
	c.Long = `Hold a ceremony on its offline machine, by the plan in a folder. The records say
how far it has come, the plan says what is next, who does it, and who has to
confirm: people are called by name, and asked for one thing at a time.

The material is made in the token that the plan names, and wrapped there for KMS.
Those who know the PIN type it, each their part, whenever the token is unlocked.
Backups are made with the means of the token's maker, and people attest them.

It can be broken off at any question with Ctrl-C, and begun again: what was
recorded is done, and what was not is not. The key stays in the token, and is found
again there, or destroyed if the lead declares it void before it is sealed.

Before anything else the machine is looked at as keymat-offline ceremony preflight
does. One that is not fit holds no ceremony but a rehearsal. All that is written goes
to the mirrors, too, which are folders on other media.`
	c.Example = `  keymat-hsm ceremony run --module /usr/lib/softhsm/libsofthsm2.so /mnt/ceremony /media/record`
	return c
}
