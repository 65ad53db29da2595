// SPDX-License-Identifier: Apache-2.0

package token_test

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// entry is one file of a zip.
type entry struct{ name, data string }

// download is a zip of these entries.
func download(tb testing.TB, entries ...entry) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, e := range entries {
		w, err := z.Create(e.name)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := w.Write([]byte(e.data)); err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func readZip(data []byte) (*token.ZipContents, error) {
	return token.ReadZip(bytes.NewReader(data), int64(len(data)))
}

const otherUUID = "0987dcba-09fe-87dc-65ba-ab0987654321"

func TestReadZip(t *testing.T) {
	key, tok := string(publicKey(4096)), "an import token"
	bare := token.ZipContents{PublicKey: []byte(key), WrappingKeySpec: wrap.RSA4096, ImportToken: []byte(tok)}
	withID := bare
	withID.KeyID = keyUUID
	whole := withID
	whole.KeyARN, whole.Algorithm, whole.ValidTo = keyARN, wrap.OAEPSHA256, validTo.Truncate(time.Second)
	tests := []struct {
		name    string
		entries []entry
		want    token.ZipContents
	}{
		{"today", []entry{{"WrappingPublicKey.bin", key}, {"ImportToken.bin", tok}}, bare},
		{"today, with README", []entry{{"README.txt", "Key " + keyARN + "\nRSAES_OAEP_SHA_256\n2026-09-13T10:30:00Z\n"},
			{"WrappingPublicKey.bin", key}, {"ImportToken.bin", tok}}, whole},
		{"in a folder, zipped by a Mac", []entry{{"ImportParameters/", ""}, {"ImportParameters/ImportToken.bin", tok},
			{"ImportParameters/WrappingPublicKey.bin", key}, {"__MACOSX/ImportParameters/._ImportToken.bin", "x"}}, bare},
		{"in a folder, zipped by Windows", []entry{{`P\ImportToken.bin`, tok}, {`P\WrappingPublicKey.bin`, key}}, bare},
		{"a folder named like a file", []entry{{"ImportToken.bin/", ""}, {"ImportToken.bin/ImportToken.bin", tok},
			{"WrappingPublicKey.bin", key}}, bare},
		{"paths that lead elsewhere", []entry{{"../ImportToken.bin", tok}, {"/WrappingPublicKey.bin", key}}, bare},
		{"older", []entry{{"wrappingKey_" + keyUUID + "_0809092909", key}, {"importToken_" + keyUUID + "_0809092909", tok},
			{"README_" + keyUUID + "_0809092909.txt", "Nothing we understand."}}, withID},
		{"older, no time", []entry{{"importToken_" + keyUUID, tok}, {"wrappingKey_" + keyUUID, key}}, withID},
		{"older, with README", []entry{{"importToken_" + keyUUID + "_0809092909", tok},
			{"wrappingKey_" + keyUUID + "_0809092909", key},
			{"README_" + keyUUID + "_0809092909.txt", "RSAES_OAEP_SHA_256, " + keyARN + ", Sun, 13 Sep 2026 10:30:00 GMT"}}, whole},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readZip(download(t, tt.entries...))
			if err != nil || !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

// TestReadme: what a README may say, since nobody documents it. Everything unclear is left empty.
func TestReadme(t *testing.T) {
	deadline := time.Date(2026, 9, 13, 10, 30, 0, 0, time.UTC)
	tests := []struct {
		name, text string
		want       token.ZipContents // the parts a README can give
	}{
		{"empty", "", token.ZipContents{}},
		{"key ARN", "for " + keyARN + ".", token.ZipContents{KeyARN: keyARN, KeyID: keyUUID}},
		{"key ARN twice", keyARN + " " + keyARN, token.ZipContents{KeyARN: keyARN, KeyID: keyUUID}},
		{"key ID", "Key ID: " + keyUUID, token.ZipContents{KeyID: keyUUID}},
		{"multi-Region key ID", "mrk-1234abcd12ab34cd56ef1234567890ab", token.ZipContents{KeyID: "mrk-1234abcd12ab34cd56ef1234567890ab"}},
		{"two keys", keyUUID + " or " + otherUUID, token.ZipContents{}},
		{"SHA-1", "Wrapping algorithm: RSAES_OAEP_SHA_1", token.ZipContents{Algorithm: wrap.OAEPSHA1}},
		{"hybrid", "(RSA_AES_KEY_WRAP_SHA_256)", token.ZipContents{Algorithm: wrap.RSAAESSHA256}},
		{"a choice of algorithms", "RSAES_OAEP_SHA_256 or RSAES_OAEP_SHA_1", token.ZipContents{}},
		{"unknown algorithm", "RSAES_OAEP_SHA_512", token.ZipContents{}},
		{"withdrawn algorithm", "RSAES_PKCS1_V1_5", token.ZipContents{}},
		{"RFC 3339", "2026-09-13T10:30:00.000Z", token.ZipContents{ValidTo: deadline}},
		{"offset", "2026-09-13T03:30:00-07:00", token.ZipContents{ValidTo: deadline}},
		{"plain", "2026-09-13 10:30:00 UTC", token.ZipContents{ValidTo: deadline}},
		{"plain with offset", "2026-09-13 12:30:00 +0200", token.ZipContents{ValidTo: deadline}},
		{"Java", "Sun Sep 13 10:30:00 UTC 2026", token.ZipContents{ValidTo: deadline}},
		{"Java, GMT", "Sun Sep 13 10:30:00 GMT 2026", token.ZipContents{ValidTo: deadline}},
		{"JavaScript", "Sun Sep 13 2026 12:30:00 GMT+0200 (CEST)", token.ZipContents{ValidTo: deadline}},
		{"JavaScript, UTC", "Sun, 13 Sep 2026 10:30:00 GMT", token.ZipContents{ValidTo: deadline}},
		{"no zone", "2026-09-13 10:30:00", token.ZipContents{}},
		{"no such date", "2026-13-13T10:30:00Z", token.ZipContents{}},
		{"twice the same", "2026-09-13T10:30:00Z (2026-09-13 10:30:00 UTC)", token.ZipContents{ValidTo: deadline}},
		{"two times", "2026-09-12T10:30:00Z 2026-09-13T10:30:00Z", token.ZipContents{}},
		{"created and expires", "Created 2026-09-12T10:30:00Z\r\nExpires 2026-09-13T10:30:00Z\r\n", token.ZipContents{ValidTo: deadline}},
		{"two that expire", "expires 2026-09-12T10:30:00Z\nvalid until 2026-09-13T10:30:00Z\n", token.ZipContents{}},
		{"no text", "\xff\xfe\x00", token.ZipContents{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readZip(download(t, entry{"WrappingPublicKey.bin", string(publicKey(2048))},
				entry{"ImportToken.bin", "t"}, entry{"README.txt", tt.text}))
			if err != nil {
				t.Fatal(err)
			}
			got.PublicKey, got.WrappingKeySpec, got.ImportToken = nil, "", nil
			if !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("got %+v, want %+v", *got, tt.want)
			}
		})
	}
}

func TestReadZipRefuses(t *testing.T) {
	key := entry{"WrappingPublicKey.bin", string(publicKey(2048))}
	tok := entry{"ImportToken.bin", "t"}
	older := func(name, id, stamp string) entry { return entry{name + "_" + id + stamp, string(publicKey(2048))} }
	// Flip a bit of the stored token, so that its checksum is wrong.
	damaged := download(t, key, entry{"ImportToken.bin", strings.Repeat("token ", 100)})
	damaged[bytes.Index(damaged, []byte("ImportToken.bin"))+len("ImportToken.bin")+2] ^= 0x10
	const agree = "from another download than the rest"
	tests := []struct {
		name          string
		data          []byte
		field, reason string
	}{
		{"empty", nil, "", "not a zip file"},
		{"JSON", []byte(testdata(t, "params.json")), "", "not a zip file"},
		{"oversize", make([]byte, token.MaxFile+1), "", "larger than 65536 bytes"},
		{"no entries", download(t), "WrappingPublicKey.bin", "missing"},
		{"no key", download(t, tok), "WrappingPublicKey.bin", "missing"},
		{"no token", download(t, key), "ImportToken.bin", "missing"},
		{"two keys", download(t, key, tok, older("wrappingKey", keyUUID, "")), "WrappingPublicKey.bin", "there are two"},
		{"two tokens", download(t, key, tok, entry{"x/ImportToken.bin", "u"}), "ImportToken.bin", "there are two"},
		{"two READMEs", download(t, key, tok, entry{"README.txt", ""}, entry{"x/README.txt", ""}), "README.txt", "there are two"},
		{"two key IDs", download(t, older("wrappingKey", keyUUID, ""), older("importToken", otherUUID, "")), "ImportToken.bin", agree},
		{"two times", download(t, older("wrappingKey", keyUUID, "_0809092909"), older("importToken", keyUUID, "_0809092910")),
			"ImportToken.bin", agree},
		{"README of another key", download(t, older("wrappingKey", keyUUID, ""), entry{"importToken_" + keyUUID, "t"},
			entry{"README_" + keyUUID + ".txt", otherUUID}), "README.txt", "for another key than the other files"},
		{"long token", download(t, key, entry{"ImportToken.bin", strings.Repeat("t", 6145)}), "ImportToken.bin", "larger than 6144 bytes"},
		{"empty token", download(t, key, entry{"ImportToken.bin", ""}), "ImportToken.bin", "empty"},
		{"long key", download(t, tok, entry{"WrappingPublicKey.bin", strings.Repeat("k", 4097)}), "WrappingPublicKey.bin",
			"larger than 4096 bytes"},
		{"bomb", download(t, key, tok, entry{"README.txt", strings.Repeat("R", 1<<24)}), "README.txt", "larger than 65536 bytes"},
		{"damaged", damaged, "ImportToken.bin", "cannot be unpacked"},
		{"no key in it", download(t, tok, entry{"WrappingPublicKey.bin", "-----BEGIN PUBLIC KEY-----"}), "WrappingPublicKey.bin",
			"wrapping public key: found PEM text, want a DER SubjectPublicKeyInfo of RSA with 2048, 3072 or 4096 bits and exponent 65537"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			z, err := readZip(tt.data)
			wantFileError(t, err, token.KindZip, tt.field, tt.reason)
			wantNil(t, z)
		})
	}
}

func TestReadZipReader(t *testing.T) {
	broken := errors.New("the disk is gone")
	_, err := token.ReadZip(errReaderAt{broken}, 1000)
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error within", err)
	}
}

