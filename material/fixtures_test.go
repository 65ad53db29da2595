// SPDX-License-Identifier: Apache-2.0

package material_test

import (
	"crypto/fips140"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keymat/keymat/material"
)

const passphrase = "correct horse battery staple"

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func ask(string) ([]byte, error) { return []byte(passphrase), nil }

func plaintext(t testing.TB, m *material.Material) []byte {
	t.Helper()
	var b []byte
	m.Secret().Expose(func(p []byte) error { b = append(b, p...); return nil })
	return b
}

var specOf = map[string]material.Spec{
	"rsa2048": material.RSA2048,
	"rsa3072": material.RSA3072,
	"rsa4096": material.RSA4096,
	"p256":    material.ECCNISTP256,
	"p384":    material.ECCNISTP384,
	"p521":    material.ECCNISTP521,
	"k1":      material.ECCSECGP256K1,
	"ed25519": material.ECCNISTEdwards25519,
}

var encodingOf = map[string]material.Encoding{
	".p8.pem":              material.PKCS8PEM,
	".p8.der":              material.PKCS8DER,
	".p1.pem":              material.PKCS1PEM,
	".p1.der":              material.PKCS1DER,
	".sec1.pem":            material.SEC1PEM,
	".params.pem":          material.SEC1PEM,
	".sec1.der":            material.SEC1DER,
	".compressed.sec1.der": material.SEC1DER,
	".hybrid.sec1.der":     material.SEC1DER,
	".nopublic.sec1.der":   material.SEC1DER,
	".aes256.enc.pem":      material.EncryptedPKCS8PEM,
	".aes256.enc.der":      material.EncryptedPKCS8DER,
	".aes192.enc.pem":      material.EncryptedPKCS8PEM,
	".aes128.enc.pem":      material.EncryptedPKCS8PEM,
	".scrypt.enc.pem":      material.EncryptedPKCS8PEM,
	".des3.enc.pem":        material.EncryptedPKCS8PEM,
	".sha1.enc.pem":        material.EncryptedPKCS8PEM,
	".ssh":                 material.OpenSSH,
	".enc.ssh":             material.EncryptedOpenSSH,
	".jwk":                 material.JWK,
	".short.jwk":           material.JWK,
	".scalar":              material.Raw,
}

