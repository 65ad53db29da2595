// SPDX-License-Identifier: Apache-2.0

package material_test

import (
	"bytes"
	"crypto/rand"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/keymat/keymat/material"
)

// pkcs8, sec1 and pkcs1 are RFC 5208, RFC 5915 and RFC 8017 for encoding/asn1, to build what no tool here writes.
type pkcs8 struct {
	Version   int
	Algorithm struct {
		OID   asn1.ObjectIdentifier
		Param asn1.RawValue `asn1:"optional"`
	}
	Key   []byte
	Extra asn1.RawValue `asn1:"optional"`
}

type sec1 struct {
	Version int
	Key     []byte
	Curve   asn1.ObjectIdentifier `asn1:"optional,explicit,tag:0"`
	Public  asn1.BitString        `asn1:"optional,explicit,tag:1"`
}

type pkcs1 struct {
	Version                        int
	N, E, D, P, Q, DP, DQ, Inverse *big.Int
}

func unmarshal[T any](t *testing.T, der []byte) T {
	t.Helper()
	var v T
	if rest, err := asn1.Unmarshal(der, &v); err != nil || len(rest) > 0 {
		t.Fatalf("unmarshalling a fixture: %v, %d bytes left", err, len(rest))
	}
	return v
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// editEC changes the ECPrivateKey within PKCS #8.
func editEC(t *testing.T, name string, edit func(*pkcs8, *sec1)) []byte {
	t.Helper()
	outer := unmarshal[pkcs8](t, fixture(t, name+".p8.der"))
	inner := unmarshal[sec1](t, outer.Key)
	edit(&outer, &inner)
	outer.Key = marshal(t, inner)
	return marshal(t, outer)
}

// editRSA changes the RSAPrivateKey within PKCS #8.
func editRSA(t *testing.T, edit func(*pkcs8, *pkcs1)) []byte {
	t.Helper()
	outer := unmarshal[pkcs8](t, fixture(t, "rsa2048.p8.der"))
	inner := unmarshal[pkcs1](t, outer.Key)
	edit(&outer, &inner)
	outer.Key = marshal(t, inner)
	return marshal(t, outer)
}

var (
	oidP256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}
	oidP384 = asn1.ObjectIdentifier{1, 3, 132, 0, 34}
	oidP521 = asn1.ObjectIdentifier{1, 3, 132, 0, 35}
)

// compress takes the coordinate x of an uncompressed point.
func compress(p []byte, prefix byte) asn1.BitString {
	p = append([]byte{prefix}, p[1:1+len(p)/2]...)
	return asn1.BitString{Bytes: p, BitLength: 8 * len(p)}
}

