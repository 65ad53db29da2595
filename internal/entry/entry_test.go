// SPDX-License-Identifier: Apache-2.0

package entry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/entry"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/material/entropy"
)

// typist answers every question with the next of some answers, and ends with
// Ctrl-D.
type typist struct {
	term.Refuse
	answers []string
}

func (p *typist) Secret(context.Context, string) ([]byte, error) {
	if len(p.answers) == 0 {
		return nil, io.EOF
	}
	answer := p.answers[0]
	p.answers = p.answers[1:]
	return []byte(answer), nil
}

// desk is one at which answers are given; warnings are what was not taken.
func desk(answers ...string) (d entry.Desk, warnings *[]string) {
	warnings = new([]string)
	return entry.Desk{Prompter: &typist{answers: answers}, Warn: func(format string, args ...any) {
		*warnings = append(*warnings, fmt.Sprintf(format, args...))
	}}, warnings
}

// shareOf is the first of two shares, and its text.
func shareOf(t *testing.T, scheme escrow.Scheme) (share escrow.Share, text string) {
	t.Helper()
	m, err := material.New(material.SymmetricDefault, bytes.Repeat([]byte{7, 9}, 16))
	if err != nil {
		t.Fatal(err)
	}
	_, shares, err := escrow.SealQuorum(m, time.Date(2026, 12, 1, 9, 30, 0, 0, time.UTC), escrow.Plan{Profile: escrow.FIPSQuorum, Scheme: scheme, Threshold: 2, Count: 2})
	if err != nil {
		t.Fatal(err)
	}
	shares[0].Text().Expose(func(b []byte) error { text = string(b); return nil })
	return shares[0], text
}

func TestShare(t *testing.T) {
	_, words := shareOf(t, escrow.SLIP39)
	_, text := shareOf(t, escrow.Shamir)
	one := strings.Fields(words)
	for name, tt := range map[string]struct {
		scheme   escrow.Scheme
		answers  []string
		warnings int
		want     error
	}{
		"words":             {escrow.SLIP39, one, 0, nil},
		"all at once":       {escrow.SLIP39, []string{strings.ToUpper(words)}, 0, nil},
		"no word":           {escrow.SLIP39, append([]string{"aca"}, one...), 1, nil},
		"nothing to undo":   {escrow.SLIP39, append([]string{"-"}, one...), 1, nil},
		"undone":            {escrow.SLIP39, append([]string{one[0], "acid", "-"}, one[1:]...), 0, nil},
		"Enter":             {escrow.SLIP39, []string{""}, 0, io.EOF},
		"Enter later":       {escrow.SLIP39, append([]string{one[0], ""}, one[1:]...), 1, nil},
		"Ctrl-D":            {escrow.SLIP39, one[:32], 0, io.EOF},
		"a string":          {escrow.Shamir, []string{text}, 0, nil},
		"Enter at a string": {escrow.Shamir, []string{" "}, 0, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			d, warnings := desk(tt.answers...)
			s, err := d.Share(t.Context(), "Share", tt.scheme)
			if err != tt.want || err == nil && s.Index != 1 {
				t.Errorf("share %d, error %v, want %v", s.Index, err, tt.want)
			}
			if len(*warnings) != tt.warnings {
				t.Errorf("warnings %q, want %d", *warnings, tt.warnings)
			}
		})
	}
	d, _ := desk(append(one[1:], one[0])...)
	if _, err := d.Share(t.Context(), "Share", escrow.SLIP39); err == nil {
		t.Error("words in another order were taken")
	} else if _, ok := errors.AsType[*escrow.ShareError](err); !ok {
		t.Errorf("error %v", err)
	}
}

func TestLayout(t *testing.T) {
	s, words := shareOf(t, escrow.SLIP39)
	lines := strings.Split(strings.TrimRight(string(entry.Layout(s)), "\n"), "\n")
	one := strings.Fields(words)
	if want := fmt.Sprintf("  4 %-10s  5 %-10s  6 %-10s", one[3], one[4], one[5]); len(lines) != 11 || lines[1] != want {
		t.Errorf("%d lines, the second %q, want 11 and %q", len(lines), lines[1], want)
	}
	s, text := shareOf(t, escrow.Shamir)
	if got := string(entry.Layout(s)); got != text {
		t.Errorf("got %q, want %q", got, text)
	}
}

// TestThrowsBound: what is one throw too much was not counted before.
func TestThrowsBound(t *testing.T) {
	half := strings.Repeat("1", entropy.MaxInput/2)
	d, _ := desk(half, half, "")
	in, err := d.Throws(t.Context(), entropy.Dice)
	if err != nil || in.Count != entropy.MaxInput {
		t.Errorf("%d throws, error %v", in.Count, err)
	}
	d, _ = desk(half, half, "1")
	if _, err := d.Throws(t.Context(), entropy.Dice); !errors.As(err, new(*entropy.InputSizeError)) {
		t.Errorf("error %v", err)
	}
	d, _ = desk("123")
	if _, err := d.Throws(t.Context(), entropy.Coins); err != entry.ErrBrokenOff {
		t.Errorf("error %v", err)
	}
}
