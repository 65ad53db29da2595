// SPDX-License-Identifier: Apache-2.0

package plan

import (
	"fmt"
	"io"
	"slices"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
)

// Kind is the "kind" of a plan.
const Kind = "keymat/plan"

const version = "1"

// MaxFile is the largest plan in bytes that [Read] looks at.
const MaxFile = 64 << 10

// Read reads a plan. It is strict about the form: an unknown, missing or
// repeated member, anchors and tags, a second document, characters that cannot
// be seen, or a value not in its one spelling are a [*FormatError], which lists
// them all. What the values mean together is [Plan.Lint]'s business. Other errors
// are r's.
func Read(r io.Reader) (*Plan, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the plan: %w", err)
	}
	root, err := parse(data)
	if err != nil {
		return nil, err
	}
	in := &reader{places: map[string]Place{}}
	p := in.plan(value{node: root})
	if len(in.faults) > 0 {
		slices.SortStableFunc(in.faults, func(a, b Fault) int { return a.Place.compare(b.Place) })
		return nil, &FormatError{in.faults}
	}
	p.data, p.places, p.terms = data, in.places, in.terms
	return p, nil
}

func (r *reader) plan(v value) *Plan {
	p := &Plan{Purpose: ForImport, Gates: map[Gate][]string{}}
	var kind, number string
	r.object(v,
		required("kind", parsed(r, &kind, oneOf(Kind))),
		required("version", parsed(r, &number, oneOf(version))),
		required("id", parsed(r, &p.ID, identifier)),
		required("title", parsed(r, &p.Title, phrase(longestTitle))),
		required("date", parsed(r, &p.Date, day)),
		required("rehearsal", parsed(r, &p.Rehearsal, boolean)),
		optional("purpose", parsed(r, &p.Purpose, oneOf(ForImport, ForRefresh, ForDestruction))),
		required("session", parsed(r, &p.Session, oneOf(SameDay, TwoDay))),
		required("material", func(v value) { r.material(v, &p.Material) }),
		required("targets", r.list("id", func(v value) { p.Targets = append(p.Targets, r.target(v)) })),
		optional("escrow", func(v value) { r.escrow(v, &p.Escrow) }),
		optional("shares", func(v value) { r.shares(v, &p.Shares) }),
		optional("token", func(v value) {
			p.Token = &Token{}
			r.token(v, p.Token)
		}),
		required("sites", r.list("id", func(v value) { p.Sites = append(p.Sites, r.site(v)) })),
		required("people", r.list("id", func(v value) { p.People = append(p.People, r.person(v)) })),
		required("gates", func(v value) { r.gates(v, p.Gates) }),
		required("limits", func(v value) { r.limits(v, &p.Limits) }),
		optional("expected", func(v value) {
			p.Expected = &Expected{}
			r.expected(v, p.Expected)
		}),
	)
	if _, given := r.places["purpose"]; !given {
		r.terms = append(r.terms, Term{"purpose", string(p.Purpose)})
	}
	for _, gate := range p.Purpose.Gates() {
		if place, given := r.places["gates"]; given && p.Gates[gate] == nil {
			r.faults = append(r.faults, Fault{place, "gates." + string(gate), "missing"})
		}
	}
	for _, member := range []string{"escrow", "shares"} {
		if _, given := r.places[member]; !given && p.Material.Source != FromPKCS11 {
			r.faults = append(r.faults, Fault{r.places[""], member, "missing"})
		}
	}
	for _, path := range tokenLimits() {
		_, given := r.places[path]
		if place, limited := r.places["limits"]; limited && !given && p.Purpose == ForImport {
			r.faults = append(r.faults, Fault{place, path, "missing"})
		}
	}
	return p
}

func (r *reader) material(v value, m *Material) {
	r.object(v,
		required("spec", parsed(r, &m.Spec, spelt(material.ParseSpec))),
		required("usage", parsed(r, &m.Usage, oneOf(EncryptDecrypt, SignVerify, GenerateVerifyMAC, KeyAgreement))),
		required("source", parsed(r, &m.Source, oneOf(FromDRBG, FromComponents, FromPKCS11, FromEscrow))),
		required("dice", parsed(r, &m.Dice, oneOf(NoDice, OptionalDice, RequiredDice))),
		optional("components", words(r, &m.Components, identifier)),
	)
}