// TestPKCS8IsKept states which PKCS #8 comes back byte for byte, and which is encoded anew.
func TestPKCS8IsKept(t *testing.T) {
	attribute := asn1.RawValue{FullBytes: []byte{0xa0, 0x00}}
	parity := func(s *sec1) byte { return s.Public.Bytes[len(s.Public.Bytes)-1] & 1 }
	for _, tt := range []struct {
		name, key string
		der       []byte
		kept      bool
		size      int
	}{
		{name: "as openssl writes it", key: "p384", der: fixture(t, "p384.p8.der"), kept: true, size: 185},
		{name: "curve repeated, fits", key: "p256", der: editEC(t, "p256", func(_ *pkcs8, s *sec1) { s.Curve = oidP256 }), kept: true, size: 150},
		{name: "curve repeated, does not fit RSA_2048", key: "p384", der: editEC(t, "p384", func(_ *pkcs8, s *sec1) { s.Curve = oidP384 }), size: 194},
		{name: "curve repeated, fits RSA_3072", key: "p521", der: editEC(t, "p521", func(_ *pkcs8, s *sec1) { s.Curve = oidP521 }), kept: true, size: 250},
		{name: "no public point", key: "p256", der: editEC(t, "p256", func(_ *pkcs8, s *sec1) { s.Public = asn1.BitString{} }), kept: true, size: 67},
		{name: "compressed point", key: "k1", der: editEC(t, "k1", func(_ *pkcs8, s *sec1) { s.Public = compress(s.Public.Bytes, 2+parity(s)) }), kept: true, size: 102},
		{name: "attributes", key: "p256", der: editEC(t, "p256", func(p *pkcs8, _ *sec1) { p.Extra = attribute }), size: 140},
		{name: "version 1", key: "p256", der: editEC(t, "p256", func(p *pkcs8, _ *sec1) { p.Version = 1 }), size: 138},
		{name: "RSA without the NULL", key: "rsa2048", der: editRSA(t, func(p *pkcs8, _ *pkcs1) { p.Algorithm.Param = asn1.RawValue{} }), size: len(fixture(t, "rsa2048.p8.der")) - 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if len(tt.der) != tt.size {
				t.Errorf("built %d bytes, want %d", len(tt.der), tt.size)
			}
			want := fixture(t, tt.key+".p8.der")
			if tt.kept {
				want = tt.der
			}
			for e, data := range map[material.Encoding][]byte{
				material.PKCS8DER:       tt.der,
				material.PKCS8PEM:       pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: tt.der}),
				"base64 of PKCS #8 DER": []byte(base64.StdEncoding.EncodeToString(tt.der) + "\n"),
				"hex of PKCS #8 DER":    []byte(hex.EncodeToString(tt.der)),
			} {
				m, got, err := material.Parse(data, material.Options{})
				if err != nil || got != e {
					t.Fatalf("got %q, %v, want %q", got, err, e)
				}
				if !bytes.Equal(plaintext(t, m), want) {
					t.Errorf("%s: got %d bytes, want these %d", e, m.Secret().Len(), len(want))
				}
			}
			_, err := material.New(specOf[tt.key], bytes.Clone(tt.der))
			if newTakes := err == nil; newTakes != (tt.kept || tt.size == 194) {
				t.Errorf("New: got %v", err)
			}
		})
	}
}

// TestBER rewrites the outer SEQUENCE with indefinite length, as the recordings did, and with a length that is too long.
func TestBER(t *testing.T) {
	for name, spec := range specOf {
		der := fixture(t, name+".p8.der")
		var outer asn1.RawValue
		if _, err := asn1.Unmarshal(der, &outer); err != nil {
			t.Fatal(err)
		}
		n := len(outer.Bytes)
		for how, ber := range map[string][]byte{
			"indefinite":  append(append([]byte{0x30, 0x80}, outer.Bytes...), 0, 0),
			"long length": append([]byte{0x30, 0x84, 0, 0, byte(n >> 8), byte(n)}, outer.Bytes...),
		} {
			m, e, err := material.Parse(ber, material.Options{Spec: spec})
			if err != nil || e != material.PKCS8BER || !bytes.Equal(plaintext(t, m), der) {
				t.Errorf("%s %s: got %v, %q, %v, want the DER of the same key", name, how, m, e, err)
			}
			if _, err := material.New(spec, ber); err == nil {
				t.Errorf("%s %s: New takes it", name, how)
			}
			if m, _, err := material.Parse(ber[:len(ber)-1], material.Options{Spec: spec}); err == nil {
				t.Errorf("%s %s: cut short: got %v", name, how, m)
			}
		}
	}
}

// compositeRSA makes a key whose numbers fit together although p is the product of two primes.
func compositeRSA(_ *pkcs8, k *pkcs1) {
	one := big.NewInt(1)
	for {
		k.P = new(big.Int).Mul(prime512(), prime512())
		k.N = new(big.Int).Mul(k.P, k.Q)
		p1, q1 := new(big.Int).Sub(k.P, one), new(big.Int).Sub(k.Q, one)
		lcm := new(big.Int).Mul(p1, q1)
		lcm.Div(lcm, new(big.Int).GCD(nil, nil, p1, q1))
		if k.D = new(big.Int).ModInverse(k.E, lcm); k.D == nil || k.N.BitLen() != 2048 {
			continue
		}
		k.DP, k.DQ = new(big.Int).Mod(k.D, p1), new(big.Int).Mod(k.D, q1)
		k.Inverse = new(big.Int).ModInverse(k.Q, k.P)
		return
	}
}

