// SPDX-License-Identifier: Apache-2.0

package material_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/keymat/keymat/material"
)

// random returns n bytes that no reader takes for text: the first is 0x80.
func random(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(0x80 + 37*i)
	}
	return b
}

// fold breaks text into lines of 64 characters, as base64 and PEM writers do.
func fold(s, end string) string {
	var lines strings.Builder
	for len(s) > 64 {
		lines.WriteString(s[:64] + end)
		s = s[64:]
	}
	return lines.String() + s + end
}

// TestRawEncodings writes random material of the usual length in every way people do.
func TestRawEncodings(t *testing.T) {
	for _, spec := range material.Specs() {
		want := random(spec.GenerateLength())
		if spec == material.ECCSECGP256K1 {
			want = fixture(t, "k1.scalar")
		} else if spec.KeyPair() {
			continue
		}
		digits, code := hex.EncodeToString(want), base64.StdEncoding.EncodeToString(want)
		var colons []string
		for _, b := range want {
			colons = append(colons, fmt.Sprintf("%02X", b))
		}
		for _, tt := range []struct {
			name, in string
			encoding material.Encoding
		}{
			{"raw", string(want), material.Raw},
			{"hex", digits, material.Hex},
			{"hex with newline", digits + "\n", material.Hex},
			{"hex with CRLF", digits + "\r\n", material.Hex},
			{"hex in lines", fold(digits, "\n"), material.Hex},
			{"upper-case hex", strings.ToUpper(digits), material.Hex},
			{"hex with 0x", "0x" + digits + "\n", material.Hex},
			{"hex with colons", strings.Join(colons, ":"), material.Hex},
			{"hex with spaces", strings.Join(colons, " ") + "\n", material.Hex},
			{"base64", code, material.Base64},
			{"base64 with newline", code + "\n", material.Base64},
			{"base64 in lines", fold(code, "\r\n"), material.Base64},
			{"base64 without padding", strings.TrimRight(code, "="), material.Base64},
			{"base64url", base64.RawURLEncoding.EncodeToString(want), material.Base64},
			{"base64url with padding", base64.URLEncoding.EncodeToString(want), material.Base64},
		} {
			t.Run(string(spec)+" "+tt.name, func(t *testing.T) {
				m, e, err := material.Parse([]byte(tt.in), material.Options{Spec: spec})
				if err != nil {
					t.Fatal(err)
				}
				if e != tt.encoding {
					t.Errorf("encoding: got %q, want %q", e, tt.encoding)
				}
				if spec == material.ECCSECGP256K1 {
					want = fixture(t, "k1.p8.der")
				}
				if !bytes.Equal(plaintext(t, m), want) {
					t.Errorf("got other material of %d bytes", m.Secret().Len())
				}
			})
		}
	}
}

