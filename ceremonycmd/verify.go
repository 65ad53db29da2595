// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/record"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/sshsig"
)

func newCeremonyVerifyCmd(a *app) *cobra.Command {
	var shell bool
	cmd := &cobra.Command{
		Use:   "verify <folder>",
		Short: "Check the folder of a ceremony, offline",
		Long: `Check what the folder of a ceremony holds: the plan and its approvals, every line
of the record and that it is closed, that what was signed is this record, and
all signatures that plan and record ask for. It says where something was
changed. The exit code is 3 if anything is wrong.

The keys come from the plan: compare their fingerprints, and the digests of
plan and record, with what was written on paper. --shell prints a script that
checks the same with sha256sum and ssh-keygen.`,
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
	v := ceremonyVerified{Folder: folder, Problems: []string{}}
	name := filepath.Join(folder, planFile)
	p, err := a.readPlan(name)
	if format, ok := errors.AsType[*plan.FormatError](err); ok {
		return v, cli.InFile(name, &cli.NoError{Reason: "no plan: " + format.Error()})
	}
	if err != nil {
		return v, err
	}
	if v.Approvals, err = approvalsOf(p, name); err != nil {
		return v, err
	}
	v.plan, v.Ceremony, v.Plan = p, p.ID, cli.Speak(p.Digest())
	if plan.HasErrors(p.Lint()) {
		v.problem("plan.yaml: %v", errPlanFaulty)
	}
	for _, approval := range v.Approvals {
		if approval.Problem != "" {
			v.problem("plan.yaml: %s %s", approval.Person, approval.Problem)
		}
	}
	return v, v.checkRecord(folder, p)
}

var errCeremony = &cli.NoError{Reason: "the folder of the ceremony does not verify"}

func approvalsOf(p *plan.Plan, name string) ([]plan.Approval, error) {
	signatures, err := readSignatures(name)
	if err != nil {
		return nil, err
	}
	return p.CheckApprovals(signatures), nil
}

// ceremonyVerified says what is wrong in the folder of a ceremony.
type ceremonyVerified struct {
	Folder    string           `json:"folder"`
	Ceremony  string           `json:"ceremony"`
	Plan      cli.SpokenDigest `json:"plan"`
	Approvals []plan.Approval  `json:"approvals"`
	Lines     int              `json:"lines"`
	Head      cli.SpokenDigest `json:"head"`
	Signers   []ceremonySigner `json:"signers"`
	Problems  []string         `json:"problems"`

	plan   *plan.Plan
	record *transcript.Transcript
}

// A ceremonySigner is somebody whose signature the record asks for.
type ceremonySigner struct {
	Person  string `json:"person"` // ID
	Name    string `json:"name"`
	Problem string `json:"problem,omitempty"` // "" if the signature is good
}

func (v *ceremonyVerified) problem(format string, args ...any) {
	v.Problems = append(v.Problems, fmt.Sprintf(format, args...))
}

// checkRecord checks the record and all that hangs on it. Files that are
// missing are problems; other errors of reading are errors.
func (v *ceremonyVerified) checkRecord(folder string, p *plan.Plan) error {
	content, err := v.read(folder, record.File, transcript.MaxFile)
	if err != nil {
		return err
	}
	t := transcript.Verify(content)
	v.record, v.Lines, v.Head = t, t.Lines, cli.Speak(t.Head().SHA256)
	for _, fault := range t.Faults {
		v.problem("%s: %s", record.File, fault)
	}
	switch opened := t.Opened; {
	case opened.Kind == "": // told already
	case opened.Ceremony != p.ID || opened.PlanSHA256 != p.Digest() || opened.Rehearsal != p.Rehearsal || !slices.Equal(opened.Approvers, p.Gates[plan.GatePlan]):
		v.problem("%s: line 1: it is the record of another plan", record.File)
	}
	if closed, ok := lastEvent(t).(transcript.Closed); ok && !slices.Equal(closed.Signers, p.Gates[plan.GateClose]) {
		v.problem("%s: line %d: it does not ask for the signatures that the plan asks for", record.File, t.Lines)
	}
	signers, err := v.read(folder, signersFile, plan.MaxFile)
	if err != nil {
		return err
	}
	if signers != nil && !bytes.Equal(signers, p.AllowedSigners(plan.Namespace, transcript.Namespace)) {
		v.problem("%s: not the people and keys of the plan", signersFile)
	}
	statement, err := v.read(folder, headFile, transcript.MaxHead)
	if err != nil || statement == nil {
		return err
	}
	head, err := transcript.ReadHead(statement)
	if err != nil {
		v.problem("%s: %v", headFile, err)
		return nil
	}
	for _, fault := range t.CheckHead(head) {
		v.problem("%s: %s", headFile, fault)
	}
	return v.checkSigners(folder, p, statement)
}

func lastEvent(t *transcript.Transcript) transcript.Event {
	if len(t.Entries) == 0 {
		return nil
	}
	return t.Entries[len(t.Entries)-1].Event
}

// read reads a file of the folder, or gives nil and a problem if there is none.
func (v *ceremonyVerified) read(folder, name string, most int64) ([]byte, error) {
	content, err := files.ReadLimited(filepath.Join(folder, name), nil, most)
	if errors.Is(err, fs.ErrNotExist) {
		v.problem("%s: missing", name)
		return nil, nil
	}
	if _, ok := errors.AsType[*files.TooLargeError](err); ok {
		v.problem("%s: too large", name)
		return nil, nil
	}
	return content, err
}

func (v *ceremonyVerified) checkSigners(folder string, p *plan.Plan, statement []byte) error {
	signatures, err := readSignatures(filepath.Join(folder, headFile))
	if err != nil {
		return err
	}
	for _, id := range p.Gates[plan.GateClose] {
		if !slices.ContainsFunc(signatures, func(s plan.Signature) bool { return s.Signer == id }) {
			v.sign(p, id, "has not signed")
		}
	}
	for _, s := range signatures {
		who, _ := p.Person(s.Signer)
		switch {
		case who.Key == nil:
			v.sign(p, s.Signer, "has no key in the plan")
		default:
			problem := ""
			if err := sshsig.Verify(statement, s.Armoured, transcript.Namespace, who.Key); err != nil {
				problem = err.Error()
			}
			v.sign(p, s.Signer, problem)
		}
	}
	return nil
}

func (v *ceremonyVerified) sign(p *plan.Plan, id, problem string) {
	who, _ := p.Person(id)
	v.Signers = append(v.Signers, ceremonySigner{id, who.Name, problem})
	if problem != "" {
		v.problem("%s: %s %s", headFile, id, problem)
	}
}

func (v ceremonyVerified) text(w io.Writer) {
	fmt.Fprintf(w, "plan of %s\n", v.Ceremony)
	v.Plan.Text(w)
	tellApprovals(w, v.Approvals)
	fmt.Fprintf(w, "record, %s\n", cli.Count(v.Lines, "line"))
	v.Head.Text(w)
	for _, s := range v.Signers {
		if s.Problem == "" {
			fmt.Fprintf(w, "signed by %s, %s\n", s.Person, s.Name)
		}
	}
	for _, problem := range v.Problems {
		fmt.Fprintf(w, "! %s\n", problem)
	}
	if len(v.Problems) == 0 {
		fmt.Fprintln(w, "everything verifies")
	}
}
