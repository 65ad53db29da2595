// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/evidence"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// verification says what keymat ceremony verify finds.
func verification(e *Evidence) section {
	s := section{ID: "verification", Title: "Verification"}
	if e.Plan.Rehearsal {
		s.Blocks = append(s.Blocks, block{Note: &cell{Text: "Rehearsal: the material was made to be thrown away, and every file says so. Nothing of it can be imported into AWS.", Class: "unsure"}})
	}
	if note := e.incident(); note != nil {
		s.Blocks = append(s.Blocks, block{Note: note})
	}
	verdict := good("Plan, approvals, every line of the records, the files that they name and all signatures that were asked for verify.")
	if len(e.Problems) > 0 {
		verdict = bad("The folder does not verify. What follows is what it says, and may have been changed.")
	}
	s.Blocks = append(s.Blocks, block{Note: &verdict}, block{List: told(e.Problems)})
	if len(e.Remarks) > 0 {
		s.say("What is not wrong, and worth knowing:")
		s.Blocks = append(s.Blocks, block{List: told(e.Remarks)})
	}
	t := table{Caption: "Signatures", Columns: []string{"By", "What", "Verdict"}}
	for _, signed := range e.signed() {
		for _, a := range signed.by {
			t.add(plain(e.called(a.Person)), plain(signed.what), verdictOf(a.Problem))
		}
	}
	s.show(t, "There are no signatures.")
	return s
}

func told(findings []evidence.Finding) (texts []string) {
	for _, f := range findings {
		texts = append(texts, f.String())
	}
	return texts
}

// A signed is what people signed.
type signed struct {
	what string
	by   []plan.Approval
}

func (e *Evidence) signed() []signed {
	all := []signed{{"plan", e.Approvals}}
	for i, r := range e.Records {
		all = append(all, signed{e.recordCalled(i + 1), r.Signers})
	}
	for _, a := range e.Artefacts {
		all = append(all, signed{a.What + " " + a.File.Name, a.Signers})
	}
	return all
}

// recordCalled is a record in words.
func (e *Evidence) recordCalled(record int) string {
	if len(e.Records) == 1 {
		return "record"
	}
	return fmt.Sprintf("record %d", record)
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
	s.say("Acknowledgements of custodians (the form that keymat ceremony forms prints), and how people were identified, are on paper, or in the lines that note them.")
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
	for _, l := range e.lines() {
		for _, who := range l.Actors {
			if _, ok := e.Plan.Person(who); !ok && !slices.Contains(ids, who) {
				ids = append(ids, who)
			}
		}
	}
	return ids
}

// tool are the programs that wrote the records, as they knew themselves.
func tool(e *Evidence) section {
	s := section{ID: "tool", Title: "Tool"}
	t := table{Caption: "Programs, by the machine that each ran on", Columns: []string{"Record", "Machine", "Program", "SHA-256 of its file", "Source revision", "Go", "Go Cryptographic Module"}}
	for _, l := range e.lines() {
		if o, ok := l.Event.(transcript.Opened); ok {
			mode := "off"
			if o.Tool.FIPS {
				mode = "on"
			}
			t.add(plain(fmt.Sprint(l.record)).from([]ref{l.ref}), plain(string(o.Part.Writer())), plain("keymat "+o.Tool.Version), id(o.Tool.SHA256.String()), id(o.Tool.Revision),
				plain(o.Tool.Go+", "+o.Tool.Platform), plain(fmt.Sprintf("%s, FIPS 140 mode %s", o.Tool.FIPSModule, mode)))
		}
	}
	s.show(t, "The record does not say what wrote it.")
	s.say("This is what each program said of itself. Compare the digest with the one that was published, and with the one read aloud. The machine that fetches writes no record.")
	return s
}

// purposes are what ceremonies are held for.
var purposes = map[plan.Purpose]string{
	plan.ForImport:      "to bring material into KMS keys",
	plan.ForRefresh:     "to deal new shares of material, and to retire the old ones",
	plan.ForDestruction: "to destroy what brings material back",
}

// keeps is what brings the material back.
func keeps(p *plan.Plan) fact {
	if p.KeptInToken() {
		return fact{"Token", plain(fmt.Sprintf("%s, with %s that people attest", p.Token.Label, count(len(p.Token.Backups), "backup")))}
	}
	return fact{"Escrow", plain(fmt.Sprintf("profile %s, %d of %d shares", p.Escrow.Profile, p.Shares.Threshold, p.Shares.Count))}
}

// summary is what the plan decided.
func summary(e *Evidence) section {
	p := e.Plan
	s := section{ID: "plan", Title: "Plan"}
	s.Blocks = append(s.Blocks, block{Facts: []fact{
		{"ID", id(p.ID)},
		{"Title", plain(p.Title)},
		{"Planned for", plain(p.Date.Format("2006-01-02"))},
		{"Purpose", plain(purposes[p.Purpose])},
		{"Session", plain(string(p.Session))},
		{"Material", plain(fmt.Sprintf("%s, %s, source %s, dice %s", p.Material.Spec, p.Material.Usage, p.Material.Source, p.Material.Dice))},
		keeps(p),
		{"Limits", plain(limitsOf(p))},
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

// limitsOf are the limits of a plan in words, as far as its ceremony has to do with them.
func limitsOf(p *plan.Plan) string {
	all := fmt.Sprintf("offline session %s", p.Limits.MaxSession)
	if p.Purpose == plan.ForImport {
		all += fmt.Sprintf("; import token %s when wrapping, %s when importing", p.Limits.TokenMinRemaining, p.Limits.ImportMargin)
	}
	return all
}
