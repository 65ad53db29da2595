// SPDX-License-Identifier: Apache-2.0

// Package material makes, reads and recognises the key material that AWS KMS imports.
//
// KMS takes raw bytes for symmetric and HMAC keys and unencrypted PKCS #8 for key pairs (KMS guide, "Requirements for
// imported key material"). People have hex, base64, PEM, OpenSSH and JWK files instead, so [Parse] converts what it can and
// says exactly what it found when it cannot. [Generate] makes new material, [New] takes bytes that already are what KMS wants.
//
// The package is pure: no files, no clock, no network. Plaintext lives in a [Secret], which cannot be printed by accident.
// Errors describe what was found by lengths, positions and names, and never quote the bytes.
package material
