// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/inventory"
)

// A metric is one family of the Prometheus page: a gauge, and what it is for a
// key, if anything.
type metric struct {
	name, help string
	value      func(inventory.Item) (float64, bool)
}

// keyMetrics are stable: alerts are written against them.
var keyMetrics = []metric{
	{"keymat_key_usable", "1 if the key is Enabled, 0 otherwise.", func(i inventory.Item) (float64, bool) {
		return number(i.Key.State == types.KeyStateEnabled), true
	}},
	{"keymat_key_material_missing", "1 if material the key once had is gone, so that it cannot be used.", func(i inventory.Item) (float64, bool) {
		return number(i.Lost()), true
	}},
	{"keymat_key_expiration_timestamp_seconds", "When the key stops because one of its materials expires. Absent if none does.", func(i inventory.Item) (float64, bool) {
		m, expires := i.Disabler()
		return float64(m.Expiry.Time().Unix()), expires
	}},
	{"keymat_key_materials", "Materials of a symmetric key, whether they are there or not.", func(i inventory.Item) (float64, bool) {
		return float64(len(i.Materials)), len(i.Materials) > 0
	}},
	{"keymat_key_pending_materials", "Materials that wait for a rotation.", func(i inventory.Item) (float64, bool) {
		pending := 0
		for _, m := range i.Materials {
			if m.Pending() {
				pending++
			}
		}
		return float64(pending), len(i.Materials) > 0
	}},
	{"keymat_key_on_demand_rotations", "Completed on-demand rotations, of which KMS allows 25.", func(i inventory.Item) (float64, bool) {
		return float64(importer.OnDemandRotations(i.Materials)), len(i.Materials) > 0
	}},
	{"keymat_key_last_use_timestamp_seconds", "Last successful cryptographic operation. Absent if KMS knows of none.", func(i inventory.Item) (float64, bool) {
		return float64(i.Use.At.Unix()), !i.Use.At.IsZero()
	}},
}

// escrowMetrics are there only where there was a place to look for escrows: a
// page that shows none must not mean that nobody looked.
func escrowMetrics(escrows escrowFinder) []metric {
	if !escrows.looked() {
		return nil
	}
	drill := func(which func(*knownEscrows) *lastDrill) func(inventory.Item) (float64, bool) {
		return func(i inventory.Item) (float64, bool) {
			d := which(escrows.of(i, i.Key.MaterialID))
			if d == nil {
				return 0, false
			}
			return float64(d.at.Unix()), true
		}
	}
	return []metric{
		{"keymat_key_escrows", "Escrows at hand that are known to hold the current material.", func(i inventory.Item) (float64, bool) {
			return float64(escrows.of(i, i.Key.MaterialID).atHand()), true
		}},
		{"keymat_key_materials_without_escrow", "Materials of which no escrow at hand is known; only the current one is looked at without details.", func(i inventory.Item) (float64, bool) {
			ids := []string{i.Key.MaterialID}
			if len(i.Materials) > 0 {
				ids = ids[:0]
				for _, m := range i.Materials {
					ids = append(ids, m.ID)
				}
			}
			without := 0
			for _, id := range ids {
				without += int(number(escrows.of(i, id).atHand() == 0))
			}
			return float64(without), true
		}},
		{"keymat_key_last_drill_timestamp_seconds", "Last drill of the current material that found no other. Absent if no record tells of one.", drill(func(k *knownEscrows) *lastDrill { return k.Last })},
		{"keymat_key_last_proven_drill_timestamp_seconds", "Last drill that proved the current material. Absent if no record tells of one.", drill(func(k *knownEscrows) *lastDrill { return k.Proven })},
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// writePrometheus writes the page for the textfile collector (Prometheus text
// format 0.0.4).
func writePrometheus(w io.Writer, items []inventory.Item, escrows escrowFinder, now time.Time) error {
	var page bytes.Buffer
	family := func(name, help string) {
		fmt.Fprintf(&page, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
	}
	for _, m := range slices.Concat(keyMetrics, escrowMetrics(escrows)) {
		family(m.name, m.help)
		for _, i := range items {
			if value, known := m.value(i); known && i.Err == nil {
				fmt.Fprintf(&page, "%s{%s} %s\n", m.name, labelsOf(i), strconv.FormatFloat(value, 'f', -1, 64))
			}
		}
	}
	failed := 0
	for _, i := range items {
		failed += int(number(i.Err != nil))
	}
	family("keymat_scan_keys", "Keys with imported material that were looked at.")
	fmt.Fprintf(&page, "keymat_scan_keys %d\n", len(items)-failed)
	family("keymat_scan_errors", "Keys and Regions that could not be looked at.")
	fmt.Fprintf(&page, "keymat_scan_errors %d\n", failed)
	family("keymat_scan_timestamp_seconds", "When this page was made.")
	fmt.Fprintf(&page, "keymat_scan_timestamp_seconds %d\n", now.Unix())
	_, err := page.WriteTo(w)
	return err
}

// labelsOf identifies a key. The alias is there for people; a key may get
// another one.
func labelsOf(i inventory.Item) string {
	alias := ""
	if len(i.Aliases) > 0 {
		alias = i.Aliases[0]
	}
	var labels []string
	for _, l := range [][2]string{
		{"key_arn", i.Key.ARN}, {"alias", alias}, {"region", i.Region}, {"profile", i.Profile}, {"key_spec", string(i.Key.Spec)},
	} {
		labels = append(labels, l[0]+`="`+labelEscapes.Replace(l[1])+`"`)
	}
	return strings.Join(labels, ",")
}

// labelEscapes are all that the format escapes in a label's value.
var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
