// SPDX-License-Identifier: Apache-2.0

package material

import "bytes"

// Description is what can be said about a file without a passphrase and without revealing a secret.
type Description struct {
	Encoding    Encoding     // empty for files of another trade
	What        string       // noun phrase, such as "RSA_2048 private key" or "X.509 certificate"
	Spec        Spec         // the key spec it fits, if it says so itself
	Candidates  []Spec       // for raw material, the specs that Parse would take it for
	Private     bool         // holds a private or secret key that Parse can read
	Encrypted   bool         // needs a passphrase
	Fingerprint *Fingerprint // of the public key, where there is one to see
	Problem     error        // why Parse would refuse it, apart from a missing passphrase or spec; nil if it would not
}

// Identify says what data is, for people who found a file. It reads everything that [Parse] reads, and names public keys,
// certificates and common files of other trades. The Description holds no secret. The error is a [*TooLargeError], or a
// [*FormatError] for an empty input; bytes of no known kind are described as such.
func Identify(data []byte) (d Description, err error) {
	Erasing(func() { d, err = identify(data) })
	return d, err
}

func identify(data []byte) (Description, error) {
	switch {
	case len(data) > MaxInput:
		return Description{}, &TooLargeError{Size: len(data)}
	case len(bytes.TrimSpace(data)) == 0:
		return Description{}, emptyInput(len(data), "")
	}
	if f, ok := recognise(data); ok {
		return f.describe(), nil
	}
	d := Description{What: describeRaw(data)}
	for _, spec := range Specs() {
		if spec.KeyPair() && spec != ECCSECGP256K1 {
			continue
		}
		if b, e, err := readRaw(data, spec, ""); err == nil {
			clear(b)
			d.Candidates = append(d.Candidates, spec)
			d.Encoding = e
		}
	}
	return d, nil
}

// describe reads the key, if it can be read without a passphrase, to name its spec and public key.
func (f finding) describe() Description {
	d := Description{Encoding: f.encoding, What: f.what, Problem: f.refusal, Encrypted: f.decrypt != nil}
	d.Private = d.Encrypted || f.pair != nil || f.oct != nil
	d.Spec = f.octSpec
	if f.public != nil {
		spec, spki := f.public()
		d.see(spec, spki)
	}
	if f.pair != nil {
		pair, err := f.pair()
		if err != nil {
			d.Problem = err
			return d
		}
		d.see(pair.spec, pair.spki)
		d.What = string(pair.spec) + " private key"
	}
	if f.oct != nil && f.octSpec == "" {
		for _, spec := range Specs() {
			if !spec.KeyPair() && spec.takesLength(len(f.oct)) {
				d.Candidates = append(d.Candidates, spec)
			}
		}
	}
	return d
}

// see notes spec and fingerprint of a public key.
func (d *Description) see(spec Spec, spki []byte) {
	d.Spec = spec
	if len(spki) > 0 {
		fingerprint := FingerprintPublicKey(spki)
		d.Fingerprint = &fingerprint
	}
}
