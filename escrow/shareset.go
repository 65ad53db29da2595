// SPDX-License-Identifier: Apache-2.0

package escrow

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/keymat/keymat/escrow/shamir"
	"github.com/keymat/keymat/escrow/slip39"
	"github.com/keymat/keymat/material"
)

// Limits of both schemes.
const (
	MinThreshold = 2
	MaxShares    = 16
)

// ParseQuorum reads k/n, such as "3/5": k of n shares open an escrow. ok is false for anything else, and beyond the limits.
func ParseQuorum(text string) (threshold, count int, ok bool) {
	k, n, found := strings.Cut(text, "/")
	threshold, errK := strconv.Atoi(k)
	count, errN := strconv.Atoi(n)
	return threshold, count, found && errK == nil && errN == nil && threshold >= MinThreshold && threshold <= count && count <= MaxShares
}

// A ShareSet is what an escrow says in public of the shares that open it.
type ShareSet struct {
	Scheme    Scheme `json:"scheme"`
	Threshold int    `json:"threshold"` // how many it takes
	Count     int    `json:"count"`     // how many were dealt

	// Commitments are, share by share from the first, the SHA-256 digest of "keymat/share/v1", the 16 bytes of the ID, the index as
	// a byte and the value of the share. With them a wrong share is named before it is combined with others. A value is 256 random
	// bits and the ID is fresh, so that a commitment gives away nothing that could be searched for; in theory, though, it makes the
	// secrecy of plain Shamir shares a matter of computing, as the ciphertext beside it does anyway.
	Commitments []Digest `json:"commitments"`
}

func (s *ShareSet) validate() error {
	wrong := func(field, format string, args ...any) error {
		return &FileError{Field: "shares." + field, Reason: fmt.Sprintf(format, args...)}
	}
	if !slices.Contains(Schemes(), s.Scheme) {
		return wrong("scheme", "none of the schemes %v", Schemes())
	}
	if s.Threshold < MinThreshold || s.Threshold > s.Count || s.Count > MaxShares {
		return wrong("threshold", "%d of %d shares: it takes %d to %d, and no more than there are", s.Threshold, s.Count, MinThreshold, MaxShares)
	}
	if len(s.Commitments) != s.Count {
		return wrong("commitments", "%d for %d shares", len(s.Commitments), s.Count)
	}
	return nil
}

// split shares a key among the people of the set, and notes the commitments.
func (s *ShareSet) split(key material.Secret, id ID) (shares []Share, err error) {
	switch s.Scheme {
	case SLIP39:
		dealt, err := slip39.Split(key, id.slip39(), s.Threshold, s.Count)
		if err != nil {
			return nil, err
		}
		for _, d := range dealt {
			shares = append(shares, wordShare(d))
		}
	case Shamir:
		dealt, err := shamir.Split(key, shamir.SetID(id[:8]), s.Threshold, s.Count)
		if err != nil {
			return nil, err
		}
		for _, d := range dealt {
			shares = append(shares, textShare(d))
		}
	default:
		return nil, fmt.Errorf("none of the schemes %v", Schemes())
	}
	for i := range shares {
		shares[i].ID, shares[i].Count = &id, s.Count
		s.Commitments = append(s.Commitments, shares[i].commitment(id))
	}
	return shares, nil
}

func (s Share) commitment(id ID) (d Digest) {
	h := sha256.New()
	h.Write([]byte("keymat/share/v1"))
	h.Write(id[:])
	h.Write([]byte{byte(s.Index)})
	s.value.Expose(func(value []byte) error { h.Write(value); return nil })
	h.Sum(d[:0])
	return d
}

// CheckShare compares a share with what the escrow says of it: whether it is of this set, and the very one that was dealt. Errors:
// [*ForeignShareError], [*AlteredShareError], and a [*ProfileError] if the escrow has no shares.
func (f *File) CheckShare(s Share) error {
	if f.Shares == nil {
		return &ProfileError{Profile: f.Profile}
	}
	foreign := func(what string) error { return &ForeignShareError{Index: s.Index, What: what} }
	switch {
	case s.Scheme != f.Shares.Scheme:
		return foreign("its scheme, " + string(s.Scheme))
	case s.ID != nil && *s.ID != f.ID:
		return foreign("its ID, " + s.ID.String())
	case s.set() != f.set():
		return foreign("the identifier of its set")
	case s.Threshold != f.Shares.Threshold:
		return foreign(fmt.Sprintf("how many it takes, %d", s.Threshold))
	case s.Count != 0 && s.Count != f.Shares.Count:
		return foreign(fmt.Sprintf("how many there are, %d", s.Count))
	case s.Index < 1 || s.Index > f.Shares.Count:
		return foreign(fmt.Sprintf("its index, which is none from 1 to %d", f.Shares.Count))
	case s.commitment(f.ID) != f.Shares.Commitments[s.Index-1]:
		return &AlteredShareError{Index: s.Index}
	}
	return nil
}

// set is what the shares themselves say of their set.
func (f *File) set() string {
	if f.Shares.Scheme == SLIP39 {
		return fmt.Sprint(f.ID.slip39())
	}
	return fmt.Sprintf("%x", f.ID[:8])
}

// Combine checks every share with [File.CheckShare] and then gives the key of the escrow, 32 bytes. Other errors:
// [*DuplicateShareError], [*MissingSharesError].
func (f *File) Combine(shares []Share) (material.Secret, error) {
	for _, s := range shares {
		if err := f.CheckShare(s); err != nil {
			return material.Secret{}, err
		}
	}
	return Combine(shares)
}

// Combine gives the key that shares of one set share, 32 bytes, without an escrow to compare them with: wrong shares are found by
// their checksums, by SLIP-0039's digest, or only by the key not opening anything. Errors: [*ForeignShareError],
// [*DuplicateShareError], [*MissingSharesError], and those of the scheme.
func Combine(shares []Share) (key material.Secret, err error) {
	material.Erasing(func() { key, err = combine(shares) })
	return key, err
}

func combine(shares []Share) (material.Secret, error) {
	var have []int
	for _, s := range shares {
		if s.Scheme != shares[0].Scheme || s.set() != shares[0].set() {
			return material.Secret{}, &ForeignShareError{Index: s.Index, What: "the identifier of its set"}
		}
		if slices.Contains(have, s.Index) {
			return material.Secret{}, &DuplicateShareError{Index: s.Index}
		}
		have = append(have, s.Index)
	}
	if len(shares) == 0 {
		return material.Secret{}, &MissingSharesError{Need: MinThreshold}
	}
	if len(shares) < shares[0].Threshold {
		return material.Secret{}, &MissingSharesError{Have: have, Need: shares[0].Threshold}
	}
	if shares[0].Scheme == Shamir {
		dealt := make([]shamir.Share, len(shares))
		for i, s := range shares {
			dealt[i] = s.text
		}
		return shamir.Combine(dealt)
	}
	dealt := make([]slip39.Share, len(shares))
	for i, s := range shares {
		dealt[i] = s.words
	}
	return slip39.Combine(dealt, nil)
}
