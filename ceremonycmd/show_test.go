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
		{transcript.Generated{KeySpec: material.SymmetricDefault, Source: "drbg", Fingerprint: "cmac:00"}, "material for SYMMETRIC_DEFAULT, from drbg: cmac:00", false},
		{transcript.Escrowed{Escrow: "e", Fingerprint: "cmac:00", File: file}, "escrow e of cmac:00: a.file, 12 bytes", false},
		{transcript.Copied{Escrow: "e", Copy: "copy-1"}, "escrow e read back from copy-1", false},
		{transcript.Issued{Escrow: "e", Share: 3}, "share 3 of e issued", false},
		{transcript.ReadBack{Escrow: "e", Share: 3, Bag: "B7"}, "share 3 of e read back, in bag B7", false},
		{transcript.Sealed{Escrow: "e", Record: file}, "SEALED: escrow e", false},
		{transcript.Recovered{Escrow: "e", Shares: []int{1, 3}, Fingerprint: "cmac:00"}, "escrow e opened with the shares [1 3]: cmac:00", false},
		{transcript.Bundled{File: file, Targets: []string{"primary"}, ValidTo: "noon"}, "bundle a.file for primary, valid to noon", false},
		{transcript.Wrapped{Package: file, Targets: []string{"primary"}}, "wrapped for primary: a.file", false},
		{transcript.Destroyed{}, "material and key destroyed in memory", false},
		{transcript.Voided{Escrow: "e", Reason: "seen"}, "escrow e will not be used: seen", true},
		{transcript.Voided{Escrow: "e", Material: true, Reason: "seen"}, "the material and escrow e will not be used: seen", true},
		{transcript.Interrupted{Reason: "power"}, "memory lost: power", true},
		{transcript.Retired{Escrow: "e", By: "f"}, "escrow e retired, in favour of f", false},
		{transcript.Submitted{Target: "primary"}, "sent to primary", false},
		{transcript.Refused{Target: "primary", Code: "ThrottlingException", Remedy: transcript.SendAgain}, "refused for primary: ThrottlingException (again)", true},
		{transcript.Imported{Target: "primary", MaterialID: "id"}, "imported into primary as id", false},
		{transcript.Verified{Target: "primary", Method: "use"}, "verified primary: use", false},
		{transcript.Forgotten{Target: "primary", Reason: "expired"}, "primary no longer has the material: expired", true},
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