type errReaderAt struct{ err error }

func (r errReaderAt) ReadAt(p []byte, _ int64) (int, error) { return iotest.ErrReader(r.err).Read(p) }

func TestZipParameters(t *testing.T) {
	whole := token.ZipContents{PublicKey: publicKey(2048), WrappingKeySpec: wrap.RSA2048,
		ImportToken: []byte("an import token is opaque"), KeyID: keyUUID, KeyARN: keyARN, Algorithm: wrap.OAEPSHA256, ValidTo: validTo}
	bare := token.ZipContents{PublicKey: whole.PublicKey, WrappingKeySpec: wrap.RSA2048, ImportToken: whole.ImportToken}
	given := token.Parameters{KeyARN: keyARN, KeySpec: material.SymmetricDefault, Algorithm: wrap.OAEPSHA256, ValidTo: validTo}
	onlySpec := token.Parameters{KeySpec: material.SymmetricDefault}
	withKey := func(arn string) token.Parameters { p := given; p.KeyARN = arn; return p }
	noAlgorithm, sha1, rsa4096, early := given, given, given, given
	noAlgorithm.Algorithm = ""
	sha1.Algorithm = wrap.OAEPSHA1
	rsa4096.WrappingKeySpec = wrap.RSA4096
	early.ValidTo = validTo.Add(-time.Hour)
	otherARN := strings.Replace(keyARN, keyUUID, otherUUID, 1)
	otherRegion := strings.Replace(keyARN, "us-east-1", "eu-west-1", 1)
	noARN := whole
	noARN.KeyARN = ""

	for _, z := range []token.ZipContents{whole, bare} {
		if p, err := z.Parameters(given); err != nil || !reflect.DeepEqual(p, parameters()) {
			t.Errorf("got %+v, %v", p, err)
		}
	}
	if p, err := whole.Parameters(onlySpec); err != nil || !reflect.DeepEqual(p, parameters()) {
		t.Errorf("with the spec alone: %+v, %v", p, err)
	}
	if p, err := whole.Parameters(early); err != nil || !p.ValidTo.Equal(early.ValidTo) {
		t.Errorf("the caller's deadline: %+v, %v", p, err)
	}
	tests := []struct {
		name                string
		zip                 token.ZipContents
		given               token.Parameters
		kind, field, reason string
	}{
		{"no ARN anywhere", bare, onlySpec, token.KindParameters, "key_arn", "missing"},
		{"no algorithm anywhere", bare, noAlgorithm, token.KindParameters, "wrapping_algorithm",
			`wrapping algorithm "" is not supported: KMS takes RSAES_OAEP_SHA_256, RSAES_OAEP_SHA_1, RSA_AES_KEY_WRAP_SHA_256 and RSA_AES_KEY_WRAP_SHA_1`},
		{"another Region", whole, withKey(otherRegion), token.KindZip, "key_arn", fmt.Sprintf("the zip is for %s, not for %s", keyARN, otherRegion)},
		{"another key ID", noARN, withKey(otherARN), token.KindZip, "key_arn", fmt.Sprintf("the zip is for %s, not for %s", keyUUID, otherARN)},
		{"another algorithm", whole, sha1, token.KindZip, "wrapping_algorithm", "the zip is for RSAES_OAEP_SHA_256, not for RSAES_OAEP_SHA_1"},
		{"another key size", bare, rsa4096, token.KindZip, "wrapping_key_spec", "the zip is for RSA_2048, not for RSA_4096"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := tt.zip.Parameters(tt.given)
			wantFileError(t, err, tt.kind, tt.field, tt.reason)
			wantNil(t, p)
		})
	}
}

