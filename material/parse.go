// SPDX-License-Identifier: Apache-2.0

package material

import (
	"bytes"
	"errors"
	"fmt"
)

// MaxInput is the largest input in bytes that [Parse] and [Identify] look at; the largest sensible one is a tenth of it.
const MaxInput = 64 << 10

// Options says what the caller knows about the input of [Parse].
type Options struct {
	// Spec is what the material must be for. When empty the input has to say it itself, as key pairs do.
	Spec Spec
	// As settles what raw material is: Raw takes the bytes as they are, Hex and Base64 decode them. When empty, Parse decides
	// as it describes. It must not be any other encoding.
	As Encoding
	// Passphrase returns the passphrase of encrypted input; what is a noun phrase for the prompt, such as "encrypted PKCS #8 PEM".
	// Parse clears the slice. When nil, encrypted input is refused.
	Passphrase func(what string) ([]byte, error)
}

// Parse recognises key material in whatever form people have it, checks it, and converts it to what KMS takes. It neither keeps
// nor changes data. The Encoding says what data was, so that the caller can tell the user.
//
// Private keys are read from PKCS #8, PKCS #1 and SEC 1, each as PEM or DER (PKCS #8 also encrypted with PBES2, and any of them
// in BER), from OpenSSH files, encrypted or not, from JWK (RFC 7517, 7518, 8037, 8812), and for ECC_SECG_P256K1 from the bare
// 32-byte scalar. PKCS #8 DER that KMS takes comes back byte for byte. It is encoded anew, as openssl would, when it is not
// plain RFC 5208 or does not fit the smallest wrapping that KMS permits for the spec; to KMS that is the same key material.
//
// Raw material (symmetric, HMAC, the scalar) may be bytes, hex (also with 0x, colons or line breaks), base64 (standard or URL,
// with or without padding and line breaks) or a JWK of type oct. Text is told from bytes by these rules, none of which random
// bytes meet by chance:
//
//   - Text that decodes to exactly [Spec.GenerateLength] bytes is decoded. Hex digits alone are hex, never base64.
//   - Text that can be taken in two ways, such as 64 hex digits for HMAC_512, is an [*AmbiguousError]; Options.As settles it.
//   - Other printable text that is itself as long as KMS wants is taken as it is; the Encoding is [RawText].
//   - One newline too many is a [*LengthError] that says so.
//
// The other errors: [*TooLargeError], [*SpecNeededError], [*FormatError], [*MismatchError], [*PublicKeyError],
// [*InconsistentKeyError], [*MultiPrimeError], [*TrailingDataError], [*TruncatedError], [*PassphraseError],
// [*UnsupportedSpecError].
func Parse(data []byte, o Options) (m *Material, e Encoding, err error) {
	Erasing(func() { m, e, err = parse(data, o) })
	return m, e, err
}

func parse(data []byte, o Options) (*Material, Encoding, error) {
	if o.Spec != "" && o.Spec.Kind() == KindNone {
		return nil, "", &UnsupportedSpecError{Spec: string(o.Spec), Reason: whyUnsupported(string(o.Spec))}
	}
	if len(data) > MaxInput {
		return nil, "", &TooLargeError{Size: len(data)}
	}
	if len(bytes.TrimSpace(data)) == 0 && !o.Spec.takesLength(len(data)) {
		return nil, "", emptyInput(len(data), o.Spec)
	}
	if o.As == "" {
		if f, ok := recognise(data); ok {
			m, err := f.material(o)
			if err != nil {
				return nil, f.encoding, err
			}
			return m, f.encoding, nil
		}
	}
	return parseRaw(data, o)
}

func emptyInput(size int, spec Spec) error {
	found := "an empty file"
	if size > 0 {
		found = plural(size, "byte") + " of white space"
	}
	want := "key material"
	if spec != "" {
		want += " for " + string(spec)
	}
	return &FormatError{Found: found, Want: want}
}

// material turns what was recognised into material, asking for the passphrase if it needs one.
func (f finding) material(o Options) (*Material, error) {
	if f.refusal != nil {
		return nil, f.refusal
	}
	if f.decrypt != nil {
		inner, err := f.unlock(o)
		if err != nil {
			return nil, err
		}
		return inner.material(o)
	}
	if f.oct != nil {
		return f.octMaterial(o.Spec)
	}
	pair, err := f.pair()
	if err != nil {
		return nil, against(o.Spec, err)
	}
	if err := pair.check(o.Spec); err != nil {
		return nil, err
	}
	plaintext := pair.pkcs8
	if room := pair.spec.room(); f.exact != nil && (room == 0 || len(f.exact) <= room) {
		plaintext = bytes.Clone(f.exact)
	}
	return pair.material(plaintext), nil
}

// unlock asks for the passphrase and decrypts.
func (f finding) unlock(o Options) (finding, error) {
	if o.Passphrase == nil {
		return finding{}, &PassphraseError{Encoding: f.encoding}
	}
	passphrase, err := o.Passphrase(string(f.encoding))
	if err != nil {
		return finding{}, &PassphraseError{Encoding: f.encoding, Err: err}
	}
	defer clear(passphrase)
	if len(passphrase) == 0 {
		return finding{}, &PassphraseError{Encoding: f.encoding}
	}
	return f.decrypt(passphrase)
}

// octMaterial takes the key of a JWK of type oct. The algorithm in the JWK, if it names a spec, must be the one asked for.
func (f finding) octMaterial(want Spec) (*Material, error) {
	spec := f.octSpec
	switch {
	case want == "" && spec == "":
		return nil, &SpecNeededError{Found: plural(len(f.oct), "byte") + " in a JWK without a telling alg"}
	case want != "" && spec != "" && want != spec, want.KeyPair():
		return nil, &MismatchError{Want: want, Found: f.what}
	case want != "":
		spec = want
	}
	return newRaw(spec, bytes.Clone(f.oct), JWK)
}

// check reports a pair that is not of the wanted spec, if one is wanted.
func (k *keyPair) check(want Spec) error {
	if want == "" || want == k.spec {
		return nil
	}
	return &MismatchError{Want: want, Found: string(k.spec) + " private key"}
}

// against rewords "KMS imports no such key" for a caller who knows which key it has to be.
func against(want Spec, err error) error {
	if unsupported, ok := errors.AsType[*UnsupportedSpecError](err); ok && want != "" {
		return &MismatchError{Want: want, Found: unsupported.Spec}
	}
	return err
}

// parseRaw reads material that is not a structure: bytes, hex, base64.
func parseRaw(data []byte, o Options) (*Material, Encoding, error) {
	switch {
	case o.Spec == "":
		return nil, "", &SpecNeededError{Found: describeRaw(data)}
	case o.Spec.KeyPair() && o.Spec != ECCSECGP256K1:
		return nil, "", &FormatError{Found: describeRaw(data), Want: fmt.Sprintf("a private key for %s in PKCS #8, PKCS #1, SEC 1, OpenSSH or JWK", o.Spec)}
	}
	b, e, err := readRaw(data, o.Spec, o.As)
	if err != nil {
		return nil, e, err
	}
	if o.Spec != ECCSECGP256K1 {
		m, err := newRaw(o.Spec, b, e)
		return m, e, err
	}
	defer clear(b)
	pair, err := newECC(curveBySpec(o.Spec), b, nil)
	if err != nil {
		return nil, e, err
	}
	return pair.material(pair.pkcs8), e, nil
}
