// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
)

// destruction is the certificate of a ceremony that is held to destroy: all that
// brought the key back, thing by thing, and who saw it go. It is empty for other
// ceremonies.
func destruction(e *Evidence) section {
	if e.Plan.Purpose != plan.ForDestruction {
		return section{}
	}
	s := section{ID: "destruction", Title: "Certificate of destruction"}
	verdict := e.destroyed()
	s.Blocks = append(s.Blocks, block{Note: &verdict})
	if doubt, ok := e.unseen(); ok {
		s.Blocks = append(s.Blocks, block{Note: &doubt})
	}
	t := table{Caption: "Shares and copies of the escrow", Columns: []string{"Thing", "Kept", "When", "How it went", "Seen or attested", "Bag", "By"}}
	for _, h := range e.Plan.Shares.Holders {
		t.add(slices.Concat([]cell{plain(fmt.Sprintf("share %d", h.Share)), plain(fmt.Sprintf("by %s, at %s", e.called(h.Custodian), h.Site))},
			e.went(func(d transcript.Discarded) bool { return d.Share == h.Share }))...)
	}
	for _, c := range e.Plan.Escrow.Copies {
		t.add(slices.Concat([]cell{plain(c.ID), plain(fmt.Sprintf("%s, at %s", c.Medium, c.Site))},
			e.went(func(d transcript.Discarded) bool { return d.Copy == c.ID }))...)
	}
	s.show(t, "")
	keys := table{Caption: "KMS keys that held the material, which the ceremony did not touch", Columns: []string{"KMS key", "Found out", "By"}}
	for _, target := range e.Plan.Targets {
		keys.add(append([]cell{id(target.Key)}, e.attested(target.ID)...)...)
	}
	s.show(keys, "The plan names no KMS key.")
	s.say("Besides the copies that the plan names, the escrow is among the evidence of the ceremony that made it, and in the folders of its machines. Without enough of the shares it opens nothing. Another escrow of the same material, such as one that has taken the place of this one, is not part of this.")
	s.say("That nobody ever copied a share or the escrow, and that what was said to be destroyed elsewhere was, no record can show.")
	return s
}

// destroyed is the certificate in a sentence.
func (e *Evidence) destroyed() cell {
	switch {
	case len(e.Problems) > 0 || e.State == nil:
		return bad("This is no certificate: the folder does not verify.")
	case !slices.ContainsFunc(e.State.Escrows(), func(x phase.Escrow) bool { return x.Condition == phase.Gone }):
		return unsure("The destruction is not complete: " + e.State.Progress() + ".")
	}
	x, who := e.Plan.Expected, "Those"
	if e.Plan.Rehearsal {
		who = "In this rehearsal, those"
	}
	return good(fmt.Sprintf("%s who signed the record certify that every share, and every copy that the plan names, of the escrow %s, which brought back the %s material with the fingerprint %s, was destroyed before them, or is attested to be destroyed or lost.",
		who, x.Escrow, e.Plan.Material.Spec, x.Fingerprint)).from(on[transcript.Discarded](e))
}

// unseen says so where the shares that nobody saw destroyed would open the escrow.
func (e *Evidence) unseen() (c cell, ok bool) {
	n, lines := 0, []ref{}
	for _, l := range e.lines() {
		if d, is := l.Event.(transcript.Discarded); is && d.Share != 0 && d.How == transcript.Elsewhere {
			n, lines = n+1, append(lines, l.ref)
		}
	}
	if n < e.Plan.Shares.Threshold {
		return c, false
	}
	return unsure(fmt.Sprintf("%s that nobody here saw destroyed would be enough to open the escrow, for it takes %d: this rests on the word of those who attest them.",
		count(n, "share"), e.Plan.Shares.Threshold)).from(lines), true
}

// went says when and how a thing was discarded: five cells.
func (e *Evidence) went(which func(transcript.Discarded) bool) []cell {
	for _, l := range e.lines() {
		d, ok := l.Event.(transcript.Discarded)
		if !ok || !which(d) {
			continue
		}
		how := good("brought back and destroyed")
		if d.How == transcript.Elsewhere {
			how = unsure("attested to be gone")
		}
		return []cell{plain(utc(l.Time)), how.from([]ref{l.ref}), plain(d.Text), plain(d.Bag), plain(strings.Join(e.calledAll(l.Actors), ", "))}
	}
	return []cell{plain(""), bad("no line tells"), plain(""), plain(""), plain("")}
}

// attested says what people found out about a KMS key: two cells.
func (e *Evidence) attested(target string) []cell {
	for _, l := range e.lines() {
		if a, ok := l.Event.(transcript.Attested); ok && a.Target == target {
			found := plain(a.Text)
			if a.State.Keeps() {
				found = unsure(a.Text)
			}
			return []cell{found.from([]ref{l.ref}), plain(strings.Join(e.calledAll(l.Actors), ", "))}
		}
	}
	return []cell{unsure("no line tells"), plain("")}
}
