// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/console"
	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/cli"
)

func newStatusCmd(a *app) *cobra.Command {
	var o runOptions
	c := &cobra.Command{
		Use:   "status <folder>",
		Short: "Say how far a ceremony has come, and what is missing",
		Long: `Say of the folder of a ceremony how far its records have come; what is to be done
now, by whom, on this machine and on others; who has not signed what; and until
when what was wrapped has to be on its way and submitted. Nothing is changed.`,
		Example: `  keymat ceremony status /mnt/ceremony
  keymat ceremony status /mnt/ceremony --json`,
		Args: cli.OneArg("folder"),
		RunE: func(_ *cobra.Command, args []string) error {
			if _, err := a.station(o.machine); err != nil {
				return err
			}
			return a.ceremonyStatus(args[0], o.machine)
		},
	}
	o.register(c, a.stations)
	return c
}

// ceremonyStatus says what the folder of a ceremony shows. A plan that cannot be
// read, or records that break the rules, are errors; the state before them is told.
func (a *app) ceremonyStatus(folder, machine string) error {
	f := evidence.Folder(folder)
	p, err := f.Plan()
	if err != nil {
		return err
	}
	records, err := f.Records()
	if err != nil {
		return err
	}
	state, faulty := phase.Fold(p, records...)
	findings, err := f.Verify()
	if err != nil {
		return err
	}
	s := ceremonyStatus{
		awaited: awaited{Ceremony: p.ID, Rehearsal: p.Rehearsal, Machine: transcript.Machine(machine), Agenda: state.Next(transcript.Machine(machine)), plan: p},
		Title:   p.Title, Unsigned: unsigned(findings), Deadlines: deadlines(p, state, records), now: a.now(),
	}
	if err := a.print(s); err != nil {
		return err
	}
	return faulty
}

// awaited is what is to be done now.
type awaited struct {
	Ceremony  string             `json:"ceremony"`
	Rehearsal bool               `json:"rehearsal"`
	Machine   transcript.Machine `json:"machine"` // that is meant by here
	phase.Agenda

	plan *plan.Plan
}

func (s awaited) text(w io.Writer) {
	fmt.Fprintf(w, "%s: %s\n", s.Ceremony, s.Progress)
	s.tasks(w, "here, on the "+console.MachineName(s.Machine)+":", s.Here)
	for _, m := range []transcript.Machine{transcript.OfflineMachine, transcript.FetchMachine, transcript.ImportMachine} {
		elsewhere := slices.DeleteFunc(slices.Clone(s.Elsewhere), func(t phase.Task) bool { return t.Machine != m })
		s.tasks(w, "on the "+console.MachineName(m)+":", elsewhere)
	}
	if len(s.Here)+len(s.Elsewhere) == 0 {
		fmt.Fprintln(w, "nothing is left to do")
	}
}

func (s awaited) tasks(w io.Writer, where string, tasks []phase.Task) {
	if len(tasks) == 0 {
		return
	}
	fmt.Fprintln(w, where)
	for _, t := range tasks {
		fmt.Fprintf(w, "  %s\n    %s\n", console.Title(s.plan, t), console.People(s.plan, t))
	}
}

// ceremonyStatus is what the folder of a ceremony shows.
type ceremonyStatus struct {
	awaited
	Title     string              `json:"title"`
	Unsigned  []unsignedFile      `json:"unsigned"`
	Deadlines []ceremonyDeadlines `json:"deadlines"`

	now time.Time
}

// An unsignedFile lacks a good signature of somebody who has to sign it.
type unsignedFile struct {
	File    string `json:"file"`
	Person  string `json:"person"` // ID
	Problem string `json:"problem"`
}

// ceremonyDeadlines are those of what was fetched for a target that has no material
// yet.
type ceremonyDeadlines struct {
	Target    string    `json:"target"`
	Bundle    string    `json:"bundle"`
	Departure time.Time `json:"departure"` // of what was wrapped, at the latest
	ValidTo   time.Time `json:"valid_to"`  // of the import token
}

func (s ceremonyStatus) text(w io.Writer) {
	if s.Title != s.Ceremony {
		fmt.Fprintln(w, s.Title)
	}
	if s.Rehearsal {
		fmt.Fprintln(w, "REHEARSAL: nothing of it can be imported into AWS")
	}
	s.awaited.text(w)
	if len(s.Unsigned) > 0 {
		fmt.Fprintln(w, "signatures:")
	}
	for _, u := range s.Unsigned {
		fmt.Fprintf(w, "  %s: %s %s\n", u.File, console.Name(s.plan, u.Person), u.Problem)
	}
	if len(s.Deadlines) > 0 {
		fmt.Fprintln(w, "deadlines:")
	}
	for _, d := range s.Deadlines {
		fmt.Fprintf(w, "  %s, with the token of %s\n    on its way by %s\n    imported by   %s\n",
			d.Target, d.Bundle, cli.Deadline(d.Departure, s.now), cli.Deadline(d.ValidTo, s.now))
	}
}

// unsigned lists the signatures that the plan, the heads of records and artefacts
// still need.
func unsigned(v *evidence.Findings) []unsignedFile {
	missing := []unsignedFile{}
	add := func(file string, signers []plan.Approval) {
		for _, s := range signers {
			if s.Problem != "" {
				missing = append(missing, unsignedFile{file, s.Person, s.Problem})
			}
		}
	}
	add(evidence.PlanFile, v.Approvals)
	for i, r := range v.Records {
		add(evidence.HeadFile(i+1), r.Signers)
	}
	for _, artefact := range v.Artefacts {
		add(artefact.File.Name, artefact.Signers)
	}
	return missing
}

// deadlines are told of each target that waits for its material, by the latest
// bundle with it.
func deadlines(p *plan.Plan, state *phase.State, records []*transcript.Transcript) []ceremonyDeadlines {
	all := []ceremonyDeadlines{}
	for _, target := range state.Targets() {
		if target.MaterialID != "" || target.Method != "" {
			continue
		}
		if b, ok := bundleFor(target.ID, records); ok {
			if validTo, err := time.Parse(time.RFC3339, b.ValidTo); err == nil {
				all = append(all, ceremonyDeadlines{target.ID, b.File.Name, validTo.Add(-p.Limits.ImportMargin), validTo})
			}
		}
	}
	return all
}

func bundleFor(target string, records []*transcript.Transcript) (b transcript.Bundled, ok bool) {
	for _, t := range records {
		for _, e := range t.Entries {
			if other, is := e.Event.(transcript.Bundled); is && slices.Contains(other.Targets, target) {
				b, ok = other, true
			}
		}
	}
	return b, ok
}
