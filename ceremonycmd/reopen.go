// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
)

type reopenOptions struct {
	folder  string
	out     string
	id      string
	title   string
	date    dayFlag
	purpose string
	keysOf  string
	force   bool
}

func newReopenCmd(a *app) *cobra.Command {
	o := reopenOptions{purpose: string(plan.ForImport)}
	c := &cobra.Command{
		Use:   "reopen <folder> --id <name> --out <plan>",
		Short: "Draft the plan of a further ceremony with the same key",
		Long: `Draft the plan of a ceremony that begins with the escrow of an earlier one, from
the folder of that one, which has to verify. Its purpose is one of

  import    a quorum opens the escrow, and the material is wrapped for KMS anew
  refresh   the material stays, and gets a new escrow with new shares, such as when
            custodians change; only then the old ones are retired
  destroy   every share and copy of the escrow is destroyed, before two people and
            the lead; nothing is opened

To destroy an escrow that another has replaced, name the folder of the ceremony that
made it. A ceremony for new shares names no KMS key: to go on from there, name with
--keys-of the folder of one that does. People, places, shares and gates stay as they
were, and what the records say of the material is what the new ceremony expects. It
is a draft: it is corrected, linted and signed as any plan is.`,
		Example: `  keymat ceremony reopen /media/a --id payments-2027 --out plan.yaml
  keymat ceremony reopen /media/a --id payments-2028 --purpose refresh --out plan.yaml
  keymat ceremony reopen /media/b --keys-of /media/a --id payments-2029 --out plan.yaml`,
		Args: cli.OneArg("folder"),
		RunE: func(_ *cobra.Command, args []string) error {
			o.folder = args[0]
			return a.reopen(o)
		},
	}
	c.Flags().StringVarP(&o.out, "out", "o", "", "new `file` for the plan")
	c.Flags().StringVar(&o.id, "id", "", "`name` of the new ceremony in all of its files")
	c.Flags().StringVar(&o.title, "title", "", "title, for people (default: that of the earlier one)")
	c.Flags().Var(&o.date, "date", "`day` on which it begins (default: in 14 days)")
	purposes := []plan.Purpose{plan.ForImport, plan.ForRefresh, plan.ForDestruction}
	c.Flags().StringVar(&o.purpose, "purpose", o.purpose, "what it is held `for`: "+cli.List(purposes))
	cli.Complete(c, "purpose", purposes)
	c.Flags().StringVar(&o.keysOf, "keys-of", "", "`folder` of the ceremony whose KMS keys and gates are meant, where that in <folder> names none")
	c.Flags().BoolVarP(&o.force, "force", "f", false, "overwrite an existing file")
	cli.Require(c, "id", "out")
	return c
}

func (a *app) reopen(o reopenOptions) error {
	purpose := plan.Purpose(o.purpose)
	if !slices.Contains([]plan.Purpose{plan.ForImport, plan.ForRefresh, plan.ForDestruction}, purpose) {
		return cli.Usagef("--purpose takes import, refresh or destroy, not %q", o.purpose)
	}
	if err := files.Check(o.out, files.Overwrite(o.force)); err != nil {
		return err
	}
	v, err := a.verified(o.folder)
	if err != nil {
		return err
	}
	p := v.findings.Plan
	expected, ok := v.findings.State.Expected()
	if !ok {
		return cli.InFile(o.folder, &cli.NoError{Reason: "there is no escrow that brings the material back"})
	}
	keys, err := a.keysOf(o.keysOf, expected.Fingerprint)
	if err != nil {
		return err
	}
	if o.date.IsZero() {
		o.date.Time = a.now().UTC().Truncate(24 * time.Hour).Add(planLeadTime)
	}
	drafted, err := p.Reopen(plan.Reopening{File: o.out, ID: o.id, Title: cmp.Or(o.title, p.Title), Date: o.date.Time, Purpose: purpose, Expected: expected, KeysOf: keys})
	if err != nil {
		return err
	}
	if err := files.WritePublic(o.out, drafted, files.Overwrite(o.force)); err != nil {
		return err
	}
	return a.print(planReopened{File: o.out, ID: o.id, Purpose: purpose, Escrow: expected.Escrow.String(), program: a.Name})
}

// keysOf is the plan of an earlier ceremony with the same material, from its folder;
// nil for none.
func (a *app) keysOf(folder, fingerprint string) (*plan.Plan, error) {
	if folder == "" {
		return nil, nil
	}
	v, err := a.verified(folder)
	if err != nil {
		return nil, err
	}
	if found := v.findings.State.Fingerprint(); found != fingerprint {
		return nil, cli.InFile(folder, &cli.NoError{Reason: fmt.Sprintf("the ceremony is about other material: %s, not %s", found, fingerprint)})
	}
	return v.findings.Plan, nil
}

// planReopened is what reopen made.
type planReopened struct {
	File    string       `json:"file"`
	ID      string       `json:"id"`
	Purpose plan.Purpose `json:"purpose"`
	Escrow  string       `json:"escrow"`

	program string
}

func (d planReopened) text(w io.Writer) {
	fmt.Fprintf(w, "%s: begins with the escrow %s; read all of it, and run %s ceremony plan lint %s\n", d.File, d.Escrow, d.program, d.File)
}
