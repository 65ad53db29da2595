// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"cmp"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/shelf"
	"github.com/keymat/keymat/inventory"
	"github.com/keymat/keymat/material"
)

// escrowFinder finds the escrows of a key's material in the places that the
// user names. Nothing is opened.
type escrowFinder struct {
	places []string
	shelf  *shelf.Shelf // nil unless places were named
}

func (f *escrowFinder) register(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.places, "escrow", nil, "`file` or folder to find escrows of the material in, with records of drills and receipts; repeat for more (default: $"+envEscrows+")")
}

// look reads the places. There are none unless the user names them: to say that
// no escrow is known because of where keymat was started would mislead.
func (f *escrowFinder) look(a *app) error {
	if len(f.places) == 0 {
		f.places = filepath.SplitList(a.Getenv(envEscrows))
	}
	if len(f.places) == 0 {
		return nil
	}
	var err error
	if f.shelf, err = shelf.Read(f.places); err != nil {
		return err
	}
	for _, problem := range f.shelf.Problems {
		a.warn("%s", problem)
	}
	return nil
}

// looked reports whether there were places to look in.
func (f escrowFinder) looked() bool { return f.shelf != nil }

// publicKeys reports whether the public keys of key pairs help to find escrows.
func (f escrowFinder) publicKeys() bool {
	if f.looked() {
		for _, e := range f.shelf.Escrows {
			if e.KeySpec.KeyPair() {
				return true
			}
		}
	}
	return false
}

// where says in which places was looked, for a sentence.
func (f escrowFinder) where() string {
	return fmt.Sprintf("%s (%s)", list(f.shelf.Places), count(len(f.shelf.Escrows), "escrow"))
}

// of finds the escrows of one material of a key, for a symmetric key the one with
// that ID; nil if there were no places to look in.
func (f escrowFinder) of(i inventory.Item, materialID string) *knownEscrows {
	if !f.looked() {
		return nil
	}
	w := shelf.Wanted{KeyARN: i.Key.ARN, KeySpec: string(i.Key.Spec), MaterialID: materialID}
	if i.PublicKey != nil {
		w.SPKI = material.FingerprintPublicKey(i.PublicKey).String()
	}
	return knownEscrowsOf(f.shelf.Find(w))
}

// knownEscrows are the escrows of one material in results.
type knownEscrows struct {
	Escrows []knownEscrow `json:"escrows"`
	Last    *lastDrill    `json:"last_drill,omitempty"`
	Proven  *lastDrill    `json:"last_proven_drill,omitempty"`
}

type knownEscrow struct {
	ID     string      `json:"id"`
	File   string      `json:"file,omitempty"` // not there if only a record tells of it
	By     shelf.Basis `json:"known_by"`
	AsOf   string      `json:"as_of,omitempty"`
	KeyARN string      `json:"key_arn,omitempty"` // that the record names
}

type lastDrill struct {
	At      string              `json:"at"`
	By      string              `json:"by"`
	Escrow  string              `json:"escrow"`
	Verdict escrow.DrillVerdict `json:"verdict"`
	Record  string              `json:"record"`

	at time.Time
}

func knownEscrowsOf(found shelf.Found) *knownEscrows {
	k := &knownEscrows{Escrows: []knownEscrow{}, Last: lastDrillOf(found.Last), Proven: lastDrillOf(found.Proven)}
	for _, h := range found.Holders {
		known := knownEscrow{ID: h.ID.String(), File: h.Path, By: h.Basis, KeyARN: h.KeyARN}
		if !h.AsOf.IsZero() {
			known.AsOf = seconds(h.AsOf)
		}
		k.Escrows = append(k.Escrows, known)
	}
	return k
}

func lastDrillOf(d *shelf.Drilled) *lastDrill {
	if d == nil {
		return nil
	}
	return &lastDrill{At: seconds(d.At), By: d.By, Escrow: d.Escrow.String(), Verdict: d.Verdict, Record: d.Record, at: d.At}
}

// atHand counts the escrows whose files are there.
func (k *knownEscrows) atHand() (n int) {
	for _, e := range k.Escrows {
		if e.File != "" {
			n++
		}
	}
	return n
}

// day is enough of a time for a sentence.
func day(t string) string { return t[:min(len(t), len(time.DateOnly))] }

// basis says how it is known that an escrow holds the material.
func (e knownEscrow) basis() string {
	switch e.By {
	case shelf.PublicKey:
		return "by SPKI"
	case shelf.Drill:
		return "by drill of " + day(e.AsOf)
	case shelf.Receipt:
		return "by receipt of " + day(e.AsOf)
	case shelf.Fingerprint:
		return "by fingerprint, as of " + day(e.AsOf)
	}
	return "by drill of " + day(e.AsOf) + ", which proved nothing"
}

// words name one escrow and say how it is known.
func (e knownEscrow) words() string {
	return fmt.Sprintf("%s (%s)", cmp.Or(e.File, e.ID+", not at hand"), e.basis())
}

// words say when it was, with what outcome.
func (d *lastDrill) words() string {
	if d == nil {
		return "no record of a drill"
	}
	return fmt.Sprintf("last drilled %s by %s: %s", d.At, d.By, d.Verdict)
}

// cells are the escrow and the last drill for a table.
func (k *knownEscrows) cells() (holder, drilled string) {
	holder, drilled = "none known", "-"
	if len(k.Escrows) > 0 {
		short := map[shelf.Basis]string{
			shelf.PublicKey: "by SPKI", shelf.Drill: "by drill", shelf.Receipt: "by receipt", shelf.Fingerprint: "by fingerprint", shelf.Unproven: "unproven",
		}
		e := k.Escrows[0]
		name := "not at hand"
		if e.File != "" {
			name = filepath.Base(e.File)
		}
		holder = fmt.Sprintf("%s (%s)", name, short[e.By])
		if more := len(k.Escrows) - 1; more > 0 {
			holder += fmt.Sprintf(" +%d", more)
		}
	}
	if k.Last != nil {
		drilled = day(k.Last.At) + " " + string(k.Last.Verdict)
	}
	return holder, drilled
}
