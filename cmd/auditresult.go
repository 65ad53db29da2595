// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/keymat/keymat/audit"
)

// audited is the result of audit. Differences are there when receipts were given.
type audited struct {
	KeyARN      string          `json:"key_arn"`
	Events      []auditEvent    `json:"events"` // the oldest first
	Differences *[]auditDiffers `json:"differences,omitempty"`
	Unchecked   int             `json:"receipts_outside_trail,omitempty"`
	Failed      []auditFailed   `json:"failed,omitempty"` // Regions of which nothing is known
}

type auditFailed struct {
	Region string `json:"region"`
	KeyARN string `json:"key_arn"`
	Error  string `json:"error"`
}

type auditEvent struct {
	At         string `json:"at"`
	Region     string `json:"region,omitempty"` // where several were asked for
	Name       string `json:"event"`
	MaterialID string `json:"key_material_id,omitempty"`
	Expires    string `json:"expires,omitempty"`
	Who        string `json:"who,omitempty"`
	Error      string `json:"error_code,omitempty"`
	ID         string `json:"event_id"`
}

type auditDiffers struct {
	At         string `json:"at"`
	Region     string `json:"region,omitempty"`
	MaterialID string `json:"key_material_id,omitempty"`
	Who        string `json:"who,omitempty"`
	EventID    string `json:"event_id,omitempty"`
	Reason     string `json:"reason"`
}

// add adds the history of one copy.
func (r *audited) add(region string, events []audit.Event) {
	for _, e := range events {
		r.Events = append(r.Events, auditEvent{
			At: seconds(e.At), Region: region, Name: e.Name, MaterialID: e.MaterialID, Expires: e.Expires, Who: e.Who, Error: e.Error, ID: e.ID,
		})
	}
}

// sort makes one history of those of several copies. What happened within the
// same second stays as it came.
func (r *audited) sort() {
	slices.SortStableFunc(r.Events, func(a, b auditEvent) int { return strings.Compare(a.At, b.At) })
	if r.Differences != nil {
		slices.SortStableFunc(*r.Differences, func(a, b auditDiffers) int { return strings.Compare(a.At, b.At) })
	}
}

// compare adds what the trail and the receipts of one copy do not both say.
func (r *audited) compare(region string, differences []audit.Difference, unchecked int) {
	for _, d := range differences {
		one := auditDiffers{Region: region, Reason: d.Reason}
		if d.Receipt != nil {
			one.At, one.MaterialID = seconds(d.Receipt.At), d.Receipt.MaterialID
		}
		if d.Event != nil {
			one.At, one.MaterialID, one.Who, one.EventID = seconds(d.Event.At), d.Event.MaterialID, d.Event.Who, d.Event.ID
		}
		*r.Differences = append(*r.Differences, one)
	}
	r.Unchecked += unchecked
}

func (r audited) text(w io.Writer) {
	if len(r.Events) == 0 {
		fmt.Fprintln(w, "the trail tells nothing of this key's material")
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, e := range r.Events {
		cells := []string{e.At, e.Name, short(e.MaterialID), e.outcome(), e.Who}
		if e.Region != "" {
			cells = slices.Insert(cells, 1, e.Region)
		}
		fmt.Fprintln(tw, strings.Join(cells, "\t"))
	}
	tw.Flush()
	for _, f := range r.Failed {
		fmt.Fprintf(w, "unknown: %s: %s\n", f.Region, f.Error)
	}
	if r.Differences == nil {
		return
	}
	for _, d := range *r.Differences {
		at := strings.TrimSpace(d.At + " " + d.Region)
		fmt.Fprintf(w, "differs: %s %s: %s\n", at, short(d.MaterialID), d.Reason)
	}
	if len(*r.Differences) == 0 && len(r.Failed) == 0 {
		fmt.Fprintln(w, "every import has its receipt, and every receipt its import")
	}
	if r.Unchecked > 0 {
		fmt.Fprintf(w, "%d receipts are of a time that the trail does not tell of\n", r.Unchecked)
	}
}

func (e auditEvent) outcome() string {
	switch {
	case e.Error != "":
		return "refused: " + e.Error
	case e.Expires == "never":
		return "never expires"
	case e.Expires != "":
		return "expires " + e.Expires
	}
	return ""
}

// short is enough of a KeyMaterialId to tell those of one key apart.
func short(id string) string {
	if len(id) <= 12 {
		return id
	}
	return id[:12]
}
