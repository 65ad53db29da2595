// SPDX-License-Identifier: Apache-2.0

package hsmcmd

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/intoken"
	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremonycmd"
	"github.com/keymat/keymat/internal/cli"
)

// newCeremonyCmd is the command that holds ceremonies: its material is in the token that the plan names, and PINs are asked of
// people one after another, so that there is no file for them.
func newCeremonyCmd(a *app) *cobra.Command {
	var module string
	c := ceremonycmd.InToken(&a.Run, time.Now, func() (offline.Token, error) {
		library, err := a.load(module)
		if err != nil {
			return nil, err
		}
		return intoken.New(library), nil
	}, explainCeremony)
	for _, run := range c.Commands() {
		run.Flags().StringVar(&module, "module", "", "`file` with the PKCS #11 library of the token's maker")
		cli.Require(run, "module")
	}
	return c
}

// explainCeremony covers what goes wrong with the token while people stand around it.
func explainCeremony(err error) (cli.Advice, bool) {
	for _, explain := range []func(error) (cli.Advice, bool){explainInCeremony, explainWrapping, explainKey, explainToken} {
		if advice, ok := explain(err); ok {
			return advice, true
		}
	}
	return cli.Advice{}, false
}
