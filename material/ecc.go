// SPDX-License-Identifier: Apache-2.0

package material

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"fmt"
	"io"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// curve is one row of the table of curves for ECDSA keys.
type curve struct {
	spec Spec
	name string // as people and openssl say it
	jwk  string // RFC 7518 section 6.2.1.1, RFC 8812 section 3.1
	oid  asn1.ObjectIdentifier
	size int            // bytes of a scalar and of a coordinate
	nist elliptic.Curve // nil for secp256k1, which the standard library does not have
}

func curves() []curve {
	return []curve{
		{ECCNISTP256, "P-256", "P-256", asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, 32, elliptic.P256()},
		{ECCNISTP384, "P-384", "P-384", asn1.ObjectIdentifier{1, 3, 132, 0, 34}, 48, elliptic.P384()},
		{ECCNISTP521, "P-521", "P-521", asn1.ObjectIdentifier{1, 3, 132, 0, 35}, 66, elliptic.P521()},
		{ECCSECGP256K1, "secp256k1", "secp256k1", asn1.ObjectIdentifier{1, 3, 132, 0, 10}, 32, nil},
	}
}

func curveBySpec(s Spec) curve {
	for _, c := range curves() {
		if c.spec == s {
			return c
		}
	}
	return curve{}
}

// curveByOID returns the curve, or says which one KMS does not import.
func curveByOID(oid asn1.ObjectIdentifier) (curve, error) {
	for _, c := range curves() {
		if c.oid.Equal(oid) {
			return c, nil
		}
	}
	name := map[string]string{
		"1.2.840.10045.3.1.1":   "P-192",
		"1.3.132.0.33":          "P-224",
		"1.3.36.3.3.2.8.1.1.7":  "brainpoolP256r1",
		"1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1",
		"1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1",
		"1.2.156.10197.1.301":   "SM2",
	}[oid.String()]
	if name == "" {
		name = "OID " + oid.String()
	}
	return curve{}, unsupportedCurve("EC private key on curve " + name)
}

func unsupportedCurve(found string) error {
	return &UnsupportedSpecError{Spec: found, Reason: "KMS imports EC keys on P-256, P-384, P-521, secp256k1 and Ed25519"}
}

// newECC checks a scalar (big-endian, of any length) and the public point that came along, if any: uncompressed, compressed
// or hybrid (what the KMS guide calls projective).
func newECC(c curve, scalar, point []byte) (*keyPair, error) {
	scalar, ok := fitScalar(scalar, c.size)
	if !ok {
		return nil, &InconsistentKeyError{Spec: c.spec, Reason: "the private scalar is longer than the curve's order"}
	}
	public, own, err := c.derive(scalar)
	if err != nil {
		return nil, err
	}
	if len(point) > 0 && !c.samePoint(point, own) {
		return nil, &InconsistentKeyError{Spec: c.spec, Reason: "the public point in the file does not belong to the private scalar"}
	}
	algorithm := algorithmEC(c.oid)
	return &keyPair{
		spec:   c.spec,
		public: public,
		spki:   encodeSPKI(algorithm, own),
		pkcs8:  encodePKCS8(algorithm, encodeECPrivateKey(scalar, own)),
	}, nil
}

// fitScalar pads to size with zeros, or strips zeros that exceed it (JWK and PKCS #11 exports have either).
func fitScalar(scalar []byte, size int) ([]byte, bool) {
	for len(scalar) > size && scalar[0] == 0 {
		scalar = scalar[1:]
	}
	if len(scalar) > size {
		return nil, false
	}
	padded := make([]byte, size)
	copy(padded[size-len(scalar):], scalar)
	return padded, true
}

// derive computes the public key, also as an uncompressed point. The scalar must be in [1, order-1].
func (c curve) derive(scalar []byte) (crypto.PublicKey, []byte, error) {
	outOfRange := &InconsistentKeyError{Spec: c.spec, Reason: "the private scalar is zero or not below the curve's order"}
	if c.nist == nil {
		var d secp256k1.ModNScalar
		if overflow := d.SetByteSlice(scalar); overflow || d.IsZero() {
			return nil, nil, outOfRange
		}
		private := secp256k1.NewPrivateKey(&d)
		defer private.Zero()
		d.Zero()
		public := private.PubKey()
		return public, public.SerializeUncompressed(), nil
	}
	private, err := ecdsa.ParseRawPrivateKey(c.nist, scalar)
	if err != nil {
		return nil, nil, outOfRange // the only other error is a wrong length, which fitScalar has seen to
	}
	point, err := private.PublicKey.Bytes()
	if err != nil {
		return nil, nil, fmt.Errorf("encoding the public point: %w", err)
	}
	return &private.PublicKey, point, nil
}

// samePoint compares a point in any SEC 1 section 2.3.3 form, or hybrid form (X9.62), with an uncompressed one. Coordinates
// and the parity of y settle it: nothing needs to be decompressed.
func (c curve) samePoint(point, own []byte) bool {
	x, odd := own[:1+c.size], own[len(own)-1]&1
	switch {
	case len(point) == len(own) && point[0] == 4:
		return bytes.Equal(point, own)
	case len(point) == len(own) && point[0] == 6+odd:
		return bytes.Equal(point[1:], own[1:])
	case len(point) == 1+c.size && point[0] == 2+odd:
		return bytes.Equal(point[1:], x[1:])
	default:
		return false
	}
}

