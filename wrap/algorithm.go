// SPDX-License-Identifier: Apache-2.0

package wrap

import (
	"crypto"
	_ "crypto/sha1"   // for crypto.SHA1
	_ "crypto/sha256" // for crypto.SHA256
	"fmt"
	"strings"
)

// An Algorithm is a wrapping algorithm, spelt as KMS spells WrappingAlgorithm. The zero value is no algorithm; where a
// function says so it stands for "left open".
type Algorithm string

// The wrapping algorithms KMS takes outside China Regions (KMS Developer Guide, "Importing key material step 2").
const (
	// OAEPSHA256 is RSAES-OAEP of RFC 8017 section 7.1, SHA-256 for both the label and MGF1, empty label.
	OAEPSHA256 Algorithm = "RSAES_OAEP_SHA_256"
	// OAEPSHA1 is the same with SHA-1 in both places.
	OAEPSHA1 Algorithm = "RSAES_OAEP_SHA_1"
	// RSAAESSHA256 encrypts a one-time AES-256 key as OAEPSHA256 does, and the material under that key with AES key
	// wrap with padding (RFC 5649); PKCS #11 calls it CKM_RSA_AES_KEY_WRAP.
	RSAAESSHA256 Algorithm = "RSA_AES_KEY_WRAP_SHA_256"
	// RSAAESSHA1 is the same with OAEPSHA1 for the AES key.
	RSAAESSHA1 Algorithm = "RSA_AES_KEY_WRAP_SHA_1"
)

// Algorithms returns the wrapping algorithms this package can carry out, strongest first.
func Algorithms() []Algorithm {
	return []Algorithm{OAEPSHA256, RSAAESSHA256, OAEPSHA1, RSAAESSHA1}
}

// ParseAlgorithm reads the name of a wrapping algorithm in any letter case. A name that KMS knows and this package does
// not carry out, or that nobody knows, is an [*UnsupportedError] with the reason.
func ParseAlgorithm(name string) (Algorithm, error) {
	a := Algorithm(strings.ToUpper(name))
	if a.hash() == 0 {
		return "", Algorithm(name).known()
	}
	return a, nil
}

// known returns an [*UnsupportedError] unless a is one of Algorithms, spelt as KMS does.
func (a Algorithm) known() error {
	if a.hash() != 0 {
		return nil
	}
	return &UnsupportedError{What: "wrapping algorithm", Name: string(a), Reason: whyNotAlgorithm(string(a))}
}

func whyNotAlgorithm(name string) string {
	switch strings.ToUpper(name) {
	case "RSAES_PKCS1_V1_5":
		return "KMS no longer accepts it since 2023-10-10"
	case "SM2PKE":
		return "KMS offers it in China Regions only"
	}
	return fmt.Sprintf("KMS takes %s, %s, %s and %s", OAEPSHA256, OAEPSHA1, RSAAESSHA256, RSAAESSHA1)
}

// String returns the name KMS uses.
func (a Algorithm) String() string { return string(a) }

// MarshalText returns the name KMS uses, so that an Algorithm serves as a flag and in JSON. An algorithm that is not one
// of Algorithms is an [*UnsupportedError].
func (a Algorithm) MarshalText() ([]byte, error) {
	if err := a.known(); err != nil {
		return nil, err
	}
	return []byte(a), nil
}

// UnmarshalText is ParseAlgorithm.
func (a *Algorithm) UnmarshalText(text []byte) error {
	parsed, err := ParseAlgorithm(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// Hybrid reports whether the material goes under a one-time AES key, and only that key under the RSA key.
func (a Algorithm) Hybrid() bool { return a == RSAAESSHA256 || a == RSAAESSHA1 }

// hash is the hash of both OAEP and MGF1, or 0 for an algorithm this package does not carry out.
func (a Algorithm) hash() crypto.Hash {
	switch a {
	case OAEPSHA256, RSAAESSHA256:
		return crypto.SHA256
	case OAEPSHA1, RSAAESSHA1:
		return crypto.SHA1
	}
	return 0
}

// An UnsupportedError is a wrapping algorithm or wrapping key spec that cannot be used, and why.
type UnsupportedError struct {
	What   string // "wrapping algorithm" or "wrapping key spec"
	Name   string // as the caller gave it
	Reason string
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s %q is not supported: %s", e.What, e.Name, e.Reason)
}
