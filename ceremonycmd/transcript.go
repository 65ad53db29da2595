// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/record"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
)

func newTranscriptCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "transcript",
		Short: "The record of a ceremony, which cannot be changed unnoticed",
		Long: `The record of a ceremony is a file of lines, each bound to the one before it by
its digest, and the last signed by those present. It is kept in several folders
at once, on different media: name them all, in every command. A power cut loses
nothing that was reported as recorded.

Whatever is done in a ceremony by other commands, or by hand, is recorded with
note, confirm and exception.`,
		Example: `  keymat ceremony transcript begin /media/a /media/b --by lead
  keymat ceremony transcript note /media/a /media/b --by operator-1 --text 'the door was closed at 9:05'
  keymat ceremony transcript end /media/a /media/b --by lead`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newTranscriptBeginCmd(a), newTranscriptNoteCmd(a), newTranscriptConfirmCmd(a), newTranscriptExceptionCmd(a),
		newTranscriptEndCmd(a), newTranscriptSignCmd(a), newTranscriptShowCmd(a))
	return c
}

// foldersArg demands the folders of a record.
func foldersArg(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("folder is missing")
	}
	return nil
}

// oneRecord is the flag that names one of the records of a folder, by its number.
type oneRecord struct {
	number int // 0 if it is not given
}

func (o *oneRecord) register(cmd *cobra.Command, unset string) {
	cmd.Flags().IntVar(&o.number, "record", 0, "`number` of the record, from 1; "+unset+" if not given")
}

// check demands that there is such a record among so many.
func (o *oneRecord) check(folder string, all int) error {
	if o.number < 0 || o.number > max(all, 1) {
		return cli.Usagef("--record: %s has %s, and none of number %d", folder, cli.Count(all, "record"), o.number)
	}
	return nil
}

// circumstances are the flags that go with an event.
type circumstances struct {
	by   []string
	step string
	wall string
}

func (c *circumstances) register(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&c.by, "by", nil, "`ID` of the person in the plan whose doing it is; repeatable")
	cmd.Flags().StringVar(&c.step, "step", "", "`step` of the written script")
	cmd.Flags().StringVar(&c.wall, "wall", "", "`time` that a witness read off the wall clock")
	cmd.MarkFlagRequired("by")
}

// context checks that everybody is of the plan.
func (c circumstances) context(p *plan.Plan) (transcript.Context, error) {
	for _, id := range c.by {
		if _, ok := p.Person(id); !ok {
			return transcript.Context{}, cli.Usagef("--by: nobody in the plan is called %q", id)
		}
	}
	return transcript.Context{Wall: c.wall, Step: c.step, Actors: slices.Clone(c.by)}, nil
}

// An otherPlanError says that the plan beside a record is not the record's.
type otherPlanError struct{ file string }

func (e *otherPlanError) Error() string { return e.file + " is not the plan that the record names" }

// openRecord goes on with a record in its folders, under the plan in the first.
func (a *app) openRecord(folders []string) (*record.Record, *plan.Plan, error) {
	p, err := evidence.Folder(folders[0]).Plan()
	if err != nil {
		return nil, nil, err
	}
	r, err := record.Open(folders, a.now)
	if err != nil {
		return nil, nil, err
	}
	a.AtEnd(r.Release)
	if r.Opened().PlanSHA256 != p.Digest() {
		return nil, nil, &otherPlanError{filepath.Join(folders[0], evidence.PlanFile)}
	}
	for _, folder := range r.Created {
		a.Say("copied the record to %s", folder)
	}
	if r.Resumed() {
		a.Warn("the last line of the record was cut off; it stays, and the record says so")
	}
	return r, p, nil
}

// add adds an event that needs nothing but its circumstances.
func (a *app) add(folders []string, c circumstances, event func(*plan.Plan) (transcript.Event, error)) error {
	r, p, err := a.openRecord(folders)
	if err != nil {
		return err
	}
	context, err := c.context(p)
	if err != nil {
		return err
	}
	e, err := event(p)
	if err != nil {
		return err
	}
	if err := r.Append(e, context); err != nil {
		return err
	}
	a.Say("recorded in %s", cli.List(folders))
	return nil
}

// writeAll writes a public file to every folder, or leaves it where it is the
// same already.
func writeAll(folders []string, name string, data []byte) error {
	for _, folder := range folders {
		path := filepath.Join(folder, name)
		if there, err := files.ReadLimited(path, nil, int64(len(data))); err == nil && string(there) == string(data) {
			continue
		}
		if err := files.WritePublic(path, data, files.KeepExisting); err != nil {
			return err
		}
	}
	return nil
}
