// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/fleet"
	"github.com/keymat/keymat/importer"
)

// fleetStatus is the result of fleet status.
type fleetStatus struct {
	Fleet    string           `json:"fleet"`
	At       string           `json:"at"`
	Shard    string           `json:"shard,omitempty"`
	Keys     int              `json:"keys"`
	Differ   int              `json:"differ"`
	Expiring int              `json:"expiring"` // within the time asked about
	List     []fleetKeyStatus `json:"status"`

	now    time.Time
	within time.Duration
}

// fleetKeyStatus is one key of the manifest.
type fleetKeyStatus struct {
	Name    string       `json:"name"`
	Place   string       `json:"place"`
	KeyARN  string       `json:"key_arn,omitempty"`
	State   string       `json:"key_state,omitempty"`
	Expires string       `json:"expires,omitempty"` // of the copy that expires first: RFC 3339, or "never"
	Needs   fleet.Action `json:"needs"`             // what fleet plan would do
	Why     string       `json:"why"`
}

func fleetStatusOf(p *fleet.Plan, within time.Duration) fleetStatus {
	r := fleetStatus{
		Fleet: p.Manifest.Name, At: seconds(p.Made), Shard: p.Shard.String(), Keys: len(p.Changes), List: make([]fleetKeyStatus, 0, len(p.Changes)),
		now: p.Made, within: within,
	}
	for _, c := range p.Changes {
		s := fleetKeyStatus{Name: c.Name, Place: c.Place, Needs: c.Action, Why: c.Why}
		if len(c.Seen) > 0 {
			s.KeyARN, s.State = c.Seen[0].KeyARN, string(worstState(c.Seen))
		}
		if e := firstExpiry(c.Seen); !e.IsZero() {
			s.Expires = e.String()
			if !e.Never() && e.Time().Sub(p.Made) <= within {
				r.Expiring++
			}
		}
		if c.Action != fleet.Nothing {
			r.Differ++
		}
		r.List = append(r.List, s)
	}
	return r
}

// worstState is the state of the first copy that is not enabled, if any.
func worstState(seen []fleet.Seen) types.KeyState {
	for _, s := range seen {
		if s.State != types.KeyStateEnabled {
			return s.State
		}
	}
	return types.KeyStateEnabled
}

// firstExpiry is that of the copy that expires first.
func firstExpiry(seen []fleet.Seen) (first importer.Expiry) {
	for _, s := range seen {
		if s.Expiry.IsZero() || s.State == types.KeyStatePendingImport {
			continue
		}
		if first.IsZero() || first.Never() || !s.Expiry.Never() && s.Expiry.Time().Before(first.Time()) {
			first = s.Expiry
		}
	}
	return first
}

// text lists what needs attention: keys that differ, and those that expire
// within the time asked about, the first to expire first.
func (r fleetStatus) text(w io.Writer) {
	shown := slices.DeleteFunc(slices.Clone(r.List), func(s fleetKeyStatus) bool {
		return s.Needs == fleet.Nothing && !r.expiresSoon(s)
	})
	slices.SortStableFunc(shown, func(a, b fleetKeyStatus) int { return strings.Compare(a.sortKey(), b.sortKey()) })
	if len(shown) > 0 {
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(tw, "KEY\tPLACE\tSTATE\tEXPIRES\tNEEDS\tWHY")
		for _, s := range shown {
			fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, s.Place, dash(s.State), dash(s.Expires), s.Needs, s.Why)
		}
		tw.Flush()
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "fleet %s: %d of %d keys as asked", r.Fleet, r.Keys-r.Differ, r.Keys)
	if r.within > 0 {
		fmt.Fprintf(w, ", %d expiring within the time asked about", r.Expiring)
	}
	fmt.Fprintln(w)
}

func (r fleetStatus) expiresSoon(s fleetKeyStatus) bool {
	at, err := time.Parse(time.RFC3339, s.Expires)
	return err == nil && r.within > 0 && at.Sub(r.now) <= r.within
}

// sortKey puts what has stopped first, then what expires, then the rest.
func (s fleetKeyStatus) sortKey() string {
	switch s.Expires {
	case "":
		return ""
	case "never":
		return "~"
	}
	return s.Expires
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// writeFleetPrometheus writes the page for the textfile collector (Prometheus
// text format 0.0.4). Names are stable: alerts are written against them.
func writeFleetPrometheus(w io.Writer, p *fleet.Plan) error {
	var page bytes.Buffer
	family := func(name, help string) {
		fmt.Fprintf(&page, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
	}
	value := func(name string, v int64, labels ...string) {
		var all []string
		for i := 0; i < len(labels); i += 2 {
			all = append(all, labels[i]+`="`+labelEscapes.Replace(labels[i+1])+`"`)
		}
		fmt.Fprintf(&page, "%s{%s} %d\n", name, strings.Join(all, ","), v)
	}
	counts := map[[2]string]int64{}
	for _, c := range p.Changes {
		counts[[2]string{c.Place, string(c.Action)}]++
	}
	family("keymat_fleet_keys", "Keys of the manifest, by what fleet plan would do.")
	for _, place := range p.Places {
		for _, action := range fleetActions {
			value("keymat_fleet_keys", counts[[2]string{place.Name, string(action)}], "fleet", p.Manifest.Name, "place", place.Name, "action", string(action))
		}
	}
	family("keymat_fleet_key_differs", "1 for each key that is not as the manifest asks.")
	for _, c := range p.Changes {
		if c.Action != fleet.Nothing {
			value("keymat_fleet_key_differs", 1, "fleet", p.Manifest.Name, "place", c.Place, "name", c.Name, "action", string(c.Action))
		}
	}
	family("keymat_fleet_key_expiration_timestamp_seconds", "When a copy of the key stops because its material expires. Absent if it does not.")
	for _, c := range p.Changes {
		for _, s := range c.Seen {
			if !s.Expiry.IsZero() && !s.Expiry.Never() {
				value("keymat_fleet_key_expiration_timestamp_seconds", s.Expiry.Time().Unix(), "fleet", p.Manifest.Name, "name", c.Name, "key_arn", s.KeyARN)
			}
		}
	}
	family("keymat_fleet_scan_timestamp_seconds", "When this page was made.")
	value("keymat_fleet_scan_timestamp_seconds", p.Made.Unix(), "fleet", p.Manifest.Name)
	_, err := page.WriteTo(w)
	return err
}
