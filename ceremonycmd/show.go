// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/record"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
)

func newTranscriptShowCmd(a *app) *cobra.Command {
	var exceptions bool
	var which oneRecord
	cmd := &cobra.Command{
		Use:   "show <folder>",
		Short: "Show a record of a ceremony",
		Long: `Show what a record tells, closed or not: the latest, or the one that --record
names. Whether it can be believed is what keymat ceremony verify says; what is
damaged is told here, too.`,
		Example: `  keymat ceremony transcript show /media/a --exceptions
  keymat ceremony transcript show /media/a --record 1`,
		Args: cli.OneArg("folder"),
		RunE: func(_ *cobra.Command, args []string) error { return a.transcriptShow(args[0], which, exceptions) },
	}
	which.register(cmd, "the latest")
	cmd.Flags().BoolVar(&exceptions, "exceptions", false, "only the exceptions, and lines that were cut off")
	return cmd
}

func (a *app) transcriptShow(folder string, which oneRecord, exceptions bool) error {
	all := record.Latest(folder)
	if all == 0 {
		return &record.MissingError{Name: record.File, Folder: folder}
	}
	if err := which.check(folder, all); err != nil {
		return err
	}
	name := record.FileName(cmp.Or(which.number, all))
	content, err := files.ReadLimited(filepath.Join(folder, name), nil, transcript.MaxFile)
	if err != nil {
		return err
	}
	if all > 1 {
		a.Say("%s, of %s", name, cli.Count(all, "record"))
	}
	t := transcript.Verify(content)
	result := shown{Ceremony: t.Opened.Ceremony, Record: name, Closed: t.Closed, Entries: []shownEntry{}, Faults: append([]transcript.Fault{}, t.Faults...)}
	for _, e := range t.Entries {
		what, exceptional := describe(e.Event)
		if exceptions && !exceptional {
			continue
		}
		result.Entries = append(result.Entries, shownEntry{
			Line: e.Seq + 1, Time: e.Time, Wall: e.Wall, Step: e.Step, Actors: append([]string{}, e.Actors...), What: what, Event: e.Event,
		})
	}
	return a.print(result)
}

// describe says in words what happened, and whether it should not have.
func describe(e transcript.Event) (what string, exceptional bool) {
	told := transcript.Tell(e)
	var b strings.Builder
	b.WriteString(told.Name)
	if told.Text != "" {
		b.WriteString(": " + told.Text)
	}
	for _, f := range told.Files {
		fmt.Fprintf(&b, "; %s, %d bytes, %s", f.Name, f.Size, f.SHA256)
	}
	return b.String(), told.Exceptional
}

// shown is what a record tells.
type shown struct {
	Ceremony string             `json:"ceremony"`
	Record   string             `json:"record"` // name of the file
	Closed   bool               `json:"closed"`
	Entries  []shownEntry       `json:"entries"`
	Faults   []transcript.Fault `json:"faults"`
}

type shownEntry struct {
	Line   int              `json:"line"` // from 1
	Time   time.Time        `json:"time"`
	Wall   string           `json:"wall,omitempty"`
	Step   string           `json:"step,omitempty"`
	Actors []string         `json:"actors"`
	What   string           `json:"what"`
	Event  transcript.Event `json:"data"`
}

func (s shown) text(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, e := range s.Entries {
		at := e.Time.UTC().Format(time.RFC3339)
		if e.Wall != "" {
			at += " (wall clock " + e.Wall + ")"
		}
		fmt.Fprintf(tw, "%d\t%s\t%s\t%s\t%s\n", e.Line, at, e.Step, cli.List(e.Actors), e.What)
	}
	tw.Flush()
	for _, f := range s.Faults {
		fmt.Fprintf(w, "! %s\n", f)
	}
}
