// SPDX-License-Identifier: Apache-2.0

package material_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"

	"github.com/keymat/keymat/material"
)

// TestGenerate makes material of every spec, which New and Parse must take back byte for byte.
func TestGenerate(t *testing.T) {
	// The lengths of PKCS #8 that openssl writes (kms-import-behaviour section 1); RSA varies by a few bytes.
	lengths := map[material.Spec]int{
		material.ECCNISTP256: 138, material.ECCNISTP384: 185, material.ECCNISTP521: 241,
		material.ECCSECGP256K1: 135, material.ECCNISTEdwards25519: 48,
	}
	for _, spec := range material.Specs() {
		t.Run(string(spec), func(t *testing.T) {
			m, err := material.Generate(spec)
			if err != nil {
				t.Fatal(err)
			}
			b := plaintext(t, m)
			want := spec.GenerateLength()
			if spec.Kind() == material.ECC {
				want = lengths[spec]
			}
			if want != 0 && len(b) != want {
				t.Errorf("got %d bytes, want %d", len(b), want)
			}
			if m.Spec() != spec || spec.KeyPair() != (m.Public() != nil) || spec.KeyPair() != (m.PublicKeyDER() != nil) {
				t.Errorf("got spec %s, public key %T", m.Spec(), m.Public())
			}
			again, err := material.New(spec, bytes.Clone(b))
			if err != nil {
				t.Fatalf("New: %v", err)
			}
			if !again.Secret().Equal(m.Secret()) || again.Fingerprint() != m.Fingerprint() {
				t.Errorf("New: got %s, want %s and the same bytes", again, m)
			}
			parsed, _, err := material.Parse(b, material.Options{Spec: spec, As: rawUnless(spec.KeyPair())})
			if err != nil || !parsed.Secret().Equal(m.Secret()) {
				t.Errorf("Parse: got %v, %v, want the same bytes", parsed, err)
			}
			if spec.Kind() == material.RSA {
				return // one is slow enough
			}
			other, err := material.Generate(spec)
			if err != nil || other.Secret().Equal(m.Secret()) || other.Fingerprint() == m.Fingerprint() {
				t.Errorf("a second one is the same or has failed: %v", err)
			}
		})
	}
	if _, err := material.Generate(""); err == nil || !strings.HasPrefix(err.Error(), "no key spec: it is not one of ") {
		t.Errorf("no spec: got %v", err)
	}
}

func rawUnless(pair bool) material.Encoding {
	if pair {
		return ""
	}
	return material.Raw
}

