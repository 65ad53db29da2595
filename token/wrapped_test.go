// SPDX-License-Identifier: Apache-2.0

package token_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

func TestWrappedFile(t *testing.T) {
	var out bytes.Buffer
	if err := wrapped(t).Encode(&out); err != nil {
		t.Fatal(err)
	}
	if want := testdata(t, "wrapped.json"); out.String() != want {
		t.Errorf("wrote\n%s\nwant\n%s", out.String(), want)
	}
	got, err := token.ReadWrapped(&out)
	if err != nil || !reflect.DeepEqual(got, wrapped(t)) {
		t.Errorf("read back %+v, %v", got, err)
	}
}

// TestWrap plays KMS with a private key of its own.
func TestWrap(t *testing.T) {
	priv, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := parameters()
	if p.PublicKey, err = x509.MarshalPKIXPublicKey(&priv.PublicKey); err != nil {
		t.Fatal(err)
	}
	key := bytes.Repeat([]byte{7, 9}, 16)
	w, err := token.Wrap(p, newMaterial(t, material.SymmetricDefault, bytes.Clone(key)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := rsa.DecryptOAEP(sha256.New(), nil, priv, w.EncryptedKeyMaterial, nil)
	if err != nil || !bytes.Equal(got, key) {
		t.Errorf("unwrapped %d bytes, %v", len(got), err)
	}
	want := &token.Wrapped{
		KeyARN:               p.KeyARN,
		KeySpec:              p.KeySpec,
		Algorithm:            p.Algorithm,
		WrappingKeySpec:      p.WrappingKeySpec,
		PublicKeySHA256:      sha256.Sum256(p.PublicKey),
		EncryptedKeyMaterial: w.EncryptedKeyMaterial,
		ImportToken:          p.ImportToken,
		ValidTo:              p.ValidTo,
	}
	if !reflect.DeepEqual(w, want) {
		t.Errorf("got %+v, want %+v", w, want)
	}
	w.ImportToken[0]++
	if w.ImportToken[0] == p.ImportToken[0] {
		t.Error("package and parameters share the token's memory")
	}
}

func TestWrapRefuses(t *testing.T) {
	tests := []struct {
		name   string
		change func(*token.Parameters)
		want   string
	}{
		{"invalid parameters", func(p *token.Parameters) { p.ImportToken = nil },
			"keymat/params: import_token: 0 bytes, want 1 to 6144"},
		{"another spec", func(p *token.Parameters) { p.KeySpec = material.HMAC256 },
			"the material is SYMMETRIC_DEFAULT, but " + keyARN + " is a key of spec HMAC_256"},
		{"a pair KMS refuses", func(p *token.Parameters) { p.Algorithm = wrap.RSAAESSHA256 },
			"KMS does not take SYMMETRIC_DEFAULT material wrapped with RSA_AES_KEY_WRAP_SHA_256 under RSA_2048: " +
				"symmetric and HMAC material goes under RSAES_OAEP only; allowed: " +
				"RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1 under RSA_4096, RSA_3072 or RSA_2048"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := parameters()
			tt.change(p)
			w, err := token.Wrap(p, newMaterial(t, material.SymmetricDefault, make([]byte, 32)))
			if err == nil || err.Error() != tt.want {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
			wantNil(t, w)
		})
	}
}

func TestAttach(t *testing.T) {
	encrypted := bytes.Repeat([]byte{1}, 256)
	w, err := token.Attach(parameters(), encrypted)
	if err != nil {
		t.Fatal(err)
	}
	encrypted[0] = 2
	if w.EncryptedKeyMaterial[0] != 1 {
		t.Error("the package shares the caller's memory")
	}
	for _, n := range []int{0, 255, 257, 6144} {
		w, err := token.Attach(parameters(), make([]byte, n))
		wantFileError(t, err, token.KindWrapped, "encrypted_key_material",
			fmt.Sprintf("encrypted key material of %d bytes cannot come from RSAES_OAEP_SHA_256 under RSA_2048, want 256", n))
		wantNil(t, w)
	}
	w, err = token.Attach(&token.Parameters{}, encrypted)
	wantFileError(t, err, token.KindParameters, "key_arn", "missing")
	wantNil(t, w)
}

func TestReadWrappedRefuses(t *testing.T) {
	good := testdata(t, "wrapped.json")
	// The same fields of another fetch, as someone might paste them.
	other := parameters()
	other.ImportToken = []byte("another import token")
	var out strings.Builder
	if err := other.Encode(&out); err != nil {
		t.Fatal(err)
	}
	line := func(file, field string) string {
		for l := range strings.Lines(file) {
			if strings.Contains(l, `"`+field+`":`) {
				return strings.TrimRight(l, ",\n")
			}
		}
		t.Fatalf("no %s", field)
		return ""
	}
	replace := func(field, with string) string { return strings.Replace(good, line(good, field), with, 1) }
	tests := []struct{ name, in, field, reason string }{
		{"parameters", testdata(t, "params.json"), "kind", `found "keymat/params"`},
		{"token of another fetch", replace("import_token", line(out.String(), "import_token")),
			"import_token_sha256", "not the digest of import_token"},
		{"digest of another fetch", replace("import_token_sha256", line(out.String(), "import_token_sha256")),
			"import_token_sha256", "not the digest of import_token"},
		{"another ciphertext", replace("encrypted_key_material", `  "encrypted_key_material": "AAAA"`),
			"encrypted_key_material_sha256", "not the digest of encrypted_key_material"},
		{"no digest of the public key", replace("public_key_sha256", `  "public_key_sha256": "`+strings.Repeat("0", 64)+`"`),
			"public_key_sha256", "missing"},
		{"bad digest of the public key", replace("public_key_sha256", `  "public_key_sha256": ""`),
			"public_key_sha256", "a SHA-256 digest has 64 hex digits, found 0 characters"},
		{"another wrapping key", replace("wrapping_key_spec", `  "wrapping_key_spec": "RSA_4096"`), "encrypted_key_material",
			"encrypted key material of 256 bytes cannot come from RSAES_OAEP_SHA_256 under RSA_4096, want 512"},
		{"public key", replace("public_key_sha256", line(out.String(), "public_key")), `"public_key"`, "unknown field"},
		{"time", replace("valid_to", `  "valid_to": "tomorrow"`), "valid_to", "not a time in UTC as RFC 3339 has it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, err := token.ReadWrapped(strings.NewReader(tt.in))
			wantFileError(t, err, token.KindWrapped, tt.field, tt.reason)
			wantNil(t, w)
		})
	}
}

func TestWrappedValidate(t *testing.T) {
	w := wrapped(t)
	w.PublicKeySHA256 = token.Digest{}
	err := w.Encode(io.Discard)
	wantFileError(t, err, token.KindWrapped, "public_key_sha256", "missing")
	if want := "keymat/wrapped: public_key_sha256: missing"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	w = wrapped(t)
	w.KeyARN = "alias/x"
	wantFileError(t, w.Encode(io.Discard), token.KindWrapped, "key_arn", "an alias, want the ARN of the key")
}

func TestWrappedDeadline(t *testing.T) {
	w := wrapped(t)
	if err := w.CheckAt(validTo.Add(-1)); err != nil {
		t.Errorf("a nanosecond before: %v", err)
	}
	if _, ok := errors.AsType[*token.ExpiredError](w.CheckAt(validTo)); !ok {
		t.Error("at the deadline: want an ExpiredError")
	}
}

// fullDisk fails as a disk does.
type fullDisk struct{}

var errFull = errors.New("no space left")

func (fullDisk) Write([]byte) (int, error) { return 0, errFull }

func TestEncodeWriter(t *testing.T) {
	for kind, err := range map[string]error{
		token.KindParameters: parameters().Encode(fullDisk{}),
		token.KindWrapped:    wrapped(t).Encode(fullDisk{}),
	} {
		if !errors.Is(err, errFull) || err.Error() != "writing "+kind+": no space left" {
			t.Errorf("%s: got %v", kind, err)
		}
	}
}

// FuzzReadWrapped has the property of FuzzReadParameters.
func FuzzReadWrapped(f *testing.F) {
	good := testdata(f, "wrapped.json")
	f.Add([]byte(good))
	f.Add([]byte(strings.Replace(good, "0Z", "0.000000001Z", 1)))
	f.Add([]byte(strings.Replace(good, "{", `{"extra":"",`, 1)))
	f.Add([]byte(good + good))
	f.Add([]byte(testdata(f, "params.json")))
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := token.ReadWrapped(bytes.NewReader(in))
		if err != nil {
			if _, ok := errors.AsType[*token.FileError](err); !ok {
				t.Fatalf("a %T, want a FileError", err)
			}
			wantNil(t, first)
			return
		}
		var once, twice bytes.Buffer
		if err := first.Encode(&once); err != nil {
			t.Fatal(err)
		}
		second, err := token.ReadWrapped(bytes.NewReader(once.Bytes()))
		if err != nil || !reflect.DeepEqual(first, second) {
			t.Fatalf("read back %+v, %v, want %+v", second, err, first)
		}
		if err := second.Encode(&twice); err != nil || !bytes.Equal(once.Bytes(), twice.Bytes()) {
			t.Fatalf("written differently the second time: %v", err)
		}
	})
}

func newMaterial(tb testing.TB, spec material.Spec, b []byte) *material.Material {
	tb.Helper()
	m, err := material.New(spec, b)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// The machine without network gets params.json and gives back wrapped.json.
func ExampleWrap() {
	file, err := os.Open("testdata/params.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	p, err := token.ReadParameters(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := material.Generate(p.KeySpec)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Destroy()
	w, err := token.Wrap(p, m)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(w.KeySpec, "for", w.KeyARN)
	fmt.Println(len(w.EncryptedKeyMaterial), "bytes, to be imported before", w.ValidTo)
	// Output:
	// SYMMETRIC_DEFAULT for arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab
	// 256 bytes, to be imported before 2026-09-13 10:30:00.25 +0000 UTC
}

func ExampleReadParameters() {
	_, err := token.ReadParameters(strings.NewReader(`{"kind": "keymat/params", "version": 2}`))
	if e, ok := errors.AsType[*token.FileError](err); ok {
		fmt.Printf("%s: %s\n", e.Field, e.Reason)
	}
	// Output: version: 2 is newer than 1, which is what this program reads
}
