// SPDX-License-Identifier: Apache-2.0

package report

import (
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// A control is a topic of a standard, in our words, and how a ceremony meets it.
type control struct {
	standard string
	topic    string
	how      string
	by       coverage
	evidence func(*Evidence) []ref // nil where no line can show it
}

// coverage says what a control rests on.
type coverage string

// The coverages. A topic that the tool supports is covered only where this
// record has lines to show for it.
const (
	byTool      coverage = "supported by tool"
	byProcedure coverage = "by procedure"
	notCovered  coverage = "not covered"
)

// controls maps topics of standards to lines of the record.
func controls(e *Evidence) section {
	s := section{ID: "controls", Title: "Topics of standards"}
	s.say("A help for an assessor to find evidence, and not an assessment. Topics are in our own words: hold them against a licensed copy of each standard. " +
		"PCI DSS is version 4.0.1, SP 800-57 is Part 1 revision 5, by chapter; of ISO 11568:2023 topics are named and no clauses.")
	t := table{Caption: "What supports each topic, and the lines that show it", Columns: []string{"Standard", "Topic", "Coverage", "How", "Evidence"}}
	for _, c := range controlTable() {
		coverage, evidence := c.met(e)
		t.add(id(c.standard), plain(c.topic), coverage, plain(c.how), evidence)
	}
	s.show(t, "")
	return s
}

// met says whether this record shows a control, and where.
func (c control) met(e *Evidence) (coverage, evidence cell) {
	var lines []ref
	if c.evidence != nil {
		lines = c.evidence(e)
	}
	switch {
	case c.by == notCovered:
		return plain(string(notCovered)), plain("")
	case len(lines) > 0 && c.by == byTool:
		return good(string(byTool)), plain("").from(lines)
	case len(lines) > 0:
		return plain(string(c.by)), plain("").from(lines)
	case c.by == byTool:
		return unsure(string(notCovered)), plain("nothing in this record")
	}
	return plain(string(c.by)), plain("on paper, or nowhere")
}

// What lines can show.
func gate(gates ...plan.Gate) func(*Evidence) []ref {
	return func(e *Evidence) []ref { return e.passed(gates...) }
}

func naming(so func(any) bool) func(*Evidence) []ref {
	return func(e *Evidence) []ref { return e.bound(so) }
}

// either are the lines of both.
func either(some ...func(*Evidence) []ref) func(*Evidence) []ref {
	return func(e *Evidence) (all []ref) {
		for _, lines := range some {
			all = append(all, lines(e)...)
		}
		return e.inOrder(all)
	}
}

// planned is the line that binds the plan.
func planned(e *Evidence) []ref {
	return on[transcript.Opened](e)
}

// chain is the beginning and the end of a record that verifies.
func chain(e *Evidence) []ref {
	if len(e.Problems) > 0 {
		return nil
	}
	return e.linesWith(func(entry transcript.Entry) bool {
		return is[transcript.Opened](entry.Event) || is[transcript.Closed](entry.Event)
	})
}

// everyGate are the lines that take two people.
func everyGate(e *Evidence) []ref { return e.passed(plan.Gates()...) }

func controlTable() []control {
	const pci, nist, iso = "PCI DSS ", "NIST SP 800-57 ", "ISO 11568"
	return []control{
		{pci + "3.6.1", "stored keys are protected against disclosure and misuse", "the copy that is kept is an escrow", byTool, either(naming(isEscrow), on[transcript.Escrowed])},
		{pci + "3.6.1.2", "stored keys are encrypted under a key as strong, or split", "escrow under a 256-bit key, which is split into shares", byTool, either(naming(isEscrow), on[transcript.Sealed])},
		{pci + "3.6.1.3", "as few custodians as can be have access", "the plan names them; lint finds who could reach the threshold alone", byProcedure, planned},
		{pci + "3.6.1.4", "keys are in as few places as can be", "the plan names media and sites", byProcedure, planned},
		{pci + "3.7.1", "strong keys are generated", "the line in which the material was generated, and the record of randomness beside it", byTool, either(naming(isRandomness), on[transcript.Generated])},
		{pci + "3.7.2", "keys are distributed securely", "wrapped under the public key that KMS gave for one import", byTool, either(naming(isWrapped), on[transcript.Wrapped])},
		{pci + "3.7.3", "keys are stored securely", "copies and shares were read back, and at the gate sealed people confirm it", byTool, either(gate(plan.GateSealed), on[transcript.Copied], on[transcript.ReadBack])},
		{pci + "3.7.4", "keys are changed at the end of their cryptoperiod", "another ceremony, with a record of its own", notCovered, nil},
		{pci + "3.7.5", "keys are retired, replaced or destroyed", "an escrow is retired for another that is sealed; shares and copies are destroyed, each with its line, before two people and the lead", byTool, either(on[transcript.Retired], on[transcript.Discarded])},
		{pci + "3.7.6", "split knowledge and dual control of manual operations in clear", "each gate takes all whom the plan names, who are at least two; an escrow opens with a quorum", byTool, either(everyGate, on[transcript.Recovered])},
		{pci + "3.7.7", "keys are not substituted", "at the gates bundle and import people confirm that digests were compared; what is submitted is the bytes that were wrapped", byTool, either(gate(plan.GateBundle, plan.GateImport), on[transcript.Submitted])},
		{pci + "3.7.8", "custodians acknowledge their duties", "signed forms, which keymat ceremony forms prints; a line may note them", byProcedure, nil},

		{nist + "8", "generation and distribution of keys", "record of randomness, wrapped packages", byTool, either(naming(isRandomness), naming(isWrapped), on[transcript.Generated], on[transcript.Wrapped])},
		{nist + "5.3", "cryptoperiods", "the plan says until when KMS keeps the material, and no more", byProcedure, planned},
		{nist + "7", "states of keys and transitions between them", "keymat ceremony register, which is no part of this record", notCovered, nil},
		{nist + "8", "backup and recovery", "escrow, shares, and drills that open it", byTool, either(naming(isEscrow), naming(isDrill), on[transcript.Sealed], on[transcript.Recovered])},
		{nist + "8", "destruction of keys", "the program cleared its memory, and the gate close says that it was seen; nothing shows what memory holds. Shares and copies are destroyed in a ceremony of their own", byProcedure, either(gate(plan.GateClose), on[transcript.Destroyed], on[transcript.Discarded])},
		{nist + "9", "accountability and audit", "each line names whose doing it is; lines are chained, and the last is signed", byTool, chain},

		{iso, "dual control and split knowledge", "gates, shares", byTool, either(everyGate, on[transcript.Recovered])},
		{iso, "generation of keys", "record of randomness", byTool, either(naming(isRandomness), on[transcript.Generated])},
		{iso, "conveyance and loading of keys", "wrapped packages, receipts", byTool, either(naming(isWrapped), naming(isReceipt), on[transcript.Wrapped], on[transcript.Imported])},
		{iso, "key check values", "at the gate identity people confirm that the fingerprint was read aloud", byTool, gate(plan.GateIdentity)},
		{iso, "storage and backup", "escrow", byTool, either(naming(isEscrow), on[transcript.Sealed])},
		{iso, "records of what was done to keys", "the record", byTool, chain},
		{iso, "secure cryptographic devices", "a program on a general-purpose computer is none", notCovered, nil},
		{iso, "destruction of keys", "a ceremony of its own, in which each share and copy has its line", byTool, on[transcript.Discarded]},
	}
}
