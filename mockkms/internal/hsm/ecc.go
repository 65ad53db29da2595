// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
)

// curve is one of the named Weierstrass curves. Points are uncompressed
// (SEC 1 section 2.3.3), scalars big-endian and of the field's length.
type curve struct {
	oid      []byte         // DER element
	size     int            // bytes of a scalar and of a coordinate
	standard elliptic.Curve // nil where the standard library lacks the curve

	open     func(c *curve, scalar []byte) (secret any, point []byte, ok bool)
	generate func(c *curve) (scalar []byte, err error)
}

var (
	p256           = &curve{oid: oidP256, size: 32, standard: elliptic.P256(), open: openNIST, generate: generateNIST}
	p384           = &curve{oid: oidP384, size: 48, standard: elliptic.P384(), open: openNIST, generate: generateNIST}
	p521           = &curve{oid: oidP521, size: 66, standard: elliptic.P521(), open: openNIST, generate: generateNIST}
	secp256k1Curve = &curve{oid: oidSecp256k1, size: 32, open: openK1, generate: generateK1}
)

// parseECC takes PKCS #8, DER or BER, with an ECPrivateKey inside. The curve has
// to be named, and a public point that is there has to be the private key's.
func parseECC(s *Spec, material []byte) (*Key, error) {
	refuse := func(reason string) (*Key, error) {
		return nil, &MaterialError{KeySpec: s.name, Reason: reason}
	}
	der, ok := berToDER(material)
	if !ok {
		return refuse("neither DER nor BER")
	}
	info, ok := parsePKCS8(der)
	if !ok {
		return refuse("no unencrypted PKCS #8 of version 1")
	}
	if !info.is(oidECPublicKey, s.curve.oid) {
		return refuse("no key on the named curve inside the PKCS #8")
	}
	scalar, claimed, ok := parseECPrivateKey(s.curve, info.key)
	if !ok {
		return refuse("malformed ECPrivateKey")
	}
	if len(scalar) != s.curve.size {
		return refuse(fmt.Sprintf("private scalar of %d bytes, not %d", len(scalar), s.curve.size))
	}
	secret, point, ok := s.curve.open(s.curve, scalar)
	if !ok {
		return refuse("private scalar out of range")
	}
	if claimed != nil && !samePoint(claimed, point) {
		return refuse("public point does not belong to the private key, or is in an unknown form")
	}
	return &Key{
		spec:      s,
		canonical: marshalPKCS8(oidECPublicKey, s.curve.oid, marshalECPrivateKey(scalar, point)),
		public:    marshalSPKI(oidECPublicKey, s.curve.oid, point),
		secret:    secret,
	}, nil
}

func generateECC(s *Spec) ([]byte, error) {
	scalar, err := s.curve.generate(s.curve)
	if err != nil {
		return nil, fmt.Errorf("generating an %s key: %w", s.name, err)
	}
	_, point, _ := s.curve.open(s.curve, scalar)
	return marshalPKCS8(oidECPublicKey, s.curve.oid, marshalECPrivateKey(scalar, point)), nil
}

// parseECPrivateKey reads the DER of RFC 5915 section 3. Parameters may repeat
// the named curve; point is nil if the key does not carry it.
func parseECPrivateKey(c *curve, der []byte) (scalar, point []byte, ok bool) {
	body, ok := readWhole(der, tagSequence)
	if !ok {
		return nil, nil, false
	}
	body, ok = bytes.CutPrefix(body, derOne)
	if !ok {
		return nil, nil, false
	}
	scalar, body, ok = readTagged(body, tagOctetString)
	if !ok {
		return nil, nil, false
	}
	if params, rest, found := readTagged(body, tagExplicit0); found {
		if !bytes.Equal(params, c.oid) {
			return nil, nil, false
		}
		body = rest
	}
	if len(body) == 0 {
		return scalar, nil, true
	}
	wrapped, ok := readWhole(body, tagExplicit1)
	if !ok {
		return nil, nil, false
	}
	bits, ok := readWhole(wrapped, tagBitString)
	if !ok || len(bits) < 2 || bits[0] != 0 { // no unused bits, and not empty
		return nil, nil, false
	}
	return scalar, bits[1:], true
}

// marshalECPrivateKey encodes RFC 5915 as OpenSSL does inside PKCS #8: without
// the curve, with the public point.
func marshalECPrivateKey(scalar, point []byte) []byte {
	return element(tagSequence,
		derOne,
		element(tagOctetString, scalar),
		element(tagExplicit1, element(tagBitString, []byte{0}, point)))
}

// samePoint compares a point as a key claims it, in one of the forms of X9.62,
// with the uncompressed one computed from its scalar. Coordinates and the parity
// of y settle it. The guide's third form, "projective", is taken to be X9.62's
// hybrid one.
func samePoint(claimed, point []byte) bool {
	odd, x := point[len(point)-1]&1, point[1:1+len(point)/2]
	switch {
	case len(claimed) == len(point) && claimed[0] == 4:
		return bytes.Equal(claimed, point)
	case len(claimed) == len(point) && claimed[0] == 6|odd:
		return bytes.Equal(claimed[1:], point[1:])
	case len(claimed) == 1+len(x) && claimed[0] == 2|odd:
		return bytes.Equal(claimed[1:], x)
	}
	return false
}

// nistSecret signs and agrees with a key on a curve of the standard library.
type nistSecret struct {
	private *ecdsa.PrivateKey
}

func openNIST(c *curve, scalar []byte) (secret any, point []byte, ok bool) {
	private, err := ecdsa.ParseRawPrivateKey(c.standard, scalar)
	if err != nil {
		return nil, nil, false
	}
	point, err = private.PublicKey.Bytes()
	return &nistSecret{private}, point, err == nil
}

func generateNIST(c *curve) ([]byte, error) {
	private, err := ecdsa.GenerateKey(c.standard, rand.Reader)
	if err != nil {
		return nil, err
	}
	return private.Bytes()
}

// sign implements signer: a DER Ecdsa-Sig-Value, randomised (recorded).
func (n *nistSecret) sign(_ signingAlgorithm, digest []byte) ([]byte, error) {
	return ecdsa.SignASN1(rand.Reader, n.private, digest)
}

func (n *nistSecret) verify(_ signingAlgorithm, digest, signature []byte) bool {
	return ecdsa.VerifyASN1(&n.private.PublicKey, digest, signature)
}

// agree implements agreer.
func (n *nistSecret) agree(publicKeyDER []byte) ([]byte, error) {
	parsed, err := x509.ParsePKIXPublicKey(publicKeyDER)
	if err != nil {
		return nil, ErrPublicKey
	}
	public, ok := parsed.(*ecdsa.PublicKey)
	if !ok {
		return nil, ErrPublicKey
	}
	theirs, err := public.ECDH()
	if err != nil {
		return nil, ErrPublicKey
	}
	ours, err := n.private.ECDH()
	if err != nil {
		return nil, fmt.Errorf("preparing a key agreement: %w", err)
	}
	secret, err := ours.ECDH(theirs)
	if err != nil { // another curve
		return nil, ErrPublicKey
	}
	return secret, nil
}
