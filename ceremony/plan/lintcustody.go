// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"maps"
	"slices"
)

func (l *linter) shares() {
	s := l.plan.Shares
	switch {
	case s.Threshold > s.Count:
		l.error("shares-count", "shares.threshold", "lower the threshold or deal more shares", "it takes %d of %d shares", s.Threshold, s.Count)
	case s.Threshold == s.Count:
		l.warn("shares-all", "shares.threshold", "deal at least one share more than it takes", "all %d shares are needed: one that is lost loses the key", s.Count)
	}
	if len(s.Holders) != s.Count {
		l.error("shares-count", "shares.count", "name a holder for each share, and no others", "%d shares have %d holders", s.Count, len(s.Holders))
	}
	holds := map[string]bool{}
	if l.plan.Expected != nil {
		for _, h := range l.plan.Expected.Holders {
			holds[h.Custodian] = true
		}
	}
	for _, h := range s.Holders {
		holds[h.Custodian] = true
		if h.Share > s.Count {
			l.error("shares-count", holder(h)+".share", "number the shares from 1", "there are only %d shares", s.Count)
		}
		if who, ok := l.plan.Person(h.Custodian); ok && !who.Has(Custodian) {
			l.error("custodian-role", holder(h)+".custodian", "give them the role custodian, or the share to somebody else", "%s holds a share, but is no custodian", who.ID)
		}
	}
	for _, p := range l.with(Custodian) {
		if !holds[p.ID] {
			l.warn("custodian-role", person(p)+".roles", "give them a share, or take the role away", "the custodian %s holds no share", p.ID)
		}
	}
}

// custody finds whoever could reach enough shares without the others: by
// holding them, by command over those who hold them, or by being where they are
// kept.
func (l *linter) custody() {
	own := map[string]int{}
	under := map[string]int{} // own shares and those of everybody below
	for _, h := range l.plan.Shares.Holders {
		own[h.Custodian]++
		under[h.Custodian]++
		for _, boss := range l.superiors(h.Custodian) {
			if boss != h.Custodian {
				under[boss]++
			}
		}
	}
	k := l.plan.Shares.Threshold
	for _, id := range slices.Sorted(maps.Keys(under)) {
		_, participant := l.plan.Person(id)
		switch {
		case own[id] >= k:
			l.error("custody-alone", "shares.holders", "spread the shares over more people", "%s holds %d shares, and it takes %d", id, own[id], k)
		case under[id] >= k && participant:
			l.error("custody-command", l.reports(id), "take custodians from other parts of the organisation", "%s could order %d shares to be handed over, and it takes %d", id, under[id], k)
		case under[id] >= k:
			l.warn("custody-command", l.reports(id), "take custodians from other parts of the organisation, or accept that somebody so high could order it",
				"%s, who takes no part, could order %d shares to be handed over, and it takes %d", id, under[id], k)
		case own[id] > 1:
			l.warn("custody-several", "shares.holders", "give each share to another person", "%s holds %d shares", id, own[id])
		}
	}
}

// reports is the path of the first person who names a superior.
func (l *linter) reports(boss string) string {
	for _, p := range l.plan.People {
		if p.ReportsTo == boss {
			return person(p) + ".reports_to"
		}
	}
	return "people"
}

// sites looks at what one place holds, and what is left when it burns down.
func (l *linter) sites() {
	s := l.plan.Shares
	shares, copies := map[string]int{}, map[string]int{}
	for _, h := range s.Holders {
		shares[h.Site]++
	}
	for _, c := range l.plan.Escrow.Copies {
		copies[c.Site]++
	}
	for _, site := range l.plan.Sites {
		path := fmt.Sprintf("sites[%s]", site.ID)
		n := shares[site.ID]
		switch {
		case n >= s.Threshold && copies[site.ID] > 0:
			l.error("site-opens", path, "keep the escrow, or enough of the shares, elsewhere", "whoever gets into %s finds the escrow and %d shares, and it takes %d", site.ID, n, s.Threshold)
		case n >= s.Threshold:
			l.error("site-quorum", path, "spread the shares over more sites", "whoever gets into %s finds %d shares, and it takes %d", site.ID, n, s.Threshold)
		}
		if n > 0 && len(s.Holders)-n < s.Threshold {
			l.warn("site-loss", path, "spread the shares over more sites", "when %s is lost, %d shares are left, and it takes %d", site.ID, len(s.Holders)-n, s.Threshold)
		}
		if n == 0 && copies[site.ID] == 0 && !l.workplace(site.ID) {
			l.warn("site-unused", path, "leave it out", "nothing is kept at %s, and nobody works there", site.ID)
		}
	}
}

func (l *linter) workplace(site string) bool {
	return slices.ContainsFunc(l.plan.People, func(p Person) bool { return p.Site == site }) ||
		slices.ContainsFunc(l.plan.Sites, func(s Site) bool { return slices.Contains(s.Needs, site) })
}

func (l *linter) copies() {
	copies := l.plan.Escrow.Copies
	if len(copies) < 2 {
		l.error("copies", "escrow.copies", "name at least two media", "%d copies of the escrow, want at least 2", len(copies))
		return
	}
	if !slices.ContainsFunc(copies, func(c Copy) bool { return c.Site != copies[0].Site }) {
		l.warn("copies", "escrow.copies", "keep one elsewhere", "all copies of the escrow are at %s", copies[0].Site)
	}
}

// recovery asks whether the material comes back when KMS has lost it: a site
// that cannot be opened without the key, or only through one that cannot, gives
// nothing.
func (l *linter) recovery() {
	open := l.opened(map[string]bool{})
	if len(open) == len(l.plan.Sites) {
		return
	}
	shares := 0
	for _, h := range l.plan.Shares.Holders {
		if open[h.Site] {
			shares++
		}
	}
	copies := slices.ContainsFunc(l.plan.Escrow.Copies, func(c Copy) bool { return open[c.Site] })
	for _, site := range l.plan.Sites {
		switch {
		case open[site.ID]:
		case shares < l.plan.Shares.Threshold || !copies:
			l.error("recovery-circle", fmt.Sprintf("sites[%s].needs", site.ID), "make sure that the site opens without the key",
				"%s cannot be opened without the key, and the key not be recovered without it", site.ID)
		case !l.opened(map[string]bool{TheKey: true})[site.ID]:
			l.error("recovery-circle", fmt.Sprintf("sites[%s].needs", site.ID), "make sure that the site opens without itself",
				"%s takes something that cannot be got at without it", site.ID)
		default:
			l.warn("recovery-needs-key", fmt.Sprintf("sites[%s].needs", site.ID), "keep nothing there that the recovery takes",
				"what is kept at %s is no help when the key is lost", site.ID)
		}
	}
}

// opened are the sites that can be got into with what is at hand.
func (l *linter) opened(open map[string]bool) map[string]bool {
	for before := -1; before < len(open); {
		before = len(open)
		for _, site := range l.plan.Sites {
			if !slices.ContainsFunc(site.Needs, func(need string) bool { return !open[need] }) {
				open[site.ID] = true
			}
		}
	}
	return open
}
