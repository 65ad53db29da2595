// SPDX-License-Identifier: Apache-2.0

package slip39

import (
	"crypto/hmac"
	"slices"

	"github.com/keymat/keymat/escrow/internal/gf256"
	"github.com/keymat/keymat/material"
)

// Combine brings a secret back. The shares must be of one set and name no place twice; more than needed are checked against the
// others. The passphrase is empty for shares that [Split] made; a wrong one gives another secret and no error, by the standard's
// intention. Errors: [*MismatchError], [*DuplicateError], [*TooFewError], [*InconsistentError], [ErrDigest],
// and [*FIPSError] for a secret below 256 bits where FIPS 140-3 is enforced.
func Combine(shares []Share, passphrase []byte) (material.Secret, error) {
	shared, err := recoverShared(shares)
	if err != nil {
		return material.Secret{}, err
	}
	defer clear(shared)
	s := shares[0]
	c := cipher{identifier: s.Identifier, extendable: s.Extendable, exponent: s.IterationExponent, passphrase: passphrase}
	secret, err := c.decrypt(shared)
	if err != nil {
		return material.Secret{}, err
	}
	return material.NewSecret(secret), nil
}

// recoverShared returns what was shared: the encrypted secret.
func recoverShared(shares []Share) ([]byte, error) {
	groups, err := sortOut(shares)
	if err != nil {
		return nil, err
	}
	if err := checkFIPS(shares[0].Value.Len()); err != nil {
		return nil, err
	}
	var points []gf256.Point
	defer func() { wipe(points) }()
	for _, group := range groups {
		p := gf256.Point{X: byte(group[0].GroupIndex)}
		err := withPoints(group, func(members []gf256.Point) (err error) {
			p.Y, err = solve(members, group[0].Threshold)
			return err
		})
		if err != nil {
			return nil, err
		}
		points = append(points, p)
	}
	return solve(points, shares[0].GroupThreshold)
}

// sortOut returns the groups of the shares, each with enough members, and enough groups. Members of a group that is not complete
// are only in the way if the groups that are do not suffice.
func sortOut(shares []Share) ([][]Share, error) {
	if len(shares) == 0 {
		return nil, &TooFewError{Need: 1}
	}
	if err := checkOneSet(shares); err != nil {
		return nil, err
	}
	byGroup := slices.SortedStableFunc(slices.Values(shares), func(a, b Share) int { return a.GroupIndex - b.GroupIndex })
	var complete [][]Share
	var lacking *TooFewError
	for group := range chunks(byGroup) {
		if len(group) < group[0].Threshold {
			lacking = &TooFewError{Group: group[0].GroupIndex, Have: len(group), Need: group[0].Threshold}
			continue
		}
		complete = append(complete, group)
	}
	if need := shares[0].GroupThreshold; len(complete) < need {
		if lacking != nil {
			return nil, lacking
		}
		return nil, &TooFewError{Group: -1, Have: len(complete), Need: need}
	}
	return complete, nil
}

// chunks yields the runs of shares of one group.
func chunks(byGroup []Share) func(func([]Share) bool) {
	return func(yield func([]Share) bool) {
		for len(byGroup) > 0 {
			end := slices.IndexFunc(byGroup, func(s Share) bool { return s.GroupIndex != byGroup[0].GroupIndex })
			if end < 0 {
				end = len(byGroup)
			}
			if !yield(byGroup[:end]) {
				return
			}
			byGroup = byGroup[end:]
		}
	}
}

// checkOneSet compares each share with the first, and with those of its group.
func checkOneSet(shares []Share) error {
	first := shares[0]
	for i, s := range shares {
		switch {
		case s.Identifier != first.Identifier || s.Extendable != first.Extendable:
			return &MismatchError{What: "their identifier"}
		case s.IterationExponent != first.IterationExponent:
			return &MismatchError{What: "their iteration exponent"}
		case s.GroupThreshold != first.GroupThreshold || s.GroupCount != first.GroupCount:
			return &MismatchError{What: "the groups they ask for"}
		case s.Value.Len() != first.Value.Len():
			return &MismatchError{What: "their length"}
		}
		for _, other := range shares[:i] {
			if other.GroupIndex != s.GroupIndex {
				continue
			}
			if other.Threshold != s.Threshold {
				return &MismatchError{What: "how many they ask for"}
			}
			if other.Index == s.Index {
				return &DuplicateError{Group: s.GroupIndex, Index: s.Index}
			}
		}
	}
	return nil
}

// withPoints calls f with the points that shares are, and wipes them.
func withPoints(shares []Share, f func([]gf256.Point) error) error {
	points := make([]gf256.Point, len(shares))
	defer wipe(points)
	for i, s := range shares {
		s.Value.Expose(func(value []byte) error {
			points[i] = gf256.Point{X: byte(s.Index), Y: slices.Clone(value)}
			return nil
		})
	}
	return f(points)
}

func wipe(points []gf256.Point) {
	for _, p := range points {
		clear(p.Y)
	}
}

// solve returns the secret that threshold of the points share, and holds the others against it. With a threshold of 1 every
// point is the secret.
func solve(points []gf256.Point, threshold int) ([]byte, error) {
	enough, rest := points[:threshold], points[threshold:]
	for _, p := range rest {
		if !hmac.Equal(gf256.Interpolate(enough, p.X), p.Y) {
			return nil, &InconsistentError{}
		}
	}
	if threshold == 1 {
		return slices.Clone(points[0].Y), nil
	}
	secret, ok := recoverSecret(enough)
	if !ok {
		return nil, ErrDigest
	}
	return secret, nil
}

// recoverSecret returns the secret behind exactly enough points, and whether its digest says so too.
func recoverSecret(points []gf256.Point) (secret []byte, ok bool) {
	secret = gf256.Interpolate(points, secretIndex)
	digest := gf256.Interpolate(points, digestIndex)
	return secret, hmac.Equal(digest, withDigest(digest[digestBytes:], secret))
}
