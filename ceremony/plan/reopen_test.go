// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
)

// again is a ceremony years after the first one.
func again(purpose plan.Purpose) plan.Reopening {
	return plan.Reopening{File: "again.yaml", ID: "payments-2028", Title: `Payments: "again"`, Date: time.Date(2028, 3, 1, 0, 0, 0, 0, time.UTC), Purpose: purpose,
		Expected: plan.Expected{Escrow: escrow.ID{0: 1}, Fingerprint: "cmac:0a1b2c3d4e", MaterialID: strings.Repeat("ab", 32)}}
}

// TestReopen drafts plans in which nothing is wrong, and compares what they say.
func TestReopen(t *testing.T) {
	first := with(t, text(t), "valid_to: never   #", "valid_to: 2027-11-30T00:00:00Z   #", "# description: what KMS shows beside the material", "description: \"root: 1\"",
		"roles: [lead]", "roles: [lead]\n    reports_to: director\n    site: archive-1", "name: Safe 1}", "name: Safe 1, needs: [archive-1]}")
	for _, tt := range []struct {
		purpose plan.Purpose
		want    []string // paths of what is changed, but for gates
	}{
		{plan.ForImport, []string{"id", "title", "date", "material.source", "targets[primary].import", "targets[primary].valid_to",
			"expected.escrow", "expected.fingerprint", "expected.material_id"}},
		{plan.ForRefresh, []string{"id", "title", "date", "material.source",
			"targets[primary].id", "targets[primary].partition", "targets[primary].account", "targets[primary].region", "targets[primary].key",
			"targets[primary].wrapping.algorithm", "targets[primary].wrapping.key_spec", "targets[primary].import", "targets[primary].valid_to", "targets[primary].description",
			"gates.bundle", "gates.import", "limits.token_min_remaining", "limits.import_margin",
			"purpose", "expected.escrow", "expected.fingerprint", "expected.material_id", "expected.threshold", "expected.holders"}},
		{plan.ForDestruction, []string{"id", "title", "date", "material.source", "targets[primary].import",
			"gates.identity", "gates.sealed", "gates.bundle", "gates.import", "limits.token_min_remaining", "limits.import_margin", "purpose", "expected.escrow", "expected.fingerprint", "expected.material_id"}},
	} {
		t.Run(string(tt.purpose), func(t *testing.T) {
			before := read(t, first)
			drafted, err := before.Reopen(again(tt.purpose))
			if err != nil {
				t.Fatal(err)
			}
			after := read(t, string(drafted))
			if findings := after.Lint(); plan.HasErrors(findings) {
				t.Errorf("%s\n%+v", drafted, findings)
			}
			var got []string
			for _, c := range plan.Diff(before, after) {
				path, _, _ := strings.Cut(c.Path, ".holders[")
				if strings.HasSuffix(path, "expected") {
					path += ".holders"
				}
				if !slices.Contains(got, path) {
					got = append(got, path)
				}
			}
			slices.Sort(got)
			slices.Sort(tt.want)
			if !slices.Equal(got, tt.want) {
				t.Errorf("changed %v, want %v", got, tt.want)
			}
		})
	}
}

func TestReopenKeepsTime(t *testing.T) {
	before := read(t, with(t, text(t), "valid_to: never   #", "valid_to: 2027-11-30T12:00:00Z   #"))
	drafted, err := before.Reopen(again(plan.ForImport))
	if err != nil {
		t.Fatal(err)
	}
	after := read(t, string(drafted))
	if got, want := after.Targets[0].ValidTo.Sub(after.Date), before.Targets[0].ValidTo.Sub(before.Date); got != want {
		t.Errorf("it expires after %s, want %s", got, want)
	}
}

// TestReopenTwice goes from new shares to an import: what the plan of the first
// does not say is left empty, for people to fill in.
func TestReopenTwice(t *testing.T) {
	drafted, err := read(t, text(t)).Reopen(again(plan.ForRefresh))
	if err != nil {
		t.Fatal(err)
	}
	refresh := read(t, string(drafted))
	next := again(plan.ForImport)
	next.ID = "payments-2029"
	if drafted, err = refresh.Reopen(next); err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, f := range read(t, string(drafted)).Lint() {
		if f.Severity == plan.Error {
			codes = append(codes, f.Code+" "+f.Path)
		}
	}
	want := []string{"target-none targets", "gate-alone gates.bundle", "gate-role gates.bundle", "gate-role gates.bundle", "gate-alone gates.import", "gate-role gates.import"}
	if !slices.Equal(codes, want) {
		t.Errorf("got %v, want %v", codes, want)
	}
}

