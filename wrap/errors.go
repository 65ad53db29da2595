// SPDX-License-Identifier: Apache-2.0

package wrap

import "fmt"

// A TooLongError is material that does not fit the algorithm under a key of this length.
type TooLongError struct {
	Algorithm Algorithm
	Bits      int // of the RSA modulus
	Length    int // of the material, in bytes
	Max       int // bytes
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("material of %d bytes is too long for %s under a key of %d bits, which takes at most %d",
		e.Length, e.Algorithm, e.Bits, e.Max)
}

// A TooShortError is material with too few bytes to be wrapped, most often none at all.
type TooShortError struct {
	Algorithm Algorithm
	Length    int // of the material, in bytes
	Min       int // bytes
}

func (e *TooShortError) Error() string {
	return fmt.Sprintf("material of %d bytes is too short for %s, which takes at least %d", e.Length, e.Algorithm, e.Min)
}

// A FIPSError is an algorithm built on SHA-1 in a process that enforces FIPS 140-3 (GODEBUG=fips140=only), where Go
// refuses SHA-1.
type FIPSError struct {
	Algorithm Algorithm
}

func (e *FIPSError) Error() string {
	return fmt.Sprintf("%s uses SHA-1, which this process may not use because it enforces FIPS 140-3", e.Algorithm)
}

// An EncryptedLengthError is encrypted key material of a length that its algorithm and wrapping key cannot produce.
type EncryptedLengthError struct {
	Pair   Pair
	Length int    // bytes
	Want   string // bytes, in words
}

func (e *EncryptedLengthError) Error() string {
	return fmt.Sprintf("encrypted key material of %d bytes cannot come from %s, want %s", e.Length, e.Pair, e.Want)
}