// generateECC draws a scalar and derives the rest from it.
func generateECC(c curve) (*keyPair, error) {
	if c.nist == nil {
		private, err := secp256k1.GeneratePrivateKeyFromRand(rand.Reader)
		if err != nil {
			return nil, fmt.Errorf("generating a secp256k1 key: %w", err)
		}
		defer private.Zero()
		return newECC(c, private.Serialize(), nil)
	}
	private, err := ecdsa.GenerateKey(c.nist, rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generating a %s key: %w", c.name, err)
	}
	scalar, err := private.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding a %s key: %w", c.name, err)
	}
	return newECC(c, scalar, nil)
}

// newEd25519 checks a 32-byte seed and the public key that came along, if any.
func newEd25519(seed, public []byte) (*keyPair, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, &InconsistentKeyError{
			Spec:   ECCNISTEdwards25519,
			Reason: fmt.Sprintf("the private key is %d bytes where RFC 8032 has %d", len(seed), ed25519.SeedSize),
		}
	}
	own := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	if len(public) > 0 && !bytes.Equal(public, own) {
		return nil, &InconsistentKeyError{Spec: ECCNISTEdwards25519, Reason: "the public key in the file does not belong to the private key"}
	}
	return &keyPair{
		spec:   ECCNISTEdwards25519,
		public: own,
		spki:   encodeSPKI(algorithmEd25519(), own),
		pkcs8:  encodePKCS8(algorithmEd25519(), encodeOctets(seed)),
	}, nil
}

func generateEd25519() (*keyPair, error) {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(rand.Reader, seed); err != nil {
		return nil, fmt.Errorf("generating an Ed25519 key: %w", err)
	}
	defer clear(seed)
	return newEd25519(seed, nil)
}

// encodeECPrivateKey writes RFC 5915 ECPrivateKey as openssl does inside PKCS #8: with the public point, without repeating the
// curve, which is what makes P-384 fit RSA_2048 (kms-import-behaviour: 185 against 194 bytes).
func encodeECPrivateKey(scalar, point []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1OctetString(scalar)
		b.AddASN1(casn1.Tag(1).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
			b.AddASN1BitString(point)
		})
	})
	return b.BytesOrPanic()
}

// parseECPrivateKey reads RFC 5915 ECPrivateKey. outer is the curve from the PKCS #8 algorithm, nil where there is none.
func parseECPrivateKey(der []byte, outer *curve) (*keyPair, error) {
	var scalar, point []byte
	inner, err := readECPrivateKey(der, &scalar, &point)
	if err != nil {
		return nil, err
	}
	switch {
	case outer == nil && inner == nil:
		return nil, &FormatError{Found: "EC private key that does not name its curve", Want: "a named curve"}
	case outer == nil:
		outer = inner
	case inner != nil && inner.spec != outer.spec:
		return nil, &InconsistentKeyError{
			Spec:   outer.spec,
			Reason: fmt.Sprintf("the file names curve %s outside and %s inside", outer.name, inner.name),
		}
	}
	return newECC(*outer, scalar, point)
}

// readECPrivateKey takes an ECPrivateKey apart; the curve is nil when it is left out.
func readECPrivateKey(der []byte, scalar, point *[]byte) (*curve, error) {
	damaged := &FormatError{Found: "EC private key that is not RFC 5915 inside", Want: "an intact key"}
	input := cryptobyte.String(der)
	var body, octets, parameters, public cryptobyte.String
	var version int
	var hasParameters, hasPublic bool
	tag := func(n uint8) casn1.Tag { return casn1.Tag(n).Constructed().ContextSpecific() }
	if !input.ReadASN1(&body, casn1.SEQUENCE) || !input.Empty() ||
		!body.ReadASN1Integer(&version) || version != 1 ||
		!body.ReadASN1(&octets, casn1.OCTET_STRING) ||
		!body.ReadOptionalASN1(&parameters, &hasParameters, tag(0)) ||
		!body.ReadOptionalASN1(&public, &hasPublic, tag(1)) || !body.Empty() {
		return nil, damaged
	}
	*scalar = octets
	if hasPublic {
		if !public.ReadASN1BitStringAsBytes(point) || !public.Empty() || len(*point) == 0 {
			return nil, damaged
		}
	}
	if !hasParameters {
		return nil, nil
	}
	return readCurve(parameters)
}

// readCurve reads ECParameters, of which KMS takes named curves only (KMS guide).
func readCurve(parameters cryptobyte.String) (*curve, error) {
	if parameters.PeekASN1Tag(casn1.SEQUENCE) {
		return nil, &FormatError{Found: "EC private key with explicit curve parameters", Want: "a named curve"}
	}
	var oid asn1.ObjectIdentifier
	if !parameters.ReadASN1ObjectIdentifier(&oid) || !parameters.Empty() {
		return nil, &FormatError{Found: "EC private key with damaged curve parameters", Want: "a named curve"}
	}
	c, err := curveByOID(oid)
	if err != nil {
		return nil, err
	}
	return &c, nil
}