func (r *reader) target(v value) (t Target) {
	r.object(v,
		required("id", parsed(r, &t.ID, identifier)),
		required("partition", parsed(r, &t.Partition, partition)),
		required("account", parsed(r, &t.Account, account)),
		required("region", parsed(r, &t.Region, region)),
		required("key", parsed(r, &t.Key, keyName)),
		optional("replica_of", parsed(r, &t.ReplicaOf, identifier)),
		required("wrapping", func(v value) {
			r.object(v,
				required("algorithm", parsed(r, &t.Wrapping.Algorithm, parseAlgorithm)),
				required("key_spec", parsed(r, &t.Wrapping.KeySpec, parseKeySpec)))
		}),
		required("import", parsed(r, &t.Import, oneOf(ImportNew, ImportExisting))),
		required("valid_to", parsed(r, &t.ValidTo, expiry)),
		optional("description", parsed(r, &t.Description, phrase(longestDescription))),
	)
	return t
}

func (r *reader) escrow(v value, e *Escrow) {
	r.object(v,
		required("profile", parsed(r, &e.Profile, profile)),
		required("scheme", parsed(r, &e.Scheme, oneOf(escrow.Schemes()...))),
		required("copies", r.list("id", func(v value) {
			var c Copy
			r.object(v,
				required("id", parsed(r, &c.ID, identifier)),
				required("medium", parsed(r, &c.Medium, phrase(longestTitle))),
				required("site", parsed(r, &c.Site, identifier)))
			e.Copies = append(e.Copies, c)
		})),
	)
}

func (r *reader) shares(v value, s *Shares) {
	r.object(v,
		required("threshold", parsed(r, &s.Threshold, number(escrow.MinThreshold, escrow.MaxShares))),
		required("count", parsed(r, &s.Count, number(escrow.MinThreshold, escrow.MaxShares))),
		required("holders", r.holders(&s.Holders)),
	)
}

func (r *reader) holders(to *[]Holder) func(value) {
	return r.list("share", func(v value) {
		var h Holder
		r.object(v,
			required("share", parsed(r, &h.Share, number(1, escrow.MaxShares))),
			required("custodian", parsed(r, &h.Custodian, identifier)),
			required("mode", parsed(r, &h.Mode, oneOf(OnForm, Printed, InFile))),
			required("site", parsed(r, &h.Site, identifier)))
		*to = append(*to, h)
	})
}

func (r *reader) site(v value) (s Site) {
	r.object(v,
		required("id", parsed(r, &s.ID, identifier)),
		required("name", parsed(r, &s.Name, phrase(longestTitle))),
		optional("needs", words(r, &s.Needs, identifier)))
	return s
}

func (r *reader) person(v value) (p Person) {
	r.object(v,
		required("id", parsed(r, &p.ID, identifier)),
		required("name", parsed(r, &p.Name, phrase(longestTitle))),
		required("roles", words(r, &p.Roles, oneOf(Roles()...))),
		optional("key", parsed(r, &p.Key, publicKey)),
		optional("reports_to", parsed(r, &p.ReportsTo, identifier)),
		optional("site", parsed(r, &p.Site, identifier)))
	return p
}

func (r *reader) gates(v value, gates map[Gate][]string) {
	var members []member
	for _, gate := range Gates() {
		members = append(members, optional(string(gate), func(v value) {
			var people []string
			words(r, &people, identifier)(v)
			gates[gate] = append([]string{}, people...)
		}))
	}
	r.object(v, members...)
}

func (r *reader) limits(v value, l *Limits) {
	r.object(v,
		optional("token_min_remaining", parsed(r, &l.TokenMinRemaining, duration)),
		optional("import_margin", parsed(r, &l.ImportMargin, duration)),
		required("max_session", parsed(r, &l.MaxSession, duration)))
}

// tokenLimits are the paths of the limits that only a ceremony with import tokens has a use for.
func tokenLimits() []string { return []string{"limits.token_min_remaining", "limits.import_margin"} }

func (r *reader) expected(v value, e *Expected) {
	r.object(v,
		optional("escrow", parsed(r, &e.Escrow, escrowID)),
		optional("token_key", parsed(r, &e.Escrow, escrowID)),
		required("fingerprint", parsed(r, &e.Fingerprint, fingerprint)),
		optional("material_id", parsed(r, &e.MaterialID, materialID)),
		optional("threshold", parsed(r, &e.Threshold, number(escrow.MinThreshold, escrow.MaxShares))),
		optional("holders", r.holders(&e.Holders)))
	_, sealed := r.places[v.member("escrow")]
	if _, kept := r.places[v.member("token_key")]; sealed == kept {
		r.faults = append(r.faults, Fault{r.places[v.path], v.member("escrow"), "missing, or given beside token_key"})
	}
}
