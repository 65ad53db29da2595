// SPDX-License-Identifier: Apache-2.0

package material

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// recogniseDER looks for the structures people keep keys in, in DER or BER.
func recogniseDER(data []byte) (finding, bool) {
	if len(data) < 2 || data[0] != 0x30 {
		return finding{}, false
	}
	input := cryptobyte.String(data)
	var element cryptobyte.String
	if !input.ReadASN1Element(&element, casn1.SEQUENCE) {
		if want, ok := announcedLength(data); ok {
			return finding{what: "truncated DER structure", refusal: &TruncatedError{Got: len(data), Want: want}}, true
		}
		return recogniseBER(data)
	}
	f, ok := recogniseElement(element)
	if !ok {
		return recogniseBER(data)
	}
	if len(input) > 0 {
		f.refusal = &TrailingDataError{
			Encoding: f.encoding,
			Length:   len(element),
			Extra:    len(input),
			Newline:  len(bytes.Trim(input, "\r\n")) == 0,
		}
		f.pair, f.decrypt, f.exact = nil, nil, nil
	}
	return f, true
}

func recogniseBER(data []byte) (finding, bool) {
	der, ok := toDER(data)
	if !ok {
		return finding{}, false
	}
	f, ok := recogniseElement(der)
	f.encoding, f.exact = f.encoding.ber(), nil
	return f, ok
}

// announcedLength reads the header of a private key in DER that is longer than data. A version number has to follow, so that
// random bytes do not pass for one.
func announcedLength(data []byte) (int, bool) {
	if len(data) < 7 || data[1] != 0x81 && data[1] != 0x82 {
		return 0, false
	}
	header, want := 2+int(data[1]&0x7f), 0
	for _, b := range data[2:header] {
		want = want<<8 | int(b)
	}
	version := data[header:]
	if version[0] != 2 || version[1] != 1 || version[2] > 1 {
		return 0, false
	}
	return header + want, header+want > len(data)
}

// recogniseElement judges one complete SEQUENCE.
func recogniseElement(der []byte) (finding, bool) {
	for _, try := range []func([]byte) (finding, bool){
		findPKCS8, findPKCS1, findSEC1, findEncryptedPKCS8, findSPKI, findPKCS1Public, findPKCS12, findDSA, findX509,
	} {
		if f, ok := try(der); ok {
			return f, true
		}
	}
	return finding{}, false
}

func findPKCS8(der []byte) (finding, bool) {
	info, ok := readPKCS8(der)
	if !ok {
		return finding{}, false
	}
	f := finding{encoding: PKCS8DER, what: "private key", pair: info.parse}
	if info.plain() {
		f.exact = der
	}
	return f, true
}

func findPKCS1(der []byte) (finding, bool) {
	if _, _, ok := measureRSA(der); !ok {
		return finding{}, false
	}
	return finding{encoding: PKCS1DER, what: "RSA private key", pair: func() (*keyPair, error) { return parseRSAPrivateKey(der) }}, true
}

func findSEC1(der []byte) (finding, bool) { return sec1Finding(der, nil) }

// sec1Finding knows the curve from elsewhere, if outer is not nil.
func sec1Finding(der []byte, outer *curve) (finding, bool) {
	input := cryptobyte.String(der)
	var body, scalar cryptobyte.String
	var version int
	if !input.ReadASN1(&body, casn1.SEQUENCE) || !input.Empty() || !body.ReadASN1Integer(&version) || version != 1 ||
		!body.ReadASN1(&scalar, casn1.OCTET_STRING) || body.Empty() && outer == nil ||
		!body.Empty() && body[0] != 0xa0 && body[0] != 0xa1 {
		return finding{}, false
	}
	return finding{encoding: SEC1DER, what: "EC private key", pair: func() (*keyPair, error) { return parseECPrivateKey(der, outer) }}, true
}

func findEncryptedPKCS8(der []byte) (finding, bool) {
	c, ok := readContainer(der)
	if !ok {
		return finding{}, false
	}
	f := finding{encoding: EncryptedPKCS8DER, what: "encrypted private key"}
	f.decrypt = func(passphrase []byte) (finding, error) { return c.open(passphrase, f.encoding) }
	return f, true
}

func findSPKI(der []byte) (finding, bool) {
	input := cryptobyte.String(der)
	var body, algorithm, bits cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !input.ReadASN1(&body, casn1.SEQUENCE) || !body.ReadASN1(&algorithm, casn1.SEQUENCE) ||
		!algorithm.ReadASN1ObjectIdentifier(&oid) || !body.ReadASN1(&bits, casn1.BIT_STRING) || !body.Empty() {
		return finding{}, false
	}
	return describePublic(SPKIDER, "public key", der), true
}

