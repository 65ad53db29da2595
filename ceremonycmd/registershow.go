// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/register"
	"github.com/keymat/keymat/ceremony/register/disk"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/material"
)

func newRegisterShowCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "show <register> [<key>]",
		Short: "Show the keys of a register, or all about one",
		Long: `Show the keys of a register with their states, or all that it knows of one, with
every line about it. The register is checked on the way: what was changed is told,
and nothing is shown.`,
		Example: `  keymat ceremony register show register.jsonl
  keymat ceremony register show register.jsonl payments-2026`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := disk.Read(args[0])
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return a.print(showRegister(r))
			}
			k, err := keyOf(r, args[1])
			if err != nil {
				return err
			}
			return a.print(showKey(k))
		},
	}
}

// registerShown is a register.
type registerShown struct {
	Organisation string            `json:"organisation"`
	Lines        int               `json:"lines"`
	Head         transcript.Digest `json:"head"` // of the last line
	Keys         []keyShown        `json:"keys"`
}

func showRegister(r *register.Register) registerShown {
	s := registerShown{Organisation: r.Organisation, Lines: r.Lines, Head: r.Last, Keys: []keyShown{}}
	for _, k := range r.Keys() {
		s.Keys = append(s.Keys, showKey(k))
	}
	return s
}

func (s registerShown) text(w io.Writer) {
	fmt.Fprintf(w, "%s, %s, %s; the last line has the SHA-256\n%s\n", s.Organisation, cli.Count(len(s.Keys), "key"), cli.Count(s.Lines, "line"), s.Head)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, k := range s.Keys {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", k.Key, k.State, k.KeySpec, k.Fingerprint, k.Title)
	}
	t.Flush()
}

// keyShown is a key of a register.
type keyShown struct {
	Key         string             `json:"key"`
	Title       string             `json:"title"`
	State       register.State     `json:"state"`
	Since       time.Time          `json:"since"`
	KeySpec     material.Spec      `json:"key_spec"`
	Fingerprint string             `json:"fingerprint"`
	Escrow      register.Escrow    `json:"escrow,omitzero"`
	Retired     []register.Retired `json:"retired,omitempty"` // escrows that were replaced, and are not known to be destroyed
	Held        []register.Held    `json:"held"`
	Schedule    register.Scheduled `json:"schedule"`
	Drill       *register.Drilled  `json:"last_drill,omitempty"`
	NextDrill   time.Time          `json:"next_drill,omitzero"`
	History     []registerLine     `json:"history"`
}

type registerLine struct {
	Line  int            `json:"line"` // from 1
	Time  time.Time      `json:"time"`
	By    []string       `json:"by"`
	Event string         `json:"event"`
	Data  register.Event `json:"data"`
}

func showKey(k register.Key) keyShown {
	s := keyShown{Key: k.Added.Key, Title: k.Title, State: k.State, Since: k.Since, KeySpec: k.KeySpec, Fingerprint: k.Fingerprint, Escrow: k.Escrow, Retired: k.Retired(), Held: k.Held,
		Schedule: k.Scheduled, Drill: k.Drill, NextDrill: k.NextDrill()}
	for _, line := range k.History {
		s.History = append(s.History, registerLine{line.Seq + 1, line.Time, line.Actors, register.Name(line.Event), line.Event})
	}
	return s
}

func (s keyShown) text(w io.Writer) {
	opens, drill, every := "", "none yet", ""
	if s.Escrow.ID != "" {
		opens = strings.TrimPrefix(s.Escrow.String(), "the escrow ")
	}
	if s.Drill != nil {
		drill = fmt.Sprintf("%s, %s", s.Drill.At.Format(time.DateOnly), s.Drill.Verdict)
	}
	if s.Schedule.DrillEvery > 0 {
		every = fmt.Sprintf("%s, every %d d", dayOf(s.NextDrill), s.Schedule.DrillEvery)
	}
	cli.Fields(w, "key", s.Key, "title", s.Title, "state", fmt.Sprintf("%s since %s", s.State, dayOf(s.Since)), "spec", string(s.KeySpec), "fingerprint", s.Fingerprint,
		"escrow", opens, "protects until", dayOf(s.Schedule.Protects), "review", dayOf(s.Schedule.Review), "last drill", drill, "next drill", every)
	for _, r := range s.Retired {
		cli.Fields(w, "replaced", r.Escrow+", whose shares still open it")
	}
	for _, h := range s.Held {
		expires := "never"
		if !h.ValidTo.IsZero() {
			expires = dayOf(h.ValidTo)
		}
		cli.Fields(w, "in KMS", h.ARN, "material ID", h.MaterialID, "expires", expires)
	}
	for _, line := range s.History {
		fmt.Fprintf(w, "%d  %s  %s  %s: %s\n", line.Line, dayOf(line.Time), cli.List(line.By), line.Event, register.Tell(line.Data))
	}
}

func dayOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}