// prime512 does without rand.Prime, which refuses this size under GODEBUG=fips140=only.
func prime512() *big.Int {
	b := make([]byte, 64)
	for {
		rand.Read(b)
		b[0] |= 0xc0
		if p := new(big.Int).SetBytes(b); p.ProbablyPrime(0) {
			return p
		}
	}
}

// uncurved is a SEC 1 key that leaves the curve out, as the inside of PKCS #8 does.
func uncurved(t *testing.T) []byte {
	key := unmarshal[sec1](t, fixture(t, "p256.sec1.der"))
	key.Curve = nil
	return marshal(t, key)
}

func TestDamagedKeys(t *testing.T) {
	const inconsistent = "private key, expected an intact one: "
	p256, rsa := fixture(t, "p256.p8.der"), fixture(t, "rsa2048.p8.der")
	one := big.NewInt(1)
	for _, tt := range []struct {
		name string
		der  []byte
		err  string
	}{
		{"public point of another key", editEC(t, "p256", func(_ *pkcs8, s *sec1) { s.Public.Bytes[40] ^= 1 }), "found an inconsistent ECC_NIST_P256 " + inconsistent + "the public point in the file does not belong to the private scalar"},
		{"public point with the other sign", editEC(t, "k1", func(_ *pkcs8, s *sec1) { s.Public = compress(s.Public.Bytes, 3-s.Public.Bytes[64]&1) }), "found an inconsistent ECC_SECG_P256K1 " + inconsistent + "the public point in the file does not belong to the private scalar"},
		{"zero scalar", editEC(t, "p384", func(_ *pkcs8, s *sec1) { clear(s.Key) }), "found an inconsistent ECC_NIST_P384 " + inconsistent + "the private scalar is zero or not below the curve's order"},
		{"scalar too large", editEC(t, "p521", func(_ *pkcs8, s *sec1) { s.Key[0] = 0xff }), "found an inconsistent ECC_NIST_P521 " + inconsistent + "the private scalar is zero or not below the curve's order"},
		{"scalar too long", editEC(t, "p256", func(_ *pkcs8, s *sec1) { s.Key = append([]byte{1}, s.Key...) }), "found an inconsistent ECC_NIST_P256 " + inconsistent + "the private scalar is longer than the curve's order"},
		{"two curves", editEC(t, "p256", func(_ *pkcs8, s *sec1) { s.Curve = asn1.ObjectIdentifier{1, 3, 132, 0, 10} }), "found an inconsistent ECC_NIST_P256 " + inconsistent + "the file names curve P-256 outside and secp256k1 inside"},
		{"wrong d", editRSA(t, func(_ *pkcs8, k *pkcs1) { k.D.Add(k.D, one).Add(k.D, one) }), "found an inconsistent RSA_2048 " + inconsistent + "d does not match dP"},
		{"wrong dP", editRSA(t, func(_ *pkcs8, k *pkcs1) { k.DP.Sub(k.DP, one) }), "found an inconsistent RSA_2048 " + inconsistent + "invalid CRT exponent"},
		{"wrong inverse", editRSA(t, func(_ *pkcs8, k *pkcs1) { k.Inverse.Sub(k.Inverse, one) }), "found an inconsistent RSA_2048 " + inconsistent + "invalid CRT coefficient"},
		{"wrong n", editRSA(t, func(_ *pkcs8, k *pkcs1) { k.N.Sub(k.N, big.NewInt(2)) }), "found an inconsistent RSA_2048 " + inconsistent + "p * q != n"},
		{"composite p", editRSA(t, compositeRSA), "found an inconsistent RSA_2048 " + inconsistent + "a factor of the modulus is not a prime"},
		{"trailing newline", append(bytes.Clone(p256), '\n'), "found PKCS #8 DER of 138 bytes and a trailing newline after it, expected nothing after it"},
		{"trailing bytes", append(bytes.Clone(p256), 0, '\n'), "found PKCS #8 DER of 138 bytes and 2 more bytes after it, expected nothing after it"},
		{"cut short", p256[:137], "found 137 bytes of a DER structure, expected the 138 bytes its header announces"},
		{"cut short", rsa[:1000], "found 1000 bytes of a DER structure, expected the 1218 bytes its header announces"},
		{"no key inside", bytes.Replace(p256, []byte{0x30, 0x6b, 2, 1, 1}, []byte{0x30, 0x6b, 2, 1, 2}, 1), "found EC private key that is not RFC 5915 inside, expected an intact key"},
		{"PEM cut short", fixture(t, "p256.p8.pem")[:100], "found damaged PEM, expected key material"},
		{"PEM of nothing", []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "found damaged PEM block of 3 bytes, expected key material"},
		{"two keys", append(fixture(t, "p256.p8.pem"), fixture(t, "k1.p8.pem")...), "found 2 private keys in PEM, expected key material"},
		{"curve not named", uncurved(t), "found EC private key that does not name its curve, expected a named curve"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, _, err := material.Parse(tt.der, material.Options{})
			if m != nil || err == nil || err.Error() != tt.err {
				t.Errorf("got %v, %v\nwant %s", m, err, tt.err)
			}
		})
	}
}

