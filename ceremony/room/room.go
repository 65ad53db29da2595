// SPDX-License-Identifier: Apache-2.0

// Package room says what a machine of a ceremony needs of the people around it,
// so that the same machine serves people at a terminal, and simulated ones in a
// rehearsal or a test.
package room

import (
	"context"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/material/entropy"
)

// A Room is the people around a machine, and the media they put in. People are
// named by their IDs in the plan. Methods that ask return an error where nobody
// answers: the context's, or that the terminal is gone. The machine then leaves
// its state as it was.
type Room interface {
	// Announce says what comes next and who does it, before anything is asked.
	Announce(t phase.Task)
	// Tell says something to everybody: digests in words, a fingerprint, where a file went.
	Tell(format string, args ...any)

	// Present asks which of some people are there; the result names them, in any order.
	Present(ctx context.Context, who []string, why string) ([]string, error)
	// Confirm has all of some people confirm, each by typing their ID, what is to be seen. It returns what they saw, for the
	// record. For the gate open, that begins with the time on the wall clock, RFC 3339, and a space or its end. g is "" for what
	// people confirm beside the gates.
	Confirm(ctx context.Context, g plan.Gate, who []string, seen string) (text string, err error)
	// Heard asks for a digest that was read aloud on another machine; hexadecimal or words.
	Heard(ctx context.Context, what string) (string, error)
	// Decide asks the lead to choose; options are words such as "repeat", "void", "postpone". The result counts from 0.
	Decide(ctx context.Context, question string, options []string) (int, error)
	// Sign has somebody sign in a namespace (ssh key, agent), armoured as ssh-keygen -Y does; nil, nil when they will sign later.
	Sign(ctx context.Context, who plan.Person, namespace string, message []byte) ([]byte, error)

	// Medium asks where a medium is mounted; the result is a folder.
	Medium(ctx context.Context, what string) (folder string, err error)
	// Remount has a medium taken out and put in again, so that it is read and not remembered. It is then at the same folder.
	Remount(ctx context.Context, what, folder string) error

	// ShowShare lets one custodian, and nobody else, see a share: on the screen, or on paper where h.Mode is plan.Printed. It
	// returns once the share is no longer to be seen.
	ShowShare(ctx context.Context, h plan.Holder, s escrow.Share, title string) error
	// ReadShare has a custodian enter a share from what they keep: what they wrote down, the card, or the file with their key.
	// f is the escrow it belongs to. It is asked again for a text that is no share at all.
	ReadShare(ctx context.Context, h plan.Holder, f *escrow.File) (escrow.Share, error)
	// Bag asks for the serial number of the bag a share or medium went into; "" for none.
	Bag(ctx context.Context, what string) (string, error)

	// Throws asks for throws of dice or flips of coins, without showing them; none where they are not required and nobody
	// throws. The machine destroys them.
	Throws(ctx context.Context, required bool) ([]entropy.Input, error)
	// PIN has somebody, whom nobody looks over the shoulder, type their part of the PIN of a token. The machine clears it.
	PIN(ctx context.Context, who plan.Person, token string) ([]byte, error)
	// Component has somebody, whom nobody looks over the shoulder, enter their component of the material, and says what would
	// have caught a slip. The machine destroys it.
	Component(ctx context.Context, who plan.Person, spec material.Spec) (entropy.Component, entropy.Entered, error)
}
