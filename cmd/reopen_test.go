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
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
)

// TestReopenNotices lets the medium change what was written: nobody may come to
// rely on that.
func TestReopenNotices(t *testing.T) {
	dir := t.TempDir()
	a := &app{Run: cli.Run{Talk: cli.Talk{Env: Env{Stderr: io.Discard}, Quiet: true}}}
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
	if err != nil {
		t.Fatal(err)
	}
	var encoded bytes.Buffer
	if err := f.Encode(&encoded); err != nil {
		t.Fatal(err)
	}
	reopen := func(m *material.Material, onMedium []byte) (reopening, error) {
		staged, err := files.StagePublic(s.out, onMedium, files.KeepExisting)
		if err != nil {
			t.Fatal(err)
		}
		defer staged.Discard()
		return a.reopen(t.Context(), m, f, s, staged)
	}
	if with, err := reopen(m, encoded.Bytes()); with != byCards || err != nil {
		t.Fatalf("reopened with %q, error %v", with, err)
	}

	other, err := material.Generate(material.HMAC256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reopen(other, encoded.Bytes()); err == nil || err.Error() != "it holds other material" {
		t.Errorf("other material: %v", err)
	}
	for _, tt := range []struct{ old, replacement, want string }{
		{`"ciphertext": "`, `"ciphertext": "A`, "illegal base64"},
		{f.Created.Format("2006-"), "1999-", "the header is not the one it was sealed with"},
		{"}", "", "cut short"},
	} {
		changed := bytes.Replace(encoded.Bytes(), []byte(tt.old), []byte(tt.replacement), 1)
		if _, err := reopen(m, changed); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s for %s: error %v, want %s", tt.replacement, tt.old, err, tt.want)
		}
	}
	for _, tt := range []struct {
		file, old, replacement string
		want                   string
	}{
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
		if _, err := reopen(m, encoded.Bytes()); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s in %s: error %v, want %s", tt.replacement, tt.file, err, tt.want)
		}
		if err := os.WriteFile(tt.file, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(cards[1]); err != nil {
		t.Fatal(err)
	}
	if _, err := reopen(m, encoded.Bytes()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a card is gone: %v", err)
	}
}
