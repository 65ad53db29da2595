// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// KindWrapped is the "kind" of a file that holds a wrapped package.
const KindWrapped = "keymat/wrapped"

// Wrapped is what ImportKeyMaterial needs: key material that only KMS can unwrap, and the import token it goes with.
// It carries its own token, so the two cannot come from different fetches. Nothing in it is secret to anyone but the
// holder of KMS's private key.
type Wrapped struct {
	KeyARN               string
	KeySpec              material.Spec // of the KMS key and of the material
	Algorithm            wrap.Algorithm
	WrappingKeySpec      wrap.KeySpec
	PublicKeySHA256      Digest // of the wrapping public key as DER SubjectPublicKeyInfo
	EncryptedKeyMaterial []byte
	ImportToken          []byte    // opaque
	ValidTo              time.Time // the deadline of the import token
}

// wrappedFile is the file in the order of its members.
type wrappedFile struct {
	Kind              string         `json:"kind"`
	Version           int            `json:"version"`
	KeyARN            string         `json:"key_arn"`
	KeySpec           material.Spec  `json:"key_spec"`
	Algorithm         wrap.Algorithm `json:"wrapping_algorithm"`
	WrappingKeySpec   wrap.KeySpec   `json:"wrapping_key_spec"`
	ValidTo           time.Time      `json:"valid_to"`
	PublicKeySHA256   Digest         `json:"public_key_sha256"`
	Encrypted         []byte         `json:"encrypted_key_material"`
	EncryptedSHA256   Digest         `json:"encrypted_key_material_sha256"`
	ImportToken       []byte         `json:"import_token"`
	ImportTokenSHA256 Digest         `json:"import_token_sha256"`
}

// Wrap wraps m for the KMS key that p belongs to. It does not know the time: CheckAt does. Errors: [*FileError] if p is
// not valid, [*SpecError] if m is of another spec than the KMS key, and those of wrap.Check and wrap.Wrap.
func Wrap(p *Parameters, m *material.Material) (*Wrapped, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if m.Spec() != p.KeySpec {
		return nil, &SpecError{KeyARN: p.KeyARN, Want: p.KeySpec, Got: m.Spec()}
	}
	if err := wrap.Check(p.KeySpec, p.pair()); err != nil {
		return nil, err
	}
	pub, err := wrap.ParsePublicKey(p.PublicKey)
	if err != nil {
		return nil, err
	}
	encrypted, err := wrap.Wrap(pub, p.Algorithm, m.Secret())
	if err != nil {
		return nil, err
	}
	return Attach(p, encrypted)
}

// Attach makes a wrapped package of key material that another program wrapped with p, such as OpenSSL or an HSM. It
// can see only whether the length is right. An error is a [*FileError].
func Attach(p *Parameters, encryptedKeyMaterial []byte) (*Wrapped, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	w := &Wrapped{
		KeyARN:               p.KeyARN,
		KeySpec:              p.KeySpec,
		Algorithm:            p.Algorithm,
		WrappingKeySpec:      p.WrappingKeySpec,
		PublicKeySHA256:      digestOf(p.PublicKey),
		EncryptedKeyMaterial: bytes.Clone(encryptedKeyMaterial),
		ImportToken:          bytes.Clone(p.ImportToken),
		ValidTo:              p.ValidTo,
	}
	if err := w.Validate(); err != nil {
		return nil, err
	}
	return w, nil
}

// ReadWrapped reads what Encode wrote. An error is a [*FileError], unless r itself fails.
func ReadWrapped(r io.Reader) (*Wrapped, error) {
	f, err := readFields(r, KindWrapped, []string{fieldKeyARN, fieldKeySpec, fieldAlgorithm, fieldWrappingKeySpec,
		fieldValidTo, fieldPublicKey + digestSuffix, fieldEncrypted, fieldEncrypted + digestSuffix,
		fieldImportToken, fieldImportToken + digestSuffix})
	if err != nil {
		return nil, err
	}
	var w Wrapped
	w.KeyARN = f.values[fieldKeyARN]
	f.word(fieldKeySpec, &w.KeySpec)
	f.word(fieldAlgorithm, &w.Algorithm)
	f.word(fieldWrappingKeySpec, &w.WrappingKeySpec)
	w.ValidTo = f.time(fieldValidTo)
	f.word(fieldPublicKey+digestSuffix, &w.PublicKeySHA256)
	w.EncryptedKeyMaterial = f.blob(fieldEncrypted)
	f.digest(fieldEncrypted+digestSuffix, w.EncryptedKeyMaterial)
	w.ImportToken = f.blob(fieldImportToken)
	f.digest(fieldImportToken+digestSuffix, w.ImportToken)
	if f.err != nil {
		return nil, f.err
	}
	if err := w.Validate(); err != nil {
		return nil, err
	}
	return &w, nil
}

// Encode writes w as one JSON object in the format the package describes. It writes nothing unless w is valid.
func (w *Wrapped) Encode(out io.Writer) error {
	if err := w.Validate(); err != nil {
		return err
	}
	return encode(out, KindWrapped, wrappedFile{
		Kind:              KindWrapped,
		Version:           version,
		KeyARN:            w.KeyARN,
		KeySpec:           w.KeySpec,
		Algorithm:         w.Algorithm,
		WrappingKeySpec:   w.WrappingKeySpec,
		ValidTo:           w.ValidTo.UTC(),
		PublicKeySHA256:   w.PublicKeySHA256,
		Encrypted:         w.EncryptedKeyMaterial,
		EncryptedSHA256:   w.EncryptedKeyMaterialSHA256(),
		ImportToken:       w.ImportToken,
		ImportTokenSHA256: w.ImportTokenSHA256(),
	})
}

// Validate checks each value by itself and the length of the encrypted material against the algorithm. An error is a
// [*FileError].
func (w *Wrapped) Validate() error {
	pair := wrap.Pair{Algorithm: w.Algorithm, KeySpec: w.WrappingKeySpec}
	if err := checkCommon(KindWrapped, w.KeyARN, w.KeySpec, pair, w.ValidTo, w.ImportToken); err != nil {
		return err
	}
	if w.PublicKeySHA256 == (Digest{}) {
		return &FileError{Kind: KindWrapped, Field: fieldPublicKey + digestSuffix, Reason: "missing"}
	}
	if err := wrap.CheckEncrypted(pair, len(w.EncryptedKeyMaterial)); err != nil {
		return fault(KindWrapped, fieldEncrypted, err)
	}
	return nil
}

// CheckAt reports an [*ExpiredError] if the deadline of the import token has passed at now.
func (w *Wrapped) CheckAt(now time.Time) error { return checkDeadline(w.KeyARN, w.ValidTo, now) }

// EncryptedKeyMaterialSHA256 is what sha256sum prints of the raw file.
func (w *Wrapped) EncryptedKeyMaterialSHA256() Digest { return digestOf(w.EncryptedKeyMaterial) }

// ImportTokenSHA256 is what sha256sum prints of the raw file.
func (w *Wrapped) ImportTokenSHA256() Digest { return digestOf(w.ImportToken) }

// A SpecError is key material of another spec than the KMS key it was to go into.
type SpecError struct {
	KeyARN string
	Want   material.Spec // of the KMS key
	Got    material.Spec // of the material
}

func (e *SpecError) Error() string {
	return fmt.Sprintf("the material is %s, but %s is a key of spec %s", e.Got, e.KeyARN, e.Want)
}
