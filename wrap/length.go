// SPDX-License-Identifier: Apache-2.0

package wrap

import (
	"fmt"

	"github.com/tink-crypto/tink-go/v2/kwp/subtle"
)

// MaxPlaintext is the longest material, in bytes, that algorithm takes under an RSA key of so many bits: for RSAES_OAEP
// the modulus less two hashes and 2 (RFC 8017 section 7.1.1), for RSA_AES_KEY_WRAP what makes MaxEncrypted bytes. It is
// 0 for an unknown algorithm and for a key too short to take anything.
func MaxPlaintext(bits int, algorithm Algorithm) int {
	modulus := (bits + 7) / 8
	h := algorithm.hash()
	if h == 0 {
		return 0
	}
	oaep := max(0, modulus-2*h.Size()-2)
	if !algorithm.Hybrid() {
		return oaep
	}
	if oaep < aesKeyLen {
		return 0
	}
	return max(0, (MaxEncrypted-modulus-kwpOverhead)/kwpBlock*kwpBlock)
}

// minPlaintext is 1 for RSAES_OAEP; key wrap in the library we use begins at an AES-128 key. KMS takes nothing below
// 28 bytes anyway.
func minPlaintext(algorithm Algorithm) int {
	if algorithm.Hybrid() {
		return subtle.MinWrapSize
	}
	return 1
}

func checkLength(bits int, algorithm Algorithm, length int) error {
	if shortest := minPlaintext(algorithm); length < shortest {
		return &TooShortError{Algorithm: algorithm, Length: length, Min: shortest}
	}
	if longest := MaxPlaintext(bits, algorithm); length > longest {
		return &TooLongError{Algorithm: algorithm, Bits: bits, Length: length, Max: longest}
	}
	return nil
}

// CheckEncrypted reports whether encrypted key material of this length in bytes can have come from p: exactly the
// modulus for RSAES_OAEP; the modulus and then whole blocks of 8 bytes, at least 3, for RSA_AES_KEY_WRAP; never more
// than MaxEncrypted. If not the error is an [*EncryptedLengthError]; an unknown half of p is an [*UnsupportedError].
func CheckEncrypted(p Pair, length int) error {
	if err := p.known(); err != nil {
		return err
	}
	modulus := p.KeySpec.Bits() / 8
	if !p.Algorithm.Hybrid() {
		if length != modulus {
			return &EncryptedLengthError{Pair: p, Length: length, Want: fmt.Sprintf("%d", modulus)}
		}
		return nil
	}
	shortest := modulus + subtle.MinWrapSize + kwpOverhead
	if length < shortest || length > MaxEncrypted || (length-modulus)%kwpBlock != 0 {
		return &EncryptedLengthError{Pair: p, Length: length,
			Want: fmt.Sprintf("%d to %d in steps of %d", shortest, MaxEncrypted, kwpBlock)}
	}
	return nil
}
