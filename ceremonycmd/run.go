// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/console"
	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/gap"
	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/term"
)

// A Machine is one of the machines of a ceremony: those of packages offline and
// online are.
type Machine interface {
	Agenda() phase.Agenda
	Perform(context.Context, room.Room, phase.Task) error
	Close() error
}

// A Station is a machine that a program can be.
type Station struct {
	Name    transcript.Machine
	Open    func(context.Context, Opening) (Machine, error)
	Explain func(error) (cli.Advice, bool) // what goes wrong there; may be nil
}

// An Opening is what a machine is opened with.
type Opening struct {
	Folder  string   // with the plan, its approvals, and what there is of the ceremony
	Mirrors []string // folders on other media that get the same
	Tool    transcript.Tool
}

type runOptions struct {
	machine string
	targets []string
	dryRun  bool
}

func newRunCmd(a *app) *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "run <folder> [<mirror>...]",
		Short: "Hold the ceremony, as far as it takes place on this machine",
		Long: `Hold a ceremony by the plan in a folder. The records say how far it has come, the
plan says what is next, who does it, and who has to confirm: people are called by
name, and asked for one thing at a time. It ends when there is nothing left to do
on this machine, and says what is awaited elsewhere.

It can be broken off at any question with Ctrl-C, and begun again: what was
recorded is done, and what was not is not. Only the material is lost with the
machine's memory, until its escrow is sealed. What did not work says why, and the
lead decides whether it is done again.

Before anything else the offline machine is looked at as ceremony preflight does.
One that is not fit holds no ceremony but a rehearsal. All that is written goes to
the mirrors, too, which are folders on other media.`,
		Example: `  keymat ceremony run /mnt/ceremony /media/record
  keymat ceremony run /mnt/ceremony --dry-run`,
		Args: foldersArg,
		RunE: func(cmd *cobra.Command, args []string) error { return a.runCeremony(cmd.Context(), args, o) },
	}
	o.register(c, a.stations)
	if len(a.stations) > 1 {
		c.Flags().StringArrayVar(&o.targets, "target", nil, "on the fetching machine: fetch for the target of this `ID` alone; repeatable")
	}
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "only say what would be done next")
	return c
}

// register offers the machines that this program can be, of which the first is
// meant where nobody says.
func (o *runOptions) register(c *cobra.Command, stations []Station) {
	names := make([]transcript.Machine, len(stations))
	for i, s := range stations {
		names[i] = s.Name
	}
	o.machine = string(names[0])
	c.Flags().StringVar(&o.machine, "machine", o.machine, "`which` machine of the ceremony this is: "+cli.List(names))
	cli.Complete(c, "machine", names)
}

// station is the machine that was asked for.
func (a *app) station(name string) (Station, error) {
	i := slices.IndexFunc(a.stations, func(s Station) bool { return string(s.Name) == name })
	if i < 0 {
		return Station{}, cli.Usagef("--machine: this program cannot be the machine %q", name)
	}
	return a.stations[i], nil
}

// offlineStation is the one that every program with this command can be.
func (a *app) offlineStation() Station {
	return Station{Name: transcript.OfflineMachine, Open: func(_ context.Context, o Opening) (Machine, error) {
		return offline.Open(o.Folder, o.Mirrors, a.now, o.Tool)
	}}
}

func (a *app) runCeremony(ctx context.Context, folders []string, o runOptions) error {
	station, err := a.station(o.machine)
	if err != nil {
		return err
	}
	if o.dryRun {
		return a.ceremonyStatus(folders[0], o.machine)
	}
	folder := evidence.Folder(folders[0])
	p, err := folder.Plan()
	if err != nil {
		return err
	}
	s := session{console: a.newConsole(p, folder), name: station.Name, targets: o.targets, explain: func(err error) []string { return a.hints(station, err) }}
	if station.Name == transcript.OfflineMachine {
		if s.observed, err = a.prepare(s.console, p, folders[0]); err != nil {
			return err
		}
	}
	opening := Opening{Folder: folders[0], Mirrors: folders[1:]}
	if opening.Tool, err = ThisTool(); err != nil {
		return err
	}
	if s.machine, err = station.Open(ctx, opening); err != nil {
		return err
	}
	a.AtEnd(s.machine.Close)
	agenda, err := s.hold(ctx)
	if err != nil {
		return err
	}
	return a.print(awaited{Ceremony: p.ID, Machine: station.Name, Agenda: agenda, plan: p})
}

// newConsole is the room around this machine.
func (a *app) newConsole(p *plan.Plan, folder evidence.Folder) *console.Console {
	return &console.Console{
		Plan: p, Prompter: a.Asker(), Out: a.Stderr, Bold: term.Color(a.Stderr, a.Getenv), Keys: keyring{a},
		By: a.Name + " " + cli.ThisVersion().Version,
		Escrow: func(id escrow.ID) (*escrow.File, error) {
			content, err := folder.Read(evidence.EscrowFile(id.String()), escrow.MaxFile)
			if err != nil {
				return nil, err
			}
			if content, err = gap.Unstamp(escrow.Kind, content, p.Rehearsal); err != nil {
				return nil, err
			}
			return escrow.Read(bytes.NewReader(content))
		},
	}
}

// hints are what is told of an error within a session.
func (a *app) hints(at Station, err error) []string {
	if at.Explain != nil {
		if advice, ok := at.Explain(err); ok {
			return advice.Hints
		}
	}
	if advice, ok := Explain(a.Name, err); ok {
		return advice.Hints
	}
	advice, _ := cli.ExplainLocal(err)
	return advice.Hints
}

// A stoppedError says that the lead stopped a session at something that did not
// work.
type stoppedError struct {
	task string
	err  error
}

func (e *stoppedError) Error() string { return fmt.Sprintf("stopped at %q: %v", e.task, e.err) }
func (e *stoppedError) Unwrap() error { return e.err }
