// SPDX-License-Identifier: Apache-2.0

package material

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"slices"
)

// Material is the plaintext that KMS imports for a key of one spec, checked: raw bytes, or PKCS #8 in DER. It does not change
// until it is destroyed.
type Material struct {
	spec        Spec
	secret      Secret
	public      crypto.PublicKey
	spki        []byte
	fingerprint Fingerprint
}

// Generate makes new material of the spec with crypto/rand: 32 bytes for SYMMETRIC_DEFAULT, as many as the digest has for HMAC,
// a key pair with exponent 65537 for RSA. Key pairs come in the smallest PKCS #8 encoding, as openssl writes it.
func Generate(spec Spec) (m *Material, err error) {
	Erasing(func() { m, err = generate(spec) })
	return m, err
}

func generate(spec Spec) (*Material, error) {
	var pair *keyPair
	var err error
	switch kind := spec.Kind(); {
	case kind == Symmetric || kind == HMAC:
		b := make([]byte, spec.GenerateLength())
		if _, err := io.ReadFull(rand.Reader, b); err != nil {
			return nil, fmt.Errorf("generating %s material: %w", spec, err)
		}
		return newRaw(spec, b, Raw)
	case kind == RSA:
		pair, err = generateRSA(spec, spec.modulusBits())
	case spec == ECCNISTEdwards25519:
		pair, err = generateEd25519()
	case kind == ECC:
		pair, err = generateECC(curveBySpec(spec))
	default:
		return nil, &UnsupportedSpecError{Spec: string(spec), Reason: whyUnsupported(string(spec))}
	}
	if err != nil {
		return nil, err
	}
	return pair.material(pair.pkcs8), nil
}

// New makes material of exactly the bytes that go to KMS, checks them in full and takes ownership of them: raw bytes for
// SYMMETRIC_DEFAULT and HMAC, unencrypted PKCS #8 in DER (RFC 5208) for key pairs. Use [Parse] for anything else.
// Errors: [*LengthError], [*FormatError], [*MismatchError], [*InconsistentKeyError], [*MultiPrimeError], [*UnsupportedSpecError].
func New(spec Spec, b []byte) (m *Material, err error) {
	Erasing(func() { m, err = newExact(spec, b) })
	return m, err
}

func newExact(spec Spec, b []byte) (*Material, error) {
	switch spec.Kind() {
	case Symmetric, HMAC:
		return newRaw(spec, b, Raw)
	case KindNone:
		return nil, &UnsupportedSpecError{Spec: string(spec), Reason: whyUnsupported(string(spec))}
	}
	info, ok := readPKCS8(b)
	if !ok || !info.plain() {
		return nil, &FormatError{
			Found: fmt.Sprintf("%s that are not plain PKCS #8 DER", plural(len(b), "byte")),
			Want:  "unencrypted PKCS #8 DER (RFC 5208) for " + string(spec),
		}
	}
	pair, err := info.parse()
	if err != nil {
		return nil, against(spec, err)
	}
	if err := pair.check(spec); err != nil {
		return nil, err
	}
	return pair.material(b), nil
}

// newRaw takes raw bytes for a symmetric or HMAC spec.
func newRaw(spec Spec, b []byte, e Encoding) (*Material, error) {
	if !spec.takesLength(len(b)) {
		min, max := spec.Lengths()
		return nil, &LengthError{Spec: spec, Encoding: e, Got: len(b), Min: min, Max: max}
	}
	m := &Material{spec: spec, secret: NewSecret(b)}
	if spec.Kind() == HMAC {
		m.fingerprint = hmacFingerprint(b)
		return m, nil
	}
	var err error
	if m.fingerprint, err = cmacFingerprint(b); err != nil {
		return nil, err
	}
	return m, nil
}

// Spec returns the spec that the material is for.
func (m *Material) Spec() Spec { return m.spec }

// Secret returns the plaintext to wrap. It shares its bytes with m.
func (m *Material) Secret() Secret { return m.secret }

// PublicKeyDER returns the public key as SubjectPublicKeyInfo in DER, as KMS GetPublicKey does, or nil for secrets.
func (m *Material) PublicKeyDER() []byte { return slices.Clone(m.spki) }

// Public returns the public key, or nil for secrets: an *rsa.PublicKey, an *ecdsa.PublicKey, an ed25519.PublicKey, or for
// ECC_SECG_P256K1 the *secp256k1.PublicKey of github.com/decred/dcrd/dcrec/secp256k1/v4.
func (m *Material) Public() crypto.PublicKey { return m.public }

// Fingerprint returns a value that identifies the material and is safe to show.
func (m *Material) Fingerprint() Fingerprint { return m.fingerprint }

// MAC returns what KMS GenerateMac returns for the message: HMAC with the hash of the spec, of 28, 32, 48 or 64 bytes. Other
// specs are a [*FormatError].
func (m *Material) MAC(message []byte) ([]byte, error) {
	newHash, ok := map[Spec]func() hash.Hash{
		HMAC224: sha256.New224,
		HMAC256: sha256.New,
		HMAC384: sha512.New384,
		HMAC512: sha512.New,
	}[m.spec]
	if !ok {
		return nil, &FormatError{Found: string(m.spec) + " material", Want: "material for an HMAC key spec"}
	}
	if m.secret.Len() == 0 {
		return nil, &FormatError{Found: "destroyed material", Want: "material to compute a MAC with"}
	}
	mac := hmac.New(newHash, m.secret.bytes())
	mac.Write(message)
	return mac.Sum(nil), nil
}

// Destroy overwrites the plaintext; see [Secret.Destroy] for what that is worth. Public key and fingerprint stay.
func (m *Material) Destroy() { m.secret.Destroy() }

// String returns spec and fingerprint, which are safe to show.
func (m *Material) String() string { return string(m.spec) + " " + m.fingerprint.String() }

// GoString is String, so that %#v does not walk through the fields.
func (m *Material) GoString() string { return m.String() }

// LogValue is String for slog.
func (m *Material) LogValue() slog.Value { return slog.StringValue(m.String()) }
