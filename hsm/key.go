// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"encoding/binary"
	"fmt"

	"github.com/miekg/pkcs11"

	"github.com/keymat/keymat/material"
)

// A Key is a secret or private key in a token.
type Key struct {
	Label      string
	ID         []byte        // CKA_ID, which a key pair shares
	What       string        // such as "AES-256 key" or "RSA-3072 private key"
	Spec       material.Spec // the key spec it is material of, the usual one for its length; empty for none
	Attributes Attributes
	// Fingerprint is what material says of the same material, made in the token. It is empty where the token, or its rules
	// for this key, do not make it.
	Fingerprint material.Fingerprint
	// PublicKeyDER is the SubjectPublicKeyInfo of a key pair, as KMS GetPublicKey gives it; nil for secrets, and where the
	// token does not have it.
	PublicKeyDER []byte

	session        Session
	object, public Object // public is 0 where there is none
	length         int    // of a secret, in bytes
}

// Attributes are what a token says of how it keeps a key and where it comes from.
type Attributes struct {
	Local            bool `json:"local"`             // CKA_LOCAL: made in a token, not brought there
	Private          bool `json:"private"`           // CKA_PRIVATE: to be seen by its user only
	Sensitive        bool `json:"sensitive"`         // CKA_SENSITIVE: not given out in clear
	AlwaysSensitive  bool `json:"always_sensitive"`  // CKA_ALWAYS_SENSITIVE: and never was otherwise
	Extractable      bool `json:"extractable"`       // CKA_EXTRACTABLE: may be wrapped
	NeverExtractable bool `json:"never_extractable"` // CKA_NEVER_EXTRACTABLE: and never might
	WrapWithTrusted  bool `json:"wrap_with_trusted"` // CKA_WRAP_WITH_TRUSTED: but under a trusted key only
	Modifiable       bool `json:"modifiable"`        // CKA_MODIFIABLE
}

// Fits reports whether the key can be material of a key spec: KMS takes secrets of different lengths for one HMAC spec.
func (k *Key) Fits(spec material.Spec) bool {
	if spec.Kind() == material.HMAC && k.Spec.Kind() == material.HMAC {
		min, max := spec.Lengths()
		return min <= k.length && k.length <= max
	}
	return k.Spec == spec
}

// read fills in what the token says of the key.
func (k *Key) read(t *Token) error {
	class, err := k.number(pkcs11.CKA_CLASS)
	if err != nil {
		return err
	}
	keyType, err := k.number(pkcs11.CKA_KEY_TYPE)
	if err != nil {
		return err
	}
	label, err := k.bytes(pkcs11.CKA_LABEL)
	if err != nil {
		return err
	}
	k.Label = string(label)
	if k.ID, err = k.bytes(pkcs11.CKA_ID); err != nil {
		return err
	}
	if err := k.readAttributes(); err != nil {
		return err
	}
	if class == pkcs11.CKO_SECRET_KEY {
		return k.readSecret(t, keyType)
	}
	return k.readPair(keyType)
}

func (k *Key) readAttributes() error {
	for _, row := range k.Attributes.table() {
		b, err := k.bytes(row.attribute)
		if err != nil {
			return err
		}
		*row.value = len(b) == 1 && b[0] != 0
	}
	return nil
}

// table pairs the attributes with what PKCS #11 calls them.
func (a *Attributes) table() []struct {
	name      string
	attribute uint
	value     *bool
} {
	return []struct {
		name      string
		attribute uint
		value     *bool
	}{
		{"CKA_LOCAL", pkcs11.CKA_LOCAL, &a.Local},
		{"CKA_PRIVATE", pkcs11.CKA_PRIVATE, &a.Private},
		{"CKA_SENSITIVE", pkcs11.CKA_SENSITIVE, &a.Sensitive},
		{"CKA_ALWAYS_SENSITIVE", pkcs11.CKA_ALWAYS_SENSITIVE, &a.AlwaysSensitive},
		{"CKA_EXTRACTABLE", pkcs11.CKA_EXTRACTABLE, &a.Extractable},
		{"CKA_NEVER_EXTRACTABLE", pkcs11.CKA_NEVER_EXTRACTABLE, &a.NeverExtractable},
		{"CKA_WRAP_WITH_TRUSTED", pkcs11.CKA_WRAP_WITH_TRUSTED, &a.WrapWithTrusted},
		{"CKA_MODIFIABLE", pkcs11.CKA_MODIFIABLE, &a.Modifiable},
	}
}

// Set returns the names of the attributes that are true, in the order of the table.
func (a Attributes) Set() (names []string) {
	for _, row := range a.table() {
		if *row.value {
			names = append(names, row.name)
		}
	}
	return names
}

// readSecret tells AES keys and generic secrets by their length.
func (k *Key) readSecret(t *Token, keyType uint) error {
	length, err := k.number(pkcs11.CKA_VALUE_LEN)
	if err != nil {
		return err
	}
	k.length = int(length)
	switch keyType {
	case pkcs11.CKK_AES:
		k.What = fmt.Sprintf("AES-%d key", 8*length)
		if length == 32 {
			k.Spec = material.SymmetricDefault
		}
	case pkcs11.CKK_GENERIC_SECRET, pkcs11.CKK_SHA224_HMAC, pkcs11.CKK_SHA256_HMAC, pkcs11.CKK_SHA384_HMAC, pkcs11.CKK_SHA512_HMAC:
		k.What = fmt.Sprintf("secret of %d bytes", length)
		k.Spec = hmacSpec(k.length)
	default:
		k.What = fmt.Sprintf("secret key of type 0x%X", keyType)
	}
	k.Fingerprint, err = t.checkValue(k)
	return err
}

// hmacSpec is the HMAC spec with the longest digest that a secret is long enough for, or none.
func hmacSpec(length int) (spec material.Spec) {
	for _, s := range material.Specs() {
		if min, max := s.Lengths(); s.Kind() == material.HMAC && min <= length && length <= max {
			spec = s
		}
	}
	return spec
}

// bytes reads an attribute; one that the object has not, or that the token keeps to itself, is empty.
func (k *Key) bytes(attribute uint) ([]byte, error) {
	return attributeOf(k.session, k.object, attribute)
}

func attributeOf(s Session, o Object, attribute uint) ([]byte, error) {
	b, err := s.Attribute(o, attribute)
	if answered(err, pkcs11.CKR_ATTRIBUTE_TYPE_INVALID, pkcs11.CKR_ATTRIBUTE_SENSITIVE) {
		return nil, nil
	}
	return b, err
}

// number reads an attribute that is a CK_ULONG: 8 bytes, or 4 on Windows, as the machine orders them. An absent one is the
// greatest number, CK_UNAVAILABLE_INFORMATION.
func (k *Key) number(attribute uint) (uint, error) {
	b, err := k.bytes(attribute)
	switch len(b) {
	case 8:
		return uint(binary.NativeEndian.Uint64(b)), err
	case 4:
		return uint(binary.NativeEndian.Uint32(b)), err
	}
	return ^uint(0), err
}