// TestPublicKeys asks the standard library, where it knows the curve, for the public key of generated PKCS #8.
func TestPublicKeys(t *testing.T) {
	for name, spec := range specOf {
		m, err := material.New(spec, fixture(t, name+".p8.der"))
		if err != nil {
			t.Fatalf("%s: %v", spec, err)
		}
		var ok bool
		switch public := m.Public().(type) {
		case *rsa.PublicKey:
			ok = spec.Kind() == material.RSA && fmt.Sprintf("RSA_%d", public.N.BitLen()) == string(spec)
		case *ecdsa.PublicKey:
			ok = strings.HasPrefix(string(spec), "ECC_NIST_P")
		case ed25519.PublicKey:
			ok = spec == material.ECCNISTEdwards25519
		case *secp256k1.PublicKey:
			ok = spec == material.ECCSECGP256K1
		}
		if !ok {
			t.Errorf("%s: public key is a %T", spec, m.Public())
		}
		if spec == material.ECCSECGP256K1 {
			continue
		}
		want, err := x509.MarshalPKIXPublicKey(m.Public())
		if err != nil || !bytes.Equal(m.PublicKeyDER(), want) {
			t.Errorf("%s: got another SubjectPublicKeyInfo than x509 (%v)", spec, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		spec material.Spec
		in   []byte
		err  string
	}{
		{"short", material.SymmetricDefault, random(31), "found 31 bytes, expected 32 bytes for SYMMETRIC_DEFAULT"},
		{"long", material.HMAC512, random(129), "found 129 bytes, expected 64 to 128 bytes for HMAC_512"},
		{"nil", material.SymmetricDefault, nil, "found 0 bytes, expected 32 bytes for SYMMETRIC_DEFAULT"},
		{"PEM", material.ECCNISTP256, fixture(t, "p256.p8.pem"), "found 241 bytes that are not plain PKCS #8 DER, expected unencrypted PKCS #8 DER (RFC 5208) for ECC_NIST_P256"},
		{"SEC 1", material.ECCNISTP256, fixture(t, "p256.sec1.der"), "found 121 bytes that are not plain PKCS #8 DER, expected unencrypted PKCS #8 DER (RFC 5208) for ECC_NIST_P256"},
		{"other curve", material.ECCNISTP256, fixture(t, "p384.p8.der"), "found ECC_NIST_P384 private key, expected ECC_NIST_P256"},
		{"other size", material.RSA4096, fixture(t, "rsa3072.p8.der"), "found RSA_3072 private key, expected RSA_4096"},
		{"SM2", "SM2", random(32), `key spec "SM2" cannot be imported: KMS imports SM2 keys in the China Regions only`},
	} {
		if m, err := material.New(tt.spec, tt.in); m != nil || err == nil || err.Error() != tt.err {
			t.Errorf("%s: got %v, %v\nwant %s", tt.name, m, err, tt.err)
		}
	}
}

func TestFingerprintVectors(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for _, tt := range []struct {
		spec material.Spec
		key  []byte
		want string
	}{
		// openssl mac -cipher AES-256-CBC -macopt hexkey:… -in (16 zero bytes) CMAC
		{material.SymmetricDefault, unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"), "cmac:1a0b2df267"},
		{material.SymmetricDefault, random(32), "cmac:bae1b1cdc2"},
		// printf keymat/kcv/v1 | openssl mac -digest SHA256 -macopt hexkey:… HMAC
		{material.HMAC256, random(32), "hmac:c94b76cabb"},
		{material.HMAC512, random(128), "hmac:9f374c10e1"},
	} {
		m, err := material.New(tt.spec, tt.key)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Fingerprint().String(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.spec, got, tt.want)
		}
		if got, want := m.String(), string(tt.spec)+" "+tt.want; got != want {
			t.Errorf("String: got %s, want %s", got, want)
		}
	}
}

// TestMAC has the answers that KMS gave for letters A and the message "imported HMAC" (kms-recorded section 7), and
// openssl's for the two specs that were not recorded.
func TestMAC(t *testing.T) {
	for _, tt := range []struct {
		spec material.Spec
		want string
		size int
	}{
		{material.HMAC224, "53651bd6e9d7fc8a5d0145a458e913927fbe07739f26fc4c0f47e659", 28},
		{material.HMAC256, "10dc6a3066094877059c3fc4f9b74eded0b146bc283106828018221d84d04cfc", 32},
		{material.HMAC384, "9a8e35431f83c56513393765fc09c4d7a224e1b5ff096aa4cfae487a6070ceefd66b817fc73a5351c68a2a5b86507cfd", 48},
		{material.HMAC512, "2f576b39b690e17a519e87002940fe1272cf20194b69cfab2994321b56f100a67a1adaba40eca3ed09e84ad4b1744ca4de037ca87e89dc595b40fefa1ce0f36c", 64},
	} {
		m, err := material.New(tt.spec, bytes.Repeat([]byte("A"), tt.spec.GenerateLength()))
		if err != nil {
			t.Fatal(err)
		}
		mac, err := m.MAC([]byte("imported HMAC"))
		if err != nil || len(mac) != tt.size || hex.EncodeToString(mac) != tt.want {
			t.Errorf("%s: got %x, %v, want %s", tt.spec, mac, err, tt.want)
		}
		m.Destroy()
		if _, err := m.MAC(nil); err == nil || err.Error() != "found destroyed material, expected material to compute a MAC with" {
			t.Errorf("%s: after Destroy: %v", tt.spec, err)
		}
	}
	m, err := material.New(material.SymmetricDefault, random(32))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.MAC(nil); err == nil || err.Error() != "found SYMMETRIC_DEFAULT material, expected material for an HMAC key spec" {
		t.Errorf("symmetric: got %v", err)
	}
}

func TestDestroy(t *testing.T) {
	b := random(32)
	m, err := material.New(material.SymmetricDefault, b)
	if err != nil {
		t.Fatal(err)
	}
	before := m.Fingerprint()
	secret := m.Secret()
	m.Destroy()
	if !bytes.Equal(b, make([]byte, 32)) || secret.Len() != 0 || m.Fingerprint() != before {
		t.Error("the plaintext was not cleared, or the fingerprint was")
	}
}

func TestPublicKeyDERIsACopy(t *testing.T) {
	m, err := material.New(material.ECCNISTP256, fixture(t, "p256.p8.der"))
	if err != nil {
		t.Fatal(err)
	}
	clear(m.PublicKeyDER())
	if !bytes.Equal(m.PublicKeyDER(), fixture(t, "p256.pub")) {
		t.Error("the caller's changes reached the material")
	}
}

func TestPassphrase(t *testing.T) {
	broken := errors.New("no terminal")
	given := []byte(passphrase)
	for _, name := range []string{"ssh-p256.enc.ssh", "k1.aes128.enc.pem"} {
		data := fixture(t, name)
		e := string(material.EncryptedPKCS8PEM)
		if name == "ssh-p256.enc.ssh" {
			e = string(material.EncryptedOpenSSH)
		}
		for _, tt := range []struct {
			ask func(string) ([]byte, error)
			err string
		}{
			{nil, "found " + e + ", expected its passphrase as well"},
			{func(string) ([]byte, error) { return nil, nil }, "found " + e + ", expected its passphrase as well"},
			{func(string) ([]byte, error) { return nil, broken }, "reading the passphrase for " + e + ": no terminal"},
			{func(string) ([]byte, error) { return []byte("wrong, and long enough for FIPS"), nil }, "wrong passphrase for " + e + ", or the file is damaged"},
		} {
			m, got, err := material.Parse(data, material.Options{Passphrase: tt.ask})
			if fipsRefuses(err) {
				continue
			}
			if m != nil || string(got) != e || err == nil || err.Error() != tt.err {
				t.Errorf("%s: got %v, %v\nwant %s", name, m, err, tt.err)
			}
			if wantIs := strings.HasSuffix(tt.err, "no terminal"); errors.Is(err, broken) != wantIs {
				t.Errorf("%s: errors.Is(%v, broken): want %v", name, err, wantIs)
			}
		}
	}
	what := ""
	_, _, err := material.Parse(fixture(t, "ssh-ed25519.enc.ssh"), material.Options{Passphrase: func(w string) ([]byte, error) { what = w; return given, nil }})
	if err != nil || what != "encrypted OpenSSH private key" || !bytes.Equal(given, make([]byte, len(given))) {
		t.Errorf("asked for %q, got %v, want the passphrase cleared", what, err)
	}
}

func fipsRefuses(err error) bool {
	_, ok := errors.AsType[*material.FIPSError](err)
	return ok
}
