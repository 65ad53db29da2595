// SPDX-License-Identifier: Apache-2.0

package token

import (
	"crypto/sha256"
	"fmt"
	"io"
	"time"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// KindParameters is the "kind" of a file of import parameters.
const KindParameters = "keymat/params"

// Names of the members both files have, and what a digest's name adds to that of its blob.
const (
	fieldKeyARN          = "key_arn"
	fieldKeySpec         = "key_spec"
	fieldAlgorithm       = "wrapping_algorithm"
	fieldWrappingKeySpec = "wrapping_key_spec"
	fieldValidTo         = "valid_to"
	fieldPublicKey       = "public_key"
	fieldImportToken     = "import_token"
	fieldEncrypted       = "encrypted_key_material"
	digestSuffix         = "_sha256"
)

// Parameters are what GetParametersForImport answered, and what it was asked: all that a machine without network needs
// to wrap. None of it is secret. Public key and import token belong together and to one KMS key.
type Parameters struct {
	KeyARN          string
	KeySpec         material.Spec // of the KMS key
	Algorithm       wrap.Algorithm
	WrappingKeySpec wrap.KeySpec
	PublicKey       []byte    // DER SubjectPublicKeyInfo
	ImportToken     []byte    // opaque
	ValidTo         time.Time // the deadline, 24 hours after the fetch
}

// paramsFile is the file in the order of its members.
type paramsFile struct {
	Kind              string         `json:"kind"`
	Version           int            `json:"version"`
	KeyARN            string         `json:"key_arn"`
	KeySpec           material.Spec  `json:"key_spec"`
	Algorithm         wrap.Algorithm `json:"wrapping_algorithm"`
	WrappingKeySpec   wrap.KeySpec   `json:"wrapping_key_spec"`
	ValidTo           time.Time      `json:"valid_to"`
	PublicKey         []byte         `json:"public_key"`
	PublicKeySHA256   Digest         `json:"public_key_sha256"`
	ImportToken       []byte         `json:"import_token"`
	ImportTokenSHA256 Digest         `json:"import_token_sha256"`
}

// ReadParameters reads what Encode wrote. An error is a [*FileError], unless r itself fails.
func ReadParameters(r io.Reader) (*Parameters, error) {
	f, err := readFields(r, KindParameters, []string{fieldKeyARN, fieldKeySpec, fieldAlgorithm, fieldWrappingKeySpec,
		fieldValidTo, fieldPublicKey, fieldPublicKey + digestSuffix, fieldImportToken, fieldImportToken + digestSuffix})
	if err != nil {
		return nil, err
	}
	var p Parameters
	p.KeyARN = f.values[fieldKeyARN]
	f.word(fieldKeySpec, &p.KeySpec)
	f.word(fieldAlgorithm, &p.Algorithm)
	f.word(fieldWrappingKeySpec, &p.WrappingKeySpec)
	p.ValidTo = f.time(fieldValidTo)
	p.PublicKey = f.blob(fieldPublicKey)
	f.digest(fieldPublicKey+digestSuffix, p.PublicKey)
	p.ImportToken = f.blob(fieldImportToken)
	f.digest(fieldImportToken+digestSuffix, p.ImportToken)
	if f.err != nil {
		return nil, f.err
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return &p, nil
}

// Encode writes p as one JSON object in the format the package describes. It writes nothing unless p is valid.
func (p *Parameters) Encode(w io.Writer) error {
	if err := p.Validate(); err != nil {
		return err
	}
	return encode(w, KindParameters, paramsFile{
		Kind:              KindParameters,
		Version:           version,
		KeyARN:            p.KeyARN,
		KeySpec:           p.KeySpec,
		Algorithm:         p.Algorithm,
		WrappingKeySpec:   p.WrappingKeySpec,
		ValidTo:           p.ValidTo.UTC(),
		PublicKey:         p.PublicKey,
		PublicKeySHA256:   digestOf(p.PublicKey),
		ImportToken:       p.ImportToken,
		ImportTokenSHA256: digestOf(p.ImportToken),
	})
}

// Validate checks each value by itself and the public key against the wrapping key spec. Whether KMS takes such
// material this way is wrap.Check's business, and Wrap asks it. An error is a [*FileError].
func (p *Parameters) Validate() error {
	if err := checkCommon(KindParameters, p.KeyARN, p.KeySpec, p.pair(), p.ValidTo, p.ImportToken); err != nil {
		return err
	}
	if len(p.PublicKey) > MaxPublicKey {
		return fault(KindParameters, fieldPublicKey, fmt.Errorf("%d bytes, want at most %d", len(p.PublicKey), MaxPublicKey))
	}
	pub, err := wrap.ParsePublicKey(p.PublicKey)
	if err != nil {
		return fault(KindParameters, fieldPublicKey, err)
	}
	if bits := pub.N.BitLen(); bits != p.WrappingKeySpec.Bits() {
		return fault(KindParameters, fieldPublicKey, fmt.Errorf("an RSA key of %d bits, want %s", bits, p.WrappingKeySpec))
	}
	return nil
}

// CheckAt reports an [*ExpiredError] if the deadline has passed at now.
func (p *Parameters) CheckAt(now time.Time) error { return checkDeadline(p.KeyARN, p.ValidTo, now) }

func (p *Parameters) pair() wrap.Pair {
	return wrap.Pair{Algorithm: p.Algorithm, KeySpec: p.WrappingKeySpec}
}

// checkCommon checks what both files have.
func checkCommon(kind, keyARN string, spec material.Spec, pair wrap.Pair, validTo time.Time, importToken []byte) error {
	if err := checkKeyARN(keyARN); err != nil {
		return fault(kind, fieldKeyARN, err)
	}
	if _, err := spec.MarshalText(); err != nil {
		return fault(kind, fieldKeySpec, err)
	}
	if _, err := pair.Algorithm.MarshalText(); err != nil {
		return fault(kind, fieldAlgorithm, err)
	}
	if _, err := pair.KeySpec.MarshalText(); err != nil {
		return fault(kind, fieldWrappingKeySpec, err)
	}
	if year := validTo.UTC().Year(); validTo.IsZero() || year < 1 || year > 9999 {
		return fault(kind, fieldValidTo, fmt.Errorf("missing or beyond the year 9999"))
	}
	if n := len(importToken); n < 1 || n > MaxImportToken {
		return fault(kind, fieldImportToken, fmt.Errorf("%d bytes, want 1 to %d", n, MaxImportToken))
	}
	return nil
}

func digestOf(b []byte) Digest { return sha256.Sum256(b) }
