// SPDX-License-Identifier: Apache-2.0

// Package console is the room of a ceremony whose people stand around one
// terminal. Each question is numbered within its task and says whom it is for;
// what may be heard by all is on the screen, and what is secret is never echoed,
// and gone from the screen and from what can be scrolled back to before the next
// question.
//
// Ctrl-C answers any question with [term.ErrInterrupted].
package console

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/keymat/keymat/ceremony/phase"
	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/ceremony/room"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/entry"
	"github.com/keymat/keymat/internal/term"
)

// A Console is a room at a terminal. It is not for several goroutines.
type Console struct {
	Plan     *plan.Plan
	Prompter term.Prompter // questions, and what one person alone may see
	Out      io.Writer     // what everybody may see: the same terminal
	Bold     bool          // Out understands escape sequences
	Keys     Keys
	Escrow   func(escrow.ID) (*escrow.File, error) // finds an escrow of this ceremony, for printed cards
	By       string                                // the program with its version, for printed cards
	Progress string                                // of the ceremony, as phase.State.Progress has it; "" where this machine does not know

	task     int               // announced so far
	doing    string            // the last of them
	hands    []string          // IDs of those who do it
	question int               // asked within it
	signing  [sha256.Size]byte // what was last said to be signed
}

// Keys are the private keys that people bring.
type Keys interface {
	// Signer finds the private half of a key: in a file, or with the ssh-agent where file is "".
	Signer(ctx context.Context, file string, key ssh.PublicKey) (ssh.Signer, error)
	// Open opens an age file with the identities in a file. The caller clears the result.
	Open(ctx context.Context, encrypted []byte, identity string) ([]byte, error)
}

var _ room.Room = (*Console)(nil)

// Announce begins the next number.
func (c *Console) Announce(t phase.Task) {
	c.task++
	c.question = 0
	c.doing, c.hands = t.String(), t.People
	heading := term.Printable(fmt.Sprintf("%d. %s%s", c.task, Title(c.Plan, t), c.mark()))
	if c.Bold {
		heading = "\x1b[1m" + heading + "\x1b[0m"
	}
	fmt.Fprintf(c.Out, "\n%s\n", heading)
	c.paragraph(People(c.Plan, t) + ".")
	c.paragraph(aboutTask(c.Plan, t))
}

// mark is how far the ceremony has come, and whether it is in earnest.
func (c *Console) mark() string {
	var marks []string
	if c.Progress != "" {
		marks = append(marks, c.Progress)
	}
	if c.Plan.Rehearsal {
		marks = append(marks, "REHEARSAL")
	}
	if marks == nil {
		return ""
	}
	return "  [" + strings.Join(marks, ", ") + "]"
}

// Tell shows its lines below the task. What is laid out, with space before it or
// in it, stays as it is; other lines are broken where they are too long.
func (c *Console) Tell(format string, args ...any) {
	for line := range strings.Lines(fmt.Sprintf(format, args...)) {
		if line = strings.TrimRight(line, "\n"); strings.HasPrefix(line, " ") || strings.Contains(line, "  ") {
			c.line(line)
		} else {
			c.paragraph(line)
		}
	}
}

const indent = "   "

func (c *Console) line(text string) {
	fmt.Fprintln(c.Out, strings.TrimRight(indent+term.Printable(text), " "))
}

// lineWidth is how many characters fit in a line of any terminal.
const lineWidth = 78

// paragraph tells text in lines that are broken between words.
func (c *Console) paragraph(text string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(indent)+len(line)+1+len(word) > lineWidth {
			c.line(line)
			line = ""
		}
		line = strings.TrimLeft(line+" "+word, " ")
	}
	if line != "" {
		c.line(line)
	}
}

// warn tells why an answer was not taken.
func (c *Console) warn(format string, args ...any) {
	c.line("! " + fmt.Sprintf(format, args...))
}

// number begins a question.
func (c *Console) number() string {
	c.question++
	return fmt.Sprintf("%d.%d", c.task, c.question)
}

// to is a question with its number and whom it is for.
func (c *Console) to(ids []string, format string, args ...any) string {
	return fmt.Sprintf("%s %s: %s", c.number(), names(c.Plan, ids), fmt.Sprintf(format, args...))
}

func (c *Console) desk() entry.Desk { return entry.Desk{Prompter: c.Prompter, Warn: c.warn} }

// name is how a person is addressed.
func (c *Console) name(id string) string { return Name(c.Plan, id) }

// Having are the IDs of those who have one of some roles.
func (c *Console) Having(roles ...plan.Role) (ids []string) {
	for _, p := range c.Plan.People {
		if slices.ContainsFunc(roles, p.Has) {
			ids = append(ids, p.ID)
		}
	}
	return ids
}
