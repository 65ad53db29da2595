// SPDX-License-Identifier: Apache-2.0

package material

import (
	"bytes"
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

func oidEC() asn1.ObjectIdentifier      { return asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1} }
func oidEd25519() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 101, 112} }

// algorithmEC, algorithmRSA and algorithmEd25519 are AlgorithmIdentifiers in DER (RFC 5480, RFC 8017, RFC 8410).
func algorithmEC(curve asn1.ObjectIdentifier) []byte {
	return encodeAlgorithm(oidEC(), func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(curve) })
}

func algorithmRSA() []byte {
	return encodeAlgorithm(oidRSA(), func(b *cryptobyte.Builder) { b.AddASN1NULL() })
}

func algorithmEd25519() []byte { return encodeAlgorithm(oidEd25519(), func(*cryptobyte.Builder) {}) }

func encodeAlgorithm(oid asn1.ObjectIdentifier, parameters func(*cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		parameters(b)
	})
	return b.BytesOrPanic()
}

// encodePKCS8 writes PrivateKeyInfo of RFC 5208: version 0, no attributes, the smallest form.
func encodePKCS8(algorithm, key []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddBytes(algorithm)
		b.AddASN1OctetString(key)
	})
	return b.BytesOrPanic()
}

func encodeOctets(octets []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1OctetString(octets)
	return b.BytesOrPanic()
}

// encodeSPKI writes SubjectPublicKeyInfo of RFC 5280.
func encodeSPKI(algorithm, key []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(algorithm)
		b.AddASN1BitString(key)
	})
	return b.BytesOrPanic()
}

// privateKeyInfo is PKCS #8 taken apart: RFC 5208, or RFC 5958 with version 1.
type privateKeyInfo struct {
	version   int
	algorithm []byte // the whole AlgorithmIdentifier
	oid       asn1.ObjectIdentifier
	params    cryptobyte.String
	key       []byte
	extra     bool   // attributes or a public key follow
	public    []byte // RFC 5958 publicKey, nil where there is none
}

// readPKCS8 reports false for anything that is not PKCS #8 in DER, whatever the algorithm.
func readPKCS8(der []byte) (privateKeyInfo, bool) {
	var info privateKeyInfo
	input := cryptobyte.String(der)
	var body, algorithm, key cryptobyte.String
	if !input.ReadASN1(&body, casn1.SEQUENCE) || !input.Empty() ||
		!body.ReadASN1Integer(&info.version) || info.version < 0 || info.version > 1 ||
		!body.ReadASN1Element(&algorithm, casn1.SEQUENCE) || !body.ReadASN1(&key, casn1.OCTET_STRING) {
		return info, false
	}
	info.algorithm, info.key, info.extra = algorithm, key, !body.Empty()
	if !algorithm.ReadASN1(&info.params, casn1.SEQUENCE) || !info.params.ReadASN1ObjectIdentifier(&info.oid) {
		return info, false
	}
	attributes, public := casn1.Tag(0).Constructed().ContextSpecific(), casn1.Tag(1).ContextSpecific()
	var bits cryptobyte.String
	var hasPublic bool
	if !body.SkipOptionalASN1(attributes) || !body.ReadOptionalASN1(&bits, &hasPublic, public) || !body.Empty() {
		return info, false
	}
	if hasPublic { // IMPLICIT BIT STRING: one byte that counts unused bits, then the key
		if len(bits) < 2 || bits[0] != 0 {
			return info, false
		}
		info.public = bits[1:]
	}
	return info, true
}

// parse checks the key inside.
func (info privateKeyInfo) parse() (*keyPair, error) {
	switch {
	case info.oid.Equal(oidRSA()):
		return parseRSAPrivateKey(info.key)
	case info.oid.Equal(oidEC()):
		outer, err := readCurve(info.params)
		if err != nil {
			return nil, err
		}
		pair, err := parseECPrivateKey(info.key, outer)
		if err != nil || info.public == nil {
			return pair, err
		}
		// RFC 5958 may carry the point a second time.
		var scalar, point []byte
		if _, err := readECPrivateKey(info.key, &scalar, &point); err != nil {
			return nil, err
		}
		return newECC(*outer, scalar, info.public)
	case info.oid.Equal(oidEd25519()):
		input := cryptobyte.String(info.key)
		var seed cryptobyte.String
		if !input.ReadASN1(&seed, casn1.OCTET_STRING) || !input.Empty() {
			return nil, &FormatError{Found: "Ed25519 private key that is not RFC 8410 inside", Want: "an intact key"}
		}
		return newEd25519(seed, info.public)
	default:
		return nil, unsupportedAlgorithm(info.oid)
	}
}

// plain reports whether the encoding is the one the KMS guide asks for: RFC 5208, with nothing after the key and, for RSA,
// the NULL that RFC 8017 demands.
func (info privateKeyInfo) plain() bool {
	if info.version != 0 || info.extra {
		return false
	}
	switch {
	case info.oid.Equal(oidRSA()):
		return bytes.Equal(info.algorithm, algorithmRSA())
	case info.oid.Equal(oidEd25519()):
		return bytes.Equal(info.algorithm, algorithmEd25519())
	default:
		return true
	}
}

// unsupportedAlgorithm names the PKCS #8 keys people try that KMS does not import.
func unsupportedAlgorithm(oid asn1.ObjectIdentifier) error {
	name, ok := map[string]string{
		"1.2.840.10040.4.1":       "DSA private key",
		"1.2.840.113549.1.1.10":   "RSA private key restricted to RSASSA-PSS",
		"1.2.840.113549.1.3.1":    "Diffie-Hellman private key",
		"1.3.101.110":             "X25519 private key",
		"1.3.101.111":             "X448 private key",
		"1.3.101.113":             "Ed448 private key",
		"2.16.840.1.101.3.4.3.17": "ML_DSA_44 private key",
		"2.16.840.1.101.3.4.3.18": "ML_DSA_65 private key",
		"2.16.840.1.101.3.4.3.19": "ML_DSA_87 private key",
		"2.16.840.1.101.3.4.4.1":  "ML_KEM_512 private key",
		"2.16.840.1.101.3.4.4.2":  "ML_KEM_768 private key",
		"2.16.840.1.101.3.4.4.3":  "ML_KEM_1024 private key",
	}[oid.String()]
	if !ok {
		name = "private key of algorithm " + oid.String()
	}
	return &UnsupportedSpecError{Spec: name, Reason: "KMS imports RSA, ECDSA (P-256, P-384, P-521, secp256k1) and Ed25519 private keys"}
}