// TestParseForeignFiles reads every key that openssl, ssh-keygen and Python wrote, and compares the public key with theirs.
func TestParseForeignFiles(t *testing.T) {
	names, err := filepath.Glob("testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, name := range names {
		name = filepath.Base(name)
		key, _, _ := strings.Cut(name, ".")
		spec, ok := specOf[strings.TrimPrefix(key, "ssh-")]
		encoding, known := encodingOf[strings.TrimPrefix(name, key)]
		if !ok || !known {
			continue
		}
		read++
		t.Run(name, func(t *testing.T) {
			m, e, err := material.Parse(fixture(t, name), material.Options{Spec: spec, Passphrase: ask})
			if fips140.Enforced() && encoding == material.EncryptedPKCS8PEM || fips140.Enforced() && encoding == material.EncryptedPKCS8DER {
				if _, ok := errors.AsType[*material.FIPSError](err); !ok {
					t.Fatalf("under fips140=only: got %v, want a *FIPSError (openssl 3.0 writes salts of 8 bytes)", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if e != encoding {
				t.Errorf("encoding: got %q, want %q", e, encoding)
			}
			if m.Spec() != spec {
				t.Errorf("spec: got %s, want %s", m.Spec(), spec)
			}
			public := fixture(t, key+".pub")
			if got, want := hex.EncodeToString(m.PublicKeyDER()), hex.EncodeToString(public); got != want {
				t.Errorf("public key: got %s, want %s", got, want)
			}
			sum := sha256.Sum256(public)
			if got, want := m.Fingerprint().String(), "spki-sha256:"+hex.EncodeToString(sum[:]); got != want {
				t.Errorf("fingerprint: got %s, want %s", got, want)
			}
			// Whatever the file was, what goes to KMS is what openssl writes as PKCS #8.
			if !strings.HasPrefix(key, "ssh-") {
				if got, want := hex.EncodeToString(plaintext(t, m)), hex.EncodeToString(fixture(t, key+".p8.der")); got != want {
					t.Errorf("plaintext: got %d bytes, want the %d bytes of %s.p8.der", len(got)/2, len(want)/2, key)
				}
			}
			if encoding == material.Raw {
				return // says nothing about itself
			}
			if m, _, err := material.Parse(fixture(t, name), material.Options{Passphrase: ask}); err != nil || m.Spec() != spec {
				t.Errorf("without a spec: got %v, %v, want %s", m, err, spec)
			}
		})
	}
	if read != 55 {
		t.Errorf("read %d files, want 55", read)
	}
}

// TestRefusedFiles reads files that hold no private key KMS imports.
func TestRefusedFiles(t *testing.T) {
	for _, tt := range []struct {
		name, what, err string
		spec            material.Spec
	}{
		{name: "certificate.x.pem", what: "ECC_NIST_P256 X.509 certificate", err: "found ECC_NIST_P256 X.509 certificate, expected a private key"},
		{name: "request.x.pem", what: "X.509 certificate or request", err: "found X.509 certificate or request, expected a private key"},
		{name: "public.x.pem", what: "ECC_NIST_P256 public key", err: "found ECC_NIST_P256 public key, expected a private key"},
		{name: "public-p1.x.pem", what: "RSA_2048 public key", err: "found RSA_2048 public key, expected a private key"},
		{name: "openssh-line.x.txt", what: "OpenSSH public key", err: "found OpenSSH public key, expected a private key"},
		{
			name: "traditional.x.pem",
			what: "traditional encrypted PEM (Proc-Type: 4,ENCRYPTED), which protects badly and is not read here",
			err:  "found traditional encrypted PEM (Proc-Type: 4,ENCRYPTED), which protects badly and is not read here, expected key material",
		},
		{name: "rsa1024.x.pem", what: "private key", err: `key spec "1024-bit RSA private key" cannot be imported: KMS imports RSA keys of 2048, 3072 and 4096 bits`},
		{name: "rsa1024.x.pem", what: "private key", spec: material.RSA2048, err: "found 1024-bit RSA private key, expected RSA_2048"},
		{name: "rsa2048.p8.pem", what: "RSA_2048 private key", spec: material.RSA3072, err: "found RSA_2048 private key, expected RSA_3072"},
		{name: "p256.p8.pem", what: "ECC_NIST_P256 private key", spec: material.ECCSECGP256K1, err: "found ECC_NIST_P256 private key, expected ECC_SECG_P256K1"},
		{name: "p256.p8.pem", what: "ECC_NIST_P256 private key", spec: material.SymmetricDefault, err: "found ECC_NIST_P256 private key, expected SYMMETRIC_DEFAULT"},
		{name: "multiprime.x.pem", what: "private key", err: "found an RSA_2048 private key of 3 primes, expected 2 primes"},
		{name: "p224.x.pem", what: "private key", spec: material.ECCNISTP256, err: "found EC private key on curve P-224, expected ECC_NIST_P256"},
		{name: "explicit.x.pem", what: "private key", err: "found EC private key with explicit curve parameters, expected a named curve"},
		{
			name: "x25519.x.pem", what: "private key",
			err: `key spec "X25519 private key" cannot be imported: KMS imports RSA, ECDSA (P-256, P-384, P-521, secp256k1) and Ed25519 private keys`,
		},
		{name: "ed448.x.pem", what: "private key", spec: material.ECCNISTEdwards25519, err: "found Ed448 private key, expected ECC_NIST_EDWARDS25519"},
		{name: "store.x.p12", what: "PKCS #12 key store (.p12, .pfx)", err: "found PKCS #12 key store (.p12, .pfx), expected key material"},
	} {
		t.Run(tt.name+" "+string(tt.spec), func(t *testing.T) {
			data := fixture(t, tt.name)
			m, _, err := material.Parse(data, material.Options{Spec: tt.spec, Passphrase: ask})
			if m != nil || err == nil || err.Error() != tt.err {
				t.Errorf("got %v, %v\nwant %s", m, err, tt.err)
			}
			d, err := material.Identify(data)
			if err != nil || d.What != tt.what {
				t.Errorf("Identify: got %q, %v, want %q", d.What, err, tt.what)
			}
		})
	}
}
