// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/spoken"
)

func newCeremonyCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "ceremony",
		Short: "A key ceremony with a plan, witnesses and a record",
		Long: `A key ceremony brings key material into KMS before witnesses: by a plan that was
reviewed and signed, with roles that nobody combines, and with a record that
cannot be changed afterwards without anybody noticing.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newCeremonyPlanCmd(a), newCeremonyPreflightCmd(a), newTranscriptCmd(a), newCeremonyVerifyCmd(a), newCeremonyReportCmd(a))
	return c
}

func newCeremonyPlanCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "plan",
		Short: "Write, check, sign and compare the plan of a ceremony",
		Long: `The plan of a ceremony is one YAML file that says what is made, who does it, who
confirms, who keeps which share where, and which KMS keys get the material.
It is written with init, corrected until lint finds nothing, signed by those it
names, and not changed after that: on the day, nobody decides.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newPlanInitCmd(a), newPlanLintCmd(a), newPlanSignCmd(a), newPlanVerifyCmd(a), newPlanDiffCmd(a))
	return c
}

// readPlan reads a plan.
func (a *app) readPlan(name string) (*plan.Plan, error) {
	data, err := files.ReadLimited(name, a.Stdin, plan.MaxFile)
	if err != nil {
		return nil, err
	}
	p, err := plan.Read(bytes.NewReader(data))
	if err != nil {
		return nil, inFile(name, err)
	}
	return p, nil
}

// A spokenDigest is a digest as it is compared: on paper and aloud.
type spokenDigest struct {
	SHA256 string   `json:"sha256"`
	Words  []string `json:"words"`

	lines []string
}

func speak(digest [32]byte) spokenDigest {
	return spokenDigest{fmt.Sprintf("%x", digest), spoken.Words(digest[:]), spoken.Lines(digest[:])}
}

func (d spokenDigest) text(w io.Writer) {
	fmt.Fprintf(w, "sha256  %s\n", d.SHA256)
	for _, line := range d.lines {
		fmt.Fprintf(w, "  %s\n", line)
	}
}
