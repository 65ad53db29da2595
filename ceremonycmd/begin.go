// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/record"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/cli"
)

func newTranscriptBeginCmd(a *app) *cobra.Command {
	var c circumstances
	cmd := &cobra.Command{
		Use:   "begin <folder>... --by <person>",
		Short: "Begin the record of a ceremony",
		Long: `Begin a record in one or more folders. The first holds plan.yaml and all the
signatures that the plan asks for: no ceremony is held by a plan that was not
approved. The first line names the plan by its digest, and this program by the
digest of its file.`,
		Example: `  keymat ceremony transcript begin /media/a /media/b --by lead`,
		Args:    foldersArg,
		RunE:    func(_ *cobra.Command, args []string) error { return a.transcriptBegin(args, c) },
	}
	c.register(cmd)
	return cmd
}

func (a *app) transcriptBegin(folders []string, c circumstances) error {
	name := filepath.Join(folders[0], evidence.PlanFile)
	p, err := evidence.Folder(folders[0]).Plan()
	if err != nil {
		return err
	}
	context, err := c.context(p)
	if err != nil {
		return err
	}
	signatures, err := readSignatures(name)
	if err != nil {
		return err
	}
	switch {
	case plan.HasErrors(p.Lint()):
		return cli.InFile(name, errPlanFaulty)
	case !plan.Approved(p.CheckApprovals(signatures)):
		return cli.InFile(name, errNotApproved)
	}
	opened := transcript.Opened{Ceremony: p.ID, PlanSHA256: p.Digest(), Approvers: p.Gates[plan.GatePlan], Rehearsal: p.Rehearsal}
	if opened.Tool, err = ThisTool(); err != nil {
		return err
	}
	r, err := record.Begin(folders, a.now, opened, context)
	if err != nil {
		return err
	}
	a.AtEnd(r.Release)
	return a.print(begun{Ceremony: p.ID, Folders: folders, Plan: cli.Speak(p.Digest()), Tool: opened.Tool, program: a.Name})
}

// ThisTool is this program, with the digest of its file.
func ThisTool() (t transcript.Tool, err error) {
	v := cli.ThisVersion()
	t = transcript.Tool{Version: v.Version, Revision: v.Revision, Go: v.Go, Platform: v.Platform, FIPSModule: v.FIPS.Module, FIPS: v.FIPS.Enabled}
	t.SHA256, err = cli.HashSelf()
	return t, err
}

// begun is a record that was begun.
type begun struct {
	Ceremony string           `json:"ceremony"`
	Folders  []string         `json:"folders"`
	Plan     cli.SpokenDigest `json:"plan"`
	Tool     transcript.Tool  `json:"tool"`

	program string
}

func (b begun) text(w io.Writer) {
	fmt.Fprintf(w, "the record of %s has begun in %s\n", b.Ceremony, cli.List(b.Folders))
	fmt.Fprintln(w, "read the digest of the plan aloud:")
	b.Plan.Text(w)
	fmt.Fprintln(w, "and that of this program, "+b.program+" "+b.Tool.Version+":")
	cli.Speak(b.Tool.SHA256).Text(w)
}
