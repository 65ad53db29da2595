// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"io"
	"time"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/inventory"
)

// statusList is the result of status.
type statusList struct {
	Keys   []keyStatus   `json:"keys"`
	Errors []statusError `json:"errors,omitempty"`

	regions []string // that were looked in; nil if keys were named
	looked  bool     // for escrows
	now     time.Time
}

type statusError struct {
	Profile string `json:"profile,omitempty"`
	Region  string `json:"region"`
	Key     string `json:"key,omitempty"`
	Error   string `json:"error"`
}

// keyStatus is one key, in one Region.
type keyStatus struct {
	Profile       string            `json:"profile,omitempty"`
	Region        string            `json:"region"`
	KeyARN        string            `json:"key_arn"`
	KeySpec       string            `json:"key_spec"`
	KeyState      string            `json:"key_state"`
	Aliases       []string          `json:"aliases"`
	Copy          string            `json:"multi_region,omitempty"` // primary or replica
	Current       string            `json:"key_material_id,omitempty"`
	Expires       string            `json:"expires,omitempty"` // the material that stops the key first: RFC 3339, or "never"
	ExpiringID    string            `json:"expiring_key_material_id,omitempty"`
	Lost          bool              `json:"material_missing,omitempty"`
	*knownEscrows                   // of the current material; nil if there was nowhere to look
	Details       *keyStatusDetails `json:"details,omitempty"`
}

type keyStatusDetails struct {
	Materials []materialStatus `json:"materials,omitempty"`
	Used      *int             `json:"on_demand_rotations,omitempty"` // symmetric keys only
	Limit     int              `json:"on_demand_rotations_limit,omitempty"`
	LastUse   string           `json:"last_used_at,omitempty"`
	Operation string           `json:"last_operation,omitempty"`
	Since     string           `json:"use_tracked_since,omitempty"`
	Missing   []string         `json:"missing,omitempty"` // what could not be found out, and why
}

type materialStatus struct {
	ID          string `json:"key_material_id"`
	State       string `json:"state"` // CURRENT, NON_CURRENT, PENDING_ROTATION, …
	Imported    bool   `json:"imported"`
	Expires     string `json:"expires,omitempty"`
	Description string `json:"description,omitempty"`
	Rotated     string `json:"rotated_at,omitempty"`
	*knownEscrows
}

func statusOf(items []inventory.Item, escrows escrowFinder, now time.Time) statusList {
	list := statusList{Keys: []keyStatus{}, looked: escrows.looked(), now: now}
	for _, i := range items {
		if i.Err != nil {
			key := i.Key.ARN
			if key == "" {
				key = i.Key.ID
			}
			list.Errors = append(list.Errors, statusError{Profile: i.Profile, Region: i.Region, Key: key, Error: describeError(i.Err)})
			continue
		}
		list.Keys = append(list.Keys, keyStatusOf(i, escrows, now))
	}
	return list
}

func keyStatusOf(i inventory.Item, escrows escrowFinder, now time.Time) keyStatus {
	s := keyStatus{
		Profile: i.Profile, Region: i.Region, KeyARN: i.Key.ARN, KeySpec: string(i.Key.Spec), KeyState: string(i.Key.State),
		Aliases: append([]string{}, i.Aliases...), Current: i.Key.MaterialID, Lost: i.Lost(),
		knownEscrows: escrows.of(i, i.Key.MaterialID),
	}
	if i.Key.MultiRegion {
		s.Copy = "primary"
	}
	if i.Key.Replica {
		s.Copy = "replica"
	}
	if m, expires := i.Disabler(); expires {
		s.Expires, s.ExpiringID = m.Expiry.String(), m.ID
	} else if i.Current().Imported {
		s.Expires = "never"
	}
	if i.Detailed {
		s.Details = detailsOf(i, escrows, now)
	}
	return s
}

func detailsOf(i inventory.Item, escrows escrowFinder, now time.Time) *keyStatusDetails {
	d := &keyStatusDetails{Operation: i.Use.Operation}
	for _, m := range i.Materials {
		s := materialStatus{ID: m.ID, State: string(m.State), Imported: !m.Missing(now), Description: m.Description, knownEscrows: escrows.of(i, m.ID)}
		if !m.Expiry.IsZero() {
			s.Expires = m.Expiry.String()
		}
		if !m.Rotated.IsZero() {
			s.Rotated = seconds(m.Rotated)
		}
		d.Materials = append(d.Materials, s)
	}
	if len(i.Materials) > 0 {
		used := importer.OnDemandRotations(i.Materials)
		d.Used, d.Limit = &used, importer.MaxOnDemandRotations
	}
	if !i.Use.At.IsZero() {
		d.LastUse = seconds(i.Use.At)
	}
	if !i.Use.Since.IsZero() {
		d.Since = seconds(i.Use.Since)
	}
	for _, gap := range i.Gaps {
		d.Missing = append(d.Missing, describeError(gap))
	}
	return d
}

// text is a table of keys; closer looks are told below it.
func (l statusList) text(w io.Writer) { writeStatusTable(w, l) }
