// SPDX-License-Identifier: Apache-2.0

package term_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/keymat/keymat/internal/term"
)

func TestRefuse(t *testing.T) {
	var prompter term.Prompter = term.Refuse{}
	_, secret := prompter.Secret(t.Context(), "Q")
	_, confirm := prompter.Confirm(t.Context(), "Q")
	_, line := prompter.Line(t.Context(), "Q")
	for name, err := range map[string]error{"Secret": secret, "Confirm": confirm, "Line": line} {
		e, ok := errors.AsType[*term.NoTerminalError](err)
		if !ok || !e.NoInput || e.What != "Q" {
			t.Errorf("%s: %#v", name, err)
			continue
		}
		if got, want := err.Error(), `cannot ask "Q": questions are turned off`; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestColorNeedsTerminal(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unset := func(string) string { return "" }
	if term.IsTerminal(file) || term.Color(file, unset) {
		t.Error("a file is taken for a terminal")
	}
	if term.IsTerminal(new(bytes.Buffer)) || term.Color(new(bytes.Buffer), unset) {
		t.Error("a buffer is taken for a terminal")
	}
}

func TestProgress(t *testing.T) {
	const erase = "\r\x1b[K"
	tests := []struct {
		name string
		live bool
		want string
	}{
		{"terminal", true, erase + "waiting" + erase + "importing" + erase + "imported\n" + erase + "more" + erase},
		{"elsewhere", false, "waiting\nimporting\nimported\nmore\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var w bytes.Buffer
			p := term.NewProgress(&w, test.live)
			p.Done("") // nothing to erase
			p.Update("waiting")
			p.Update("waiting")
			p.Update("importing")
			p.Done("imported")
			p.Update("more")
			p.Done("")
			if got := w.String(); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	var silent *term.Progress
	silent.Update("waiting")
	silent.Done("done")
}
