// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/card"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
)

type formsOptions struct {
	plan string
	dir  string
}

func newCeremonyFormsCmd(a *app) *cobra.Command {
	var o formsOptions
	c := &cobra.Command{
		Use:   "forms <plan> --out-dir <folder>",
		Short: "Write the forms that custodians sign and fill in, for printing",
		Long: `Write a page for each custodian in which they acknowledge their duties, and a
blank for each share that is copied by hand, to be printed before the day. None
of them is secret before it is filled in, and none names another custodian. The
code on each says to which plan it belongs.`,
		Example: `  keymat ceremony forms plan.yaml --out-dir forms`,
		Args:    cli.OneArg("plan"),
		RunE: func(_ *cobra.Command, args []string) error {
			o.plan = args[0]
			return a.ceremonyForms(o)
		},
	}
	c.Flags().StringVar(&o.dir, "out-dir", "", "new `folder` for the pages")
	c.MarkFlagRequired("out-dir")
	return c
}

func (a *app) ceremonyForms(o formsOptions) error {
	p, err := a.readPlan(o.plan)
	if err != nil {
		return err
	}
	if err := files.MakeFolder(o.dir); err != nil {
		return err
	}
	result := formsWritten{Ceremony: p.ID, Folder: o.dir, Forms: []string{}}
	write := func(name string, fill func(io.Writer) error) error {
		var page bytes.Buffer
		if err := fill(&page); err != nil {
			return err
		}
		result.Forms = append(result.Forms, name)
		return files.WritePublic(filepath.Join(o.dir, name), page.Bytes(), files.KeepExisting)
	}
	for _, who := range p.People {
		f := a.form(p, who)
		if len(f.Shares) == 0 {
			continue
		}
		if err := write("ack-"+who.ID+".html", f.WriteAcknowledgement); err != nil {
			return err
		}
	}
	for _, h := range p.Shares.Holders {
		if h.Mode != plan.OnForm {
			continue
		}
		who, _ := p.Person(h.Custodian)
		f := a.form(p, who)
		f.Shares = []int{h.Share}
		if err := write(fmt.Sprintf("blank-%d.html", h.Share), f.WriteBlank); err != nil {
			return err
		}
	}
	return a.print(result)
}

// form is what there is to say of somebody's forms.
func (a *app) form(p *plan.Plan, who plan.Person) card.Form {
	f := card.Form{
		Ceremony: p.ID, Title: p.Title, PlanSHA256: fmt.Sprintf("%x", p.Digest()), Rehearsal: p.Rehearsal, Person: who.ID, Name: who.Name,
		Threshold: p.Shares.Threshold, Count: p.Shares.Count, Made: a.now(), By: a.Name + " " + cli.ThisVersion().Version,
	}
	f.Places, f.Of = places(p.Escrow.Scheme)
	for _, h := range p.Shares.Holders {
		if h.Custodian == who.ID {
			f.Shares = append(f.Shares, h.Share)
		}
	}
	return f
}

// places are how many places a share of a scheme fills, and what goes into each.
func places(s escrow.Scheme) (n int, of string) {
	if s == escrow.SLIP39 {
		return 33, "word"
	}
	return 21, "group of four characters"
}

type formsWritten struct {
	Ceremony string   `json:"ceremony"`
	Folder   string   `json:"folder"`
	Forms    []string `json:"forms"` // names of the files
}

func (f formsWritten) text(w io.Writer) {
	fmt.Fprintf(w, "forms of %s, in %s:\n", f.Ceremony, f.Folder)
	for _, name := range f.Forms {
		fmt.Fprintln(w, name)
	}
}
