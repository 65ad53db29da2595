// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/cli"
)

func newCeremonyVerifyCmd(a *app) *cobra.Command {
	var shell bool
	cmd := &cobra.Command{
		Use:   "verify <folder>",
		Short: "Check the folder of a ceremony, offline",
		Long: `Check what the folder of a ceremony holds: the plan and its approvals; every line
of the records, that they follow one another and keep to the rules of a ceremony;
that what was signed is these records; escrow, seal, bundles and packages, that
they are the ones that lines name, and agree; and all signatures that plan and
records ask for. It says where something was changed, and what nothing vouches
for. The last record may be open. The exit code is 3 if anything is wrong.

The keys come from the plan: compare their fingerprints, and the digests of
plan and records, with what was written on paper. --shell prints a script that
checks the same, but for the rules, with sha256sum and ssh-keygen.`,
		Example: `  keymat ceremony verify /media/a
  keymat ceremony verify --shell > verify.sh && sh verify.sh /media/a`,
		Args: func(cmd *cobra.Command, args []string) error {
			if shell {
				return cobra.NoArgs(cmd, args)
			}
			return cli.OneArg("folder")(cmd, args)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if shell {
				return a.print(shellVerifier{transcript.Shell()})
			}
			return a.ceremonyVerify(args[0])
		},
	}
	cmd.Flags().BoolVar(&shell, "shell", false, "print a script that does the same without keymat")
	return cmd
}

type shellVerifier struct {
	Script string `json:"script"`
}

func (s shellVerifier) text(w io.Writer) { io.WriteString(w, s.Script) }

func (a *app) ceremonyVerify(folder string) error {
	v, err := a.verifyFolder(folder)
	if err != nil {
		return err
	}
	if err := a.print(v); err != nil {
		return err
	}
	if len(v.Problems) > 0 {
		return errCeremony
	}
	return nil
}

// verifyFolder says what is wrong in the folder of a ceremony. Without a plan
// there is nothing to verify it by.
func (a *app) verifyFolder(folder string) (ceremonyVerified, error) {
	v := ceremonyVerified{Folder: folder, Records: []verifiedRecord{}, Artefacts: []verifiedArtefact{}, Problems: []string{}, Remarks: []string{}}
	name := evidence.Folder(folder).Path(evidence.PlanFile)
	p, err := evidence.Folder(folder).Plan()
	if format, ok := errors.AsType[*plan.FormatError](err); ok {
		return v, cli.InFile(name, &cli.NoError{Reason: "no plan: " + format.Error()})
	}
	if err != nil {
		return v, err
	}
	f, err := evidence.Folder(folder).Verify()
	if err != nil {
		return v, err
	}
	v.findings, v.Ceremony, v.Plan, v.Approvals = f, p.ID, cli.Speak(p.Digest()), f.Approvals
	if f.State != nil {
		v.Progress = f.State.Progress()
	}
	for _, r := range f.Records {
		t := r.Transcript
		v.Records = append(v.Records, verifiedRecord{r.Name, t.Opened.Part.Writer(), t.Lines, t.Closed, cli.Speak(t.Head().SHA256), approvals(r.Signers)})
	}
	for _, x := range f.Artefacts {
		v.Artefacts = append(v.Artefacts, verifiedArtefact{x.File, x.What, evidence.RecordFile(x.Record), x.Line, approvals(x.Signers)})
	}
	for _, problem := range f.Problems {
		v.Problems = append(v.Problems, problem.String())
	}
	for _, remark := range f.Remarks {
		v.Remarks = append(v.Remarks, remark.String())
	}
	return v, nil
}

var errCeremony = &cli.NoError{Reason: "the folder of the ceremony does not verify"}

// ceremonyVerified says what is wrong in the folder of a ceremony.
type ceremonyVerified struct {
	Folder    string             `json:"folder"`
	Ceremony  string             `json:"ceremony"`
	Progress  string             `json:"progress,omitempty"` // by the rules; "" where no machine has recorded steps
	Plan      cli.SpokenDigest   `json:"plan"`
	Approvals []plan.Approval    `json:"approvals"`
	Records   []verifiedRecord   `json:"records"`
	Artefacts []verifiedArtefact `json:"artefacts"`
	Problems  []string           `json:"problems"`
	Remarks   []string           `json:"remarks"`

	findings *evidence.Findings
}

type verifiedRecord struct {
	File    string             `json:"file"`
	Machine transcript.Machine `json:"machine"`
	Lines   int                `json:"lines"`
	Closed  bool               `json:"closed"`
	Head    cli.SpokenDigest   `json:"head"`
	Signers []plan.Approval    `json:"signers"`
}

// A verifiedArtefact is a file that a line names.
type verifiedArtefact struct {
	transcript.File
	What    string          `json:"what"`
	Record  string          `json:"record"` // the file with the line
	Line    int             `json:"line"`   // from 1
	Signers []plan.Approval `json:"signers"`
}

func approvals(all []plan.Approval) []plan.Approval { return append([]plan.Approval{}, all...) }

func (v ceremonyVerified) text(w io.Writer) {
	fmt.Fprintf(w, "plan of %s\n", v.Ceremony)
	v.Plan.Text(w)
	tellApprovals(w, v.Approvals)
	for _, r := range v.Records {
		fmt.Fprintf(w, "%s of the %s machine, %s\n", r.File, r.Machine, cli.Count(r.Lines, "line"))
		r.Head.Text(w)
		tellSigners(w, r.Signers)
	}
	for _, x := range v.Artefacts {
		fmt.Fprintf(w, "%s, %s, by line %d of %s\n", x.Name, x.What, x.Line, x.Record)
		tellSigners(w, x.Signers)
	}
	for _, remark := range v.Remarks {
		fmt.Fprintf(w, "- %s\n", remark)
	}
	for _, problem := range v.Problems {
		fmt.Fprintf(w, "! %s\n", problem)
	}
	if v.Progress != "" {
		fmt.Fprintf(w, "the ceremony is at %s\n", v.Progress)
	}
	switch {
	case len(v.Problems) > 0:
	case v.open():
		fmt.Fprintln(w, "everything verifies so far; the last record is open")
	default:
		fmt.Fprintln(w, "everything verifies")
	}
}

func (v ceremonyVerified) open() bool {
	return len(v.Records) > 0 && !v.Records[len(v.Records)-1].Closed
}

func tellSigners(w io.Writer, signers []plan.Approval) {
	for _, s := range signers {
		if s.Problem == "" {
			fmt.Fprintf(w, "signed by %s, %s\n", s.Person, s.Name)
		}
	}
}