func TestRawLengths(t *testing.T) {
	digits := func(n int) string { return strings.Repeat("c9", n) }
	code := func(n int) string { return base64.StdEncoding.EncodeToString(random(n)) }
	for _, tt := range []struct {
		name string
		spec material.Spec
		in   string
		as   material.Encoding
		want material.Encoding // "" for an error
		err  string
	}{
		{name: "one short", spec: material.SymmetricDefault, in: string(random(31)), err: "found 31 bytes, expected 32 bytes for SYMMETRIC_DEFAULT"},
		{name: "one long", spec: material.SymmetricDefault, in: string(random(33)), err: "found 33 bytes, expected 32 bytes for SYMMETRIC_DEFAULT"},
		{name: "newline", spec: material.SymmetricDefault, in: string(random(32)) + "\n", err: "found 33 bytes that end in a newline, expected 32 bytes for SYMMETRIC_DEFAULT"},
		{name: "CRLF", spec: material.SymmetricDefault, in: string(random(32)) + "\r\n", err: "found 34 bytes that end in a newline, expected 32 bytes for SYMMETRIC_DEFAULT"},
		{name: "newline as the last of 32", spec: material.SymmetricDefault, in: string(random(31)) + "\n", want: material.Raw},
		{name: "begins like DER", spec: material.SymmetricDefault, in: "\x30\x1e" + string(random(30)), want: material.Raw},
		{name: "begins like indefinite BER", spec: material.SymmetricDefault, in: "\x30\x80" + string(random(28)) + "\x00\x00", want: material.Raw},
		{name: "begins like truncated DER", spec: material.SymmetricDefault, in: "\x30\x82\x04\xc1" + string(random(28)), want: material.Raw},
		{name: "32 zeros", spec: material.SymmetricDefault, in: string(make([]byte, 32)), want: material.Raw},
		{name: "AES-128 in hex", spec: material.SymmetricDefault, in: digits(16), err: "ambiguous material for SYMMETRIC_DEFAULT: found text that is 32 bytes as raw bytes that are all printable text or 16 bytes as hex, expected only one reading"},
		{name: "AES-128 in hex, taken as raw", spec: material.SymmetricDefault, in: digits(16), as: material.Raw, want: material.Raw},
		{name: "AES-128 in hex, taken as hex", spec: material.SymmetricDefault, in: digits(16), as: material.Hex, err: "found hex of 16 bytes, expected 32 bytes for SYMMETRIC_DEFAULT"},
		{name: "AES-192 in hex", spec: material.SymmetricDefault, in: digits(24), err: "found hex of 24 bytes, expected 32 bytes for SYMMETRIC_DEFAULT"},
		{name: "33 bytes in hex", spec: material.SymmetricDefault, in: digits(33), err: "found hex of 33 bytes, expected 32 bytes for SYMMETRIC_DEFAULT"},
		{name: "63 hex digits", spec: material.SymmetricDefault, in: digits(32)[1:], err: "found 63 hex digits, expected 64 hex digits for SYMMETRIC_DEFAULT"},
		{name: "AES-128 in base64", spec: material.SymmetricDefault, in: code(16), err: "found base64 of 16 bytes, expected 32 bytes for SYMMETRIC_DEFAULT"},
		{name: "32 characters", spec: material.SymmetricDefault, in: "correct horse battery staple four", err: "found 33 bytes, expected 32 bytes for SYMMETRIC_DEFAULT"},
		{name: "32 printable characters", spec: material.SymmetricDefault, in: "correct horse battery staple fou", want: material.RawText},
		{name: "32 letters", spec: material.SymmetricDefault, in: "zyxwvutsrqponmlkzyxwvutsrqponmlk", want: material.RawText},
		{name: "32 printable characters and newline", spec: material.SymmetricDefault, in: "correct horse battery staple fou\n", err: "found 33 bytes that end in a newline, expected 32 bytes for SYMMETRIC_DEFAULT"},
		{name: "letters A, as in the recordings", spec: material.SymmetricDefault, in: strings.Repeat("A", 32), as: material.Raw, want: material.Raw},

		{name: "one below", spec: material.HMAC224, in: string(random(27)), err: "found 27 bytes, expected 28 to 128 bytes for HMAC_224"},
		{name: "smallest", spec: material.HMAC224, in: string(random(28)), want: material.Raw},
		{name: "largest", spec: material.HMAC224, in: string(random(128)), want: material.Raw},
		{name: "one above", spec: material.HMAC224, in: string(random(129)), err: "found 129 bytes, expected 28 to 128 bytes for HMAC_224"},
		{name: "one below", spec: material.HMAC256, in: string(random(31)), err: "found 31 bytes, expected 32 to 128 bytes for HMAC_256"},
		{name: "newline", spec: material.HMAC256, in: string(random(32)) + "\n", err: "found 33 bytes that end in a newline, expected 32 to 128 bytes for HMAC_256"},
		{name: "newline at an unusual length", spec: material.HMAC256, in: string(random(39)) + "\n", want: material.Raw},
		{name: "33 raw", spec: material.HMAC256, in: string(random(33)), want: material.Raw},
		{name: "largest and newline", spec: material.HMAC256, in: string(random(128)) + "\n", err: "found 129 bytes that end in a newline, expected 32 to 128 bytes for HMAC_256"},
		{name: "one below", spec: material.HMAC384, in: string(random(47)), err: "found 47 bytes, expected 48 to 128 bytes for HMAC_384"},
		{name: "one below", spec: material.HMAC512, in: string(random(63)), err: "found 63 bytes, expected 64 to 128 bytes for HMAC_512"},
		{name: "64 hex digits", spec: material.HMAC512, in: digits(32), err: "ambiguous material for HMAC_512: found text that is 64 bytes as raw bytes that are all printable text or 32 bytes as hex, expected only one reading"},
		{name: "64 hex digits, taken as raw", spec: material.HMAC512, in: digits(32), as: material.Raw, want: material.Raw},
		{name: "128 hex digits", spec: material.HMAC256, in: digits(64), err: "ambiguous material for HMAC_256: found text that is 128 bytes as raw bytes that are all printable text or 64 bytes as hex, expected only one reading"},
		{name: "128 hex digits, taken as hex", spec: material.HMAC256, in: digits(64), as: material.Hex, want: material.Hex},
		{name: "hex that is too long to be raw", spec: material.HMAC256, in: digits(100), want: material.Hex},
		{name: "base64 of another length", spec: material.HMAC256, in: code(64), err: "ambiguous material for HMAC_256: found text that is 88 bytes as raw bytes that are all printable text or 64 bytes as base64, expected only one reading"},
		{name: "base64 of another length, taken as base64", spec: material.HMAC256, in: code(64), as: material.Base64, want: material.Base64},
		{name: "hex digits taken as base64", spec: material.HMAC384, in: digits(32), as: material.Base64, want: material.Base64},
		{name: "text taken as hex", spec: material.HMAC384, in: "no hex", as: material.Hex, err: "found 6 bytes that are not hex, expected hex"},
		{name: "binary taken as base64", spec: material.HMAC384, in: string(random(48)), as: material.Base64, err: "found 48 bytes that are not base64, expected base64"},

		{name: "one short", spec: material.ECCSECGP256K1, in: string(random(31)), err: "found 31 bytes, expected 32 bytes for ECC_SECG_P256K1"},
		{name: "newline", spec: material.ECCSECGP256K1, in: string(random(32)) + "\n", err: "found 33 bytes that end in a newline, expected 32 bytes for ECC_SECG_P256K1"},
		{name: "zero scalar", spec: material.ECCSECGP256K1, in: string(make([]byte, 32)), err: "found an inconsistent ECC_SECG_P256K1 private key, expected an intact one: the private scalar is zero or not below the curve's order"},
		{name: "order", spec: material.ECCSECGP256K1, in: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", err: "found an inconsistent ECC_SECG_P256K1 private key, expected an intact one: the private scalar is zero or not below the curve's order"},
		{name: "order - 1", spec: material.ECCSECGP256K1, in: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140", want: material.Hex},

		{name: "raw for a key pair", spec: material.ECCNISTP256, in: string(random(32)), err: "found 32 raw bytes, expected a private key for ECC_NIST_P256 in PKCS #8, PKCS #1, SEC 1, OpenSSH or JWK"},
		{name: "hex for a key pair", spec: material.RSA2048, in: digits(32), err: "found 32 bytes in hex, expected a private key for RSA_2048 in PKCS #8, PKCS #1, SEC 1, OpenSSH or JWK"},
		{name: "raw without a spec", in: string(random(32)), err: "found 32 raw bytes, which do not say what kind of key they are: expected a key spec along with them"},
		{name: "empty", spec: material.SymmetricDefault, in: "", err: "found an empty file, expected key material for SYMMETRIC_DEFAULT"},
		{name: "blank", in: " \n", err: "found 2 bytes of white space, expected key material"},
		{name: "unknown spec", spec: "SM2", in: string(random(32)), err: `key spec "SM2" cannot be imported: KMS imports SM2 keys in the China Regions only`},
		{name: "UTF-16", spec: material.SymmetricDefault, in: "\xff\xfea\x00b\x00", err: "found UTF-16 text, as PowerShell writes it, expected key material"},
		{name: "largest input", spec: material.SymmetricDefault, in: string(random(material.MaxInput)), err: "found 65536 bytes, expected 32 bytes for SYMMETRIC_DEFAULT"},
		{name: "too large", spec: material.SymmetricDefault, in: string(random(material.MaxInput + 1)), err: "65537 bytes where key material files have at most 65536"},
	} {
		t.Run(string(tt.spec)+" "+tt.name, func(t *testing.T) {
			m, e, err := material.Parse([]byte(tt.in), material.Options{Spec: tt.spec, As: tt.as})
			if tt.err != "" {
				if m != nil || err == nil || err.Error() != tt.err {
					t.Errorf("got %v, %v\nwant %s", m, err, tt.err)
				}
				return
			}
			if err != nil || e != tt.want {
				t.Fatalf("got %q, %v, want %q", e, err, tt.want)
			}
		})
	}
}
