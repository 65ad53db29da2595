// SPDX-License-Identifier: Apache-2.0

// Package card makes the page that a custodian prints and keeps: one share, in words and as a QR code, and how to use it with and
// without keymat.
package card

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/keymat/keymat/internal/page"
)

//go:embed card.html
var body string

// Card is what a card says. The page is as secret as the share.
type Card struct {
	Escrow           string // its ID
	KeySpec          string
	Fingerprint      string
	Created          time.Time
	Scheme           string // as people know it
	FIPS             bool   // the escrow is sealed with AES-256-GCM, not with age
	Index, Threshold int
	Count            int
	Text             []byte // the share: words with spaces between, or one string
	Line             []byte // the share for machines, which the QR code holds
	By               string // what made the card
	Rehearsal        bool   // the key is thrown away
}

// Write writes the card as one HTML page that needs nothing else.
func (c Card) Write(w io.Writer) error {
	code, err := encodeQR(c.Line)
	if err != nil {
		return err
	}
	t, err := template.New("card").Parse(body)
	if err != nil {
		return fmt.Errorf("reading the template of the card: %w", err)
	}
	note := gapsNote
	if words(c.Text) != nil {
		note = wordsNote
	}
	made, err := page.Execute(t, map[string]any{
		"Warning": c.warning(), "Details": c.details(), "Custody": custody,
		"Words": words(c.Text), "Groups": groups(c.Text), "Note": note, "QR": drawing(code),
		"Needs": c.needs(), "WithKeymat": withKeymat, "WithoutKeymat": c.withoutKeymat(),
	})
	if err != nil {
		return err
	}
	return page.Write(w, page.Page{Title: c.title(), Lead: c.lead(), Made: c.Created, By: c.By, Body: made})
}

// A word of the share; four letters tell it from the others.
type word struct{ Head, Tail string }

// words returns the words of a share, or nil if it is one string.
func words(text []byte) (all []word) {
	fields := strings.Fields(string(text))
	if len(fields) == 1 {
		return nil
	}
	for _, f := range fields {
		cut := min(4, len(f))
		all = append(all, word{f[:cut], f[cut:]})
	}
	return all
}

// groups cuts a string into pieces that the eye can hold.
func groups(text []byte) (all []string) {
	for piece := range slices.Chunk(text, 4) {
		all = append(all, string(piece))
	}
	return all
}
