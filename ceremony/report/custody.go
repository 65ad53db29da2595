// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"slices"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/escrow"
)

// shares are the sets that open the escrow, and who keeps which share; or what keeps
// the material in their place.
func shares(e *Evidence) section {
	if e.Plan.KeptInToken() {
		return inToken(e)
	}
	s := section{ID: "shares", Title: "Escrow and shares"}
	sets := table{Caption: "Escrows in the folder", Columns: []string{"File", "ID", "Sealed", "Opens with", "Secrecy", "Bound"}}
	for _, f := range e.Files {
		if c, ok := f.Content.(*escrow.File); ok {
			opens, secrecy := plain("profile "+string(c.Profile)), plain("")
			if set := c.Shares; set != nil {
				opens, secrecy = e.quorum(set), plain(schemes[set.Scheme].claim)
			}
			sets.add(id(f.Name), id(c.ID.String()), plain(utc(c.Created)), opens, secrecy, e.binding(f))
		}
	}
	s.show(sets, "There is no escrow in the folder.")
	if e.State != nil {
		s.show(e.conditions(), "The records tell of no escrow.")
		s.show(e.dealt(), "The records tell of no share.")
	}
	holders := table{Caption: "Shares, as the plan deals them; places by their codes", Columns: []string{"Share", "Custodian", "Handed over as", "Kept at"}}
	for _, h := range e.Plan.Shares.Holders {
		holders.add(plain(fmt.Sprint(h.Share)), plain(e.called(h.Custodian)), plain(string(h.Mode)), id(h.Site))
	}
	s.show(holders, "")
	copies := table{Caption: "Copies of the escrow, as the plan has them", Columns: []string{"Copy", "Medium", "Kept at", "Read back and opened"}}
	for _, c := range e.Plan.Escrow.Copies {
		copies.add(id(c.ID), plain(c.Medium), id(c.Site), e.copied(c.ID))
	}
	s.show(copies, "")
	s.Blocks = append(s.Blocks, block{Facts: []fact{{"Every share read back", e.passing(plan.GateSealed)}}})
	return s
}

// quorum holds the shares of an escrow against the plan.
func (e *Evidence) quorum(set *escrow.ShareSet) cell {
	text := fmt.Sprintf("%d of %d shares, %s", set.Threshold, set.Count, schemes[set.Scheme].name)
	if set.Threshold != e.Plan.Shares.Threshold || set.Count != e.Plan.Shares.Count || set.Scheme != e.Plan.Escrow.Scheme {
		return bad(text + ": not what the plan asks for")
	}
	return plain(text)
}

// conditions says what each escrow of the records is good for.
func (e *Evidence) conditions() table {
	t := table{Caption: "Share sets of the records, by the escrow that each opens", Columns: []string{"Escrow", "Fingerprint of the material", "State", "Shares issued", "Shares read back", "Lines"}}
	for _, x := range e.State.Escrows() {
		t.add(id(x.ID), id(x.Fingerprint), conditionOf(x), plain(fmt.Sprint(len(x.Issued))), plain(fmt.Sprint(len(x.ReadBack))), cell{Lines: e.about(x.ID)})
	}
	return t
}

func conditionOf(x phase.Escrow) cell {
	switch x.Condition {
	case phase.Kept:
		return good("kept: it brings the material back")
	case phase.Working:
		return unsure("not sealed: shares are being dealt")
	case phase.Dead:
		if len(x.Issued) == 0 {
			return unsure("void: nothing of it was issued")
		}
		return unsure("void: what was issued has to be collected and destroyed")
	}
	if x.Condition == phase.Gone {
		return plain("gone: every share and copy was destroyed, or is attested to be")
	}
	return plain("retired: another has taken its place")
}

// about are the lines that begin and end a share set.
func (e *Evidence) about(id string) []ref {
	return e.linesWith(func(entry transcript.Entry) bool {
		switch event := entry.Event.(type) {
		case transcript.Escrowed:
			return event.Escrow == id
		case transcript.Sealed:
			return event.Escrow == id
		case transcript.Voided:
			return event.Escrow == id
		case transcript.Retired:
			return event.Escrow == id
		case transcript.Recovered:
			return event.Escrow == id
		case transcript.Discarded:
			return event.Escrow == id
		}
		return false
	})
}

// dealt says of each share when it was issued and read back, and where it is.
func (e *Evidence) dealt() table {
	t := table{Caption: "Shares of the records, and the bags that they went into", Columns: []string{"Escrow", "Share", "Custodian", "Issued", "Read back", "Bag"}}
	for _, x := range e.State.Escrows() {
		for _, h := range e.Plan.Shares.Holders {
			var issued, back []ref
			bag := ""
			for _, l := range e.lines() {
				switch event := l.Event.(type) {
				case transcript.Issued:
					if event.Escrow == x.ID && event.Share == h.Share {
						issued, bag = append(issued, l.ref), event.Bag
					}
				case transcript.ReadBack:
					if event.Escrow == x.ID && event.Share == h.Share {
						back, bag = append(back, l.ref), event.Bag
					}
				}
			}
			if len(issued) == 0 {
				continue
			}
			verdict := unsure("not read back")
			if slices.Contains(x.ReadBack, h.Share) {
				verdict = good("as it was issued").from(back)
			}
			t.add(id(x.ID), plain(fmt.Sprint(h.Share)), plain(e.called(h.Custodian)), times(len(issued)).from(issued), verdict, plain(bag))
		}
	}
	return t
}

func times(n int) cell {
	if n == 1 {
		return plain("once")
	}
	return unsure(fmt.Sprintf("%d times: only the last counts", n))
}

// copied says whether a copy of the escrow that is kept was read back.
func (e *Evidence) copied(id string) cell {
	if e.State == nil {
		return unsure("not in this record")
	}
	for _, x := range slices.Backward(e.State.Escrows()) {
		if x.Condition == phase.Dead || !slices.Contains(x.Copies, id) {
			continue
		}
		return good("as it was written").from(e.linesWith(func(entry transcript.Entry) bool {
			c, ok := entry.Event.(transcript.Copied)
			return ok && c.Escrow == x.ID && c.Copy == id
		}))
	}
	return unsure("not in this record")
}
