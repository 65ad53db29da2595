// SPDX-License-Identifier: Apache-2.0

package slip39

import (
	"crypto/fips140"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
)

// The four-round Feistel network that turns a master secret into what is shared (SLIP-0039, "Encryption of the master secret").
const (
	rounds         = 4
	baseIterations = 10000 // for all rounds together
)

// fipsSecret is in bytes: half of it is the salt of a round.
const fipsSecret = 32

// checkFIPS refuses secrets of which parts would be refused, or be a panic, later.
func checkFIPS(secret int) error {
	if fips140.Enforced() && secret < fipsSecret {
		return &FIPSError{Bits: secret * 8}
	}
	return nil
}

// cipher are its parameters.
type cipher struct {
	identifier int
	extendable bool
	exponent   int
	passphrase []byte
}

func (c cipher) encrypt(secret []byte) ([]byte, error) { return c.run(secret, []byte{0, 1, 2, 3}) }
func (c cipher) decrypt(secret []byte) ([]byte, error) { return c.run(secret, []byte{3, 2, 1, 0}) }

// run leaves secret as it is. The halves change places after each round but the last, so decrypting is the same with the rounds
// in reverse.
func (c cipher) run(secret []byte, order []byte) ([]byte, error) {
	half := len(secret) / 2
	left, right := append([]byte(nil), secret[:half]...), append([]byte(nil), secret[half:]...)
	for _, round := range order {
		f, err := c.round(round, right)
		if err != nil {
			return nil, err
		}
		subtle.XORBytes(f, f, left)
		left, right = right, f
	}
	return append(right, left...), nil
}

// round is PBKDF2 with HMAC-SHA-256. Go's string argument is a copy of the passphrase that nobody clears.
func (c cipher) round(number byte, right []byte) ([]byte, error) {
	var salt []byte
	if !c.extendable {
		salt = append([]byte(customOriginal), byte(c.identifier>>8), byte(c.identifier))
	}
	password := string(append([]byte{number}, c.passphrase...))
	f, err := pbkdf2.Key(sha256.New, password, append(salt, right...), baseIterations<<c.exponent/rounds, len(right))
	if err != nil {
		return nil, fmt.Errorf("deriving a round key: %w", err)
	}
	return f, nil
}
