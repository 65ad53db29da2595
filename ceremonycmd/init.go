// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
)

type planInitOptions struct {
	file      string
	id        string
	title     string
	date      string
	spec      material.Spec
	quorum    string
	token     string
	keys      []string
	rehearsal bool
	force     bool
}

func newPlanInitCmd(a *app) *cobra.Command {
	var o planInitOptions
	c := &cobra.Command{
		Use:   "init <plan>",
		Short: "Write a plan to begin with, in which everything is explained",
		Long: `Write a plan with a place for everybody it takes, and a comment for everything it
says. What is not given is asked. Then replace the people, sites and media, and
run keymat ceremony plan lint until it finds nothing.`,
		Example: `  keymat ceremony plan init plan.yaml
  keymat ceremony plan init plan.yaml --id payments-2026 --quorum 3/5 --target arn:aws:kms:eu-central-1:111122223333:key/mrk-…`,
		Args: cli.OneArg("plan"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			return a.planInit(cmd.Context(), o)
		},
	}
	c.Flags().StringVar(&o.id, "id", "", "`name` of the ceremony in all of its files: small letters, digits and hyphens")
	c.Flags().StringVar(&o.title, "title", "", "title, for people (default: the ID)")
	c.Flags().StringVar(&o.date, "date", "", "`day` on which it begins, such as 2026-12-01 (default: in 14 days)")
	c.Flags().TextVar(&o.spec, "spec", o.spec, "`spec` of the KMS key that gets the material")
	cli.Complete(c, "spec", material.Specs())
	c.Flags().StringVar(&o.quorum, "quorum", "", "deal n shares of which k open the escrow: `k/n`")
	c.Flags().StringVar(&o.token, "token", "", "make the material in the PKCS #11 token of this `label`, in place of an escrow with shares")
	c.MarkFlagsMutuallyExclusive("quorum", "token")
	c.Flags().StringArrayVar(&o.keys, "target", nil, "`ARN` of the KMS key that gets the material; then those of its replicas in other Regions")
	c.Flags().BoolVar(&o.rehearsal, "rehearsal", false, "plan a rehearsal: what comes of it cannot be imported into AWS")
	c.Flags().BoolVarP(&o.force, "force", "f", false, "overwrite an existing file")
	return c
}

func (a *app) planInit(ctx context.Context, o planInitOptions) error {
	if err := files.Check(o.file, files.Overwrite(o.force)); err != nil {
		return err
	}
	sketch, err := a.sketch(ctx, o)
	if err != nil {
		return err
	}
	drafted, err := plan.Draft(sketch)
	if err != nil {
		return err
	}
	if err := files.WritePublic(o.file, drafted, files.Overwrite(o.force)); err != nil {
		return err
	}
	return a.print(planDrafted{File: o.file, ID: sketch.ID, program: a.Name})
}

// planLeadTime is enough to find the people and to review a plan.
const planLeadTime = 14 * 24 * time.Hour

// sketch is what the flags say, completed with questions.
func (a *app) sketch(ctx context.Context, o planInitOptions) (s plan.Sketch, err error) {
	s = plan.Sketch{File: o.file, Spec: o.spec, Rehearsal: o.rehearsal, Keys: o.keys}
	if s.ID, err = a.ask(ctx, o.id, "id", "ID of the ceremony, such as payments-2026", ""); err != nil {
		return s, err
	}
	if s.Title, err = a.ask(ctx, o.title, "title", "Title", s.ID); err != nil {
		return s, err
	}
	date, err := a.ask(ctx, o.date, "date", "Day on which it begins", a.now().UTC().Add(planLeadTime).Format(time.DateOnly))
	if err != nil {
		return s, err
	}
	if s.Date, err = time.Parse(time.DateOnly, date); err != nil {
		return s, cli.Usagef("--date takes a day like 2026-12-01, not %q", date)
	}
	spec, err := a.ask(ctx, string(s.Spec), "spec", "Spec of the KMS key", string(material.SymmetricDefault))
	if err != nil {
		return s, err
	}
	if s.Spec, err = material.ParseSpec(spec); err != nil {
		return s, err
	}
	if s.Token = o.token; s.Token == "" {
		if s.Threshold, s.Count, err = a.quorum(ctx, o); err != nil {
			return s, err
		}
	}
	if len(s.Keys) == 0 {
		key, err := a.ask(ctx, "", "target", "ARN of the KMS key that gets the material", "")
		if err != nil {
			return s, err
		}
		s.Keys = []string{key}
	}
	return s, nil
}

// quorum is how many shares it takes, and how many there are.
func (a *app) quorum(ctx context.Context, o planInitOptions) (threshold, count int, err error) {
	of, err := a.ask(ctx, o.quorum, "quorum", "Shares that open the escrow, of those dealt", "3/5")
	if err != nil {
		return 0, 0, err
	}
	threshold, count, ok := escrow.ParseQuorum(of)
	if !ok {
		return 0, 0, cli.Usagef("--quorum takes two numbers like 3/5: how many shares it takes, from %d, and how many there are, up to %d", escrow.MinThreshold, escrow.MaxShares)
	}
	return threshold, count, nil
}

// ask asks for what a flag does not say. Enter alone, and nobody to ask, is
// the usual answer, where there is one.
func (a *app) ask(ctx context.Context, given, flag, question, usual string) (string, error) {
	if given != "" || a.NoInput && usual != "" {
		return cmp.Or(given, usual), nil
	}
	if a.NoInput {
		return "", cli.Usagef("--%s is missing", flag)
	}
	if usual != "" {
		question += " [" + usual + "]"
	}
	answer, err := a.Asker().Line(ctx, question)
	return cmp.Or(answer, usual), err
}

// planDrafted is what init made.
type planDrafted struct {
	File string `json:"file"`
	ID   string `json:"id"`

	program string
}

func (d planDrafted) text(w io.Writer) {
	fmt.Fprintf(w, "%s: fill in the people, sites and media, and run %s ceremony plan lint %s\n", d.File, d.program, d.File)
}
