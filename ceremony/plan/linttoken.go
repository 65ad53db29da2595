// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"slices"
)

// token looks at the token that keeps the material, and at who could use it alone.
func (l *linter) token() {
	p := l.plan
	switch t := p.Token; {
	case p.Material.Source != FromPKCS11 && t != nil:
		l.error("token", "token", "leave it out, or set source to pkcs11", "a token is named, but the source is %s", p.Material.Source)
	case p.Material.Source == FromPKCS11 && t == nil:
		l.error("token", "material.source", "add token, with its label, who types the PIN, and its backups", "the material is made in a token, and nothing says in which")
	case t != nil:
		for _, member := range []string{"escrow", "shares"} {
			if _, given := p.places[member]; given {
				l.error("token", member, "leave it out: the token and its backups keep the material", "the material never leaves the token but wrapped for KMS")
			}
		}
		l.pin()
		l.backups()
		l.tokenSites()
		l.tokenCustodians()
	}
}

// pin looks at who can log in to the token, and so wrap the material under any key.
func (l *linter) pin() {
	pin := l.plan.Token.PIN
	switch len(pin) {
	case 0:
		l.error("pin", "token.pin", "name at least one person, better two", "nobody types the PIN")
	case 1:
		l.warn("pin-alone", "token.pin", "have two people choose a part of the PIN each", "%s knows the PIN alone", pin[0])
		for _, b := range l.plan.Token.Backups {
			if b.Holder == pin[0] {
				l.error("custody-alone", backup(b)+".holder", "give the backup to somebody else", "%s knows the PIN and keeps %s: that is all it takes", pin[0], b.ID)
			}
		}
	}
	if boss := l.commander(pin); boss != "" {
		l.warn("custody-command", "token.pin", "take people from other parts of the organisation", "all who know a part of the PIN are %s and those below", boss)
	}
}

// backups looks at what is left when the token breaks.
func (l *linter) backups() {
	t := l.plan.Token
	switch {
	case len(t.Backups) == 0 && t.WithoutBackup == "":
		l.error("backups", "token.backups", "name one at least, or say in without_backup why there is none", "when the token breaks, the material is lost")
	case len(t.Backups) == 0:
		l.warn("backups", "token.without_backup", "name one at least", "when the token breaks, the material is lost: %s", t.WithoutBackup)
	case t.WithoutBackup != "":
		l.error("backups", "token.without_backup", "leave it out", "there are backups")
	case !slices.ContainsFunc(t.Backups, func(b Backup) bool { return b.Site != t.Site }):
		l.warn("backups", "token.backups", "keep one elsewhere", "the token and all backups are at %s", t.Site)
	}
	for i, b := range t.Backups {
		for _, other := range t.Backups[:i] {
			if b.Serial == other.Serial {
				l.error("backups", backup(b)+".serial", "give the serial number of each", "%s and %s are the same token", other.ID, b.ID)
			}
		}
	}
}

// tokenSites asks whether the token, or a backup, can be got at without the key.
func (l *linter) tokenSites() {
	t := l.plan.Token
	used, open := map[string]bool{t.Site: true}, l.opened(map[string]bool{})
	reached := open[t.Site]
	for _, b := range t.Backups {
		used[b.Site] = true
		reached = reached || open[b.Site]
	}
	for _, site := range l.plan.Sites {
		path := fmt.Sprintf("sites[%s]", site.ID)
		if !used[site.ID] && !l.workplace(site.ID) {
			l.warn("site-unused", path, "leave it out", "nothing is kept at %s, and nobody works there", site.ID)
		}
		if used[site.ID] && !open[site.ID] && !reached {
			l.error("recovery-circle", path+".needs", "make sure that the site opens without the key", "%s cannot be opened without the key, and the key not be recovered without it", site.ID)
		}
	}
}

// tokenCustodians holds what people keep against their roles.
func (l *linter) tokenCustodians() {
	t, keeps := l.plan.Token, map[string]bool{}
	check := func(path, id, what string) {
		keeps[id] = true
		if who, ok := l.plan.Person(id); ok && !who.Has(Custodian) {
			l.error("custodian-role", path, "give them the role custodian, or this to somebody else", "%s %s, but is no custodian", id, what)
		}
	}
	for _, id := range t.PIN {
		check("token.pin", id, "knows the PIN")
	}
	for _, b := range t.Backups {
		check(backup(b)+".holder", b.Holder, "keeps a backup")
	}
	for _, p := range l.with(Custodian) {
		if !keeps[p.ID] {
			l.warn("custodian-role", person(p)+".roles", "give them a part of the PIN or a backup, or take the role away", "the custodian %s keeps nothing", p.ID)
		}
	}
}
