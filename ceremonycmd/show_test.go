// SPDX-License-Identifier: Apache-2.0

package ceremonycmd_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/material"
)

type onePage struct{ bytes.Buffer }

func (*onePage) Sync() error { return nil }

// TestShowSteps has a line for each step of a ceremony, and points out those that
// should not have happened.
func TestShowSteps(t *testing.T) {
	file := transcript.File{Name: "a.file", Size: 12}
	events := []struct {
		event       transcript.Event
		want        string
		exceptional bool
	}{
		{transcript.Generated{KeySpec: material.SymmetricDefault, Source: "drbg", Fingerprint: "cmac:00"}, "generated: SYMMETRIC_DEFAULT material, from the generator of the machine", false},
		{transcript.Escrowed{Escrow: "e", Fingerprint: "cmac:00", File: file}, "escrowed: the material with the fingerprint cmac:00, in the escrow e; a.file, 12 bytes, 00", false},
		{transcript.Copied{Escrow: "e", Copy: "copy-1"}, "copied: the escrow e to copy-1, read back and opened", false},
		{transcript.Issued{Escrow: "e", Share: 3}, "share issued: share 3 of e", false},
		{transcript.ReadBack{Escrow: "e", Share: 3, Bag: "B7"}, "share read back: share 3 of e, then into the bag B7", false},
		{transcript.Sealed{Escrow: "e", Record: file}, "sealed: the material is recoverable from the escrow e", false},
		{transcript.Recovered{Escrow: "e", Shares: []int{1, 3}, Fingerprint: "cmac:00"}, "recovered: the escrow e was opened with the shares 1, 3", false},
		{transcript.Bundled{File: file, Targets: []string{"primary"}, ValidTo: "noon"}, "bundle accepted: for primary, with import tokens valid to noon; a.file, 12 bytes", false},
		{transcript.Wrapped{Package: file, Targets: []string{"primary"}}, "wrapped: for primary", false},
		{transcript.Destroyed{}, "destroyed: the program cleared", false},
		{transcript.Voided{Escrow: "e", Reason: "seen"}, "void: what was kept as e will not be used: seen", true},
		{transcript.Voided{Escrow: "e", Material: true, Reason: "seen"}, "void: the material and what was kept as e will not be used: seen", true},
		{transcript.Interrupted{Reason: "power"}, "interrupted: what was in memory is lost: power", true},
		{transcript.Retired{Escrow: "e", By: "f"}, "retired: the escrow e with its shares, in favour of f", false},
		{transcript.Submitted{Target: "primary"}, "submitted: to primary", false},
		{transcript.Refused{Target: "primary", Code: "ThrottlingException", Remedy: transcript.SendAgain}, "refused: by KMS for primary: ThrottlingException", true},
		{transcript.Imported{Target: "primary", MaterialID: "id"}, "imported: into primary, as the KeyMaterialId id", false},
		{transcript.Verified{Target: "primary", Method: "use"}, "verified: primary: use", false},
		{transcript.Forgotten{Target: "primary", Reason: "expired"}, "forgotten: primary no longer has the material: expired", true},
	}
	var page onePage
	now := func() time.Time { return time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC) }
	r, err := transcript.Begin([]transcript.Medium{&page}, now, transcript.Opened{Ceremony: "test"}, transcript.Context{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := r.Append(e.event, transcript.Context{}); err != nil {
			t.Fatal(err)
		}
	}
	b := &planBench{t: t, dir: t.TempDir()}
	if err := os.WriteFile(filepath.Join(b.dir, "transcript.jsonl"), page.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	b.exits(0, "ceremony", "transcript", "show", b.dir)
	all := strings.Split(b.stdout.String(), "\n")
	b.exits(0, "ceremony", "transcript", "show", b.dir, "--exceptions")
	for i, e := range events {
		if line := all[i+1]; !strings.Contains(line, e.want) {
			t.Errorf("line %d is %q, want %q in it", i+2, line, e.want)
		}
		if got := strings.Contains(b.stdout.String(), e.want); got != e.exceptional {
			t.Errorf("%s: exceptional is %t, want %t", transcript.Name(e.event), got, e.exceptional)
		}
	}
}
