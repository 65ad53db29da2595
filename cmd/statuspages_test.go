// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/importer"
	"github.com/keymat/keymat/inventory"
	"github.com/keymat/keymat/material"
)

var pageTime = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// pageItems are keys of all kinds: rotated, expiring, lasting, without
// material, denied; one with a name that has to be escaped.
func pageItems() []inventory.Item {
	key := func(id string, state types.KeyState, e importer.Expiry) importer.Key {
		return importer.Key{
			ID: id, ARN: "arn:aws:kms:eu-central-1:111122223333:key/" + id, Spec: material.SymmetricDefault,
			State: state, Expiry: e, MaterialID: "m-" + id,
		}
	}
	soon, late := importer.At(pageTime.Add(24*time.Hour)), importer.At(pageTime.Add(48*time.Hour))
	return []inventory.Item{
		{Region: "eu-central-1", Aliases: []string{"alias/rotated"}, Key: key("a", types.KeyStateEnabled, late), Detailed: true,
			Materials: []importer.KeyMaterial{
				{ID: "old", State: types.KeyMaterialStateNonCurrent, Imported: true, Expiry: soon},
				{ID: "m-a", State: types.KeyMaterialStateCurrent, Imported: true, Expiry: late, OnDemand: true},
				{ID: "next", State: types.KeyMaterialStatePendingRotation, Imported: true, Expiry: importer.At(pageTime.Add(time.Hour))},
			},
			Use: inventory.LastUse{At: pageTime.Add(-time.Hour), Operation: "Decrypt"}},
		{Region: "eu-central-1", Profile: "a\"b\\c\nd", Key: key("b", types.KeyStateEnabled, late)},
		{Region: "eu-central-1", Key: key("c", types.KeyStateEnabled, importer.Never())},
		{Region: "eu-central-1", Key: key("d", types.KeyStatePendingImport, importer.Expiry{})},
		{Region: "eu-central-1", Key: importer.Key{ID: "e"}, Err: errors.New("denied")},
	}
}

// What may stand in a line of the text format (Prometheus, "exposition formats").
var (
	metaLine   = regexp.MustCompile(`^# (HELP [a-z_]+ .+|TYPE [a-z_]+ gauge)$`)
	sampleLine = regexp.MustCompile(`^([a-z_]+)(\{[a-z_]+="([^"\\\n]|\\["\\n])*"(,[a-z_]+="([^"\\\n]|\\["\\n])*")*\})? [0-9]+$`)
)

func TestPrometheusPage(t *testing.T) {
	var page bytes.Buffer
	if err := writePrometheus(&page, pageItems(), escrowFinder{}, pageTime); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	family, seen := "", map[string]bool{}
	for line := range strings.Lines(text) {
		if !strings.HasSuffix(line, "\n") {
			t.Error("the last line does not end")
		}
		line = strings.TrimSuffix(line, "\n")
		if name, ok := strings.CutPrefix(line, "# TYPE "); ok {
			family = strings.Fields(name)[0]
			if seen[family] {
				t.Errorf("%s comes twice", family)
			}
			seen[family] = true
		}
		sample := sampleLine.FindStringSubmatch(line)
		if !metaLine.MatchString(line) && (sample == nil || sample[1] != family) {
			t.Errorf("under %s: %s", family, line)
		}
	}
	labels := func(id, alias, profile string) string {
		return `{key_arn="arn:aws:kms:eu-central-1:111122223333:key/` + id + `",alias="` + alias + `",region="eu-central-1",profile="` + profile + `",key_spec="SYMMETRIC_DEFAULT"} `
	}
	for _, want := range []string{
		"keymat_key_usable" + labels("a", "alias/rotated", "") + "1\n",
		"keymat_key_usable" + labels("d", "", "") + "0\n",
		"keymat_key_material_missing" + labels("d", "", "") + "1\n",
		"keymat_key_expiration_timestamp_seconds" + labels("a", "alias/rotated", "") + "1772452800\n",
		"keymat_key_expiration_timestamp_seconds" + labels("b", "", `a\"b\\c\nd`) + "1772539200\n",
		"keymat_key_materials" + labels("a", "alias/rotated", "") + "3\n",
		"keymat_key_pending_materials" + labels("a", "alias/rotated", "") + "1\n",
		"keymat_key_on_demand_rotations" + labels("a", "alias/rotated", "") + "1\n",
		"keymat_key_last_use_timestamp_seconds" + labels("a", "alias/rotated", "") + "1772362800\n",
		"keymat_scan_keys 4\n", "keymat_scan_errors 1\n", "keymat_scan_timestamp_seconds 1772366400\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if n := strings.Count(text, "\nkeymat_key_expiration_timestamp_seconds{"); n != 2 {
		t.Errorf("%d keys expire, want 2:\n%s", n, text)
	}
}

func TestCalendar(t *testing.T) {
	var page bytes.Buffer
	if err := writeCalendar(&page, pageItems(), pageTime); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(page.String()) {
		if content, ok := strings.CutSuffix(line, "\r\n"); !ok || len(content) > 75 || strings.ContainsAny(content, "\r\n") {
			t.Errorf("line %q", line)
		}
	}
	cal, err := ics.ParseCalendar(bytes.NewReader(page.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	events := cal.Events()
	if len(events) != 2 {
		t.Fatalf("%d events", len(events))
	}
	first := events[0]
	start, err := first.GetStartAt()
	if err != nil || !start.Equal(pageTime.Add(24*time.Hour)) {
		t.Errorf("begins at %s, error %v", start, err)
	}
	stamp, err := first.GetDtStampTime()
	if err != nil || !stamp.Equal(pageTime) {
		t.Errorf("stamped %s, error %v", stamp, err)
	}
	if got, want := first.Id(), "arn:aws:kms:eu-central-1:111122223333:key/a/old@keymat"; got != want {
		t.Errorf("UID %s, want %s", got, want)
	}
	if got, want := first.GetProperty(ics.ComponentPropertySummary).Value, "Key material of alias/rotated expires (eu-central-1)"; got != want {
		t.Errorf("summary %s, want %s", got, want)
	}
	if alarms := first.Alarms(); len(alarms) != 1 || alarms[0].GetProperty(ics.ComponentPropertyTrigger).Value != "-P7D" {
		t.Errorf("reminders %+v", alarms)
	}
}
