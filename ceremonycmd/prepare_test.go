// SPDX-License-Identifier: Apache-2.0

package ceremonycmd

import (
	"testing"

	"github.com/keymat/keymat/ceremony/preflight"
	"github.com/keymat/keymat/internal/lockdown"
)

func TestAdmit(t *testing.T) {
	for _, tt := range []struct {
		verdict   preflight.Verdict
		rehearsal bool
		want      error
	}{
		{preflight.OK, false, nil}, {preflight.Warning, false, nil}, {preflight.Stop, false, errUnfit}, {preflight.Stop, true, nil}, {"", false, errUnfit},
	} {
		if got := admit(tt.verdict, tt.rehearsal); got != tt.want {
			t.Errorf("%q, rehearsal %t: got %v, want %v", tt.verdict, tt.rehearsal, got, tt.want)
		}
	}
}

// TestSummary is what the record says of a machine: counts, and what is not as it
// should be, but no addresses or names.
func TestSummary(t *testing.T) {
	report := preflight.Report{Verdict: preflight.Stop, Observations: []preflight.Observation{
		{Name: "swap", Verdict: preflight.OK}, {Name: "links", Verdict: preflight.Stop, Seen: "up: eth0"}, {Name: "clock", Verdict: preflight.OK},
		{Name: "mounts", Verdict: preflight.Warning}, {Name: "links", Verdict: preflight.Stop},
	}}
	for _, tt := range []struct {
		locked lockdown.Report
		want   string
	}{
		{lockdown.Report{}, "preflight: stop, with 2 observations ok, 1 warning (mounts), 2 stop (links); memory is locked, kept from other processes and from core files"},
		{lockdown.Report{Swap: "no"}, "preflight: stop, with 2 observations ok, 1 warning (mounts), 2 stop (links); memory may be swapped: no"},
	} {
		if got := summary(report, tt.locked); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}
