// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"cmp"
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
		Long: `Close the latest record, after which nothing can be added to it, and write its
head beside it, such as head.json: the statement that those present sign. Read
its digest aloud and write it on paper: only it shows later that the end of the
record is its end.

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
	n := r.Opened().Part.Number + 1
	if err := writeAll(folders, evidence.HeadFile(n), statement); err != nil {
		return err
	}
	return a.print(ended{Ceremony: r.Head().Ceremony, Record: record.FileName(n), Lines: r.Head().Lines, Head: cli.Speak(r.Head().SHA256), Signers: p.Gates[plan.GateClose]})
}

// ended is a record that was closed.
type ended struct {
	Ceremony string           `json:"ceremony"`
	Record   string           `json:"record"` // name of the file
	Lines    int              `json:"lines"`
	Head     cli.SpokenDigest `json:"head"`
	Signers  []string         `json:"signers"`
}

func (e ended) text(w io.Writer) {
	fmt.Fprintf(w, "the record of %s, %s, is closed, with %s; read the digest of the last aloud:\n", e.Ceremony, e.Record, cli.Count(e.Lines, "line"))
	e.Head.Text(w)
	fmt.Fprintf(w, "to be signed by %s\n", cli.List(e.Signers))
}

func newTranscriptSignCmd(a *app) *cobra.Command {
	var as signingAs
	var which oneRecord
	cmd := &cobra.Command{
		Use:   "sign <folder>... --as <person>",
		Short: "Sign a record of a ceremony",
		Long: `Sign the head of a record, such as head.json, which stands for the whole record,
after checking that the record is whole and closed. It is the latest that has a
head, or the one that --record names. The signature is what ssh-keygen -Y sign
-n keymat-transcript@v1 makes, and is written to each folder under the name of
the head, such as head.json.<person>.sig.`,
		Example: `  keymat ceremony transcript sign /media/a /media/b --as witness`,
		Args:    foldersArg,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.transcriptSign(cmd.Context(), args, which, as) },
	}
	as.register(cmd)
	which.register(cmd, "the latest with a head")
	return cmd
}

func (a *app) transcriptSign(ctx context.Context, folders []string, which oneRecord, as signingAs) error {
	p, err := evidence.Folder(folders[0]).Plan()
	if err != nil {
		return err
	}
	who, err := as.of(p)
	if err != nil {
		return err
	}
	if err := which.check(folders[0], record.Latest(folders[0])); err != nil {
		return err
	}
	n := cmp.Or(which.number, latestHead(folders[0]))
	var statement []byte
	for _, folder := range folders {
		if statement, err = checkedHead(folder, n, p); err != nil {
			return err
		}
	}
	head, err := transcript.ReadHead(statement)
	if err != nil {
		return err
	}
	name := evidence.SignatureFile(evidence.HeadFile(n), as.person)
	for _, folder := range folders {
		if err := files.Check(filepath.Join(folder, name), files.KeepExisting); err != nil {
			return err
		}
	}
	digest := cli.Speak(head.SHA256)
	for _, line := range digest.Lines() {
		a.Say("%s", line)
	}
	if err := a.Confirm(ctx, fmt.Sprintf("Sign the record of %q, %s, %d lines, as %s?", p.Title, record.FileName(n), head.Lines, as.person)); err != nil {
		return err
	}
	signature, err := a.sign(ctx, who, as.keyFile, transcript.Namespace, statement)
	if err != nil {
		return err
	}
	if err := writeAll(folders, name, signature); err != nil {
		return err
	}
	return a.print(signed{Person: as.person, Signature: name, Digest: digest})
}

// latestHead is the number of the latest record in a folder that has a head, 1 if none has.
func latestHead(folder string) int {
	for n := record.Latest(folder); n > 1; n-- {
		if evidence.Folder(folder).Has(evidence.HeadFile(n)) {
			return n
		}
	}
	return 1
}

// checkedHead reads the head of a record in a folder, from 1, which is whole.
func checkedHead(folder string, n int, p *plan.Plan) ([]byte, error) {
	file, headFile := filepath.Join(folder, record.FileName(n)), filepath.Join(folder, evidence.HeadFile(n))
	content, err := files.ReadLimited(file, nil, transcript.MaxFile)
	if err != nil {
		return nil, err
	}
	statement, err := files.ReadLimited(headFile, nil, transcript.MaxHead)
	if err != nil {
		return nil, err
	}
	head, err := transcript.ReadHead(statement)
	if err != nil {
		return nil, cli.InFile(headFile, err)
	}
	t := transcript.Verify(content)
	if faults := append(t.Faults, t.CheckHead(head)...); len(faults) > 0 {
		return nil, cli.InFile(file, &transcript.FaultError{Faults: faults})
	}
	if t.Opened.PlanSHA256 != p.Digest() {
		return nil, &otherPlanError{filepath.Join(folder, evidence.PlanFile)}
	}
	return statement, nil
}