// TestPEMCompany finds the one private key among certificates and chatter.
func TestPEMCompany(t *testing.T) {
	var bundle []byte
	bundle = append(bundle, "Bag Attributes\n    friendlyName: x\n"...)
	bundle = append(bundle, fixture(t, "certificate.x.pem")...)
	bundle = append(bundle, bytes.ReplaceAll(fixture(t, "p256.p8.pem"), []byte("\n"), []byte("\r\n"))...)
	bundle = append(bundle, fixture(t, "public.x.pem")...)
	for name, data := range map[string][]byte{"bundle": bundle, "byte order mark": append([]byte("\xef\xbb\xbf"), fixture(t, "p256.p8.pem")...)} {
		m, e, err := material.Parse(data, material.Options{Spec: material.ECCNISTP256})
		if err != nil || e != material.PKCS8PEM || !bytes.Equal(plaintext(t, m), fixture(t, "p256.p8.der")) {
			t.Errorf("%s: got %v, %q, %v", name, m, e, err)
		}
	}
}

// editJWK sets or, for nil, removes a member.
func editJWK(t *testing.T, name, member string, value any) []byte {
	t.Helper()
	var key map[string]any
	if err := json.Unmarshal(fixture(t, name+".jwk"), &key); err != nil {
		t.Fatal(err)
	}
	key[member] = value
	if value == nil {
		delete(key, member)
	}
	b, err := json.Marshal(key)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestJWK(t *testing.T) {
	oct := func(n int, alg string) []byte {
		b, _ := json.Marshal(map[string]string{"kty": "oct", "alg": alg, "k": base64.RawURLEncoding.EncodeToString(random(n))})
		return b
	}
	for _, tt := range []struct {
		name string
		in   []byte
		spec material.Spec
		want material.Spec
		err  string
	}{
		{name: "HS256", in: oct(32, "HS256"), want: material.HMAC256},
		{name: "HS384", in: oct(48, "HS384"), want: material.HMAC384},
		{name: "HS512", in: oct(64, "HS512"), want: material.HMAC512},
		{name: "A256GCM", in: oct(32, "A256GCM"), want: material.SymmetricDefault},
		{name: "no alg", in: oct(32, ""), err: "found 32 bytes in a JWK without a telling alg, which do not say what kind of key they are: expected a key spec along with them"},
		{name: "no alg, spec", in: oct(28, ""), spec: material.HMAC224, want: material.HMAC224},
		{name: "other alg", in: oct(64, "HS512"), spec: material.HMAC256, err: "found JWK with a secret key for HS512 (HMAC_512), expected HMAC_256"},
		{name: "for a key pair", in: oct(32, ""), spec: material.ECCSECGP256K1, err: "found JWK with a secret key, expected ECC_SECG_P256K1"},
		{name: "too short", in: oct(16, ""), spec: material.SymmetricDefault, err: "found JWK with 16 bytes, expected 32 bytes for SYMMETRIC_DEFAULT"},
		{name: "damaged k", in: []byte(`{"kty":"oct","k":"*"}`), err: "found JWK of type oct with a damaged or missing k, expected key material"},
		{name: "unknown type", in: []byte(`{"kty":"AKP"}`), err: "found JWK of an unknown type, expected key material"},
		{name: "public", in: editJWK(t, "p256", "d", nil), err: "found JWK with the public key only, expected a private key"},
		{name: "other curve", in: fixture(t, "p384.jwk"), spec: material.ECCNISTP256, err: "found ECC_NIST_P384 private key, expected ECC_NIST_P256"},
		{name: "other point", in: editJWK(t, "p256", "x", "AAAA"), err: "found an inconsistent ECC_NIST_P256 private key, expected an intact one: the public point in the file does not belong to the private scalar"},
		{name: "long coordinate", in: editJWK(t, "p256", "y", strings.Repeat("_", 44)), err: "found an inconsistent ECC_NIST_P256 private key, expected an intact one: a coordinate is longer than the field"},
		{name: "no y", in: editJWK(t, "k1", "y", nil), err: "found JWK of type EC with a damaged or missing y, expected an intact key"},
		{name: "unknown curve", in: editJWK(t, "k1", "crv", "secret"), err: `key spec "EC private key on a curve that JWK does not register" cannot be imported: KMS imports EC keys on P-256, P-384, P-521, secp256k1 and Ed25519`},
		{name: "X25519", in: editJWK(t, "ed25519", "crv", "X25519"), err: `key spec "OKP private key on a curve that JWK calls X25519" cannot be imported: KMS imports EC keys on P-256, P-384, P-521, secp256k1 and Ed25519`},
		{name: "short seed", in: editJWK(t, "ed25519", "d", "AAAA"), err: "found an inconsistent ECC_NIST_EDWARDS25519 private key, expected an intact one: the private key is 3 bytes where RFC 8032 has 32"},
		{name: "other public key", in: editJWK(t, "ed25519", "x", strings.Repeat("A", 43)), err: "found an inconsistent ECC_NIST_EDWARDS25519 private key, expected an intact one: the public key in the file does not belong to the private key"},
		{name: "no primes", in: editJWK(t, "rsa2048", "p", nil), err: "found JWK of type RSA with a damaged or missing p, expected an intact key"},
		{name: "many primes", in: editJWK(t, "rsa2048", "oth", []any{map[string]string{}}), err: "found an RSA_2048 private key of 3 primes, expected 2 primes"},
		{name: "large exponent", in: editJWK(t, "rsa2048", "e", "_____w"), err: "found an inconsistent RSA_2048 private key, expected an intact one: the public exponent is larger than 2147483647"},
		{name: "wrong d", in: editJWK(t, "rsa2048", "d", "AQAB"), err: "found an inconsistent RSA_2048 private key, expected an intact one: d does not match dP"},
		{name: "set of one", in: []byte(`{"keys":[` + string(fixture(t, "k1.jwk")) + `]}`), want: material.ECCSECGP256K1},
		{name: "set of two", in: []byte(`{"keys":[{},{}]}`), err: "found JWK set of 2 keys, expected key material"},
		{name: "keymat file", in: []byte(`{"kind":"keymat/params","version":1}`), err: "found keymat/params file, expected key material"},
		{name: "service account", in: []byte(`{"type":"service_account"}`), err: "found Google service account file, expected key material"},
		{name: "Ethereum", in: []byte(`{"version":3,"crypto":{}}`), err: "found Ethereum key store, expected key material"},
		{name: "other JSON", in: []byte(`{"a":"secret"}`), err: "found JSON of an unknown kind, expected key material"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, _, err := material.Parse(tt.in, material.Options{Spec: tt.spec})
			if tt.err != "" {
				if m != nil || err == nil || err.Error() != tt.err {
					t.Errorf("got %v, %v\nwant %s", m, err, tt.err)
				}
				return
			}
			if err != nil || m.Spec() != tt.want {
				t.Errorf("got %v, %v, want %s", m, err, tt.want)
			}
		})
	}
}

