// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/cli"
)

func newPlanVerifyCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "verify <plan>",
		Short: "Check that a plan has every approval it asks for",
		Long: `Check the signatures beside a plan, <plan>.<person>.sig: everybody whom its gate
"plan" names must have signed these very bytes with the key that the plan has
for them, and nobody else may claim to. The exit code is 3 otherwise, and for a
plan with errors.

The keys come from the plan itself. Whoever can replace both the plan and its
signatures can name people of their own: compare the digest, or the
fingerprints, with what was agreed on elsewhere.`,
		Example: `  keymat ceremony plan verify plan.yaml`,
		Args:    cli.OneArg("plan"),
		RunE:    func(_ *cobra.Command, args []string) error { return a.planVerify(args[0]) },
	}
}

func (a *app) planVerify(name string) error {
	p, err := a.readPlan(name)
	if err != nil {
		return err
	}
	signatures, err := readSignatures(name)
	if err != nil {
		return err
	}
	result := planVerified{
		File: name, ID: p.ID, Title: p.Title, Digest: cli.Speak(p.Digest()),
		Approvals: p.CheckApprovals(signatures), Faulty: plan.HasErrors(p.Lint()),
	}
	result.Approved = plan.Approved(result.Approvals) && !result.Faulty
	if err := a.print(result); err != nil {
		return err
	}
	switch {
	case result.Faulty:
		return errPlanFaulty
	case !result.Approved:
		return errNotApproved
	}
	return nil
}

var errNotApproved = &cli.NoError{Reason: "the plan is not approved"}

// readSignatures reads all signatures beside a file.
func readSignatures(name string) ([]plan.Signature, error) {
	folder, base := filepath.Split(name)
	return evidence.Folder(filepath.Clean(folder + ".")).Signatures(base)
}

// planVerified says who has approved a plan.
type planVerified struct {
	File      string           `json:"file"`
	ID        string           `json:"id"`
	Title     string           `json:"title"`
	Digest    cli.SpokenDigest `json:"digest"`
	Approved  bool             `json:"approved"`
	Faulty    bool             `json:"faulty"` // lint finds errors
	Approvals []plan.Approval  `json:"approvals"`
}

func (v planVerified) text(w io.Writer) {
	fmt.Fprintf(w, "%s: %s\n", v.ID, v.Title)
	v.Digest.Text(w)
	tellApprovals(w, v.Approvals)
}

func tellApprovals(w io.Writer, approvals []plan.Approval) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, approval := range approvals {
		state := "approved"
		if approval.Problem != "" {
			state = approval.Problem
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", approval.Person, approval.Name, state, approval.Key)
	}
	tw.Flush()
}
