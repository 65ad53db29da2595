// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/report"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
)

type reportOptions struct {
	folder string
	out    string
	force  bool
	print  printing
}

func newCeremonyReportCmd(a *app) *cobra.Command {
	var o reportOptions
	c := &cobra.Command{
		Use:   "report <folder> --out <file>",
		Short: "Write the report of a ceremony, as one page",
		Long: `Write what the folder of a ceremony shows as one HTML page that needs nothing
else: who took part, with which programs, by which plan; every line of the records
with times and confirmations; exceptions; the identity of the key, its escrow,
shares and bags, what went from machine to machine and to KMS; topics of PCI DSS, NIST SP 800-57 and ISO 11568 with the
lines that show them; what all this does not prove; and how to check it without
keymat. With --pdf, a browser of this machine prints the same page as PDF; without
one, print the page from a browser elsewhere.

The folder is verified first, as by keymat ceremony verify. The exit code is 3 if
anything is wrong, and the report says so. Files of unknown kinds, which may hold
a secret, are listed without their digest.`,
		Example: `  keymat ceremony report /media/a --out report.html
  keymat ceremony report /media/a --out report.html --pdf report.pdf`,
		Args: cli.OneArg("folder"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.folder = args[0]
			return a.ceremonyReport(cmd.Context(), o)
		},
	}
	c.Flags().StringVarP(&o.out, "out", "o", "", "new `file` for the page")
	c.Flags().BoolVarP(&o.force, "force", "f", false, "replace the files")
	o.print.register(c)
	c.MarkFlagRequired("out")
	return c
}

func (a *app) ceremonyReport(ctx context.Context, o reportOptions) error {
	if err := files.Check(o.out, files.Overwrite(o.force)); err != nil {
		return err
	}
	if err := a.checkPrinting(o.print, files.Overwrite(o.force)); err != nil {
		return err
	}
	v, err := a.verifyFolder(o.folder)
	if err != nil {
		return err
	}
	e := report.Evidence{Findings: v.findings}
	if e.Files, err = filesOf(o.folder); err != nil {
		return err
	}
	var page bytes.Buffer
	if err := report.Write(&page, &e, a.now(), a.Name+" "+cli.ThisVersion().Version); err != nil {
		return err
	}
	printed, err := a.printPage(ctx, o.print, page.Bytes())
	if err != nil {
		return err
	}
	if err := files.WritePublic(o.out, page.Bytes(), files.Overwrite(o.force)); err != nil {
		return err
	}
	result := reported{Ceremony: v.Ceremony, Report: o.out, SHA256: sha256.Sum256(page.Bytes()), Problems: v.Problems}
	if o.print.pdf != "" {
		if err := files.WritePublic(o.print.pdf, printed, files.Overwrite(o.force)); err != nil {
			return err
		}
		digest := transcript.Digest(sha256.Sum256(printed))
		result.PDF, result.PDFSHA256 = o.print.pdf, &digest
	}
	if err := a.print(result); err != nil {
		return err
	}
	if len(v.Problems) > 0 {
		return errCeremony
	}
	return nil
}

// filesOf looks at the files of a folder, and not below it.
func filesOf(folder string) (all []report.File, err error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("listing the folder: %w", err)
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			return nil, fmt.Errorf("listing the folder: %w", err)
		}
		if !info.Mode().IsRegular() {
			continue
		}
		f, err := fileOf(folder, info)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

func fileOf(folder string, info fs.FileInfo) (report.File, error) {
	if info.Size() > maxNotedFile {
		return report.File{Name: info.Name(), Size: info.Size()}, nil
	}
	content, err := files.ReadLimited(filepath.Join(folder, info.Name()), nil, maxNotedFile)
	if err != nil {
		return report.File{}, err
	}
	defer clear(content)
	return report.Recognise(info.Name(), content), nil
}

// reported is a report that was written.
type reported struct {
	Ceremony  string             `json:"ceremony"`
	Report    string             `json:"report_file"`
	SHA256    transcript.Digest  `json:"sha256"`
	PDF       string             `json:"pdf_file,omitempty"`
	PDFSHA256 *transcript.Digest `json:"pdf_sha256,omitempty"`
	Problems  []string           `json:"problems"`
}

func (r reported) text(w io.Writer) {
	fmt.Fprintf(w, "report of %s: %s\n", r.Ceremony, r.Report)
	if r.PDF != "" {
		fmt.Fprintf(w, "printed: %s\n", r.PDF)
	}
	for _, problem := range r.Problems {
		fmt.Fprintf(w, "! %s\n", problem)
	}
}
