// SPDX-License-Identifier: Apache-2.0

package escrow

import "fmt"

// A FileError is a file that does not follow the format of an escrow. It says where and why.
type FileError struct {
	Field  string // "" for the file as a whole
	Reason string
}

func (e *FileError) Error() string {
	if e.Field == "" {
		return Kind + ": " + e.Reason
	}
	return Kind + ": " + e.Field + ": " + e.Reason
}

// A ProfileError says that an escrow opens in another way than was tried.
type ProfileError struct {
	Profile Profile // of the escrow
}

func (e *ProfileError) Error() string {
	return "the escrow opens with " + map[Profile]string{
		Recipients: "the identity of a recipient",
		Passphrase: "a passphrase",
		Quorum:     "shares, or the key they give",
		FIPSQuorum: "shares, or the key they give",
		FIPSKey:    "the key it was sealed under",
	}[e.Profile]
}

// A LockedError says that what was given does not open the escrow.
type LockedError struct {
	Profile Profile
	Err     error // what the decryption says
}

func (e *LockedError) Error() string {
	switch e.Profile {
	case Recipients:
		return "none of the identities opens the escrow: " + e.Err.Error()
	case Passphrase:
		return "the passphrase does not open the escrow"
	case Quorum:
		return "the key does not open the escrow"
	}
	return "the key does not open the escrow, or the header is not the one it was sealed with"
}

func (e *LockedError) Unwrap() error { return e.Err }

// A HeaderError says that an escrow opened, but holds something else than its header says: one of the two was exchanged.
type HeaderError struct {
	What string // what differs
}

func (e *HeaderError) Error() string {
	return "the header of the escrow is not the one that was sealed with the material: " + e.What
}

// A ForeignShareError says that a share is of another set than the one at hand.
type ForeignShareError struct {
	Index int // of the share, from 1
	What  string
}

func (e *ForeignShareError) Error() string {
	return fmt.Sprintf("share %d is of another set: it differs in %s", e.Index, e.What)
}

// An AlteredShareError says that a share claims to be of the set at hand, but is not the one that was dealt.
type AlteredShareError struct {
	Index int // from 1
}

func (e *AlteredShareError) Error() string {
	return fmt.Sprintf("share %d is not the one that was dealt: it does not match its commitment in the escrow", e.Index)
}

// A DuplicateShareError says that a share came twice.
type DuplicateShareError struct {
	Index int // from 1
}

func (e *DuplicateShareError) Error() string { return fmt.Sprintf("share %d came twice", e.Index) }

// A MissingSharesError says that there are too few shares.
type MissingSharesError struct {
	Have []int // the indices at hand, from 1
	Need int
}

func (e *MissingSharesError) Error() string {
	return fmt.Sprintf("%d of the %d shares needed", len(e.Have), e.Need)
}

// A ShareError says that a text is not a share. What was read is not repeated.
type ShareError struct {
	Reason string
	Err    error // what the scheme says, if it got that far
}

func (e *ShareError) Error() string {
	if e.Err != nil {
		return "not a share: " + e.Err.Error()
	}
	return "not a share: " + e.Reason
}

func (e *ShareError) Unwrap() error { return e.Err }

// A RecipientError says that a text names no recipient. It is not repeated, for it may be an identity.
type RecipientError struct {
	Reason string
	Err    error
}

func (e *RecipientError) Error() string { return e.Reason }

func (e *RecipientError) Unwrap() error { return e.Err }

// A FIPSError says that a profile needs age, in a process that enforces FIPS 140-3 (GODEBUG=fips140=only).
type FIPSError struct {
	Profile Profile
}

func (e *FIPSError) Error() string {
	return fmt.Sprintf("the profile %s uses ChaCha20-Poly1305 (age), which GODEBUG=fips140=only does not allow", e.Profile)
}
