// SPDX-License-Identifier: Apache-2.0

package hsm_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

func newCipher(t testing.TB, secret byte, letter byte) *hsm.Cipher {
	t.Helper()
	c, err := hsm.NewCipher([32]byte{secret}, parse(t, "SYMMETRIC_DEFAULT", bytes.Repeat([]byte{letter}, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func seal(t testing.TB, c *hsm.Cipher, plaintext []byte, context map[string]string) []byte {
	t.Helper()
	blob, err := c.Seal(hsm.BlobEncrypt, plaintext, context)
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

// The first eleven lengths are recorded, from real ciphertexts; the rest are the
// edges of DER lengths.
func TestBlobLengths(t *testing.T) {
	c := newCipher(t, 1, 'A')
	for plaintext, want := range map[int]int{
		12: 164, 16: 168, 22: 174, 32: 184, 48: 201, 144: 301, 150: 307, 194: 355, 250: 412, 1217: 1379, 2374: 2536,
		0: 152, 1: 153, 35: 187, 4096: 4258,
	} {
		if got := len(seal(t, c, make([]byte, plaintext), nil)); got != want {
			t.Errorf("%d bytes of plaintext: blob of %d, want %d", plaintext, got, want)
		}
	}
}

// encryptedData mirrors the CMS structure independently of the package.
type encryptedData struct {
	OID     asn1.ObjectIdentifier
	Content struct {
		Version int
		Info    struct {
			Type      asn1.ObjectIdentifier
			Algorithm struct {
				OID        asn1.ObjectIdentifier
				Parameters struct {
					Nonce []byte
					Tag   int
				}
			}
			Sealed []byte `asn1:"tag:0"`
		}
	} `asn1:"explicit,tag:0"`
}

func decodeCMS(t *testing.T, der []byte) encryptedData {
	t.Helper()
	var e encryptedData
	if rest, err := asn1.Unmarshal(der, &e); err != nil || len(rest) > 0 {
		t.Fatalf("not one DER value: %v, %d bytes left", err, len(rest))
	}
	for what, pair := range map[string][2]string{
		"content": {e.OID.String(), "1.2.840.113549.1.7.6"},
		"type":    {e.Content.Info.Type.String(), "1.2.840.113549.1.7.1"},
		"cipher":  {e.Content.Info.Algorithm.OID.String(), "2.16.840.1.101.3.4.1.46"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %s, want %s", what, pair[0], pair[1])
		}
	}
	if p := e.Content.Info.Algorithm.Parameters; e.Content.Version != 0 || p.Tag != 16 || len(p.Nonce) != 12 {
		t.Errorf("version %d, tag %d, nonce of %d bytes", e.Content.Version, p.Tag, len(p.Nonce))
	}
	return e
}

func TestBlobLayout(t *testing.T) {
	c := newCipher(t, 1, 'A')
	for _, kind := range []hsm.BlobKind{hsm.BlobEncrypt, hsm.BlobDataKey} {
		for _, n := range []int{0, 16, 35, 36, 100, 101, 212, 213, 4096} {
			blob, err := c.Seal(kind, make([]byte, n), nil)
			if err != nil {
				t.Fatal(err)
			}
			id, _ := hex.DecodeString(c.MaterialID())
			start := append(append([]byte{1, 2, byte(kind), 0, 0x78}, id...), 1)
			if !bytes.HasPrefix(blob, start) {
				t.Errorf("starts %x, want %x", blob[:38], start)
			}
			if got := int(binary.BigEndian.Uint32(blob[54:])); got != len(blob)-58 {
				t.Errorf("%d bytes: length field %d, want %d", n, got, len(blob)-58)
			}
			if e := decodeCMS(t, blob[58:]); len(e.Content.Info.Sealed) != n+11+16 {
				t.Errorf("%d bytes: %d sealed, want 27 more", n, len(e.Content.Info.Sealed))
			}
			if got, err := hsm.MaterialIDOf(blob); err != nil || got != c.MaterialID() {
				t.Errorf("MaterialIDOf = %s, %v, want %s", got, err, c.MaterialID())
			}
			if got, err := c.Open(blob, nil); err != nil || len(got) != n {
				t.Errorf("%d bytes: opened %d, %v", n, len(got), err)
			}
		}
	}
}

func TestBlobsDiffer(t *testing.T) {
	c := newCipher(t, 1, 'A')
	a, b := seal(t, c, []byte("the same"), nil), seal(t, c, []byte("the same"), nil)
	if bytes.Equal(a[38:54], b[38:54]) || bytes.Equal(a[len(a)-40:], b[len(b)-40:]) {
		t.Error("two ciphertexts of one plaintext share salt or ciphertext")
	}
}

func TestBlobNotPortable(t *testing.T) {
	c := newCipher(t, 1, 'A')
	plaintext := []byte("attack at dawn")
	blob := seal(t, c, plaintext, map[string]string{"purpose": "test"})
	if got, err := newCipher(t, 1, 'A').Open(blob, map[string]string{"purpose": "test"}); err != nil || !bytes.Equal(got, plaintext) {
		t.Errorf("same key and material: %q, %v", got, err)
	}
	for name, other := range map[string]*hsm.Cipher{
		"other KMS key": newCipher(t, 2, 'A'), "other material": newCipher(t, 1, 'B'),
	} {
		if other.MaterialID() == c.MaterialID() {
			t.Errorf("%s has the same material id", name)
		}
		// Even a forged id does not help.
		forged := bytes.Clone(blob)
		id, _ := hex.DecodeString(other.MaterialID())
		copy(forged[5:], id)
		for _, b := range [][]byte{blob, forged} {
			if got, err := other.Open(b, map[string]string{"purpose": "test"}); err != hsm.ErrCiphertext || got != nil {
				t.Errorf("%s: %q, %v, want ErrCiphertext", name, got, err)
			}
		}
	}
}

func TestEncryptionContext(t *testing.T) {
	c := newCipher(t, 1, 'A')
	type contexts = []map[string]string
	same := contexts{nil, {}}
	for _, a := range same {
		for _, b := range same {
			if _, err := c.Open(seal(t, c, []byte("p"), a), b); err != nil {
				t.Errorf("%v opened as %v: %v", a, b, err)
			}
		}
	}
	many := map[string]string{}
	for i := range 26 {
		many[string(rune('a'+i))] = "value"
	}
	if _, err := c.Open(seal(t, c, []byte("p"), many), maps.Clone(many)); err != nil {
		t.Errorf("%d pairs: %v", len(many), err)
	}
	different := contexts{
		nil, {"a": "b"}, {"A": "b"}, {"a": "B"}, {"a": ""}, {"": "a"}, {"a": "b", "c": "d"},
		{"a": "bcd"}, {"ab": "cd"}, {"a": "b\x00\x00\x00\x01c\x00\x00\x00\x01d"}, {"b": "a"}, {"c": "d"},
	}
	for i, a := range different {
		blob := seal(t, c, []byte("p"), a)
		for j, b := range different {
			if _, err := c.Open(blob, b); (err == nil) != (i == j) {
				t.Errorf("sealed with %q, opened with %q: %v", a, b, err)
			}
		}
	}
}

// No single bit may change, and no byte be missing or added.
func TestBlobTampering(t *testing.T) {
	c := newCipher(t, 1, 'A')
	blob := seal(t, c, []byte("attack at dawn"), nil)
	for i := range blob {
		for bit := range 8 {
			bad := bytes.Clone(blob)
			bad[i] ^= 1 << bit
			if got, err := c.Open(bad, nil); err != hsm.ErrCiphertext || got != nil {
				t.Fatalf("bit %d of byte %d changed: %q, %v", bit, i, got, err)
			}
			if _, err := hsm.MaterialIDOf(bad); 54 <= i && i < 58 && err != hsm.ErrCiphertext {
				t.Fatalf("bit %d of the length changed: material id %v", bit, err)
			}
		}
	}
	for n := range blob {
		if _, err := c.Open(blob[:n], nil); err != hsm.ErrCiphertext {
			t.Errorf("cut to %d: %v", n, err)
		}
		if _, err := hsm.MaterialIDOf(blob[:n]); err != hsm.ErrCiphertext {
			t.Errorf("cut to %d: material id %v", n, err)
		}
		if _, err := hsm.MaterialIDOf(blob[len(blob)-n:]); err != hsm.ErrCiphertext {
			t.Errorf("last %d: material id %v", n, err)
		}
	}
	if _, err := c.Open(append(bytes.Clone(blob), 0), nil); err != hsm.ErrCiphertext {
		t.Errorf("one byte more: %v", err)
	}
}

func TestSealLimitAndSpec(t *testing.T) {
	c := newCipher(t, 1, 'A')
	_, err := c.Seal(hsm.BlobEncrypt, make([]byte, 4097), nil)
	if e, ok := errors.AsType[*hsm.PlaintextError](err); !ok || e.Max != 4096 || e.Got != 4097 {
		t.Errorf("4097 bytes: %v", err)
	}
	if _, err := hsm.NewCipher([32]byte{}, generated(t, "HMAC_256")); err == nil {
		t.Error("a cipher of an HMAC key: no error")
	}
}

func TestMaterialID(t *testing.T) {
	material := bytes.Repeat([]byte{'A'}, 32)
	id := hsm.MaterialID([32]byte{1}, material)
	if len(id) != 64 || strings.Trim(id, "0123456789abcdef") != "" {
		t.Errorf("id %q is not 64 lower-case hex digits", id)
	}
	if again := hsm.MaterialID([32]byte{1}, bytes.Clone(material)); again != id {
		t.Error("the same material of the same key has two ids")
	}
	if c := newCipher(t, 1, 'A'); c.MaterialID() != id {
		t.Error("the cipher names another id")
	}
	if hsm.MaterialID([32]byte{2}, material) == id || hsm.MaterialID([32]byte{1}, material[1:]) == id {
		t.Error("another key or material has the same id")
	}
}

// A ciphertext of an earlier version has to open for good: users keep them next
// to their state files.
func TestSealedBefore(t *testing.T) {
	got, err := newCipher(t, 1, 'A').Open(readTestdata(t, "blob.bin"), nil)
	if err != nil || string(got) != "attack at dawn" {
		t.Errorf("%q, %v", got, err)
	}
}

// No blob opens but the one that was sealed.
func FuzzOpen(f *testing.F) {
	c, known := newCipher(f, 1, 'A'), readTestdata(f, "blob.bin")
	f.Add(known)
	f.Add(known[:len(known)-1])
	f.Add(known[:58])
	f.Add([]byte{1, 2, 2, 0, 0x78})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, blob []byte) {
		plaintext, err := c.Open(blob, nil)
		if bytes.Equal(blob, known) {
			if err != nil || string(plaintext) != "attack at dawn" {
				t.Fatalf("%q, %v", plaintext, err)
			}
		} else if err != hsm.ErrCiphertext || plaintext != nil {
			t.Fatalf("%d bytes: %q, %v", len(blob), plaintext, err)
		}
		id, err := hsm.MaterialIDOf(blob)
		if err == nil && hex.EncodeToString(blob[5:37]) != id || err != nil && (err != hsm.ErrCiphertext || id != "") {
			t.Fatalf("%d bytes: material id %q, %v", len(blob), id, err)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	c := newCipher(b, 1, 'A')
	plaintext, context := make([]byte, 32), map[string]string{"tenant": "a"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Seal(hsm.BlobEncrypt, plaintext, context); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	c := newCipher(b, 1, 'A')
	blob := seal(b, c, make([]byte, 32), nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Open(blob, nil); err != nil {
			b.Fatal(err)
		}
	}
}
