// SPDX-License-Identifier: Apache-2.0

package material

import "bytes"

// finding is a structure that was recognised. At most one of pair, oct, decrypt and refusal is set; none is for public keys.
type finding struct {
	encoding Encoding
	what     string // noun phrase for people

	pair  func() (*keyPair, error) // reads and checks a private key
	exact []byte                   // the PKCS #8 DER that pair reads, if KMS would take it as it is

	oct     []byte // the key of a JWK of type oct
	octSpec Spec   // what its alg says it is for, if anything

	decrypt func(passphrase []byte) (finding, error)
	refusal error // why this is no key material

	public func() (Spec, []byte) // spec and SubjectPublicKeyInfo that can be seen without a passphrase; may be nil
}

// publicKey is the finding for the public half of a key pair.
func publicKey(e Encoding, what string, public func() (Spec, []byte)) finding {
	return finding{encoding: e, what: what, refusal: &PublicKeyError{Found: what}, public: public}
}

// foreign is the finding for a file of another trade, or for one that is damaged.
func foreign(e Encoding, what string) finding {
	return finding{encoding: e, what: what, refusal: &FormatError{Found: what, Want: "key material"}}
}

// recognise looks for structures, first in data itself, then in what data decodes to when it is hex or base64. It claims
// nothing that random bytes could look like.
func recognise(data []byte) (finding, bool) {
	if f, ok := recogniseStructure(data); ok {
		return f, true
	}
	t, ok := readText(data)
	if !ok || t.decoded == nil {
		return finding{}, false
	}
	f, ok := recogniseStructure(t.decoded)
	if ok && f.encoding != "" {
		f.encoding = t.encoding + " of " + f.encoding
		if f.what != "" && f.refusal != nil {
			f.what = string(t.encoding) + " of " + f.what
		}
	}
	return f, ok
}

func recogniseStructure(data []byte) (finding, bool) {
	if f, ok := recogniseDER(data); ok {
		return f, true
	}
	if f, ok := recogniseMagic(data); ok {
		return f, true
	}
	if utf16Text(data) {
		return foreign("", "UTF-16 text, as PowerShell writes it"), true
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	start := bytes.TrimSpace(data)
	switch {
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return recognisePEM(data), true
	case bytes.HasPrefix(start, []byte("{")) && bytes.HasSuffix(start, []byte("}")):
		return recogniseJSON(start)
	default:
		return recogniseSSHPublic(start)
	}
}

// recogniseMagic names files that begin with bytes of their own and that keymat does not read as key material.
func recogniseMagic(data []byte) (finding, bool) {
	for _, m := range []struct{ magic, what string }{
		{"PuTTY-User-Key-File-", "PuTTY private key"},
		{"age-encryption.org/v1", "file encrypted with age"},
		{"AGE-SECRET-KEY-1", "age identity"},
		{"---- BEGIN SSH2 PUBLIC KEY", "SSH2 public key"},
		{"PK\x03\x04", "ZIP archive"},
		{"\xfe\xed\xfe\xed\x00\x00\x00", "Java key store"},
		{"openssh-key-v1\x00", "OpenSSH private key without its PEM armour"},
	} {
		if bytes.HasPrefix(data, []byte(m.magic)) {
			return foreign("", m.what), true
		}
	}
	return finding{}, false
}

// utf16Text reports a byte order mark followed by ASCII in two bytes each.
func utf16Text(data []byte) bool {
	if len(data) < 4 || len(data)%2 != 0 {
		return false
	}
	zero := 1 // where the zeros are in little-endian text
	switch {
	case data[0] == 0xff && data[1] == 0xfe:
	case data[0] == 0xfe && data[1] == 0xff:
		zero = 0
	default:
		return false
	}
	for i := 2; i < len(data); i += 2 {
		if data[i+zero] != 0 || data[i+1-zero] >= 0x80 {
			return false
		}
	}
	return true
}
