// SPDX-License-Identifier: Apache-2.0

// Package token holds what passes between the machine that talks to AWS KMS and the one that holds the key: import
// parameters (wrapping key, import token, deadline), and the wrapped package that goes back. Both travel as small JSON
// files; readers are strict, so a file that was damaged, edited or put together from two fetches is refused.
//
// A file is one JSON object in UTF-8, at most MaxFile bytes, whose members are all required and all strings but "version":
//
//	kind, version                  "keymat/params" or "keymat/wrapped"; the number 1
//	key_arn, key_spec              the KMS key, never an alias; KeySpec as KMS spells it
//	wrapping_algorithm             WrappingAlgorithm as KMS spells it
//	wrapping_key_spec              WrappingKeySpec as KMS spells it
//	valid_to                       the deadline, RFC 3339 in UTC
//	public_key                     parameters only: DER SubjectPublicKeyInfo in standard base64
//	public_key_sha256              its digest, in lower-case hex
//	encrypted_key_material         wrapped package only: what ImportKeyMaterial takes, in standard base64
//	encrypted_key_material_sha256  its digest
//	import_token                   in standard base64
//	import_token_sha256            its digest
//
// The package is pure: it reads and writes what the caller opened, and is told the time.
package token

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Names of the raw files in AWS's own procedure (KMS Developer Guide, "Importing key material", steps 2 and 3): the
// DER SubjectPublicKeyInfo, the opaque token, and the bytes ImportKeyMaterial takes.
const (
	PublicKeyFile            = "WrappingPublicKey.bin"
	ImportTokenFile          = "ImportToken.bin"
	EncryptedKeyMaterialFile = "EncryptedKeyMaterial.bin"
)

// Limits in bytes. Those on blobs are the KMS API model's; a whole file is far below its own.
const (
	MaxFile        = 64 << 10
	MaxImportToken = 6144
	MaxPublicKey   = 4096
)

// A Digest is a SHA-256 of bytes that are not secret. As text it is lower-case hex, as sha256sum prints it.
type Digest [sha256.Size]byte

// String returns 64 lower-case hex digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText is String, so that a Digest serves in JSON.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText takes exactly what MarshalText gives.
func (d *Digest) UnmarshalText(text []byte) error {
	var parsed Digest
	if len(text) != hex.EncodedLen(len(parsed)) {
		return fmt.Errorf("a SHA-256 digest has %d hex digits, found %d characters", hex.EncodedLen(len(parsed)), len(text))
	}
	if _, err := hex.Decode(parsed[:], text); err != nil || parsed.String() != string(text) {
		return fmt.Errorf("a SHA-256 digest is written in lower-case hex")
	}
	*d = parsed
	return nil
}

// An ExpiredError is a set of import parameters past its deadline, 24 hours after it was fetched. KMS would answer
// ExpiredImportTokenException.
type ExpiredError struct {
	KeyARN  string
	ValidTo time.Time
	Now     time.Time
}

func (e *ExpiredError) Error() string {
	return fmt.Sprintf("import token for %s expired at %s, it is now %s", e.KeyARN,
		e.ValidTo.UTC().Format(time.RFC3339), e.Now.UTC().Format(time.RFC3339))
}

// checkDeadline takes the deadline itself as past: KMS needs a moment too.
func checkDeadline(keyARN string, validTo, now time.Time) error {
	if now.Before(validTo) {
		return nil
	}
	return &ExpiredError{KeyARN: keyARN, ValidTo: validTo, Now: now}
}
