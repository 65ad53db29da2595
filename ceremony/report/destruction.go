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
	t := table{Caption: "Shares and copies of the escrow", Columns: []string{"Thing", "Kept by", "At", "How it went", "Seen or attested", "Bag", "By"}}
	for _, h := range e.Plan.Shares.Holders {
		t.add(slices.Concat([]cell{plain(fmt.Sprintf("share %d", h.Share)), plain(e.called(h.Custodian)), id(h.Site)},
			e.went(func(d transcript.Discarded) bool { return d.Share == h.Share }))...)
	}
	for _, c := range e.Plan.Escrow.Copies {
		t.add(slices.Concat([]cell{plain(c.ID), plain(c.Medium), id(c.Site)},
			e.went(func(d transcript.Discarded) bool { return d.Copy == c.ID }))...)
	}
	s.show(t, "")
	keys := table{Caption: "KMS keys that held the material, which the ceremony did not touch", Columns: []string{"KMS key", "Found out", "By"}}
	for _, target := range e.Plan.Targets {
		keys.add(append([]cell{id(target.Key)}, e.attested(target.ID)...)...)
	}
	s.show(keys, "The plan names no KMS key.")
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
	x := e.Plan.Expected
	return good(fmt.Sprintf("Those who signed the record certify that every share and every copy of the escrow %s, which brought back the %s material with the fingerprint %s, was destroyed, or is attested to be gone.",
		x.Escrow, e.Plan.Material.Spec, x.Fingerprint)).from(on[transcript.Discarded](e))
}

// went says how a thing was discarded: four cells.
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
		return []cell{how.from([]ref{l.ref}), plain(d.Text), plain(d.Bag), plain(strings.Join(e.calledAll(l.Actors), ", "))}
	}
	return []cell{bad("no line tells"), plain(""), plain(""), plain("")}
}

// attested says what people found out about a KMS key: two cells.
func (e *Evidence) attested(target string) []cell {
	for _, l := range e.lines() {
		if a, ok := l.Event.(transcript.Attested); ok && a.Target == target {
			return []cell{plain(a.Text).from([]ref{l.ref}), plain(strings.Join(e.calledAll(l.Actors), ", "))}
		}
	}
	return []cell{unsure("no line tells"), plain("")}
}
