// SPDX-License-Identifier: Apache-2.0

package slip39

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"github.com/keymat/keymat/escrow/internal/gf256"
	"github.com/keymat/keymat/escrow/internal/subset"
	"github.com/keymat/keymat/material"
)

// Where the secret and the digest sit on the polynomial (SLIP-0039, "Sharing a secret").
const (
	secretIndex = 255
	digestIndex = 254
	digestBytes = 4
)

// Split shares a secret of 16 bytes or more, an even number, among count people of whom threshold bring it back: one group,
// extendable, iteration exponent 0, no passphrase. The identifier has 15 bits, and should be random: it tells sets apart.
// 2 ≤ threshold ≤ count ≤ [MaxShares]. Before it returns, every subset of threshold shares has given the secret back.
// An error is a [*ParameterError], a [*FIPSError] where FIPS 140-3 is enforced and the secret is below 256 bits, or comes from the arithmetic failing.
func Split(secret material.Secret, identifier, threshold, count int) ([]Share, error) {
	switch {
	case secret.Len() < minSecret || secret.Len()%2 != 0:
		return nil, &ParameterError{Reason: fmt.Sprintf("a secret of %d bytes: it takes an even number from %d", secret.Len(), minSecret)}
	case identifier < 0 || identifier > maxIdentifier:
		return nil, &ParameterError{Reason: fmt.Sprintf("an identifier of more than 15 bits: %d", identifier)}
	case threshold < 2 || threshold > count || count > MaxShares:
		return nil, &ParameterError{Reason: fmt.Sprintf("%d of %d shares: it takes 2 to %d, and no more than there are", threshold, count, MaxShares)}
	}
	if err := checkFIPS(secret.Len()); err != nil {
		return nil, err
	}
	var shares []Share
	err := secret.Expose(func(plain []byte) error {
		shared, err := cipher{identifier: identifier, extendable: true}.encrypt(plain)
		if err != nil {
			return err
		}
		defer clear(shared)
		for i, value := range deal(shared, threshold, count) {
			shares = append(shares, Share{
				Identifier: identifier, Extendable: true, GroupThreshold: 1, GroupCount: 1,
				Index: i, Threshold: threshold, Value: material.NewSecret(value),
			})
		}
		return checkSubsets(shares, shared)
	})
	if err != nil {
		return nil, err
	}
	return shares, nil
}

// deal returns the values of the shares. threshold-2 of them are random, and so is most of the one that holds the digest.
func deal(shared []byte, threshold, count int) (values [][]byte) {
	var points []gf256.Point
	for i := range threshold - 2 {
		points = append(points, gf256.Point{X: byte(i), Y: random(len(shared))})
	}
	for _, p := range points {
		values = append(values, append([]byte(nil), p.Y...))
	}
	points = append(points,
		gf256.Point{X: digestIndex, Y: withDigest(random(len(shared)-digestBytes), shared)},
		gf256.Point{X: secretIndex, Y: shared})
	for i := threshold - 2; i < count; i++ {
		values = append(values, gf256.Interpolate(points, byte(i)))
	}
	return values
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// withDigest puts the digest of the shared secret, keyed with the random part, before that part.
func withDigest(randomPart, shared []byte) []byte {
	mac := hmac.New(sha256.New, randomPart)
	mac.Write(shared)
	return append(mac.Sum(nil)[:digestBytes], randomPart...)
}

// checkSubsets combines every subset of threshold shares, read back from their words.
func checkSubsets(shares []Share, want []byte) error {
	var read []Share
	for _, s := range shares {
		err := s.Mnemonic().Expose(func(words []byte) error {
			parsed, err := Parse(words)
			read = append(read, parsed)
			return err
		})
		if err != nil {
			return fmt.Errorf("reading share %d back: %w", s.Index+1, err)
		}
	}
	return withPoints(read, func(points []gf256.Point) error {
		for chosen := range subset.All(points, shares[0].Threshold) {
			if got, ok := recoverSecret(chosen); !ok || !hmac.Equal(got, want) {
				return fmt.Errorf("trying the shares: %w", ErrDigest)
			}
		}
		return nil
	})
}
