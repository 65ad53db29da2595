// SPDX-License-Identifier: Apache-2.0

// Package entry has people enter what nobody else may see: shares, components of
// key material, throws of dice. Nothing of it is shown while it is typed. What
// cannot be right is asked for again; what was typed is never repeated.
package entry

import (
	"errors"
	"io"

	"github.com/keymat/keymat/internal/term"
)

// A Desk is where people enter things, one at a time.
type Desk struct {
	Prompter term.Prompter
	Warn     func(format string, args ...any) // tells what was not taken, and why
}

// ErrBrokenOff says that somebody ended an entry with Ctrl-D before it was
// complete.
var ErrBrokenOff = errors.New("the entry was broken off, and nothing was made")

// BrokenOff is err, but [ErrBrokenOff] for the io.EOF with which a
// [term.Prompter] says Ctrl-D.
func BrokenOff(err error) error {
	if errors.Is(err, io.EOF) {
		return ErrBrokenOff
	}
	return err
}
