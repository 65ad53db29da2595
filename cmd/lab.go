// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/lab"
)

type labOptions struct {
	list   bool
	script bool
	html   string
	force  bool
	dir    string
	target targetOptions
}

func newLabCmd(a *app) *cobra.Command {
	var o labOptions
	c := &cobra.Command{
		Use:   "lab [lesson]",
		Short: "Learn how imported key material behaves, in eight lessons",
		Long: `Play a lesson: each step explains, shows what you would type with openssl and
the AWS CLI and with keymat, does it, and shows what KMS answered. Where openssl
or ssh-keygen is installed, both ways are compared. No secret is ever shown.

On a terminal a lesson waits for you between steps and asks you to predict what
will happen. You can quit and come back: keymat remembers the step, nothing
else, and does the earlier steps again on new keys before it goes on. Elsewhere,
and with --no-input, it plays through. Without a name, a terminal shows the
lessons to choose from; elsewhere lesson byok is played.

It plays in a KMS inside keymat that is forgotten at the end. With --mock it
uses the mock's state; with --aws, --profile or --endpoint-url it uses that KMS.
Where keys cost money it first says what will be made, and asks. The keys are
scheduled for deletion at the end, however the lesson ends.

--script prints what you would type by hand, as a shell script that does it.`,
		Example: `  keymat lab
  keymat lab --list
  keymat lab portability --html portability.html
  keymat lab byok --script > byok.sh`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("one lesson is played at a time, %d were given", len(args))
			}
			return nil
		},
		ValidArgsFunction: completeLessons,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.lab(cmd.Context(), strings.Join(args, ""), o)
		},
	}
	c.Flags().BoolVar(&o.list, "list", false, "list the lessons")
	c.Flags().BoolVar(&o.script, "script", false, "print the lesson by hand, as a shell script, and play nothing")
	c.Flags().StringVar(&o.html, "html", "", "write the lesson as it was played to this `file`, a page to hand in")
	c.Flags().StringVar(&o.dir, "dir", "", "`folder` for the files that lesson key-pair makes (default: one that is removed at the end)")
	forceFlag(c, &o.force)
	o.target.register(c)
	c.MarkFlagsMutuallyExclusive("list", "script", "html")
	return c
}

func completeLessons(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	if len(args) == 0 {
		for _, l := range lab.Lessons() {
			names = append(names, cobra.CompletionWithDesc(l.Name, l.Title))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) lab(ctx context.Context, name string, o labOptions) error {
	if o.list {
		return a.print(listLessons())
	}
	lesson, err := a.findLesson(ctx, name, o)
	if errors.Is(err, lab.ErrQuit) {
		return nil
	}
	if err != nil {
		return err
	}
	if o.script {
		return lab.WriteScript(a.Stdout, lesson)
	}
	return a.playLesson(ctx, lesson, o)
}

// findLesson is the lesson of a name, or of a number of --list. Without one,
// somebody at a terminal is asked, and all others get the first.
func (a *app) findLesson(ctx context.Context, name string, o labOptions) (lab.Lesson, error) {
	if name == "" && a.atTerminal() && !o.script {
		return a.chooseLesson(ctx)
	}
	if name == "" {
		name = lab.First
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 1 && n <= len(lab.Lessons()) {
		return lab.Lessons()[n-1], nil
	}
	lesson, ok := lab.Find(name)
	if !ok {
		var names []string
		for _, l := range lab.Lessons() {
			names = append(names, l.Name)
		}
		return lesson, usagef("there is no lesson %q; there are %s", name, list(names))
	}
	return lesson, nil
}

// atTerminal reports whether the student is someone to stop for and to ask.
func (a *app) atTerminal() bool {
	return !a.NoInput && !a.JSON && term.IsTerminal(a.Stdin) && term.IsTerminal(a.Stdout)
}

func (a *app) chooseLesson(ctx context.Context) (lab.Lesson, error) {
	lessons := lab.Lessons()
	var options []term.Option
	for i, l := range lessons {
		options = append(options, term.Option{Key: fmt.Sprint(i + 1), Label: fmt.Sprintf("%s (%s, %d minutes)", l.Title, l.Name, l.Minutes)})
	}
	options = append(options, term.Option{Label: "lesson " + lab.First}, term.Option{Key: "q", Label: "quit"})
	chosen, err := a.Prompter.Choose(ctx, "Which lesson?", options)
	switch {
	case err != nil:
		return lab.Lesson{}, err
	case chosen < len(lessons):
		return lessons[chosen], nil
	case chosen == len(lessons):
		lesson, _ := lab.Find(lab.First)
		return lesson, nil
	}
	return lab.Lesson{}, lab.ErrQuit
}

// lessonList is the answer to --list.
type lessonList struct {
	Lessons []lessonEntry `json:"lessons"`
}

type lessonEntry struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Minutes int      `json:"minutes"`
	Steps   int      `json:"steps"`
	Learn   []string `json:"learn"`
}

func listLessons() (list lessonList) {
	for _, l := range lab.Lessons() {
		list.Lessons = append(list.Lessons, lessonEntry{l.Name, l.Title, l.Minutes, len(l.Steps), l.Learn})
	}
	return list
}

func (l lessonList) text(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, lesson := range l.Lessons {
		fmt.Fprintf(tw, "%d\t%s\t%s\t%d minutes\n", i+1, lesson.Name, lesson.Title, lesson.Minutes)
	}
	tw.Flush()
}