// describePublic adds the spec to the noun, where the key has one.
func describePublic(e Encoding, noun string, spki []byte) finding {
	what := noun
	if spec, ok := specOfPublic(spki); ok {
		what = string(spec) + " " + noun
		return publicKey(e, what, func() (Spec, []byte) { return spec, spki })
	}
	return publicKey(e, what, nil)
}

// specOfPublic reads the spec off a SubjectPublicKeyInfo.
func specOfPublic(spki []byte) (Spec, bool) {
	input := cryptobyte.String(spki)
	var body, algorithm, bits, numbers cryptobyte.String
	var oid, named asn1.ObjectIdentifier
	if !input.ReadASN1(&body, casn1.SEQUENCE) || !body.ReadASN1(&algorithm, casn1.SEQUENCE) ||
		!algorithm.ReadASN1ObjectIdentifier(&oid) || !body.ReadASN1(&bits, casn1.BIT_STRING) || len(bits) < 1 {
		return "", false
	}
	switch {
	case oid.Equal(oidRSA()):
		key := cryptobyte.String(bits[1:])
		var n cryptobyte.String
		if !key.ReadASN1(&numbers, casn1.SEQUENCE) || !numbers.ReadASN1(&n, casn1.INTEGER) {
			return "", false
		}
		return rsaSpec(8 * len(strings.TrimLeft(string(n), "\x00")))
	case oid.Equal(oidEC()) && algorithm.ReadASN1ObjectIdentifier(&named):
		c, err := curveByOID(named)
		return c.spec, err == nil
	case oid.Equal(oidEd25519()):
		return ECCNISTEdwards25519, true
	default:
		return "", false
	}
}

func findPKCS1Public(der []byte) (finding, bool) {
	key, err := x509.ParsePKCS1PublicKey(der)
	if err != nil {
		return finding{}, false
	}
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return finding{}, false
	}
	return describePublic("PKCS #1 DER", "public key", spki), true
}

func findPKCS12(der []byte) (finding, bool) {
	input := cryptobyte.String(der)
	var body, content cryptobyte.String
	var version int
	var oid asn1.ObjectIdentifier
	if !input.ReadASN1(&body, casn1.SEQUENCE) || !body.ReadASN1Integer(&version) || version != 3 ||
		!body.ReadASN1(&content, casn1.SEQUENCE) || !content.ReadASN1ObjectIdentifier(&oid) {
		return finding{}, false
	}
	return foreign("", "PKCS #12 key store (.p12, .pfx)"), true
}

// findDSA recognises openssl's traditional DSA key: version, p, q, g, y, x.
func findDSA(der []byte) (finding, bool) {
	input := cryptobyte.String(der)
	var body cryptobyte.String
	if !input.ReadASN1(&body, casn1.SEQUENCE) {
		return finding{}, false
	}
	for range 6 {
		if !body.SkipASN1(casn1.INTEGER) {
			return finding{}, false
		}
	}
	if !body.Empty() {
		return finding{}, false
	}
	return unsupported("", "DSA private key"), true
}

// unsupported is the finding for a private key of a kind that KMS does not import.
func unsupported(e Encoding, what string) finding {
	return finding{encoding: e, what: what, pair: func() (*keyPair, error) {
		return nil, &UnsupportedSpecError{Spec: what, Reason: "KMS imports RSA, ECDSA (P-256, P-384, P-521, secp256k1) and Ed25519 private keys"}
	}}
}

// findX509 recognises certificates and requests by their outer shape, since the standard library cannot read them all.
func findX509(der []byte) (finding, bool) {
	input := cryptobyte.String(der)
	var body, signed, algorithm, signature cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !input.ReadASN1(&body, casn1.SEQUENCE) || !body.ReadASN1(&signed, casn1.SEQUENCE) || !body.ReadASN1(&algorithm, casn1.SEQUENCE) ||
		!algorithm.ReadASN1ObjectIdentifier(&oid) || !body.ReadASN1(&signature, casn1.BIT_STRING) || !body.Empty() {
		return finding{}, false
	}
	if cert, err := x509.ParseCertificate(der); err == nil {
		return describePublic(CertificateDER, "X.509 certificate", cert.RawSubjectPublicKeyInfo), true
	}
	if request, err := x509.ParseCertificateRequest(der); err == nil {
		return describePublic(CertificateDER, "certificate request", request.RawSubjectPublicKeyInfo), true
	}
	return publicKey(CertificateDER, "X.509 certificate or request", nil), true
}
