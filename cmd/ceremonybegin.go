// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/record"
	"github.com/keymat/keymat/ceremony/transcript"
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
	name := filepath.Join(folders[0], planFile)
	p, err := a.readPlan(name)
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
		return inFile(name, errPlanFaulty)
	case !plan.Approved(p.CheckApprovals(signatures)):
		return inFile(name, errNotApproved)
	}
	opened := transcript.Opened{Ceremony: p.ID, PlanSHA256: p.Digest(), Approvers: p.Gates[plan.GatePlan], Rehearsal: p.Rehearsal}
	if opened.Tool, err = thisTool(); err != nil {
		return err
	}
	r, err := record.Begin(folders, a.now, opened, context)
	if err != nil {
		return err
	}
	a.AtEnd(r.Release)
	return a.print(begun{Ceremony: p.ID, Folders: folders, Plan: speak(p.Digest()), Tool: opened.Tool})
}

// thisTool is this program, with the digest of the file it was started from.
func thisTool() (t transcript.Tool, err error) {
	v := thisVersion()
	t = transcript.Tool{Version: v.Version, Revision: v.Revision, Go: v.Go, Platform: v.Platform, FIPSModule: v.FIPS.Module, FIPS: v.FIPS.Enabled}
	path, err := os.Executable()
	if err != nil {
		return t, fmt.Errorf("looking for this program's file: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return t, fmt.Errorf("reading this program's file: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return t, fmt.Errorf("reading this program's file: %w", err)
	}
	h.Sum(t.SHA256[:0])
	return t, nil
}

// begun is a record that was begun.
type begun struct {
	Ceremony string          `json:"ceremony"`
	Folders  []string        `json:"folders"`
	Plan     spokenDigest    `json:"plan"`
	Tool     transcript.Tool `json:"tool"`
}

func (b begun) text(w io.Writer) {
	fmt.Fprintf(w, "the record of %s has begun in %s\n", b.Ceremony, list(b.Folders))
	fmt.Fprintln(w, "read the digest of the plan aloud:")
	b.Plan.text(w)
	fmt.Fprintln(w, "and that of this program, keymat "+b.Tool.Version+":")
	speak(b.Tool.SHA256).text(w)
}
