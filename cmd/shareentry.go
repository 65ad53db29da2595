// SPDX-License-Identifier: Apache-2.0

package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/internal/card"
	"github.com/keymat/keymat/internal/files"
	"github.com/keymat/keymat/internal/term"
	"github.com/keymat/keymat/material"
)

// combine gathers shares from files, asks for those that are missing, and gives
// the key and the indices of the shares. f is the escrow they open, and nil if
// that is not at hand.
func (a *app) combine(ctx context.Context, f *escrow.File, u unlocking) (material.Secret, []int, error) {
	shares, err := a.readShares(ctx, f, u)
	if err != nil {
		return material.Secret{}, nil, err
	}
	if shares, err = a.askShares(ctx, f, shares); err != nil {
		return material.Secret{}, nil, err
	}
	var key material.Secret
	if f != nil {
		key, err = f.Combine(shares)
	} else {
		key, err = escrow.Combine(shares)
	}
	return key, indicesOf(shares), err
}

func indicesOf(shares []escrow.Share) (indices []int) {
	for _, s := range shares {
		indices = append(indices, s.Index)
	}
	return indices
}

// readShares reads the files of shares, and says of a bad one in which file it
// is.
func (a *app) readShares(ctx context.Context, f *escrow.File, u unlocking) (all []escrow.Share, err error) {
	for _, name := range u.shares {
		data, err := files.ReadLimited(name, a.Stdin, maxIdentity)
		if err != nil {
			return nil, err
		}
		if isAgeFile(data) {
			if data, err = a.openShare(ctx, data, u); err != nil {
				return nil, inFile(name, err)
			}
		}
		if card.Is(data) {
			page := data
			data = card.Text(page)
			clear(page)
		}
		found, err := parseShares(data)
		clear(data)
		if err != nil {
			return nil, inFile(name, err)
		}
		for _, s := range found {
			if err := checkShare(f, s); err != nil {
				return nil, inFile(name, err)
			}
		}
		all = append(all, found...)
	}
	return all, nil
}

// openShare opens an age file with a share.
func (a *app) openShare(ctx context.Context, data []byte, u unlocking) ([]byte, error) {
	if len(u.identities) == 0 {
		return nil, &lockedShareError{}
	}
	identities, err := a.identities(ctx, u.identities)
	if err != nil {
		return nil, err
	}
	return openAge(data, identities...)
}

// lockedShareError says that a share is encrypted to its custodian.
type lockedShareError struct{}

func (*lockedShareError) Error() string { return "the share is encrypted to its custodian" }

// parseShares reads one share, over as many lines as it likes, or one on each
// line.
func parseShares(data []byte) (shares []escrow.Share, err error) {
	one, err := escrow.ParseShare(data)
	if err == nil {
		return []escrow.Share{one}, nil
	}
	number := 0
	for line := range bytes.Lines(bytes.TrimSpace(data)) {
		number++
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		s, lineErr := escrow.ParseShare(line)
		if lineErr != nil && len(shares) == 0 {
			return nil, err
		}
		if lineErr != nil {
			return nil, fmt.Errorf("line %d: %w", number, lineErr)
		}
		shares = append(shares, s)
	}
	if len(shares) == 0 {
		return nil, err
	}
	return shares, nil
}

func checkShare(f *escrow.File, s escrow.Share) error {
	if f == nil {
		return nil
	}
	return f.CheckShare(s)
}

// askShares adds to the shares at hand until there are as many as it takes. A
// bad one is named and asked for again.
func (a *app) askShares(ctx context.Context, f *escrow.File, shares []escrow.Share) ([]escrow.Share, error) {
	need, scheme := escrow.MinThreshold, escrow.SLIP39 // until a share says it
	switch {
	case f != nil:
		need, scheme = f.Shares.Threshold, f.Shares.Scheme
	case len(shares) > 0:
		need, scheme = shares[0].Threshold, shares[0].Scheme
	}
	for len(shares) < need {
		s, err := a.desk().Share(ctx, fmt.Sprintf("Share %d of %d", len(shares)+1, need), scheme)
		if err == nil {
			err = checkShare(f, s)
		}
		if err == nil {
			err = checkNew(shares, s)
		}
		if isShareError(err) {
			a.warn("%v; it was not taken", err)
			continue
		}
		if _, nobody := errors.AsType[*term.NoTerminalError](err); nobody {
			return nil, &needSharesError{have: len(shares), need: need, err: err}
		}
		if errors.Is(err, io.EOF) {
			return nil, &escrow.MissingSharesError{Have: indicesOf(shares), Need: need}
		}
		if err != nil {
			return nil, err
		}
		shares, need = append(shares, s), s.Threshold
		a.say("share %d is right as far as can be seen; %d of %d", s.Index, len(shares), need)
	}
	return shares, nil
}

// needSharesError says that there was nobody to ask for shares.
type needSharesError struct {
	have, need int
	err        error
}

func (e *needSharesError) Error() string {
	return fmt.Sprintf("%d of the %d shares needed: %v", e.have, e.need, e.err)
}

func (e *needSharesError) Unwrap() error { return e.err }

// checkNew refuses a share that is there already, or of another set.
func checkNew(shares []escrow.Share, s escrow.Share) error {
	_, err := escrow.Combine(append(shares[:len(shares):len(shares)], s))
	if _, few := errors.AsType[*escrow.MissingSharesError](err); few {
		return nil
	}
	return err
}

// isShareError reports whether the fault is a share's, so that another may do.
func isShareError(err error) bool {
	_, text := errors.AsType[*escrow.ShareError](err)
	_, foreign := errors.AsType[*escrow.ForeignShareError](err)
	_, altered := errors.AsType[*escrow.AlteredShareError](err)
	_, twice := errors.AsType[*escrow.DuplicateShareError](err)
	return text || foreign || altered || twice
}
