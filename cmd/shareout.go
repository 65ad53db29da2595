// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/card"
	"github.com/keymat/keymat/internal/cli"
	"github.com/keymat/keymat/internal/entry"
	"github.com/keymat/keymat/internal/files"
)

// The formats of cards, which are the ends of their names as well.
const (
	cardHTML = "html"
	cardPDF  = "pdf"
)

// quorum is who shall hold shares, and how they get them.
type quorum struct {
	of         string // "3/5"
	scheme     escrow.Scheme
	fips       bool
	dir        string
	cards      string // format of the cards
	custodians []string
	show       bool
}

func (q *quorum) register(c *cobra.Command) {
	q.scheme = escrow.SLIP39
	c.Flags().StringVar(&q.of, "quorum", "", "seal under a fresh key, of which `k/n` shares are made: 3/5 makes five, and any three open the escrow")
	c.Flags().TextVar(&q.scheme, "scheme", escrow.SLIP39, "`how` to share the key: slip39 (words) or shamir (the textbook scheme)")
	c.Flags().BoolVar(&q.fips, "fips", false, "with --quorum: seal with AES-256-GCM instead of age")
	c.Flags().StringVar(&q.dir, "shares-dir", "", "`folder` for the shares, made if need be: a card to print each, or with --custodian an age file each")
	c.Flags().StringVar(&q.cards, "card-format", cardHTML, "`what` the cards in --shares-dir are: html or pdf")
	complete(c, "card-format", []string{cardHTML, cardPDF})
	c.Flags().StringArrayVar(&q.custodians, "custodian", nil, "`recipient` of one share, from the first on; as often as there are shares")
	c.Flags().BoolVar(&q.show, "show-shares", false, "show the shares on the terminal, one at a time, instead")
	complete(c, "scheme", escrow.Schemes())
}

// plan reads "3/5".
func (q quorum) plan() (escrow.Plan, error) {
	p := escrow.Plan{Profile: escrow.Quorum, Scheme: q.scheme}
	if q.fips {
		p.Profile = escrow.FIPSQuorum
	}
	var ok bool
	if p.Threshold, p.Count, ok = escrow.ParseQuorum(q.of); !ok {
		return p, usagef("--quorum takes two numbers like 3/5: how many shares it takes, from %d, and how many there are, up to %d", escrow.MinThreshold, escrow.MaxShares)
	}
	return p, nil
}

// check finds what would stop the shares from being handed out.
func (q quorum) check() error {
	if q.of == "" {
		if q.dir != "" || q.show || q.fips || len(q.custodians) > 0 {
			return usagef("--shares-dir, --custodian, --show-shares and --fips go with --quorum")
		}
		return nil
	}
	p, err := q.plan()
	if err != nil {
		return err
	}
	if q.cards != cardHTML && q.cards != cardPDF {
		return usagef("--card-format takes html or pdf, not %q", q.cards)
	}
	if q.show == (q.dir != "") {
		return usagef("say where the shares go: --shares-dir FOLDER, or --show-shares")
	}
	if len(q.custodians) > 0 && (q.show || len(q.custodians) != p.Count) {
		return usagef("--custodian: %d were named for %d shares", len(q.custodians), p.Count)
	}
	if q.show {
		return nil
	}
	if _, err := os.Stat(q.dir); errors.Is(err, fs.ErrNotExist) {
		return files.Check(q.dir, files.KeepExisting) // it will be made
	}
	for i := range p.Count {
		if err := files.Check(q.file(i), files.KeepExisting); err != nil {
			return err
		}
	}
	return nil
}

// file is where a share goes, from 0.
func (q quorum) file(i int) string {
	kind := q.cards
	if len(q.custodians) > 0 {
		kind = "age"
	}
	return filepath.Join(q.dir, fmt.Sprintf("share-%d.%s", i+1, kind))
}

// handOut gives each share away in the way that was asked for. When one cannot
// be, those that were written are removed: the escrow they open will not exist.
func (a *app) handOut(ctx context.Context, f *escrow.File, shares []escrow.Share, q quorum) (written []string, err error) {
	if q.show {
		return nil, a.showShares(ctx, f, shares)
	}
	defer func() {
		if err != nil {
			removeAll(written)
			written = nil
		}
	}()
	to := make([]escrow.Recipient, len(q.custodians))
	for i, custodian := range q.custodians {
		if to[i], err = escrow.ParseRecipient(custodian, a.pluginUI(ctx)); err != nil {
			return written, fmt.Errorf("custodian %d: %w", i+1, err)
		}
	}
	if err := files.MakeFolder(q.dir); err != nil {
		return nil, err
	}
	for i, s := range shares {
		if err := a.writeShare(f, s, q, to, i); err != nil {
			return written, err
		}
		written = append(written, q.file(i))
	}
	if len(to) == 0 {
		a.warn("whoever reads %d of the cards in %s opens the escrow: print them, one for each custodian, and remove the files", f.Shares.Threshold, q.dir)
	}
	return written, nil
}

func removeAll(names []string) {
	for _, name := range names {
		os.Remove(name)
	}
}

// writeShare writes one share.
func (a *app) writeShare(f *escrow.File, s escrow.Share, q quorum, to []escrow.Recipient, i int) error {
	var data []byte
	var err error
	if len(to) > 0 {
		err = s.Line().Expose(func(line []byte) (err error) {
			data, err = escrow.EncryptTo(append(bytes.Clone(line), '\n'), to[i])
			return err
		})
	} else {
		data, err = cardOf(f, s, q.cards)
	}
	defer clear(data)
	if err != nil {
		return fmt.Errorf("share %d: %w", i+1, err)
	}
	return files.WriteSecret(q.file(i), data, files.KeepExisting)
}

func cardOf(f *escrow.File, s escrow.Share, format string) ([]byte, error) {
	var page bytes.Buffer
	err := card.For(f, s, "keymat "+cli.ThisVersion().Version, func(c card.Card) error {
		if format == cardPDF {
			return c.WritePDF(&page)
		}
		return c.Write(&page)
	})
	return page.Bytes(), err
}

// showShares shows the shares on the terminal, each to the person who is to
// copy it, once the room is said to be ready.
func (a *app) showShares(ctx context.Context, f *escrow.File, shares []escrow.Share) error {
	for _, s := range shares {
		ready := fmt.Sprintf("Share %d of %d comes next. Can nobody but its custodian see the screen", s.Index, f.Shares.Count)
		if err := a.confirm(ctx, ready); err != nil {
			return err
		}
		title := fmt.Sprintf("Share %d of %d of the escrow %s. Any %d open it.", s.Index, f.Shares.Count, f.ID, s.Threshold)
		text := entry.Layout(s)
		err := a.prompter().Show(ctx, title, text)
		clear(text)
		if err != nil {
			return err
		}
	}
	return nil
}
