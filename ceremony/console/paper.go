// SPDX-License-Identifier: Apache-2.0

package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/keymat/keymat/ceremony/plan"
	"github.com/keymat/keymat/internal/card"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/term"
)

// The formats of a card.
var cardFormats = []struct {
	ending, label string
	write         func(card.Card, *bytes.Buffer) error
}{
	{"pdf", "PDF", func(page card.Card, b *bytes.Buffer) error { return page.WritePDF(b) }},
	{"html", "HTML, for a browser", func(page card.Card, b *bytes.Buffer) error { return page.Write(b) }},
}

// printCard writes a card, waits until it was printed, and removes it. Printing
// itself is left to the system's own program: what prints is part of how the
// machine was prepared, and of what its people checked.
func (c *Console) printCard(ctx context.Context, h plan.Holder, page card.Card) error {
	c.paragraph("The card of the share is written to a folder for as long as it takes to print it, on a printer that is attached to this " +
		"machine, has no network and keeps no copy. The folder has to be one in memory (tmpfs).")
	options := make([]term.Option, len(cardFormats))
	for i, f := range cardFormats {
		options[i] = term.Option{Key: fmt.Sprint(i + 1), Label: f.label}
	}
	format, err := c.Prompter.Choose(ctx, c.to([]string{h.Custodian}, "what do you print from?"), options)
	if err != nil {
		return err
	}
	folder, err := c.memory(ctx, h)
	if err != nil {
		return err
	}
	name := filepath.Join(folder, fmt.Sprintf("share-%d.%s", h.Share, cardFormats[format].ending))
	if err := writeCard(name, page, cardFormats[format].write); err != nil {
		return err
	}
	_, err = c.Prompter.Line(ctx, c.to([]string{h.Custodian}, "print %s, and look whether every word can be read.\n%sEnter removes the file", name, indent))
	if gone := os.Remove(name); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
		return errors.Join(err, fmt.Errorf("removing the card of share %d: %w", h.Share, gone))
	}
	c.line(name + " is removed. Empty the printer's memory, too: switch it off.")
	return err
}

func writeCard(name string, page card.Card, write func(card.Card, *bytes.Buffer) error) error {
	var b bytes.Buffer
	err := write(page, &b)
	defer clear(b.Bytes())
	if err != nil {
		return err
	}
	return files.WriteSecret(name, b.Bytes(), files.KeepExisting)
}

// memory asks for a folder that no disk is behind, as far as the system tells.
func (c *Console) memory(ctx context.Context, h plan.Holder) (string, error) {
	prompt := c.to([]string{h.Custodian}, "a folder in memory, such as /dev/shm")
	for {
		folder, err := c.folder(ctx, prompt)
		if err != nil {
			return "", err
		}
		yes, known := inMemory(folder)
		if yes {
			return folder, nil
		}
		if known {
			c.warn("%s is on a disk, which may keep the card for ever", folder)
			continue
		}
		sure, err := c.Prompter.Confirm(ctx, fmt.Sprintf("This system does not tell whether %s is on a disk, which may keep the card for ever.\nIs it in memory", folder))
		if err != nil {
			return "", err
		}
		if sure {
			return folder, nil
		}
	}
}
