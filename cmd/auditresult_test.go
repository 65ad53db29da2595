// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/audit"
)

// TestAuditOfSeveralRegions: one history, in the order of time, and no praise
// where something is unknown.
func TestAuditOfSeveralRegions(t *testing.T) {
	event := func(at int, id string) audit.Event {
		return audit.Event{At: time.Unix(int64(at), 0).UTC(), Name: "ImportKeyMaterial", MaterialID: id, Expires: "never", Who: "a"}
	}
	r := audited{Differences: &[]auditDiffers{}}
	e1, e3 := event(1, "m1"), event(3, "m3")
	r.add("east", []audit.Event{e1, e3})
	r.compare("east", []audit.Difference{{Event: &e3, Reason: "late"}}, 1)
	r.add("west", []audit.Event{event(2, "m2"), event(3, "m4")})
	r.compare("west", []audit.Difference{{Event: &e1, Reason: "early"}}, 2)
	r.sort()
	wantText(t, r, `1970-01-01T00:00:01Z  east  ImportKeyMaterial  m1  never expires  a
1970-01-01T00:00:02Z  west  ImportKeyMaterial  m2  never expires  a
1970-01-01T00:00:03Z  east  ImportKeyMaterial  m3  never expires  a
1970-01-01T00:00:03Z  west  ImportKeyMaterial  m4  never expires  a
differs: 1970-01-01T00:00:01Z west m1: early
differs: 1970-01-01T00:00:03Z east m3: late
3 receipts are of a time that the trail does not tell of
`)
	none := audited{Differences: &[]auditDiffers{}, Failed: []auditFailed{{Region: "west", Error: "denied"}}}
	wantText(t, none, "the trail tells nothing of this key's material\nunknown: west: denied\n")
	none.Failed = nil
	wantText(t, none, "the trail tells nothing of this key's material\nevery import has its receipt, and every receipt its import\n")
}

func wantText(t *testing.T, r result, want string) {
	t.Helper()
	var got strings.Builder
	r.text(&got)
	if got.String() != want {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
}
