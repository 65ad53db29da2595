// SPDX-License-Identifier: Apache-2.0

package card

import "github.com/keymat/keymat/escrow"

// For hands use the card of a share that opens an escrow; by is what makes it.
// The card is secret, and use must not keep it. Errors are those of use.
func For(f *escrow.File, s escrow.Share, by string, use func(Card) error) error {
	return s.Text().Expose(func(text []byte) error {
		return s.Line().Expose(func(line []byte) error {
			return use(Card{
				Escrow: f.ID.String(), KeySpec: string(f.KeySpec), Fingerprint: f.Fingerprint, Created: f.Created,
				Scheme: SchemeName(s.Scheme), FIPS: f.Profile == escrow.FIPSQuorum,
				Index: s.Index, Threshold: s.Threshold, Count: f.Shares.Count,
				Text: text, Line: line, By: by,
			})
		})
	})
}

// SchemeName is a scheme as people know it.
func SchemeName(s escrow.Scheme) string {
	if s == escrow.Shamir {
		return "plain Shamir sharing over GF(256), in Bech32m"
	}
	return "SLIP-0039 (words)"
}
