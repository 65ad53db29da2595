// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/card"
	"github.com/keymat/keymat/internal/entry"
	"github.com/keymat/keymat/internal/files"
)

// A ModeError says that a share is not handed out at a terminal in that mode.
type ModeError struct {
	Share int // from 1
	Mode  plan.Mode
}

func (e *ModeError) Error() string {
	return fmt.Sprintf("share %d goes out in the mode %s, which shows nothing at the terminal", e.Share, e.Mode)
}

// ShowShare shows a share once its custodian says, by typing their ID, that
// nobody else can see the screen; or makes a card to be printed, see
// [plan.Printed]. Errors: [*ModeError], those of writing the card, and the
// prompter's.
func (c *Console) ShowShare(ctx context.Context, h plan.Holder, s escrow.Share, title string) error {
	if h.Mode != plan.OnForm && h.Mode != plan.Printed {
		return &ModeError{h.Share, h.Mode}
	}
	if h.Mode == plan.Printed {
		return c.printShare(ctx, h, s)
	}
	if err := c.alone(ctx, []string{h.Custodian}, "read"); err != nil {
		return err
	}
	text := entry.Layout(s)
	defer clear(text)
	if err := c.Prompter.Show(ctx, title, text); err != nil {
		return err
	}
	c.line(fmt.Sprintf("Share %d is off the screen.", h.Share))
	return nil
}

// alone waits until one of some people says that nobody else can see what they
// do.
func (c *Console) alone(ctx context.Context, who []string, does string) error {
	c.paragraph("Only " + names(c.Plan, who[:1]) + " may look. Everybody else: turn away from the screen.")
	prompt := c.to(who[:1], "type your ID once nobody else can see what you %s", does)
	for {
		answer, err := c.Prompter.Line(ctx, prompt)
		if err != nil {
			return err
		}
		if slices.Contains(who, strings.ToLower(answer)) {
			return nil
		}
		if answer != "" {
			c.warn("%s", c.notOne(strings.ToLower(answer), "is not the one who may look"))
		}
	}
}

// ReadShare takes words or the line of a scanner where the share is on paper,
// and a file with the key that opens it where it is in one.
func (c *Console) ReadShare(ctx context.Context, h plan.Holder, f *escrow.File) (escrow.Share, error) {
	if err := c.alone(ctx, []string{h.Custodian}, "type"); err != nil {
		return escrow.Share{}, err
	}
	number := c.number()
	for {
		var s escrow.Share
		var err error
		if h.Mode == plan.InFile {
			s, err = c.shareFile(ctx, fmt.Sprintf("%s Share %d", number, h.Share))
		} else {
			s, err = c.desk().Share(ctx, fmt.Sprintf("%s Share %d", number, h.Share), f.Shares.Scheme)
		}
		if err == nil {
			return s, nil
		}
		if err = entry.BrokenOff(err); leaves(ctx, err) || errors.Is(err, entry.ErrBrokenOff) {
			return escrow.Share{}, err
		}
		if _, text := errors.AsType[*escrow.ShareError](err); !text && h.Mode != plan.InFile {
			return escrow.Share{}, err
		}
		c.warn("%v; it was not taken", err)
	}
}

// shareFile reads a share from a file that is encrypted to its custodian.
func (c *Console) shareFile(ctx context.Context, which string) (escrow.Share, error) {
	name, err := c.Prompter.Line(ctx, which+", the file it is in (Enter alone to break off)")
	if err != nil {
		return escrow.Share{}, err
	}
	if name == "" {
		return escrow.Share{}, entry.ErrBrokenOff
	}
	identity, err := c.Prompter.Line(ctx, which+", the file with the key that opens it")
	if err != nil {
		return escrow.Share{}, err
	}
	encrypted, err := files.ReadLimited(name, nil, maxShareFile)
	if err != nil {
		return escrow.Share{}, err
	}
	text, err := c.Keys.Open(ctx, encrypted, identity)
	defer clear(text)
	if err != nil {
		return escrow.Share{}, fmt.Errorf("%s: %w", name, err)
	}
	return escrow.ParseShare(text)
}

// maxShareFile is the largest file with a share, in bytes: an age file has one
// kilobyte more than what it holds, with one recipient.
const maxShareFile = 64 << 10

// A CardError says that there is no escrow for the card of a share.
type CardError struct{ Share int }

func (e *CardError) Error() string {
	return fmt.Sprintf("share %d does not say which escrow it is of, as its card has to", e.Share)
}

// printShare leaves the card in a folder that is memory until it was printed. For
// a custodian who is absent, who keeps the bags does so, and sees no more of it
// than its back.
func (c *Console) printShare(ctx context.Context, h plan.Holder, s escrow.Share) error {
	if err := c.alone(ctx, append([]string{h.Custodian}, c.bagKeepers()...), "print"); err != nil {
		return err
	}
	if s.ID == nil {
		return &CardError{h.Share}
	}
	f, err := c.Escrow(*s.ID)
	if err != nil {
		return fmt.Errorf("finding the escrow for the card of share %d: %w", h.Share, err)
	}
	return card.For(f, s, c.By, func(page card.Card) error {
		page.Rehearsal = c.Plan.Rehearsal
		return c.printCard(ctx, h, page)
	})
}
