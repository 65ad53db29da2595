// SPDX-License-Identifier: Apache-2.0

package slip39

import (
	"errors"
	"fmt"
)

// ErrDigest says that shares that fit together give a secret that is not the one that was shared: one of them was made up or
// altered together with its checksum, or a passphrase is not the matter but a share is.
var ErrDigest = errors.New("the shares give another secret than the one that was shared")

// A WordError says that a word is not in the list. What was typed is not repeated, for it may be nearly a word.
type WordError struct {
	Position int // from 1
}

func (e *WordError) Error() string {
	return fmt.Sprintf("word %d is not in the word list", e.Position)
}

// A FIPSError says that a secret is so short that what the standard derives from it is too short for FIPS 140-3, which the
// process enforces (GODEBUG=fips140=only): keys below 112 bits, or salts below 128 bits.
type FIPSError struct {
	Bits int // of the secret
}

func (e *FIPSError) Error() string {
	return fmt.Sprintf("a secret of %d bits, where GODEBUG=fips140=only takes %d", e.Bits, fipsSecret*8)
}

// A LengthError says that a mnemonic has a number of words that no secret gives.
type LengthError struct {
	Words int
}

func (e *LengthError) Error() string {
	return fmt.Sprintf("%d words, where a share of 256 bits has %d", e.Words, Words256)
}

// A ChecksumError says that words are wrong or out of order. The standard advises against guessing which.
type ChecksumError struct{}

func (*ChecksumError) Error() string { return "the checksum is wrong: a word is wrong or out of place" }

// A ParameterError says that what a share says of itself, or what was asked of [Split], cannot be.
type ParameterError struct {
	Reason string
}

func (e *ParameterError) Error() string { return e.Reason }

// A MismatchError says that shares do not belong to one set.
type MismatchError struct {
	What string // what they differ in
}

func (e *MismatchError) Error() string {
	return "the shares are not of one set: they differ in " + e.What
}

// A DuplicateError says that two shares have the same place in the set.
type DuplicateError struct {
	Group, Index int // from 0, as in the standard
}

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("share %d of group %d came twice", e.Index+1, e.Group+1)
}

// A TooFewError says that shares, or groups of shares, are missing.
type TooFewError struct {
	Group      int // from 0; -1 if whole groups are missing
	Have, Need int
}

func (e *TooFewError) Error() string {
	if e.Group < 0 {
		return fmt.Sprintf("%d of the %d groups needed", e.Have, e.Need)
	}
	return fmt.Sprintf("%d of the %d shares needed", e.Have, e.Need)
}

// An InconsistentError says that more shares than needed do not agree on a secret.
type InconsistentError struct{}

func (*InconsistentError) Error() string {
	return "the shares do not agree on a secret: at least one is wrong"
}
