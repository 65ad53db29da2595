// SPDX-License-Identifier: Apache-2.0

// Package shamir is the textbook scheme (Shamir 1979; ISO/IEC 19592-2, section 5.2): the 32 bytes of a secret are the constant
// terms of 32 random polynomials over GF(2^8) with the polynomial of AES, and a share is where they are at one x from 1 up.
//
// Fewer than k shares say nothing about the secret: every coefficient is uniform, the highest included. By the same token the
// scheme itself cannot tell a wrong share from a right one. That is the business of the text form (a checksum against mistakes)
// and of commitments kept elsewhere (against forgery).
package shamir

import (
	"crypto/hmac"
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/keymat/keymat/escrow/internal/gf256"
	"github.com/keymat/keymat/escrow/internal/subset"
	"github.com/keymat/keymat/material"
)

// Limits of this package; the scheme would allow any length, and 255 shares.
const (
	SecretLength = 32 // bytes
	MaxShares    = 16
)

// SetID tells the shares of one secret from those of another.
type SetID [8]byte

// A Share is one person's part. Value is 32 bytes; with Index as a byte behind it, it is a share as the Shamir package of
// HashiCorp Vault and others combine it.
type Share struct {
	Set       SetID
	Index     int // the x of the polynomials, from 1
	Threshold int // how many shares it takes
	Count     int // how many there are
	Value     material.Secret
}

// A ParameterError says that what a share says of itself, or what was asked of [Split], cannot be.
type ParameterError struct {
	Reason string
}

func (e *ParameterError) Error() string { return e.Reason }

// A MismatchError says that shares do not belong to one set.
type MismatchError struct{}

func (*MismatchError) Error() string { return "the shares are not of one set" }

// A DuplicateError says that a share came twice.
type DuplicateError struct {
	Index int
}

func (e *DuplicateError) Error() string { return fmt.Sprintf("share %d came twice", e.Index) }

// A TooFewError says that shares are missing.
type TooFewError struct {
	Have, Need int
}

func (e *TooFewError) Error() string {
	return fmt.Sprintf("%d of the %d shares needed", e.Have, e.Need)
}

// An InconsistentError says that more shares than needed do not agree on a secret.
type InconsistentError struct{}

func (*InconsistentError) Error() string {
	return "the shares do not agree on a secret: at least one is wrong"
}

func checkNumbers(threshold, count int) error {
	if threshold < 2 || threshold > count || count > MaxShares {
		return &ParameterError{Reason: fmt.Sprintf("%d of %d shares: it takes 2 to %d, and no more than there are", threshold, count, MaxShares)}
	}
	return nil
}

// Split shares a secret of [SecretLength] bytes among count people of whom threshold bring it back; 2 ≤ threshold ≤ count ≤
// [MaxShares]. Before it returns, every subset of threshold shares, read back from their texts, has given the secret back. An
// error is a [*ParameterError], or comes from the arithmetic failing.
func Split(secret material.Secret, set SetID, threshold, count int) ([]Share, error) {
	if err := checkNumbers(threshold, count); err != nil {
		return nil, err
	}
	if secret.Len() != SecretLength {
		return nil, &ParameterError{Reason: fmt.Sprintf("a secret of %d bytes: it takes %d", secret.Len(), SecretLength)}
	}
	var shares []Share
	err := secret.Expose(func(plain []byte) error {
		coefficients := [][]byte{plain}
		for range threshold - 1 {
			random := make([]byte, SecretLength)
			rand.Read(random) // never fails
			coefficients = append(coefficients, random)
		}
		for x := 1; x <= count; x++ {
			value := material.NewSecret(gf256.Eval(coefficients, byte(x)))
			shares = append(shares, Share{Set: set, Index: x, Threshold: threshold, Count: count, Value: value})
		}
		for _, c := range coefficients[1:] {
			clear(c)
		}
		return checkSubsets(shares, plain)
	})
	if err != nil {
		return nil, err
	}
	return shares, nil
}

// checkSubsets combines every subset of threshold shares, read back from their texts.
func checkSubsets(shares []Share, want []byte) error {
	var read []Share
	for _, s := range shares {
		err := s.Text().Expose(func(text []byte) error {
			parsed, err := Parse(text)
			read = append(read, parsed)
			return err
		})
		if err != nil {
			return fmt.Errorf("reading share %d back: %w", s.Index, err)
		}
	}
	return withPoints(read, func(points []gf256.Point) error {
		for chosen := range subset.All(points, shares[0].Threshold) {
			if !hmac.Equal(gf256.Interpolate(chosen, 0), want) {
				return fmt.Errorf("trying the shares: %w", &InconsistentError{})
			}
		}
		return nil
	})
}

// Combine brings a secret back. The shares must be of one set, and none may come twice; more than needed are checked against the
// others. Exactly as many as needed cannot be checked: a wrong one among them gives a wrong secret. Errors: [*MismatchError],
// [*DuplicateError], [*TooFewError], [*InconsistentError].
func Combine(shares []Share) (material.Secret, error) {
	if len(shares) == 0 {
		return material.Secret{}, &TooFewError{Need: 1}
	}
	first := shares[0]
	for i, s := range shares {
		if s.Set != first.Set || s.Threshold != first.Threshold || s.Count != first.Count {
			return material.Secret{}, &MismatchError{}
		}
		if slices.ContainsFunc(shares[:i], func(other Share) bool { return other.Index == s.Index }) {
			return material.Secret{}, &DuplicateError{Index: s.Index}
		}
	}
	if len(shares) < first.Threshold {
		return material.Secret{}, &TooFewError{Have: len(shares), Need: first.Threshold}
	}
	var secret material.Secret
	err := withPoints(shares, func(points []gf256.Point) error {
		enough, rest := points[:first.Threshold], points[first.Threshold:]
		for _, p := range rest {
			if !hmac.Equal(gf256.Interpolate(enough, p.X), p.Y) {
				return &InconsistentError{}
			}
		}
		secret = material.NewSecret(gf256.Interpolate(enough, 0))
		return nil
	})
	return secret, err
}

// withPoints calls f with the points that shares are, and wipes them.
func withPoints(shares []Share, f func([]gf256.Point) error) error {
	points := make([]gf256.Point, len(shares))
	defer func() {
		for _, p := range points {
			clear(p.Y)
		}
	}()
	for i, s := range shares {
		s.Value.Expose(func(value []byte) error {
			points[i] = gf256.Point{X: byte(s.Index), Y: slices.Clone(value)}
			return nil
		})
	}
	return f(points)
}
