// SPDX-License-Identifier: Apache-2.0

package card

import (
	"fmt"
	"time"
)

// What a card says, whatever it is printed from.

func (c Card) title() string {
	if c.Rehearsal {
		return fmt.Sprintf("REHEARSAL: share %d of %d", c.Index, c.Count)
	}
	return fmt.Sprintf("Share %d of %d", c.Index, c.Count)
}

func (c Card) lead() string {
	return fmt.Sprintf("Any %d open the escrow. This page is secret.", c.Threshold)
}

func (c Card) warning() []string {
	return []string{
		fmt.Sprintf("This is one of %d shares of a key. Any %d of them together open an escrow; fewer are of no use.", c.Count, c.Threshold),
		"Keep it where nobody else sees it, and apart from the other shares. Do not photograph or scan it.",
	}
}

// details are names and values.
func (c Card) details() [][2]string {
	return [][2]string{
		{"Escrow", c.Escrow},
		{"It holds", c.KeySpec + " material"},
		{"Fingerprint", c.Fingerprint},
		{"Sealed", c.Created.UTC().Format(time.RFC3339)},
		{"Share", fmt.Sprintf("%d of %d, %s", c.Index, c.Count, c.Scheme)},
	}
}

const (
	wordsNote  = "The first four letters of a word tell it from all others."
	gapsNote   = "The gaps are there for the eye."
	withKeymat = "keymat escrow open FILE.escrow --out FILE.key"
)

func (c Card) needs() string {
	return fmt.Sprintf("It takes the escrow file, which is not secret and may be copied freely, and %d shares:", c.Threshold)
}

// A step towards the material, which may end in a command.
type step struct{ Text, Code string }

// withoutKeymat is how the material comes back with the tools of others.
func (c Card) withoutKeymat() []step {
	share := step{Text: fmt.Sprintf("Decode %d shares with Bech32m. Of the 44 bytes of each, byte 10 is x and the last 32 are y. "+
		"Interpolate at 0 over GF(256) modulo 0x11b, byte by byte (plain Shamir sharing). Write the 32 bytes as 64 hexadecimal digits in lower case.", c.Threshold)}
	if words(c.Text) != nil {
		share.Text = fmt.Sprintf("Give the words of %d cards to any program for SLIP-0039 (SLIP-39), with an empty passphrase. "+
			"It gives 32 bytes: write them as 64 hexadecimal digits in lower case.", c.Threshold)
	}
	if !c.FIPS {
		return []step{share, {
			"Type the digits when age (https://age-encryption.org, version 1.0 or later) asks for the passphrase:",
			"jq -r .ciphertext FILE.escrow | base64 -d | age -d | jq -r .material | base64 -d > FILE.key",
		}}
	}
	return []step{share, {
		`The digits are a key. From it derive another with HKDF-SHA-256, no salt, info "keymat/escrow/v1" and the 16 bytes of the escrow's ID. ` +
			`With that, AES-256-GCM decrypts the base64 of "ciphertext" in the escrow file: 12 bytes of nonce, the ciphertext, 16 bytes of tag. ` +
			`"material" of the result is the material, in base64. The additional data is what this prints:`,
		"jq -cj 'del(.ciphertext, .ciphertext_sha256)' FILE.escrow",
	}}
}

// custody is what is filled in with a pen.
var custody = []string{"Name", "Bag or safe", "Received on", "Signature"}
