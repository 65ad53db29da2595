// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// writeStatusTable prints one line for each key and then, of those looked at
// closely, their materials and last use.
func writeStatusTable(w io.Writer, l statusList) {
	if len(l.Keys) == 0 {
		fmt.Fprintln(w, "no keys with imported material in "+list(l.regions))
		return
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	heads := []string{"KEY", "REGION", "SPEC", "STATE", "EXPIRES", "LEFT"}
	if l.looked {
		heads = append(heads, "ESCROW", "DRILLED")
	}
	fmt.Fprintln(tw, strings.Join(heads, "\t"))
	for _, k := range l.Keys {
		cells := []string{k.shortName(), k.where(), k.KeySpec, k.stateInWords(), k.expiresInWords(), k.left(l.now)}
		if l.looked {
			holder, drilled := k.escrowCells()
			cells = append(cells, holder, drilled)
		}
		fmt.Fprintln(tw, strings.Join(cells, "\t"))
	}
	tw.Flush()
	for _, k := range l.Keys {
		if k.Details != nil {
			k.writeDetails(w)
		}
	}
}

// shortName is the first alias, or the key ID.
func (k keyStatus) shortName() string {
	if len(k.Aliases) > 0 {
		return k.Aliases[0]
	}
	return k.KeyARN[strings.LastIndexByte(k.KeyARN, '/')+1:]
}

// escrowCells are about the current material, and say how many of several
// materials have an escrow at hand: the key needs them all.
func (k keyStatus) escrowCells() (holder, drilled string) {
	holder, drilled = k.knownEscrows.cells()
	if k.Details == nil || len(k.Details.Materials) < 2 {
		return holder, drilled
	}
	have := 0
	for _, m := range k.Details.Materials {
		if m.atHand() > 0 {
			have++
		}
	}
	return fmt.Sprintf("%d of %d materials: %s", have, len(k.Details.Materials), holder), drilled
}

func (k keyStatus) where() string {
	where := k.Region
	if k.Copy != "" {
		where += " (" + k.Copy + ")"
	}
	if k.Profile != "" {
		where = k.Profile + " " + where
	}
	return where
}

func (k keyStatus) stateInWords() string {
	if k.Lost {
		return k.KeyState + ": material is missing"
	}
	return k.KeyState
}

func (k keyStatus) expiresInWords() string {
	if k.Expires == "" {
		return "-"
	}
	return k.Expires
}

func (k keyStatus) left(now time.Time) string {
	at, err := time.Parse(time.RFC3339, k.Expires)
	if err != nil {
		return "-" // never, or nothing is there
	}
	return left(at, now)
}

func (k keyStatus) writeDetails(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n", k.KeyARN)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(tw, "  %s\t%s\n", name, value)
		}
	}
	line("aliases", list(k.Aliases))
	for _, m := range k.Details.Materials {
		line("material", m.ID+"  "+m.inWords(k.ExpiringID == m.ID))
		m.writeLines(line)
	}
	if len(k.Details.Materials) == 0 {
		k.knownEscrows.writeLines(line)
	}
	if k.Details.Used != nil {
		line("rotations", fmt.Sprintf("%d of %d on demand", *k.Details.Used, k.Details.Limit))
	}
	line("last use", k.Details.lastUse())
	tw.Flush()
}

// writeLines tells of each escrow, and of the last drill.
func (k *knownEscrows) writeLines(line func(name, value string)) {
	if k == nil {
		return
	}
	if len(k.Escrows) == 0 {
		line("escrow", "none known")
		return
	}
	for _, e := range k.Escrows {
		line("escrow", e.words())
	}
	line("drill", k.Last.words())
	if k.Last != nil && k.Proven != nil && k.Last.at.After(k.Proven.at) {
		line("drill", "last proven "+k.Proven.At)
	}
}

// inWords says what a material is, and whether its expiry stops the key.
func (m materialStatus) inWords(stops bool) string {
	words := map[string]string{
		"CURRENT":          "current",
		"NON_CURRENT":      "decrypts only",
		"PENDING_ROTATION": "waits for rotation",
		"PENDING_MULTI_REGION_IMPORT_AND_ROTATION": "waits for import into every Region",
	}[m.State]
	if words == "" {
		words = m.State
	}
	switch {
	case !m.Imported:
		words += ", missing"
	case stops:
		words += ", stops the key at " + m.Expires
	case m.Expires != "":
		words += ", expires " + m.Expires
	}
	if m.Description != "" {
		words += " (" + m.Description + ")"
	}
	return words
}

func (d keyStatusDetails) lastUse() string {
	if d.LastUse != "" {
		return d.LastUse + " (" + d.Operation + ")"
	}
	if d.Since == "" {
		return ""
	}
	return "none since " + d.Since
}
