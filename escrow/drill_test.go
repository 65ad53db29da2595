// SPDX-License-Identifier: Apache-2.0

package escrow_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/escrow"
)

func goldenDrill(t *testing.T) escrow.Drill {
	t.Helper()
	d, err := escrow.ReadDrill(bytes.NewReader(golden(t, "symmetric.drill")))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestGoldenDrill reads a record that the first version wrote, and writes it as
// it was.
func TestGoldenDrill(t *testing.T) {
	d := goldenDrill(t)
	drilled, err := readGolden(t, "recipients.escrow").Drilled()
	if err != nil || d.Escrow != drilled {
		t.Errorf("drilled %+v, want %+v, error %v", d.Escrow, drilled, err)
	}
	if d.Verdict != escrow.DrillProven || d.Method != "same material re-imported" || d.At != time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC) {
		t.Errorf("read %+v", d)
	}
	var again bytes.Buffer
	if err := d.Encode(&again); err != nil || !bytes.Equal(again.Bytes(), golden(t, "symmetric.drill")) {
		t.Errorf("written again: %s, error %v", again.Bytes(), err)
	}
	line, err := json.Marshal(d)
	if err != nil || !bytes.HasPrefix(line, []byte(`{"kind":"keymat/drill","version":1,"at":"2026-11-22T06:00:00Z",`)) {
		t.Errorf("on one line: %s, error %v", line, err)
	}
}

// TestInvalidDrills: who keeps records for years wants none that can be read in
// two ways.
func TestInvalidDrills(t *testing.T) {
	for _, tt := range []struct {
		change func(*escrow.Drill)
		want   string
	}{
		{func(d *escrow.Drill) { d.At = d.At.Local() }, "at: not a time in UTC, to the second"},
		{func(d *escrow.Drill) { d.At = time.Time{} }, "at: not a time in UTC, to the second"},
		{func(d *escrow.Drill) { d.Escrow.Created = d.Escrow.Created.Add(1) }, "escrow.created: not a time in UTC, to the second"},
		{func(d *escrow.Drill) { d.By = "" }, "by: missing"},
		{func(d *escrow.Drill) { d.Tool = "" }, "tool: missing"},
		{func(d *escrow.Drill) { d.Method = "" }, "method: missing"},
		{func(d *escrow.Drill) { d.Escrow.ID = escrow.ID{} }, "escrow.id: missing"},
		{func(d *escrow.Drill) { d.Escrow.Profile = "none" }, "escrow.profile: none of "},
		{func(d *escrow.Drill) { d.Escrow.Fingerprint = "hmac:0011223344" }, "escrow.fingerprint: none that SYMMETRIC_DEFAULT material has"},
		{func(d *escrow.Drill) { d.Verdict = "fine" }, "verdict: unknown"},
		{func(d *escrow.Drill) { d.Verdict = escrow.DrillOpened }, "key_arn: there is one exactly if a key was compared"},
		{func(d *escrow.Drill) { d.KeyARN = "" }, "key_arn: there is one exactly if a key was compared"},
		{func(d *escrow.Drill) { d.MaterialID = d.MaterialID[1:] }, "key_material_id: none that KMS gives a symmetric key"},
		{func(d *escrow.Drill) { d.KeyARN, d.Verdict = "", escrow.DrillOpened }, "key_material_id: none that KMS gives a symmetric key"},
	} {
		d := goldenDrill(t)
		tt.change(&d)
		var b bytes.Buffer
		var file *escrow.FileError
		if err := d.Encode(&b); !errors.As(err, &file) || b.Len() > 0 || !strings.HasPrefix(err.Error(), "keymat/drill: "+tt.want) {
			t.Errorf("wrote %d bytes, error %v, want %s", b.Len(), err, tt.want)
		}
	}
	whole := string(golden(t, "symmetric.drill"))
	for _, tt := range []struct{ old, replacement, want string }{
		{`"keymat/drill"`, `"keymat/escrow"`, "kind: something else"},
		{`"version": 1`, `"version": 2`, "version: 2 is newer than 1, which is what this program reads"},
		{`"version": 1`, `"version": 1, "more": 1`, `json: unknown field "more"`},
		{`"by": "`, `"by": "x", "by": "`, "a field is missing, given twice, out of order or spelt in another way than version 1 has it"},
		{`"verdict": "proven"`, `"verdict": 1`, "verdict: not of the right type"},
		{"\n}\n", "\n}\n{}", "not JSON, at byte"},
		{"\n}\n", "", "the JSON is cut short"},
		{"\n}\n", strings.Repeat(" ", escrow.MaxDrill) + "\n}\n", "larger than 16384 bytes"},
		{whole, "", "empty"},
	} {
		changed := strings.Replace(whole, tt.old, tt.replacement, 1)
		if changed == whole {
			t.Fatalf("the golden file has no %s", tt.old)
		}
		if _, err := escrow.ReadDrill(strings.NewReader(changed)); err == nil || !strings.HasPrefix(err.Error(), "keymat/drill: "+tt.want) {
			t.Errorf("%s: error %v, want %s", tt.replacement, err, tt.want)
		}
	}
}
