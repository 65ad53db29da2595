// SPDX-License-Identifier: Apache-2.0

package intoken_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/big"
	"slices"

	"github.com/miekg/pkcs11"

	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/material"
)

// A library has one token, which makes secrets, wraps them by OAEP with SHA-256, and computes AES-CMAC and HMAC-SHA-256.
type library struct {
	mechanisms map[uint]uint
	objects    []map[uint][]byte // attributes; nil for one that was destroyed
	gone       bool              // the token was taken out
}

func newLibrary() *library {
	return &library{mechanisms: map[uint]uint{
		pkcs11.CKM_AES_KEY_GEN: pkcs11.CKF_GENERATE, pkcs11.CKM_GENERIC_SECRET_KEY_GEN: pkcs11.CKF_GENERATE, pkcs11.CKM_RSA_PKCS_OAEP: pkcs11.CKF_WRAP,
		pkcs11.CKM_AES_CMAC: pkcs11.CKF_SIGN, pkcs11.CKM_SHA256_HMAC: pkcs11.CKF_SIGN,
	}}
}

func refuse(function string, code uint) error { return &hsm.CallError{Function: function, Code: code} }

func (l *library) Slots() ([]uint, error) { return []uint{1}, nil }
func (l *library) Token(uint) (hsm.TokenInfo, error) {
	return hsm.TokenInfo{Label: "ceremony", Manufacturer: "SoftHSM project", Model: "fake", Serial: "0042", Flags: pkcs11.CKF_TOKEN_INITIALIZED}, nil
}
func (l *library) Mechanisms(uint) (map[uint]uint, error)       { return l.mechanisms, nil }
func (l *library) OpenSession(uint) (hsm.Session, error)        { return l, nil }
func (l *library) Create(t []hsm.Attribute) (hsm.Object, error) { return l.add(t), nil }

// Close of a token that was taken out is no success.
func (l *library) Close() error {
	if l.gone {
		return refuse("C_CloseSession", pkcs11.CKR_SESSION_HANDLE_INVALID)
	}
	return nil
}

func (l *library) Login(_ hsm.User, given []byte) error {
	if string(given) != pin {
		return refuse("C_Login", pkcs11.CKR_PIN_INCORRECT)
	}
	return nil
}

// Logout takes the objects of the session away.
func (l *library) Logout() error {
	if l.gone {
		return refuse("C_Logout", pkcs11.CKR_DEVICE_REMOVED)
	}
	for i, o := range l.objects {
		if o != nil && !bytes.Equal(o[pkcs11.CKA_TOKEN], []byte{1}) {
			l.objects[i] = nil
		}
	}
	return nil
}

// add is an object with the attributes of a template; handles count from 1.
func (l *library) add(template []hsm.Attribute) hsm.Object {
	o := map[uint][]byte{}
	for _, a := range template {
		o[a.Type] = encoded(a.Value)
	}
	l.objects = append(l.objects, o)
	return hsm.Object(len(l.objects))
}

func encoded(v any) []byte {
	switch v := v.(type) {
	case bool:
		if v {
			return []byte{1}
		}
		return []byte{0}
	case uint:
		return binary.NativeEndian.AppendUint64(nil, uint64(v))
	case string:
		return []byte(v)
	}
	return v.([]byte)
}

func (l *library) Find(template []hsm.Attribute) (found []hsm.Object, err error) {
	for i, o := range l.objects {
		if o != nil && !slices.ContainsFunc(template, func(a hsm.Attribute) bool { return !bytes.Equal(o[a.Type], encoded(a.Value)) }) {
			found = append(found, hsm.Object(i+1))
		}
	}
	return found, nil
}

func (l *library) Attribute(o hsm.Object, attribute uint) ([]byte, error) {
	return l.objects[o-1][attribute], nil
}

func (l *library) Destroy(o hsm.Object) error {
	l.objects[o-1] = nil
	return nil
}

// GenerateKey makes a secret, which stands in CKA_VALUE.
func (l *library) GenerateKey(_ hsm.Mechanism, template []hsm.Attribute) (hsm.Object, error) {
	o := l.add(template)
	made := l.objects[o-1]
	made[pkcs11.CKA_VALUE] = make([]byte, binary.NativeEndian.Uint64(made[pkcs11.CKA_VALUE_LEN]))
	rand.Read(made[pkcs11.CKA_VALUE])
	for _, attribute := range []uint{pkcs11.CKA_LOCAL, pkcs11.CKA_ALWAYS_SENSITIVE} {
		made[attribute] = []byte{1}
	}
	return o, nil
}

func (l *library) GenerateKeyPair(hsm.Mechanism, []hsm.Attribute, []hsm.Attribute) (hsm.Object, hsm.Object, error) {
	return 0, 0, refuse("C_GenerateKeyPair", pkcs11.CKR_MECHANISM_INVALID)
}

func (l *library) Wrap(m hsm.Mechanism, wrappingKey, key hsm.Object) ([]byte, error) {
	if m.Type != pkcs11.CKM_RSA_PKCS_OAEP || m.OAEP.Hash != pkcs11.CKM_SHA256 {
		return nil, refuse("C_WrapKey", pkcs11.CKR_MECHANISM_INVALID)
	}
	under := l.objects[wrappingKey-1]
	public := &rsa.PublicKey{N: new(big.Int).SetBytes(under[pkcs11.CKA_MODULUS]), E: int(new(big.Int).SetBytes(under[pkcs11.CKA_PUBLIC_EXPONENT]).Int64())}
	return rsa.EncryptOAEP(sha256.New(), rand.Reader, public, l.objects[key-1][pkcs11.CKA_VALUE], nil)
}

// Sign takes the AES-CMAC of a block of zeros, which is all that is asked, from package material.
func (l *library) Sign(m hsm.Mechanism, key hsm.Object, data []byte) ([]byte, error) {
	secret := l.objects[key-1][pkcs11.CKA_VALUE]
	if m.Type == pkcs11.CKM_SHA256_HMAC {
		mac := hmac.New(sha256.New, secret)
		mac.Write(data)
		return mac.Sum(nil), nil
	}
	made, err := material.New(material.SymmetricDefault, bytes.Clone(secret))
	if err != nil {
		return nil, err
	}
	return hex.DecodeString(made.Fingerprint().Value)
}

// twice copies the key of an ID.
func (l *library) twice(id string) {
	for _, o := range l.objects {
		if o != nil && hex.EncodeToString(o[pkcs11.CKA_ID]) == id {
			l.objects = append(l.objects, o)
			return
		}
	}
}
