// SPDX-License-Identifier: Apache-2.0

package shelf

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/keymat/keymat/escrow"
)

// Wanted is one material of a KMS key, as far as KMS tells of it.
type Wanted struct {
	KeyARN     string // may be "" where MaterialID is not
	KeySpec    string // "" for any
	MaterialID string // KeyMaterialId, which symmetric keys have
	SPKI       string // fingerprint of a key pair's public key, as KMS gives it; "" if KMS was not asked
}

// Basis is how it is known that an escrow holds the material wanted.
type Basis string

// The bases, the strongest first.
const (
	PublicKey   Basis = "public key"     // its header has the fingerprint of the key's public key
	Drill       Basis = "drill"          // a drill proved it
	Receipt     Basis = "receipt"        // keymat sealed and imported it in one go, and printed so
	Fingerprint Basis = "fingerprint"    // its header has the fingerprint of one that is known by drill or receipt
	Unproven    Basis = "unproven drill" // a drill opened it for this key, and nothing was compared
)

var strength = []Basis{PublicKey, Drill, Receipt, Fingerprint, Unproven}

// Holder is an escrow that is known to hold the material wanted.
type Holder struct {
	ID     escrow.ID
	Path   string // "" when a record tells of it, and no such file is at hand
	Basis  Basis
	AsOf   time.Time // UTC: of the record that tells so; zero for PublicKey
	KeyARN string    // as the record names it; "" for PublicKey
}

// Drilled is the last drill of the material wanted.
type Drilled struct {
	At      time.Time // UTC, to the second
	By      string
	Escrow  escrow.ID
	Verdict escrow.DrillVerdict // never DrillMismatch
	Record  string              // the file with the record
}

// Found is what is known of the material wanted. No holder means that none is
// known, not that there is none.
type Found struct {
	Holders []Holder // those at hand first, then by strength of the basis
	Last    *Drilled // nil if no record tells of one
	Proven  *Drilled // the last one whose verdict was DrillProven; nil if none was
}

// Find looks for escrows of the material wanted.
func (s *Shelf) Find(w Wanted) Found {
	about := s.about(w)
	var found Found
	for _, f := range s.Escrows {
		if h, ok := holderOf(f, w, about); ok {
			found.Holders = append(found.Holders, h)
		}
	}
	for _, e := range about {
		known := slices.ContainsFunc(found.Holders, func(h Holder) bool { return h.ID == e.id })
		if basis := e.basis(); !known && basis != "" && !e.refuted(about) {
			found.Holders = append(found.Holders, Holder{ID: e.id, Basis: basis, AsOf: e.at, KeyARN: e.keyARN})
		}
	}
	slices.SortStableFunc(found.Holders, compareHolders)
	s.addDrills(&found, about)
	return found
}

func compareHolders(a, b Holder) int {
	return cmp.Or(
		cmp.Compare(absent(a), absent(b)),
		cmp.Compare(slices.Index(strength, a.Basis), slices.Index(strength, b.Basis)),
		strings.Compare(a.Path, b.Path),
	)
}

func absent(h Holder) int {
	if h.Path == "" {
		return 1
	}
	return 0
}

// about is the evidence about the material wanted, the strongest first and the
// newest first within that.
func (s *Shelf) about(w Wanted) (about []evidence) {
	for _, e := range s.evidence {
		if e.about(w) {
			about = append(about, e)
		}
	}
	slices.SortStableFunc(about, func(a, b evidence) int {
		return cmp.Or(
			cmp.Compare(slices.Index(strength, a.basis()), slices.Index(strength, b.basis())),
			b.at.Compare(a.at),
		)
	})
	return about
}

// about reports whether the evidence names the material wanted. A KeyMaterialId
// is of one material alone; other keys have one material, which all copies of a
// multi-Region key share.
func (e evidence) about(w Wanted) bool {
	if w.SPKI != "" && e.print != w.SPKI {
		return false // of a key pair that the key is not
	}
	if w.MaterialID != "" || e.materialID != "" {
		return w.MaterialID == e.materialID
	}
	return w.KeyARN != "" && e.keyARN != "" && everywhere(e.keyARN) == everywhere(w.KeyARN)
}

// everywhere is the ARN of a multi-Region key without its Region, and any other
// as it is.
func everywhere(arn string) string {
	part := strings.SplitN(arn, ":", 6) // arn:aws:kms:REGION:ACCOUNT:key/ID
	if len(part) == 6 && strings.HasPrefix(part[5], "key/mrk-") {
		part[3] = ""
	}
	return strings.Join(part, ":")
}

// basis is what the evidence shows by itself; "" for nothing.
func (e evidence) basis() Basis {
	switch {
	case e.receipt:
		return Receipt
	case e.verdict == escrow.DrillProven:
		return Drill
	case e.verdict == escrow.DrillUnproven:
		return Unproven
	}
	return ""
}

// refuted reports whether a later drill of the same escrow found other material
// in the key.
func (e evidence) refuted(about []evidence) bool {
	return slices.ContainsFunc(about, func(o evidence) bool {
		return o.verdict == escrow.DrillMismatch && o.id == e.id && o.at.After(e.at)
	})
}

// holderOf says whether and how it is known that f holds the material.
func holderOf(f Escrow, w Wanted, about []evidence) (Holder, bool) {
	if w.KeySpec != "" && string(f.KeySpec) != w.KeySpec {
		return Holder{}, false
	}
	h := Holder{ID: f.ID, Path: f.Path}
	if w.SPKI != "" {
		h.Basis = PublicKey
		return h, w.SPKI == f.Fingerprint // the key itself has spoken
	}
	for _, e := range about {
		if basis := e.basis(); basis != "" && e.of(f) && !e.refuted(about) {
			h.Basis, h.AsOf, h.KeyARN = basis, e.at, e.keyARN
			return h, true
		}
	}
	for _, e := range about {
		sure := e.basis() == Drill || e.basis() == Receipt
		if sure && e.spec == string(f.KeySpec) && e.print == f.Fingerprint && !e.refuted(about) {
			h.Basis, h.AsOf, h.KeyARN = Fingerprint, e.at, e.keyARN
			return h, true
		}
	}
	return Holder{}, false
}

// addDrills adds the last drills: those for this key, and those that only opened
// an escrow that is at hand.
func (s *Shelf) addDrills(found *Found, about []evidence) {
	of := func(e evidence) bool {
		return slices.ContainsFunc(s.Escrows, func(f Escrow) bool {
			return e.of(f) && slices.ContainsFunc(found.Holders, func(h Holder) bool { return h.Path == f.Path && h.ID == f.ID })
		})
	}
	drills := slices.DeleteFunc(slices.Clone(about), func(e evidence) bool { return e.basis() == "" || e.refuted(about) })
	for _, e := range s.evidence {
		if e.verdict == escrow.DrillOpened && of(e) {
			drills = append(drills, e)
		}
	}
	for _, e := range drills {
		if e.receipt {
			continue
		}
		d := &Drilled{At: e.at, By: e.by, Escrow: e.id, Verdict: e.verdict, Record: e.path}
		if found.Last == nil || d.At.After(found.Last.At) {
			found.Last = d
		}
		if e.verdict == escrow.DrillProven && (found.Proven == nil || d.At.After(found.Proven.At)) {
			found.Proven = d
		}
	}
}
