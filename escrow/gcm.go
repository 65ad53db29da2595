// SPDX-License-Identifier: Apache-2.0

package escrow

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"

	"github.com/keymat/keymat/material"
)

// keyLength is that of the keys of escrows, in bytes.
const keyLength = 32

// gcm is AES-256-GCM with the nonce in front, under HKDF-SHA-256 of the key with no salt and the info "keymat/escrow/v1" and the
// 16 bytes of the ID. Nonces are random and keys used once: both are what GODEBUG=fips140=only asks for. The header is the
// additional data.
func (f *File) gcm(key material.Secret) (aead cipher.AEAD, err error) {
	err = key.Expose(func(key []byte) error {
		derived, err := hkdf.Key(sha256.New, key, nil, "keymat/escrow/v1"+string(f.ID[:]), keyLength)
		if err != nil {
			return err
		}
		defer clear(derived)
		block, err := aes.NewCipher(derived)
		if err != nil {
			return err
		}
		aead, err = cipher.NewGCMWithRandomNonce(block)
		return err
	})
	return aead, err
}
