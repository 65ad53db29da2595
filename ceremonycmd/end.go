// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/record"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
)

func newTranscriptEndCmd(a *app) *cobra.Command {
	var c circumstances
	cmd := &cobra.Command{
		Use:   "end <folder>... --by <person>",
		Short: "Close the record of a ceremony",
		Long: `Close a record, after which nothing can be added, and write head.json beside it:
the statement that those present sign. Read its digest aloud and write it on
paper: only it shows later that the end of the record is its end.

The file allowed_signers is written, too, for ssh-keygen -Y verify.`,
		Example: `  keymat ceremony transcript end /media/a /media/b --by lead`,
		Args:    foldersArg,
		RunE:    func(_ *cobra.Command, args []string) error { return a.transcriptEnd(args, c) },
	}
	c.register(cmd)
	return cmd
}

func (a *app) transcriptEnd(folders []string, c circumstances) error {
	r, p, err := a.openRecord(folders)
	if err != nil {
		return err
	}
	context, err := c.context(p)
	if err != nil {
		return err
	}
	// A power cut may have come between the last line and its head.
	if err := r.End(p.Gates[plan.GateClose], context); err != nil && !errors.Is(err, transcript.ErrClosed) {
		return err
	}
	statement, err := r.Head().Statement()
	if err != nil {
		return err
	}
	if err := writeAll(folders, evidence.SignersFile, p.AllowedSigners(evidence.Namespaces()...)); err != nil {
		return err
	}
	if err := writeAll(folders, evidence.HeadFile(1), statement); err != nil {
		return err
	}
	return a.print(ended{Ceremony: r.Head().Ceremony, Lines: r.Head().Lines, Head: cli.Speak(r.Head().SHA256), Signers: p.Gates[plan.GateClose]})
}

// ended is a record that was closed.
type ended struct {
	Ceremony string           `json:"ceremony"`
	Lines    int              `json:"lines"`
	Head     cli.SpokenDigest `json:"head"`
	Signers  []string         `json:"signers"`
}

func (e ended) text(w io.Writer) {
	fmt.Fprintf(w, "the record of %s is closed, with %s; read the digest of the last aloud:\n", e.Ceremony, cli.Count(e.Lines, "line"))
	e.Head.Text(w)
	fmt.Fprintf(w, "to be signed by %s\n", cli.List(e.Signers))
}

func newTranscriptSignCmd(a *app) *cobra.Command {
	var as signingAs
	cmd := &cobra.Command{
		Use:   "sign <folder>... --as <person>",
		Short: "Sign the record of a ceremony",
		Long: `Sign head.json, which stands for the whole record, after checking that the record
is whole and closed. The signature is what ssh-keygen -Y sign -n
keymat-transcript@v1 makes, and is written to each folder as
head.json.<person>.sig.`,
		Example: `  keymat ceremony transcript sign /media/a /media/b --as witness`,
		Args:    foldersArg,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.transcriptSign(cmd.Context(), args, as) },
	}
	as.register(cmd)
	return cmd
}

func (a *app) transcriptSign(ctx context.Context, folders []string, as signingAs) error {
	p, err := a.readPlan(filepath.Join(folders[0], evidence.PlanFile))
	if err != nil {
		return err
	}
	var statement []byte
	for _, folder := range folders {
		if statement, err = checkedHead(folder, p); err != nil {
			return err
		}
	}
	head, err := transcript.ReadHead(statement)
	if err != nil {
		return err
	}
	name := evidence.SignatureFile(evidence.HeadFile(1), as.person)
	for _, folder := range folders {
		if err := files.Check(filepath.Join(folder, name), files.KeepExisting); err != nil {
			return err
		}
	}
	digest := cli.Speak(head.SHA256)
	for _, line := range digest.Lines() {
		a.Say("%s", line)
	}
	if err := a.Confirm(ctx, fmt.Sprintf("Sign the record of %q, %d lines, as %s?", p.Title, head.Lines, as.person)); err != nil {
		return err
	}
	signature, err := a.sign(ctx, p, as, transcript.Namespace, statement)
	if err != nil {
		return err
	}
	if err := writeAll(folders, name, signature); err != nil {
		return err
	}
	return a.print(signed{Person: as.person, Signature: name, Digest: digest})
}

// checkedHead reads the head in a folder, of a record that is whole.
func checkedHead(folder string, p *plan.Plan) ([]byte, error) {
	content, err := files.ReadLimited(filepath.Join(folder, record.File), nil, transcript.MaxFile)
	if err != nil {
		return nil, err
	}
	statement, err := files.ReadLimited(filepath.Join(folder, evidence.HeadFile(1)), nil, transcript.MaxHead)
	if err != nil {
		return nil, err
	}
	head, err := transcript.ReadHead(statement)
	if err != nil {
		return nil, cli.InFile(filepath.Join(folder, evidence.HeadFile(1)), err)
	}
	t := transcript.Verify(content)
	if faults := append(t.Faults, t.CheckHead(head)...); len(faults) > 0 {
		return nil, cli.InFile(filepath.Join(folder, record.File), &transcript.FaultError{Faults: faults})
	}
	if t.Opened.PlanSHA256 != p.Digest() {
		return nil, &otherPlanError{filepath.Join(folder, evidence.PlanFile)}
	}
	return statement, nil
}
