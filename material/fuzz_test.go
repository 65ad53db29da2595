// SPDX-License-Identifier: Apache-2.0

package material_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keymat/keymat/material"
)

// seed adds every fixture, in the arguments that the fuzzer takes.
func seed(f *testing.F, add func(data []byte)) {
	f.Helper()
	names, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".sh") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		add(data)
	}
	der := fixture(f, "p256.p8.der")
	for _, data := range [][]byte{
		nil, {'\n'}, random(32), random(33), append(random(32), '\n'), bytes.Repeat([]byte("c9"), 32), []byte("0x"), []byte("="),
		append(append([]byte{0x30, 0x80}, der[3:]...), 0, 0), {0x30, 0x80, 0x30, 0x80, 0, 0, 0, 0}, []byte(`{"kty":"oct","k":"AAAA"}`),
		[]byte("\xff\xfea\x00"), []byte("-----BEGIN EC PARAMETERS-----\n-----END EC PARAMETERS-----\n"), []byte(`{"keys":[{}]}`),
	} {
		add(data)
	}
}

// FuzzParse asserts: an error comes without material and does not quote the input; success gives material of the spec that was
// asked for, which [material.New] and Parse take back unchanged; the input is not written to.
func FuzzParse(f *testing.F) {
	seed(f, func(data []byte) {
		for i := range len(material.Specs()) + 1 {
			if i%4 == len(data)%4 { // a quarter of the pairs will do
				f.Add(data, byte(i))
			}
		}
	})
	specs := append(material.Specs(), "")
	f.Fuzz(func(t *testing.T, data []byte, index byte) {
		spec := specs[int(index)%len(specs)]
		before := bytes.Clone(data)
		m, e, err := material.Parse(data, material.Options{Spec: spec})
		if !bytes.Equal(data, before) {
			t.Error("the input was changed")
		}
		if err != nil {
			if m != nil {
				t.Error("material with an error")
			}
			assertNoQuote(t, data, err.Error())
			return
		}
		if spec != "" && m.Spec() != spec || m.Spec().Kind() == material.KindNone || e == "" {
			t.Errorf("asked for %s, got %s as %q", spec, m.Spec(), e)
		}
		assertNoQuote(t, data, m.String()+string(e))
		again, err := material.New(m.Spec(), plaintext(t, m))
		if err != nil || !again.Secret().Equal(m.Secret()) || again.Fingerprint() != m.Fingerprint() {
			t.Errorf("New does not take it back: %v", err)
		}
		as := rawUnless(m.Spec().KeyPair())
		again, _, err = material.Parse(plaintext(t, m), material.Options{Spec: m.Spec(), As: as})
		if err != nil || !again.Secret().Equal(m.Secret()) {
			t.Errorf("Parse does not take it back: %v", err)
		}
	})
}

// FuzzIdentify asserts: no panic, nothing of the input in the description, and agreement with Parse on what is a key pair.
func FuzzIdentify(f *testing.F) {
	seed(f, func(data []byte) { f.Add(data) })
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := material.Identify(data)
		if err != nil {
			assertNoQuote(t, data, err.Error())
			return
		}
		assertNoQuote(t, data, d.What+string(d.Encoding))
		if d.Problem != nil {
			assertNoQuote(t, data, d.Problem.Error())
		}
		m, e, err := material.Parse(data, material.Options{})
		readable := d.Private && !d.Encrypted && d.Problem == nil && d.Spec.KeyPair()
		if readable != (err == nil && m.Spec().KeyPair()) {
			t.Errorf("Identify says %+v, Parse says %v, %v", d, m, err)
		}
		if readable && (m.Spec() != d.Spec || e != d.Encoding || *d.Fingerprint != m.Fingerprint()) {
			t.Errorf("Identify says %+v, Parse says %v as %q", d, m, e)
		}
	})
}

// assertNoQuote looks for any 12 bytes of the input that are not part of the words errors are made of.
func assertNoQuote(t *testing.T, data []byte, message string) {
	t.Helper()
	const run = 12
	for i := 0; i+run <= len(data); i++ {
		part := string(data[i : i+run])
		if strings.Contains(message, part) && !strings.Contains(ownWords, part) {
			t.Errorf("%q quotes the input at %d", message, i)
		}
	}
}

// ownWords are names that may stand in a file and in what is said about it.
const ownWords = "PuTTY-User-Key-File- age-encryption.org/v1 AGE-SECRET-KEY-1 service_account keymat/params " +
	"-----BEGIN ENCRYPTED PRIVATE KEY----- -----BEGIN OPENSSH PRIVATE KEY----- EC PARAMETERS Proc-Type: 4,ENCRYPTED"

// FuzzBER asserts that input in BER gives the same key as the DER it stands for, or none.
func FuzzBER(f *testing.F) {
	for name := range specOf {
		der := fixture(f, name+".p8.der")
		f.Add(der, uint16(0), byte(0))
		f.Add(append(append([]byte{0x30, 0x80}, der[2+int(der[1]&0x7f)*int(der[1]>>7):]...), 0, 0), uint16(1), byte(0x80))
	}
	f.Fuzz(func(t *testing.T, data []byte, at uint16, value byte) {
		if len(data) == 0 {
			return
		}
		data[int(at)%len(data)] = value
		m, _, err := material.Parse(data, material.Options{})
		if err != nil || !m.Spec().KeyPair() {
			return
		}
		again, e, err := material.Parse(plaintext(t, m), material.Options{})
		if err != nil || e != material.PKCS8DER || again.Fingerprint() != m.Fingerprint() {
			t.Errorf("the key changes on the way to DER: %v, %q, %v", again, e, err)
		}
	})
}
