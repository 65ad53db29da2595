// SPDX-License-Identifier: Apache-2.0

package plan

import "strings"

// A Token is the PKCS #11 token in which the material is made, and which keeps it:
// there is no escrow, and there are no shares. What brings the material back is the
// token itself, and the backups that are made of it with the means of its maker.
type Token struct {
	Label         string   // as the token says it itself (CK_TOKEN_INFO), at most 32 characters
	Site          string   // ID of where it is kept
	PIN           []string // IDs of those who type the PIN of the user: each their part of it, in this order
	Backups       []Backup
	WithoutBackup string // why there are none; "" where there are
}

// A Backup is a copy of the token. This program does not see it: people attest that
// it was made.
type Backup struct {
	ID     string
	Label  string // of the backup, in words
	Serial string // its serial number
	Site   string // ID of where it is kept
	Holder string // ID of who keeps it, and attests it
}

// KeptInToken reports whether a token keeps the material, rather than an escrow.
func (p *Plan) KeptInToken() bool { return p.Material.Source == FromPKCS11 && p.Token != nil }

// Copies are the IDs of what has to be there before the material counts as
// recoverable: the copies of the escrow, or the backups of the token.
func (p *Plan) Copies() (ids []string) {
	if !p.KeptInToken() {
		for _, c := range p.Escrow.Copies {
			ids = append(ids, c.ID)
		}
		return ids
	}
	for _, b := range p.Token.Backups {
		ids = append(ids, b.ID)
	}
	return ids
}

// TokenBackup finds a backup of the token by ID.
func (p *Plan) TokenBackup(id string) (Backup, bool) {
	if p.KeptInToken() {
		for _, b := range p.Token.Backups {
			if b.ID == id {
				return b, true
			}
		}
	}
	return Backup{}, false
}

// longestLabel is that of CK_TOKEN_INFO (PKCS #11 v2.40 section 3.2).
const longestLabel = 32

func (r *reader) token(v value, t *Token) {
	r.object(v,
		required("label", parsed(r, &t.Label, phrase(longestLabel))),
		required("site", parsed(r, &t.Site, identifier)),
		required("pin", r.inOrder(&t.PIN)),
		required("backups", r.list("id", func(v value) {
			var b Backup
			r.object(v,
				required("id", parsed(r, &b.ID, identifier)),
				required("label", parsed(r, &b.Label, phrase(longestTitle))),
				required("serial", parsed(r, &b.Serial, phrase(longestTitle))),
				required("site", parsed(r, &b.Site, identifier)),
				required("holder", parsed(r, &b.Holder, identifier)))
			t.Backups = append(t.Backups, b)
		})),
		optional("without_backup", parsed(r, &t.WithoutBackup, phrase(longestTitle))))
}

// inOrder reads a list of IDs whose order means something.
func (r *reader) inOrder(to *[]string) func(value) {
	return func(v value) {
		before := len(r.terms)
		words(r, to, identifier)(v)
		r.terms = append(r.terms[:before], Term{v.path, strings.Join(*to, ", ")})
	}
}
