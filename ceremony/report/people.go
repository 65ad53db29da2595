// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// verification says what keymat ceremony verify finds.
func verification(e *Evidence) section {
	s := section{ID: "verification", Title: "Verification"}
	if e.Plan.Rehearsal {
		s.Blocks = append(s.Blocks, block{Note: &cell{Text: "Rehearsal: the material was made to be thrown away.", Class: "unsure"}})
	}
	verdict := good("Plan, approvals, every line of the record, its end and all signatures that were asked for verify.")
	if len(e.Problems) > 0 {
		verdict = bad("The folder does not verify. What follows is what it says, and may have been changed.")
	}
	s.Blocks = append(s.Blocks, block{Note: &verdict}, block{List: e.Problems})
	t := table{Caption: "Signatures", Columns: []string{"By", "What", "Verdict"}}
	for _, a := range e.Approvals {
		t.add(plain(e.called(a.Person)), plain("plan"), verdictOf(a.Problem))
	}
	for _, signer := range e.Signers {
		t.add(plain(e.called(signer.Person)), plain("record"), verdictOf(signer.Problem))
	}
	s.show(t, "There are no signatures.")
	return s
}

func verdictOf(problem string) cell {
	if problem == "" {
		return good("verifies")
	}
	return bad(problem)
}

// participants are the people of the plan, and where the record names them.
func participants(e *Evidence) section {
	s := section{ID: "participants", Title: "Participants"}
	t := table{Caption: "People, their roles by the plan, and the lines that name them", Columns: []string{"ID", "Name", "Roles", "Reports to", "Key", "In the record"}}
	for _, who := range e.Plan.People {
		key := plain("none")
		if who.Key != nil {
			key = id(ssh.FingerprintSHA256(who.Key))
		}
		t.add(id(who.ID), plain(who.Name), plain(words(who.Roles)), plain(who.ReportsTo), key, e.seen(who.ID))
	}
	for _, stranger := range e.strangers() {
		t.add(id(stranger), bad("nobody of the plan"), plain(""), plain(""), plain(""), e.seen(stranger))
	}
	s.show(t, "")
	s.say("Acknowledgements of custodians, and how people were identified, are on paper, or in the lines that note them.")
	return s
}

func words(roles []plan.Role) string {
	texts := make([]string, len(roles))
	for i, r := range roles {
		texts[i] = string(r)
	}
	return strings.Join(texts, ", ")
}

// seen are the lines that name somebody.
func (e *Evidence) seen(person string) cell {
	lines := e.linesWith(func(entry transcript.Entry) bool { return slices.Contains(entry.Actors, person) })
	if len(lines) == 0 {
		return plain("not named")
	}
	return plain(count(len(lines), "line")).from(lines)
}

// strangers are named in the record and not in the plan.
func (e *Evidence) strangers() (ids []string) {
	for _, entry := range e.Transcript.Entries {
		for _, who := range entry.Actors {
			if _, ok := e.Plan.Person(who); !ok && !slices.Contains(ids, who) {
				ids = append(ids, who)
			}
		}
	}
	return ids
}

// tool is the program that wrote the record, as it knew itself.
func tool(e *Evidence) section {
	s := section{ID: "tool", Title: "Tool"}
	opened := planned(e)
	if len(opened) == 0 {
		s.say("The record does not say what wrote it.")
		return s
	}
	t := e.Transcript.Opened.Tool
	mode := "off"
	if t.FIPS {
		mode = "on"
	}
	s.Blocks = append(s.Blocks, block{Facts: []fact{
		{"Program", plain("keymat " + t.Version).from(opened)},
		{"SHA-256 of its file", id(t.SHA256.String())},
		{"Source revision", id(t.Revision)},
		{"Go", plain(t.Go + ", " + t.Platform)},
		{"Go Cryptographic Module", plain(fmt.Sprintf("%s, FIPS 140 mode %s", t.FIPSModule, mode))},
	}})
	s.say("This is what the program said of itself. Compare the digest with the one that was published, and with the one read aloud.")
	return s
}

// summary is what the plan decided.
func summary(e *Evidence) section {
	p := e.Plan
	s := section{ID: "plan", Title: "Plan"}
	s.Blocks = append(s.Blocks, block{Facts: []fact{
		{"ID", id(p.ID)},
		{"Title", plain(p.Title)},
		{"Planned for", plain(p.Date.Format("2006-01-02"))},
		{"Session", plain(string(p.Session))},
		{"Material", plain(fmt.Sprintf("%s, %s, source %s, dice %s", p.Material.Spec, p.Material.Usage, p.Material.Source, p.Material.Dice))},
		{"Escrow", plain(fmt.Sprintf("profile %s, %d of %d shares", p.Escrow.Profile, p.Shares.Threshold, p.Shares.Count))},
		{"Limits", plain(fmt.Sprintf("offline session %s; import token %s when wrapping, %s when importing", p.Limits.MaxSession, p.Limits.TokenMinRemaining, p.Limits.ImportMargin))},
		{"SHA-256", id(fmt.Sprintf("%x", p.Digest()))},
	}})
	findings := table{Caption: "What lint says of the plan", Columns: []string{"Place", "Severity", "What"}}
	for _, f := range p.Lint() {
		severity := unsure(string(f.Severity))
		if f.Severity == plan.Error {
			severity = bad(string(f.Severity))
		}
		findings.add(plain("line "+f.Place.String()), severity, plain(f.Path+": "+f.Found))
	}
	s.show(findings, "Lint finds nothing wrong with the plan.")
	s.say("All that the plan says is in the annex.")
	return s
}
