// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// Labels keep the values derived from one secret apart.
const (
	labelMaterialID = "keymat mock kms: key material id"
	labelCiphertext = "keymat mock kms: symmetric ciphertext"
	labelToken      = "keymat mock kms: import token"
	labelTokenName  = "keymat mock kms: import token secret name"
	labelRotation   = "keymat mock kms: rotated material"
)

// derive computes HMAC-SHA-256 under the secret over label, a zero byte and data.
func derive(secret *[32]byte, label string, data []byte) (out [32]byte) {
	h := hmac.New(sha256.New, secret[:])
	h.Write([]byte(label))
	h.Write([]byte{0})
	h.Write(data)
	h.Sum(out[:0])
	return out
}

// MaterialID computes the KeyMaterialId of material within one KMS key: 64
// lower-case hex digits. The secret belongs to that key and is shared by the
// copies of a multi-Region key. As with KMS (recorded) the ID is the same for the
// same material in one key and its copies, differs between keys, and cannot be
// computed from the material alone. Canonical is that of [Key.Canonical].
func MaterialID(secret [32]byte, canonical []byte) string {
	id := derive(&secret, labelMaterialID, canonical)
	return hex.EncodeToString(id[:])
}

// RotatedMaterial makes the symmetric material that follows the first n of a KMS
// key of origin AWS_KMS: 32 bytes, which are their own canonical form. It is
// derived, not random, so that a rotation which ends by itself has the same
// outcome wherever and whenever that is noticed.
func RotatedMaterial(secret [32]byte, n int) []byte {
	b := derive(&secret, labelRotation, binary.BigEndian.AppendUint64(nil, uint64(n)))
	return b[:]
}
