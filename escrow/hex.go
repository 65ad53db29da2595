// SPDX-License-Identifier: Apache-2.0

package escrow

import (
	"encoding/hex"
	"fmt"
)

// ID names an escrow, and the set of shares that opens it: 16 random bytes. The first 8 are the set of plain Shamir shares, the
// first 15 bits the identifier of SLIP-0039 shares, so that a share shows whether it can be of this escrow.
type ID [16]byte

// String returns 32 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText is String.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads 32 lower-case hexadecimal digits.
func (id *ID) UnmarshalText(text []byte) error { return decodeHex(id[:], text) }

// slip39 is the identifier of SLIP-0039 shares.
func (id ID) slip39() int { return int(id[0])<<7 | int(id[1])>>1 }

// Digest is a SHA-256 digest, in text 64 lower-case hexadecimal digits.
type Digest [32]byte

// String returns what sha256sum prints.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText is String.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads 64 lower-case hexadecimal digits.
func (d *Digest) UnmarshalText(text []byte) error { return decodeHex(d[:], text) }

func decodeHex(b, text []byte) error {
	decoded := make([]byte, hex.DecodedLen(len(text)))
	if n, err := hex.Decode(decoded, text); err != nil || n != len(b) || hex.EncodeToString(decoded) != string(text) {
		return fmt.Errorf("not %d lower-case hexadecimal digits", 2*len(b))
	}
	copy(b, decoded)
	return nil
}