func TestIdentify(t *testing.T) {
	for _, tt := range []struct {
		name     string
		in       []byte
		encoding material.Encoding
		what     string
		spec     material.Spec
		seen     bool // public key
		private  bool
		locked   bool
	}{
		{name: "PEM", in: fixture(t, "k1.params.pem"), encoding: material.SEC1PEM, what: "ECC_SECG_P256K1 private key", spec: material.ECCSECGP256K1, seen: true, private: true},
		{name: "certificate", in: fixture(t, "certificate.x.pem"), encoding: material.CertificatePEM, what: "ECC_NIST_P256 X.509 certificate", spec: material.ECCNISTP256, seen: true},
		{name: "public key", in: fixture(t, "rsa3072.pub"), encoding: material.SPKIDER, what: "RSA_3072 public key", spec: material.RSA3072, seen: true},
		{name: "encrypted", in: fixture(t, "p256.aes256.enc.pem"), encoding: material.EncryptedPKCS8PEM, what: "encrypted private key", private: true, locked: true},
		{name: "encrypted OpenSSH", in: fixture(t, "ssh-ed25519.enc.ssh"), encoding: material.EncryptedOpenSSH, what: "encrypted private key", spec: material.ECCNISTEdwards25519, seen: true, private: true, locked: true},
		{name: "OpenSSH line", in: fixture(t, "openssh-line.x.txt"), encoding: material.OpenSSHPublic, what: "OpenSSH public key", spec: material.ECCNISTEdwards25519, seen: true},
		{name: "JWK", in: fixture(t, "p521.jwk"), encoding: material.JWK, what: "ECC_NIST_P521 private key", spec: material.ECCNISTP521, seen: true, private: true},
		{name: "hex of a certificate", in: []byte(hex.EncodeToString(fixture(t, "p384.pub"))), encoding: "hex of SubjectPublicKeyInfo DER", what: "hex of ECC_NIST_P384 public key", spec: material.ECCNISTP384, seen: true},
		{name: "ZIP", in: []byte("PK\x03\x04" + "rest"), what: "ZIP archive"},
		{name: "age", in: []byte("age-encryption.org/v1\n"), what: "file encrypted with age"},
		{name: "PuTTY", in: []byte("PuTTY-User-Key-File-3: ssh-ed25519\n"), what: "PuTTY private key"},
	} {
		d, err := material.Identify(tt.in)
		if err != nil || d.Encoding != tt.encoding || d.What != tt.what || d.Spec != tt.spec || (d.Fingerprint != nil) != tt.seen ||
			d.Private != tt.private || d.Encrypted != tt.locked || (d.Problem == nil) != tt.private {
			t.Errorf("%s: got %+v, %v", tt.name, d, err)
		}
	}
	d, err := material.Identify(random(32))
	if err != nil || d.What != "32 raw bytes" || d.Encoding != material.Raw || len(d.Candidates) != 4 || d.Private {
		t.Errorf("raw: got %+v, %v", d, err)
	}
	if d, err := material.Identify(random(7)); err != nil || d.What != "7 raw bytes" || d.Candidates != nil {
		t.Errorf("raw of no use: got %+v, %v", d, err)
	}
	if _, err := material.Identify(nil); err == nil || err.Error() != "found an empty file, expected key material" {
		t.Errorf("empty: got %v", err)
	}
	if _, err := material.Identify(make([]byte, material.MaxInput+1)); err == nil {
		t.Error("too large: got no error")
	} else if _, ok := errors.AsType[*material.TooLargeError](err); !ok {
		t.Errorf("too large: got %v", err)
	}
}
