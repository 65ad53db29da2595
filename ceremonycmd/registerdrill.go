// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/register"
	"github.com/keymat/keymat/ceremony/register/disk"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
)

func newRegisterDrillCmd(a *app) *cobra.Command {
	var by []string
	c := &cobra.Command{
		Use:   "drill <register> <drill record> --by <person>...",
		Short: "Take down an exercise in recovery",
		Long: `Take the record of a drill, as keymat escrow drill writes it, into the register. It
belongs to the key that its escrow brings back. A drill in which the KMS key held
other material is taken down, too, and does not count: the exit code is 3.`,
		Example: `  keymat ceremony register drill register.jsonl drill.json --by officer`,
		Args:    registerArgs("drill record"),
		RunE:    func(_ *cobra.Command, args []string) error { return a.registerDrill(args[0], args[1], by) },
	}
	byFlag(c, &by)
	cli.Require(c, "by")
	return c
}

func (a *app) registerDrill(name, file string, by []string) error {
	content, err := files.ReadLimited(file, a.Stdin, escrow.MaxDrill)
	if err != nil {
		return err
	}
	d, err := escrow.ReadDrill(bytes.NewReader(content))
	if err != nil {
		return cli.InFile(file, err)
	}
	r, err := disk.Read(name)
	if err != nil {
		return err
	}
	id := d.Escrow.ID.String()
	key := r.OfEscrow(id)
	if key == "" {
		return cli.InFile(file, &cli.NoError{Reason: fmt.Sprintf("the escrow %s brings back no key of the register", id)})
	}
	k, err := a.addLine(name, key, by, register.Drilled{Key: key, Escrow: id, At: d.At, By: d.By, Verdict: d.Verdict, KMS: d.KeyARN, SHA256: sha256.Sum256(content)})
	if err != nil {
		return err
	}
	if err := a.print(showKey(k)); err != nil {
		return err
	}
	if d.Verdict == escrow.DrillMismatch {
		return &cli.NoError{Reason: "the drill found that " + d.KeyARN + " holds other material"}
	}
	return nil
}
