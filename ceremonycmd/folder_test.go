// SPDX-License-Identifier: Apache-2.0

package ceremonycmd_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/keymat/keymat/internal/term"
)

// TestNoCeremony: every command that takes the folder of a ceremony says of one without a plan what to do.
func TestNoCeremony(t *testing.T) {
	b := &planBench{t: t, dir: t.TempDir(), asks: term.Refuse{}}
	by := []string{"--by", "lead"}
	for command, flags := range map[string][]string{
		"status": nil, "run": nil, "run --dry-run": nil, "verify": nil,
		"report":                {"--out", b.path("report.html")},
		"reopen":                {"--id", "again", "--out", b.path("again.yaml")},
		"transcript begin":      by,
		"transcript note":       slices.Concat(by, []string{"--text", "x"}),
		"transcript confirm":    slices.Concat(by, []string{"--gate", "open", "--text", "x"}),
		"transcript exception":  slices.Concat(by, []string{"--expected", "x", "--happened", "y", "--decided", "z"}),
		"transcript end":        by,
		"transcript sign":       {"--as", "lead"},
		"register add new.file": by,
	} {
		args := slices.Concat([]string{"ceremony"}, strings.Fields(command))
		b.exits(1, slices.Concat(args, []string{b.dir}, flags)...)
		b.says("error: there is no plan.yaml in " + b.dir + "\n")
		b.says("hint: name the folder that has the plan")
		b.exits(1, slices.Concat(args, []string{b.path("none")}, flags)...)
		b.says("error: there is no folder " + b.path("none") + "\n")
		b.says("hint: look whether the medium is in")
	}
	b.exits(1, "ceremony", "transcript", "show", b.dir)
	b.says("error: there is no transcript.jsonl in " + b.dir + "\n")
	b.says("hint: keymat-offline ceremony run begins a record by itself")
}