// FuzzReadZip: either a FileError and no value, or contents that make valid parameters once the caller adds the rest.
func FuzzReadZip(f *testing.F) {
	key, tok := string(publicKey(2048)), "an import token"
	f.Add(download(f, entry{"WrappingPublicKey.bin", key}, entry{"ImportToken.bin", tok},
		entry{"README.txt", keyARN + " RSAES_OAEP_SHA_1 expires 2026-09-13T10:30:00Z"}))
	f.Add(download(f, entry{"wrappingKey_" + keyUUID + "_0809092909", key}, entry{"importToken_" + keyUUID + "_0809092909", tok},
		entry{"README_" + keyUUID + "_0809092909.txt", "Sun Sep 13 10:30:00 UTC 2026"}))
	f.Add(download(f, entry{"ImportToken.bin", tok}))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, in []byte) {
		z, err := readZip(in)
		if err != nil {
			if _, ok := errors.AsType[*token.FileError](err); !ok {
				t.Fatalf("a %T, want a FileError", err)
			}
			wantNil(t, z)
			return
		}
		given := token.Parameters{KeySpec: material.SymmetricDefault, Algorithm: z.Algorithm, ValidTo: validTo}
		if given.KeyARN = z.KeyARN; given.KeyARN == "" {
			given.KeyARN = "arn:aws:kms:us-east-1:111122223333:key/" + cmp.Or(z.KeyID, "x")
		}
		if given.Algorithm == "" {
			given.Algorithm = wrap.OAEPSHA256
		}
		if _, err := z.Parameters(given); err != nil {
			t.Fatalf("%+v: %v", z, err)
		}
	})
}
