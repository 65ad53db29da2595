// SPDX-License-Identifier: Apache-2.0

//go:build integration && linux

package integration_test

import (
	"testing"
)

// TestRulesFromAnotherProcess tests every rule on a mock in a process of its
// own, one that makes a new wrapping key for each fetch, as KMS does. It has to
// need little memory for that, and none of it for long.
func TestRulesFromAnotherProcess(t *testing.T) {
	const want = 64 << 10 // KiB
	d := newDesk(t)
	s, err := serve(d.dir, "--memory")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	var report struct {
		Rules   []struct{ ID, Verdict string }
		Seconds float64
	}
	d.keymatJSON(&report, "verify", "--endpoint-url", s.url, "--yes")
	for _, r := range report.Rules {
		if r.Verdict != "holds" {
			t.Errorf("%s: %s", r.ID, r.Verdict)
		}
	}
	if len(report.Rules) < 50 {
		t.Errorf("%d rules were tested", len(report.Rules))
	}
	got := residentMemory(t, s.cmd.Process.Pid)
	if got > want {
		t.Errorf("the mock holds %d KiB, want at most %d", got, want)
	}
	t.Logf("%d rules in %.1f s, %d KiB", len(report.Rules), report.Seconds, got)
}
