// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/files"
)

// Findings are what the folder of a ceremony shows, and what is wrong with it.
type Findings struct {
	Plan      *plan.Plan      // nil if it cannot be read: then nothing else is known
	Approvals []plan.Approval // of the plan
	Records   []Record        // in their order; the last may be open
	State     *phase.State    // that the records add up to, before the first line that breaks a rule; nil if they are damaged
	Artefacts []Artefact      // that lines name, in the order of the lines
	Problems  []Finding       // none if everything verifies
	Remarks   []Finding       // what is not wrong, and worth knowing
}

// A Record is one of those of a ceremony.
type Record struct {
	Name       string // of its file
	Transcript *transcript.Transcript
	Signers    []plan.Approval // of its head; empty while it is open
}

// A Finding is one thing about a file.
type Finding struct {
	File string `json:"file"` // its name, "" for the folder as a whole
	Line int    `json:"line"` // from 1, 0 for the file as a whole
	What string `json:"what"`
}

// String is such as "transcript-2.jsonl: line 3: cut off".
func (f Finding) String() string {
	text := transcript.Fault{Line: f.Line, What: f.What}.String()
	if f.File == "" {
		return text
	}
	return f.File + ": " + text
}

// Namespaces are those in which people sign the files of a folder.
func Namespaces() []string {
	return []string{plan.Namespace, gap.NamespaceSeal, gap.NamespaceBundle, gap.NamespacePackage, transcript.Namespace}
}

// Verify checks all that a folder holds: the plan and its approvals; that the
// records are whole, follow one another, keep to the rules of the ceremony, and
// were signed; and that each artefact is the one that a line names, of this plan,
// signed by whom the plan asks, and agrees with those that it was made from. It
// vouches for nothing else in the folder, and remarks on it. Errors are those of
// reading; there are findings beside them.
func (f Folder) Verify() (*Findings, error) {
	v := &verification{folder: f, Findings: &Findings{}, known: map[string]bool{}}
	return v.Findings, v.run()
}

// A verification goes through a folder once.
type verification struct {
	*Findings
	folder Folder
	known  map[string]bool // names of files that something vouches for, or should
}

func (v *verification) run() error {
	content, err := v.read(PlanFile, plan.MaxFile)
	if err != nil || content == nil {
		return err
	}
	p, err := plan.Read(bytes.NewReader(content))
	if err != nil {
		v.problem(PlanFile, 0, "%v", err)
		return nil
	}
	v.Plan = p
	if plan.HasErrors(p.Lint()) {
		v.problem(PlanFile, 0, "no ceremony may be held with this plan")
	}
	for _, check := range []func() error{v.checkApprovals, v.checkRecords, v.checkSigners, v.checkArtefacts, v.checkManifest, v.checkOthers} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (v *verification) problem(file string, line int, format string, args ...any) {
	v.Problems = append(v.Problems, Finding{file, line, fmt.Sprintf(format, args...)})
}

func (v *verification) remark(file string, line int, format string, args ...any) {
	v.Remarks = append(v.Remarks, Finding{file, line, fmt.Sprintf(format, args...)})
}

// read reads a file that has to be there, or gives nil and a problem.
func (v *verification) read(name string, max int64) ([]byte, error) {
	v.known[name] = true
	content, err := v.folder.Read(name, max)
	_, large := errors.AsType[*files.TooLargeError](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		v.problem(name, 0, "missing")
		return nil, nil
	case large:
		v.problem(name, 0, "too large")
		return nil, nil
	}
	return content, err
}

func (v *verification) checkApprovals() (err error) {
	v.Approvals, err = v.signatures(PlanFile, v.Plan.Gates[plan.GatePlan], plan.Namespace, v.Plan.Message())
	return err
}

// signatures checks all signatures of a file.
func (v *verification) signatures(name string, required []string, namespace string, content []byte) ([]plan.Approval, error) {
	all, err := v.folder.Signatures(name)
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		v.known[SignatureFile(name, s.Signer)] = true
	}
	verdicts := v.Plan.CheckSignatures(required, namespace, content, all)
	for _, a := range verdicts {
		if a.Problem != "" {
			v.problem(name, 0, "%s %s", a.Person, a.Problem)
		}
	}
	return verdicts, nil
}

// checkSigners holds the file for ssh-keygen against the plan. It is written when
// the first record ends.
func (v *verification) checkSigners() error {
	if len(v.Records) == 1 && !v.Records[0].Transcript.Closed && !v.folder.Has(SignersFile) {
		return nil
	}
	content, err := v.read(SignersFile, plan.MaxFile)
	if err != nil || content == nil {
		return err
	}
	if !bytes.Equal(content, v.Plan.AllowedSigners(Namespaces()...)) {
		v.problem(SignersFile, 0, "not the people and keys of the plan")
	}
	return nil
}

// checkManifest holds a medium against its manifest.
func (v *verification) checkManifest() error {
	if !v.folder.Has(gap.ManifestFile) {
		return nil
	}
	v.known[gap.ManifestFile] = true
	m, err := v.folder.Manifest()
	if err != nil {
		v.problem(gap.ManifestFile, 0, "%v", bare(err))
		return nil
	}
	if err := m.CheckPlan(v.Plan); err != nil {
		v.problem(gap.ManifestFile, 0, "%v", err)
	}
	err = m.Check(v.folder.FS())
	if _, ok := errors.AsType[*gap.MediumError](err); ok {
		v.problem(gap.ManifestFile, 0, "%v", err)
		return nil
	}
	return err
}

// checkOthers tells of what nothing vouches for. What is called a record, or its
// head, has to follow one.
func (v *verification) checkOthers() error {
	entries, err := os.ReadDir(string(v.folder))
	if err != nil {
		return fmt.Errorf("listing the folder: %w", err)
	}
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case v.known[name]:
		case numbered("transcript", ".jsonl", name):
			v.problem(name, 0, "the record before it is missing")
		case numbered("head", ".json", name):
			v.problem(name, 0, "its record is missing, or not closed")
		default:
			v.remark(name, 0, "nothing in the records vouches for it")
		}
	}
	return nil
}

// bare is an error without the path of the file.
func bare(err error) error {
	if e, ok := errors.AsType[*FileError](err); ok {
		return e.Err
	}
	return err
}
