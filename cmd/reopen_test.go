// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
)

// TestReopenNotices lets the medium change what was written: nobody may come to
// rely on that.
func TestReopenNotices(t *testing.T) {
	dir := t.TempDir()
	a := &app{env: Env{Stderr: io.Discard}, globals: globals{quiet: true}}
	s := sealing{out: filepath.Join(dir, "app.escrow"), quorum: quorum{of: "2/2", scheme: escrow.SLIP39, fips: true, dir: filepath.Join(dir, "cards")}}
	m, err := material.Generate(material.HMAC256)
	if err != nil {
		t.Fatal(err)
	}
	f, err := a.sealFile(t.Context(), m, s)
	if err != nil {
		t.Fatal(err)
	}
	cards, err := a.handOut(t.Context(), f.File, f.shares, s.quorum)
	if err == nil {
		err = writeEscrow(s.out, f.File, files.KeepExisting)
	}
	if err != nil {
		t.Fatal(err)
	}
	if with, err := a.reopen(t.Context(), m, f, s); with != byCards || err != nil {
		t.Fatalf("reopened with %q, error %v", with, err)
	}

	other, err := material.Generate(material.HMAC256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.reopen(t.Context(), other, f, s); err == nil || err.Error() != "it holds other material" {
		t.Errorf("other material: %v", err)
	}
	for _, tt := range []struct {
		file, old, replacement string
		want                   string
	}{
		{s.out, `"ciphertext": "`, `"ciphertext": "A`, "illegal base64"},
		{s.out, f.Created.Format("2006-"), "1999-", "the header is not the one it was sealed with"},
		{s.out, "}", "", "cut short"},
		{cards[0], "<li class=\"id\"><b>", "<li class=\"id\"><b>x", "not a share"},
		{cards[1], "<li class=\"id\">", "<li>", "not a share"},
	} {
		whole, err := os.ReadFile(tt.file)
		if err != nil {
			t.Fatal(err)
		}
		changed := bytes.Replace(whole, []byte(tt.old), []byte(tt.replacement), 1)
		if bytes.Equal(changed, whole) {
			t.Fatalf("%s has no %s", tt.file, tt.old)
		}
		if err := os.WriteFile(tt.file, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := a.reopen(t.Context(), m, f, s); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s in %s: error %v, want %s", tt.replacement, tt.file, err, tt.want)
		}
		if err := os.WriteFile(tt.file, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(cards[1]); err != nil {
		t.Fatal(err)
	}
	if _, err := a.reopen(t.Context(), m, f, s); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a card is gone: %v", err)
	}
}
