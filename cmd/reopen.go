// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/card"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/material"
)

// reopening is with what an escrow was opened again after it was written.
type reopening string

// What each of them shows besides the file being whole, down to the last byte.
const (
	byIdentity   reopening = "the identity given"      // one of the recipients opens it
	byFileKey    reopening = "the key of its file"     // its recipients' parts are what age made; nothing of their identities
	byPassphrase reopening = "the passphrase"          //
	byKey        reopening = "the key given"           //
	byCards      reopening = "the shares on the cards" // the words as the files have them
	byShares     reopening = "the shares as dealt"     // nothing of what custodians read or decrypt
)

// reopen reads the escrow back from its medium, opens it with the best that is
// at hand and compares what comes out.
func (a *app) reopen(ctx context.Context, m *material.Material, f *fresh, s sealing, staged *files.Staged) (reopening, error) {
	data, err := staged.ReadBack(escrow.MaxFile)
	if err != nil {
		return "", err
	}
	kept, err := parseEscrow(s.out, data)
	if err != nil {
		return "", err
	}
	opened, with, err := a.openAgain(ctx, kept, f, s)
	if err != nil {
		return with, err
	}
	defer opened.Destroy()
	if !opened.Secret().Equal(m.Secret()) {
		return with, errors.New("it holds other material")
	}
	return with, nil
}

// unopenedError says that an escrow did not open again, and got no name.
type unopenedError struct {
	name string
	err  error
}

func (e *unopenedError) Error() string {
	return fmt.Sprintf("what was to become %s did not open again, and was not kept: %v", e.name, e.err)
}

func (e *unopenedError) Unwrap() error { return e.err }

func (a *app) openAgain(ctx context.Context, kept *escrow.File, f *fresh, s sealing) (*material.Material, reopening, error) {
	switch kept.Profile {
	case escrow.Recipients:
		if len(s.identities) > 0 {
			m, err := a.unlock(ctx, s.out, kept, unlocking{identities: s.identities})
			return m, byIdentity, err
		}
		m, err := kept.OpenFileKey(f.secret)
		return m, byFileKey, err
	case escrow.Passphrase:
		defer a.busy("stretching the passphrase again")()
		m, err := kept.OpenPassphrase(f.secret)
		return m, byPassphrase, err
	case escrow.FIPSKey:
		m, err := kept.OpenKey(f.secret)
		return m, byKey, err
	}
	shares, with, err := sharesAgain(f, s.quorum)
	if err != nil {
		return nil, with, err
	}
	key, err := kept.Combine(shares)
	if err != nil {
		return nil, with, err
	}
	defer key.Destroy()
	m, err := kept.OpenKey(key)
	return m, with, err
}

// sharesAgain reads every share back from its card. Those that went to
// custodians or to the screen cannot be: their files were compared byte by byte
// when they were written.
func sharesAgain(f *fresh, q quorum) ([]escrow.Share, reopening, error) {
	if q.show || len(q.custodians) > 0 {
		return f.shares, byShares, nil
	}
	shares := make([]escrow.Share, len(f.shares))
	for i := range shares {
		page, err := files.ReadBack(q.file(i), maxIdentity)
		if err != nil {
			return nil, byCards, err
		}
		text := card.Text(page)
		clear(page)
		shares[i], err = escrow.ParseShare(text)
		clear(text)
		if err != nil {
			return nil, byCards, inFile(q.file(i), err)
		}
	}
	return shares, byCards, nil
}
