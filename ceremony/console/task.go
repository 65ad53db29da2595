// SPDX-License-Identifier: Apache-2.0

package console

import (
	"fmt"
	"strings"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// Title says what is to be done, such as "Issue share 3 of 5".
func Title(p *plan.Plan, t phase.Task) string {
	switch t.Step {
	case phase.Begin:
		return "Begin the record of the " + MachineName(t.Machine)
	case phase.Confirm:
		return fmt.Sprintf("Gate %s: %s", t.Gate, seenAt(p, t.Gate))
	case phase.Generate:
		return fmt.Sprintf("Make the material (%s)", p.Material.Spec)
	case phase.CopyOut:
		return fmt.Sprintf("Copy the escrow to %s%s", t.Copy, medium(p, t.Copy))
	case phase.Issue:
		return fmt.Sprintf("Issue share %d of %d", t.Share, p.Shares.Count)
	case phase.ReadShare:
		return fmt.Sprintf("Read share %d of %d back", t.Share, p.Shares.Count)
	case phase.Unlock:
		return fmt.Sprintf("Unlock the token %s, and find the key in it", p.Token.Label)
	case phase.BackUp:
		return fmt.Sprintf("Attest %s of the token", t.Copy)
	case phase.Recover:
		return fmt.Sprintf("Open the escrow with %d shares", t.Quorum)
	case phase.Destroy:
		return "Destroy what is in memory"
	case phase.Discard:
		if t.Share > 0 {
			return fmt.Sprintf("Destroy share %d of %d, for good", t.Share, p.Shares.Count)
		}
		return fmt.Sprintf("Destroy %s%s, for good", t.Copy, medium(p, t.Copy))
	case phase.End:
		return "Close the record of the " + MachineName(t.Machine)
	}
	title, ok := titles[t.Step]
	if !ok {
		title = string(t.Step)
	}
	if len(t.Targets) > 0 {
		title += ": " + strings.Join(t.Targets, ", ")
	}
	return title
}

var titles = map[phase.Step]string{
	phase.MakeEscrow:  "Seal the material in an escrow",
	phase.SealSet:     "Write the seal record",
	phase.VoidLost:    "Declare void what was lost",
	phase.Fetch:       "Fetch wrapping keys and import tokens",
	phase.Accept:      "Take in what was fetched",
	phase.Wrap:        "Wrap the material",
	phase.Submit:      "Submit what was wrapped",
	phase.Verify:      "Verify that KMS has the material",
	phase.Retire:      "Retire the old escrow and its shares",
	phase.Attest:      "Say what is known of the KMS key",
	phase.Entrust:     "Leave the material to the token",
	phase.Lock:        "Lock the token",
	phase.Investigate: "Investigate: KMS could not open what was wrapped for it",
}

var machineNames = map[transcript.Machine]string{
	transcript.OfflineMachine: "offline machine",
	transcript.FetchMachine:   "fetching machine",
	transcript.ImportMachine:  "importing machine",
}

// MachineName is what a machine is called, such as "offline machine".
func MachineName(m transcript.Machine) string { return machineNames[m] }

var gates = map[plan.Gate]string{
	plan.GatePlan:     "the plan is approved",
	plan.GateOpen:     "everybody is there, and the machine is fit",
	plan.GateIdentity: "the fingerprint of the material was read aloud",
	plan.GateSealed:   "every share was read back, every copy opened",
	plan.GateBundle:   "the digest of what was fetched was compared aloud",
	plan.GateClose:    "nothing is left in memory, and the digest of the record was read aloud",
	plan.GateImport:   "the digest of the package is the one read out offline",
}

// tokenGates are the gates that are passed for something else where a token keeps the
// material.
var tokenGates = map[plan.Gate]string{
	plan.GateSealed: "the key is in the token, and its backups are attested",
	plan.GateClose:  "the token is locked, and the digest of the record read aloud",
}

// seenAt is what people let the ceremony pass a gate for.
func seenAt(p *plan.Plan, g plan.Gate) string {
	if what, ok := tokenGates[g]; ok && p.KeptInToken() {
		return what
	}
	return gates[g]
}

// aboutTask says what people are about to see and do.
func aboutTask(p *plan.Plan, t phase.Task) string {
	if t.Step == phase.Generate && p.KeptInToken() {
		return "The material is made in the token, which gives it to nobody but wrapped for KMS. Those who know the PIN type it, each their part."
	}
	return about[t.Step]
}

// about says what people are about to see and do.
var about = map[phase.Step]string{
	phase.Generate:    "The material is made in memory. It is never shown and never written.",
	phase.MakeEscrow:  "A fresh key seals the material; the shares are made of that key. Every quorum is tried before anything is kept.",
	phase.CopyOut:     "What is on the medium is not secret. It is read back, and opened, before it counts.",
	phase.Issue:       "One custodian sees the share, and nobody else.",
	phase.ReadShare:   "The custodian enters the share from what they keep. Nothing of it is shown.",
	phase.Recover:     "Each custodian enters a share. Nothing of it is shown.",
	phase.VoidLost:    "The machine was interrupted, and its memory is gone. Shares and copies made so far are worthless: destroy them.",
	phase.Fetch:       "A second person watches. The digest of the bundle is read aloud to the offline machine.",
	phase.Accept:      "The digest read aloud at the fetching machine is typed here, before anything of the medium is used.",
	phase.Unlock:      "Those who know the PIN type it, each their part. The key is compared with the record.",
	phase.BackUp:      "It is made with the means of the token's maker. This program does not see it: you attest it.",
	phase.Entrust:     "There is no escrow, and there are no shares: from now on the token and its backups bring the material back, and nothing else.",
	phase.Lock:        "From now on nobody is logged in to the token.",
	phase.Destroy:     "From now on only a quorum of custodians brings the material back.",
	phase.Retire:      "The new shares are sealed, and take the place of the old ones. Those still open the old escrow until both are destroyed.",
	phase.Discard:     "It is destroyed before everybody's eyes, or somebody attests that it is gone. Nothing is opened.",
	phase.Attest:      "It is looked up on a machine that is online. Nothing is done to it.",
	phase.Submit:      "The very bytes that were wrapped offline are sent to KMS. If KMS cannot open them, that is an incident, and nothing is tried again.",
	phase.Investigate: "The wrapping key may have been exchanged, and the material be exposed. Nothing more is submitted.",
}

func medium(p *plan.Plan, id string) string {
	for _, c := range p.Escrow.Copies {
		if c.ID == id {
			return " (" + c.Medium + ")"
		}
	}
	return ""
}

// People says whom a task takes, such as "With Carol (custodian-3), Oscar
// (operator-1)".
func People(p *plan.Plan, t phase.Task) string {
	if t.Quorum > 0 {
		return fmt.Sprintf("With %d of %s", t.Quorum, names(p, t.People))
	}
	return "With " + names(p, t.People)
}

// Name is how a person is addressed: by their name, with the ID that they type.
func Name(p *plan.Plan, id string) string {
	if person, ok := p.Person(id); ok && person.Name != "" {
		return person.Name + " (" + id + ")"
	}
	return id
}

func names(p *plan.Plan, ids []string) string {
	all := make([]string, len(ids))
	for i, id := range ids {
		all[i] = Name(p, id)
	}
	return strings.Join(all, ", ")
}
