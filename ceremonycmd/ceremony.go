// SPDX-License-Identifier: Apache-2.0

// Package ceremonycmd is the command ceremony, as far as it needs no network: keymat has it among its commands, and
// keymat-offline has nothing else.
package ceremonycmd

import (
	"bytes"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
)

// app is the command ceremony in one run.
type app struct {
	*cli.Run
	now      func() time.Time
	stations []Station
}

// result is what a command found or made. Its JSON form is stable; text is for people.
type result interface{ text(w io.Writer) }

func (a *app) print(r result) error { return a.Print(r, r.text) }

// New is the command ceremony of a run; now tells the time that goes into plans, records and reports. Beside the offline machine
// of a ceremony the program can be those of some stations.
func New(run *cli.Run, now func() time.Time, stations ...Station) *cobra.Command {
	a := &app{Run: run, now: now}
	a.stations = append([]Station{a.offlineStation()}, stations...)
	c := &cobra.Command{
		Use:   "ceremony",
		Short: "A key ceremony with a plan, witnesses and a record",
		Long: `A key ceremony brings key material into KMS before witnesses: by a plan that was
reviewed and signed, with roles that nobody combines, and with a record that
cannot be changed afterwards without anybody noticing.`,
		Example: `  keymat ceremony plan init plan.yaml
  keymat ceremony status /mnt/ceremony
  keymat ceremony run /mnt/ceremony /media/record
  keymat ceremony verify /media/record`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newCeremonyPlanCmd(a), newCeremonyFormsCmd(a), newCeremonyPreflightCmd(a), newRunCmd(a), newStatusCmd(a), newTranscriptCmd(a),
		newCeremonyVerifyCmd(a), newCeremonyReportCmd(a))
	c.AddCommand(newReopenCmd(a), newRegisterCmd(a))
	nameProgram(c, run.Name)
	return c
}

// nameProgram has the help of a command, and of all below it, name the program that they are part of.
func nameProgram(c *cobra.Command, program string) {
	for _, text := range []*string{&c.Long, &c.Example} {
		*text = strings.ReplaceAll(*text, "keymat ceremony", program+" ceremony")
	}
	for _, sub := range c.Commands() {
		nameProgram(sub, program)
	}
}

func newCeremonyPlanCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "plan",
		Short: "Write, check, sign and compare the plan of a ceremony",
		Long: `The plan of a ceremony is one YAML file that says what is made, who does it, who
confirms, who keeps which share where, and which KMS keys get the material.
It is written with init, corrected until lint finds nothing, signed by those it
names, and not changed after that: on the day, nobody decides.`,
		Example: `  keymat ceremony plan init plan.yaml
  keymat ceremony plan lint plan.yaml
  keymat ceremony plan sign plan.yaml --as lead`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(newPlanInitCmd(a), newPlanLintCmd(a), newPlanSignCmd(a), newPlanVerifyCmd(a), newPlanDiffCmd(a))
	return c
}

// readPlan reads a plan.
func (a *app) readPlan(name string) (*plan.Plan, error) {
	data, err := files.ReadLimited(name, a.Stdin, plan.MaxFile)
	if err != nil {
		return nil, err
	}
	p, err := plan.Read(bytes.NewReader(data))
	if err != nil {
		return nil, cli.InFile(name, err)
	}
	return p, nil
}
