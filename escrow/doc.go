// SPDX-License-Identifier: Apache-2.0

// Package escrow keeps the copy of key material that brings a key back: AWS never gives imported material out again, so that
// this copy is the only one for as long as any ciphertext lives.
//
// An escrow [File] is JSON with a public header (what it is, for which key spec, the material's fingerprint, who can open it) and
// a ciphertext. There are five ways to close one, named by its [Profile]:
//
//	recipients    age, for public keys: native, post-quantum hybrid, ssh, plugins such as a YubiKey
//	passphrase    age, for one passphrase
//	quorum        age, for a fresh 256-bit key that people hold shares of
//	fips-quorum   AES-256-GCM, for such a key
//	fips-key      AES-256-GCM, for a key that the caller has
//
// Under GODEBUG=fips140=only the fips profiles are those that work, for age uses ChaCha20-Poly1305.
//
// All of them open without this program. For a quorum, any implementation of SLIP-0039 gives the key from the words; in
// hexadecimal it is the passphrase of the age file:
//
//	jq -r .ciphertext FILE | base64 -d | age -d | jq -r .material | base64 -d > MATERIAL
//
// The age profiles hide and protect the material, and whoever opens the file learns whether header and material belong together.
// They do not tell who made the file: anybody can encrypt to a public key.
//
// The package is pure: no files, no clock. Plugins and, for ssh keys with a passphrase, callbacks are run by age.
package escrow
