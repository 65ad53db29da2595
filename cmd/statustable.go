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
		fmt.Fprintln(w, "no keys with imported material")
		return
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "KEY\tREGION\tSPEC\tSTATE\tEXPIRES\tLEFT")
	for _, k := range l.Keys {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", k.shortName(), k.where(), k.KeySpec, k.stateInWords(), k.expiresInWords(), k.left(l.now))
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
	}
	if k.Details.Used != nil {
		line("rotations", fmt.Sprintf("%d of %d on demand", *k.Details.Used, k.Details.Limit))
	}
	line("last use", k.Details.lastUse())
	tw.Flush()
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
