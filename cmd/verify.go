// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"errors"
	"slices"

	"github.com/agnivade/levenshtein"
	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/rules"
)

type verifyOptions struct {
	targetOptions
	list     bool
	cleanUp  bool
	dryRun   bool
	maxCost  float64
	limited  bool // maxCost was given
	parallel int
	reports  reportFiles
}

func newVerifyCmd(a *app) *cobra.Command {
	var o verifyOptions
	c := &cobra.Command{
		Use:   "verify [<rule>...]",
		Short: "Test the rules of imported key material, each by an experiment",
		Long: `Test rules of imported key material against a KMS. Each has an experiment: it
makes keys, makes calls whose answers it foretells, and schedules its keys for
deletion, also when it is interrupted.

A rule is named by its ID, by its group, or by a pattern such as 'wrapping/*';
without names all are tested. --list says what they are, where they are stated,
and whether KMS promises them or was only seen to keep them.

The KMS is one inside keymat, which is forgotten at the end. With --mock it is the
mock in the state file, with --endpoint-url whatever answers there, and with
--profile or --aws it is AWS. On AWS keymat first says what it will create and
what it costs, and asks; keys carry the tag keymat:experiment, calls keep to KMS's
quotas, and deletion is scheduled with the shortest window, 7 days. Rules that
need another time are tested only where the clock can be moved, which is a
mock's; it is set back at the end.

Exit code 0 means that all rules hold or were skipped, 3 that some do not hold,
1 that they could not be tested, 130 that the run was interrupted: then result and
reports are of the rules that were tested until then, and say so. What a killed
run left behind the next one finds, and offers to clean up; --clean-up does only
that.`,
		Example: `  keymat verify
  keymat verify token-reuse portability --html report.html
  keymat verify --aws --region eu-central-1 --dry-run`,
		ValidArgsFunction: completeRules,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.limited = cmd.Flags().Changed("max-cost")
			return a.verifyOrList(cmd.Context(), args, o)
		},
	}
	c.Flags().BoolVar(&o.list, "list", false, "list the rules instead of testing them")
	c.Flags().BoolVar(&o.cleanUp, "clean-up", false, "only clean up what killed runs left behind")
	dryRunFlag(c, &o.dryRun)
	o.targetOptions.register(c)
	c.Flags().Float64Var(&o.maxCost, "max-cost", 0, "refuse to begin what may cost more than this many `USD`")
	c.Flags().IntVar(&o.parallel, "parallel", rules.DefaultParallel, "`number` of rules tested at the same time")
	o.reports.register(c)
	for _, other := range []string{"clean-up", "dry-run"} {
		c.MarkFlagsMutuallyExclusive("list", other)
	}
	c.MarkFlagsMutuallyExclusive("clean-up", "dry-run")
	return c
}

// completeRules completes the names of rules and groups.
func completeRules(_ *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	all := rules.All()
	for _, group := range rules.Groups(all) {
		names = append(names, cobra.CompletionWithDesc(group, "every rule of the group"))
	}
	for _, r := range all {
		names = append(names, cobra.CompletionWithDesc(r.ID, r.Statement))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) verifyOrList(ctx context.Context, names []string, o verifyOptions) error {
	selection, err := selectRules(names)
	switch {
	case err != nil:
		return err
	case o.parallel < 1:
		return usagef("--parallel %d: at least 1 rule has to be tested at a time", o.parallel)
	case o.maxCost < 0:
		return usagef("--max-cost %v cannot be negative", o.maxCost)
	case o.list:
		return a.print(ruleList{ruleFieldsOf(selection)})
	case o.cleanUp && len(names) > 0:
		return usagef("--clean-up tests no rules, and takes no names of any")
	case o.cleanUp:
		return a.cleanUp(ctx)
	}
	if err := o.reports.check(); err != nil {
		return err
	}
	return a.verify(ctx, selection, o)
}

func selectRules(names []string) ([]rules.Rule, error) {
	all := rules.All()
	selection, err := rules.Select(all, names...)
	if unknown, ok := errors.AsType[*rules.UnknownError](err); ok {
		return nil, usagef("%w; the nearest is %s, and keymat verify --list tells them all", err, nearest(unknown.Name, all))
	}
	if err != nil {
		return nil, &cli.UsageError{Err: err}
	}
	return selection, nil
}

// nearest suggests the rule or group whose name is nearest to one that is none.
func nearest(name string, all []rules.Rule) string {
	known := rules.Groups(all)
	for _, r := range all {
		known = append(known, r.ID)
	}
	return slices.MinFunc(known, func(a, b string) int {
		return levenshtein.ComputeDistance(name, a) - levenshtein.ComputeDistance(name, b)
	})
}

// reportFiles are the files that a report is written to; "" for none.
type reportFiles struct {
	junit, markdown, html string
	force                 bool
}

func (f *reportFiles) register(c *cobra.Command) {
	c.Flags().StringVar(&f.junit, "junit", "", "write a report for build servers, in JUnit's XML, to this `file`")
	c.Flags().StringVar(&f.markdown, "markdown", "", "write a report in Markdown to this `file`")
	c.Flags().StringVar(&f.html, "html", "", "write a report as one web page that needs nothing else to this `file`")
	forceFlag(c, &f.force)
}

// check finds out before anything is done whether the files can be written.
func (f *reportFiles) check() error {
	for _, name := range []string{f.junit, f.markdown, f.html} {
		if name == "" {
			continue
		}
		if err := files.Check(name, files.Overwrite(f.force)); err != nil {
			return err
		}
	}
	return nil
}

// write writes the reports that were asked for.
func (f *reportFiles) write(v verification) error {
	for _, report := range []struct {
		name string
		make func(verification) ([]byte, error)
	}{{f.junit, junit}, {f.markdown, markdown}, {f.html, webPage}} {
		if report.name == "" {
			continue
		}
		content, err := report.make(v)
		if err != nil {
			return inFile(report.name, err)
		}
		if err := files.WritePublic(report.name, content, files.Overwrite(f.force)); err != nil {
			return err
		}
	}
	return nil
}
