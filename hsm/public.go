// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/miekg/pkcs11"
	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/keymat/keymat/material"
)

// readPair reads the public half of a key pair and what follows from it.
func (k *Key) readPair(keyType uint) (err error) {
	switch keyType {
	case pkcs11.CKK_RSA:
		err = k.readRSA()
	case pkcs11.CKK_EC, ckkECEdwards:
		err = k.readEC()
	default:
		k.What = fmt.Sprintf("private key of type 0x%X", keyType)
	}
	if k.PublicKeyDER != nil {
		sum := sha256.Sum256(k.PublicKeyDER)
		k.Fingerprint = material.Fingerprint{Kind: material.SPKISHA256, Value: hex.EncodeToString(sum[:])}
	}
	return err
}

// readRSA takes modulus and exponent from the private key, which has them too.
func (k *Key) readRSA() error {
	n, err := k.bytes(pkcs11.CKA_MODULUS)
	if err != nil {
		return err
	}
	e, err := k.bytes(pkcs11.CKA_PUBLIC_EXPONENT)
	if err != nil {
		return err
	}
	public := &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(new(big.Int).SetBytes(e).Int64())}
	k.What = fmt.Sprintf("RSA-%d private key", public.N.BitLen())
	for _, row := range kinds {
		if row.bits != 0 && int(row.bits) == public.N.BitLen() {
			k.Spec = row.spec
		}
	}
	if len(e) == 0 || len(e) > 4 {
		return nil // not given, or beyond what the encoder takes
	}
	k.PublicKeyDER, err = x509.MarshalPKIXPublicKey(public)
	return err
}

// readEC takes the point from the public key, since private ones have none.
func (k *Key) readEC() error {
	params, err := k.bytes(pkcs11.CKA_EC_PARAMS)
	if err != nil {
		return err
	}
	k.What = "private key on an elliptic curve"
	row, known := kindOfCurve(params)
	if !known {
		return nil
	}
	k.Spec = row.spec
	k.What = string(row.spec) + " private key"
	if k.public == 0 {
		return nil
	}
	point, err := attributeOf(k.session, k.public, pkcs11.CKA_EC_POINT)
	if err != nil || len(point) == 0 {
		return err
	}
	k.PublicKeyDER = ecPublicKey(row, point)
	return nil
}

// ecPublicKey is the SubjectPublicKeyInfo of RFC 5480 section 2, or of RFC 8410 section 4.
func ecPublicKey(k kind, point []byte) []byte {
	// The standard has the point in a DER OCTET STRING; some tokens leave that out.
	if s, inside := cryptobyte.String(point), cryptobyte.String(nil); s.ReadASN1(&inside, casn1.OCTET_STRING) && s.Empty() {
		point = inside
	}
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			if k.spec != material.ECCNISTEdwards25519 {
				b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}) // id-ecPublicKey
			}
			b.AddBytes(k.curve)
		})
		b.AddASN1BitString(point)
	})
	return b.BytesOrPanic()
}