func TestReopenRefuses(t *testing.T) {
	for field, change := range map[string]func(*plan.Reopening){
		"id":                   func(r *plan.Reopening) { r.ID = "payments-2026" },
		"title":                func(r *plan.Reopening) { r.Title = "" },
		"expected.fingerprint": func(r *plan.Reopening) { r.Expected.Fingerprint = "" },
	} {
		r := again(plan.ForImport)
		change(&r)
		_, err := read(t, text(t)).Reopen(r)
		if e, ok := errors.AsType[*plan.SketchError](err); !ok || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestPurpose(t *testing.T) {
	reopened := func(purpose plan.Purpose) string {
		drafted, err := read(t, text(t)).Reopen(again(purpose))
		if err != nil {
			t.Fatal(err)
		}
		return string(drafted)
	}
	refresh, destroy := reopened(plan.ForRefresh), reopened(plan.ForDestruction)
	const gates = "  close: [lead, operator-1, witness]\n"
	for name, tt := range map[string]struct {
		text   string
		change []string
		want   string // severity code path
	}{
		"new material":              {refresh, []string{"source: escrow", "source: drbg"}, "error purpose material.source"},
		"targets of a refresh":      {destroy, []string{"purpose: destroy ", "purpose: refresh ", gates, gates + "  identity: [operator-1, witness]\n  sealed: [operator-1, witness]\n"}, "error purpose targets"},
		"a gate that none comes to": {refresh, []string{gates, gates + "  import: [importer, witness]\n"}, "error gate-none gates.import"},
		"holders for nothing":       {refresh, []string{"purpose: refresh", "purpose: import", gates, gates + "  bundle: [operator-1, witness]\n  import: [importer, witness]\n", "  max_session:", "  token_min_remaining: 4h\n  import_margin: 1h\n  max_session:"}, "error expected expected"},
		"too few old holders":       {refresh, []string{"  threshold: 3\n  holders:", "  threshold: 6\n  holders:"}, "error shares-count expected"},
		"no old threshold":          {refresh, []string{"  threshold: 3\n  holders:", "  holders:"}, "error shares-count expected"},
		"an old holder unknown":     {refresh, []string{"{share: 1, custodian: custodian-1,", "{share: 1, custodian: mallory,"}, "error unknown-person expected.holders[1].custodian"},
		"an old site unknown":       {refresh, []string{"mode: form, site: safe-1}", "mode: form, site: attic}"}, "error unknown-site expected.holders[1].site"},
		"an old holder's role":      {refresh, []string{"{share: 1, custodian: custodian-1,", "{share: 1, custodian: fetcher-1,"}, "error custodian-role expected.holders[1].custodian"},
		"a token limit for nothing": {refresh, []string{"  max_session:", "  token_min_remaining: 4h\n  max_session:"}, "warning limits limits.token_min_remaining"},
		"a margin for nothing":      {destroy, []string{"  max_session:", "  import_margin: 30h\n  max_session:"}, "warning limits limits.import_margin"},
		"no lead":                   {destroy, []string{"roles: [lead]", "roles: [auditor]"}, "error role-missing people"},
	} {
		t.Run(name, func(t *testing.T) {
			findings := read(t, with(t, tt.text, tt.change...)).Lint()
			for _, f := range findings {
				if string(f.Severity)+" "+f.Code+" "+f.Path == tt.want {
					return
				}
			}
			t.Errorf("got %+v, want %s", findings, tt.want)
		})
	}
	for name, fewer := range map[string][]string{
		"no fetchers or importers": {refresh, "roles: [fetcher]", "roles: [auditor]", "roles: [importer]", "roles: [auditor]"},
		"one site for everything":  {destroy, "site: safe-2", "site: safe-1", "site: safe-3", "site: safe-1"},
	} {
		if findings := read(t, with(t, fewer[0], fewer[1:]...)).Lint(); plan.HasErrors(findings) {
			t.Errorf("%s: %+v", name, findings)
		}
	}
	t.Run("a missing gate", func(t *testing.T) {
		_, err := plan.Read(strings.NewReader(with(t, refresh, gates, "")))
		if e, ok := errors.AsType[*plan.FormatError](err); !ok || e.Faults[0].Path != "gates.close" {
			t.Errorf("got %v", err)
		}
	})
}
