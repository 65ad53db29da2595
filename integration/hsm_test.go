// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/keymat/keymat/material"
)

// A tokenDesk is a desk with a SoftHSM token of its own: the real component that can be had everywhere.
type tokenDesk struct {
	*desk
	said [][]byte // all that keymat-hsm said
}

const (
	softHSM = "/usr/lib/softhsm/libsofthsm2.so" // Debian's
	userPIN = "wolke-1618-zug"                  // in halves that no digest has in it
	soPIN   = "93372057"
)

func newTokenDesk(t *testing.T) *tokenDesk {
	t.Helper()
	d := &tokenDesk{desk: newDesk(t)}
	d.env = append(d.env, "SOFTHSM2_CONF="+d.path("softhsm2.conf"))
	d.configure("")
	if err := os.Mkdir(d.path("tokens"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.run(tool(t, "softhsm2-util", "softhsm2"), "--init-token", "--free", "--label", "ceremony", "--so-pin", soPIN, "--pin", userPIN)
	d.write("pin", []byte(userPIN+"\n"))
	d.write("so-pin", []byte(soPIN+"\n"))
	return d
}

// configure writes the configuration of SoftHSM, with a line of the test's.
func (d *tokenDesk) configure(line string) {
	d.write("softhsm2.conf", fmt.Appendf(nil, "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n%s\n", d.path("tokens"), line))
}

// hsm runs a command of keymat-hsm with the user's PIN.
func (d *tokenDesk) hsm(command string, args ...string) outcome {
	d.t.Helper()
	o := d.try(built.hsm, append([]string{command, "--module", softHSM, "--pin-file", "pin", "--no-input"}, args...)...)
	d.said = append(d.said, o.stdout, o.stderr)
	return o
}

// does runs a command that has to succeed and reads its result into v.
func (d *tokenDesk) does(v any, command string, args ...string) {
	d.t.Helper()
	o := d.hsm(command, append(args, "--json")...)
	if o.status != 0 {
		d.t.Fatalf("keymat-hsm %s %s: exit code %d\n%s", command, strings.Join(args, " "), o.status, o.stderr)
	}
	d.decode(o.stdout, v)
}

// refuses runs a command that has to fail, and say so.
func (d *tokenDesk) refuses(want, command string, args ...string) {
	d.t.Helper()
	o := d.hsm(command, args...)
	if o.status != 1 || !bytes.Contains(o.stderr, []byte(want)) || !bytes.Contains(o.stderr, []byte("keymat-hsm: hint: ")) {
		d.t.Errorf("keymat-hsm %s %s: exit code %d, want 1, a hint and %q\n%s%s", command, strings.Join(args, " "), o.status, want, o.stdout, o.stderr)
	}
}

// tokenKey is what keymat-hsm generate says of a key.
type tokenKey struct {
	Token       struct{ SoftHSM bool }
	Fingerprint string
	Attributes  map[string]bool
}

// TestBornInToken takes material that is born in a token to KMS: wrapped in the token with what it can do, imported, and
// confirmed with a copy that openssl opened.
func TestBornInToken(t *testing.T) {
	tests := []struct {
		spec      material.Spec
		algorithm string // that SoftHSM 2.6 can do
	}{
		{material.SymmetricDefault, "RSAES_OAEP_SHA_1"},
		{material.HMAC256, "RSAES_OAEP_SHA_1"},
		{material.HMAC512, "RSAES_OAEP_SHA_1"},
		{material.ECCNISTP384, "RSA_AES_KEY_WRAP_SHA_1"},
		{material.ECCSECGP256K1, "RSA_AES_KEY_WRAP_SHA_1"},
	}
	for _, tt := range tests {
		t.Run(string(tt.spec), func(t *testing.T) {
			d := newTokenDesk(t)
			key := d.born(tt.spec)
			arn := d.created(tt.spec)
			d.keymat("fetch", arn, "--out", "params.json")
			d.refuses("keymat fetch "+arn+" --algorithm "+tt.algorithm, "wrap", "--label", "app", "--params", "params.json", "--out", "wrapped.json")

			d.keymat("fetch", arn, "--algorithm", tt.algorithm, "--out", "params.json", "--force")
			var wrapped struct{ Fingerprint, Method string }
			d.does(&wrapped, "wrap", "--label", "app", "--params", "params.json", "--out", "wrapped.json")
			if wrapped.Fingerprint != key.Fingerprint || wrapped.Method == "" {
				t.Errorf("wrapped %+v, want %s", wrapped, key.Fingerprint)
			}
			d.keymat("import", "--wrapped", "wrapped.json", "--never-expires")

			recovered := d.recover(tt.spec)
			if got := recovered.Fingerprint().String(); got != key.Fingerprint {
				t.Errorf("the token says %s, keymat says %s", key.Fingerprint, got)
			}
			confirm := []string{"confirm", arn, "--material", "recovered.key"}
			if tt.spec == material.SymmetricDefault {
				confirm = append(confirm, "--reimport")
			}
			d.keymat(confirm...)
			d.leaked(tt.spec, "recovered.key")
		})
	}
}

// TestRSAFromSoftHSM: SoftHSM 2.6 fills the PKCS #8 of key pairs up with zeros, and KMS is not known to take that. The copy
// is the way out.
func TestRSAFromSoftHSM(t *testing.T) {
	d := newTokenDesk(t)
	key := d.born(material.RSA3072, "--public-out", "app.pub")
	arn := d.created(material.RSA3072)
	d.keymat("fetch", arn, "--algorithm", "RSA_AES_KEY_WRAP_SHA_1", "--out", "params.json")
	d.refuses("the token fills the PKCS #8 up with zero bytes, which KMS is not known to take",
		"wrap", "--label", "app", "--params", "params.json", "--out", "wrapped.json")
	if recovered := d.recover(material.RSA3072); recovered.Fingerprint().String() != key.Fingerprint {
		t.Errorf("the token says %s, keymat says %s", key.Fingerprint, recovered.Fingerprint())
	}
	d.keymat("wrap", "--material", "recovered.key", "--params", "params.json", "--out", "wrapped.json")
	d.keymat("import", "--wrapped", "wrapped.json", "--never-expires")
	d.keymat("confirm", arn, "--material", "recovered.key")
	spki := sha256.Sum256(d.openssl("pkey", "-pubin", "-in", "app.pub", "-outform", "DER"))
	if key.Fingerprint != "spki-sha256:"+hex.EncodeToString(spki[:]) {
		t.Errorf("the public key is not that of %s", key.Fingerprint)
	}
	d.leaked(material.RSA3072, "recovered.key")
}

// born generates material in the token, and checks what the token says of it.
func (d *tokenDesk) born(spec material.Spec, more ...string) (key tokenKey) {
	d.t.Helper()
	d.does(&key, "generate", append([]string{"--spec", string(spec), "--label", "app"}, more...)...)
	for _, attribute := range []string{"local", "private", "sensitive", "always_sensitive", "extractable"} {
		if !key.Attributes[attribute] {
			d.t.Errorf("%s is not %s", spec, attribute)
		}
	}
	if !key.Token.SoftHSM || key.Fingerprint == "" {
		d.t.Errorf("got %+v", key)
	}
	return key
}

func (d *tokenDesk) created(spec material.Spec) string {
	d.t.Helper()
	var key struct {
		ARN string `json:"key_arn"`
	}
	d.keymatJSON(&key, "create", "--spec", string(spec))
	return key.ARN
}

// recover opens a copy of the key with openssl, as docs/hsm.md does, into recovered.key.
func (d *tokenDesk) recover(spec material.Spec) *material.Material {
	d.t.Helper()
	return d.recoverLabelled(spec, "app")
}

// recoverLabelled is recover for a key of another label.
func (d *tokenDesk) recoverLabelled(spec material.Spec, label string) *material.Material {
	d.t.Helper()
	d.openssl("genrsa", "-out", "escrow.key", "3072")
	d.openssl("rsa", "-in", "escrow.key", "-pubout", "-out", "escrow.pem")
	var copied struct {
		Algorithm string `json:"wrapping_algorithm"`
	}
	d.does(&copied, "copy", "--label", label, "--to-key", "escrow.pem", "--out", "app.copy")
	if copied.Algorithm != "RSA_AES_KEY_WRAP_SHA_1" {
		d.t.Errorf("copied with %s", copied.Algorithm)
	}
	d.sh(`head -c 384 app.copy | openssl pkeyutl -decrypt -inkey escrow.key -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha1 -out aes.key`)
	kek := hex.EncodeToString(d.read("aes.key"))
	d.sh(`tail -c +385 app.copy | openssl enc -d -id-aes256-wrap-pad -iv A65959A6 -K ` + kek + ` -out recovered.key`)
	if spec.KeyPair() {
		d.sh(`openssl pkcs8 -topk8 -nocrypt -inform DER -in recovered.key -outform DER -out pkcs8.key && mv pkcs8.key recovered.key`)
	}
	m, err := material.New(spec, d.read("recovered.key"))
	if err != nil {
		d.t.Fatal(err)
	}
	return m
}

// leaked looks for the material, and for PINs, in all that was said and written but the token and the recovered copy.
func (d *tokenDesk) leaked(spec material.Spec, recovered string) {
	d.t.Helper()
	terms := searchTerms(append(d.secrets(spec, recovered), []byte(userPIN), []byte(soPIN)))
	for _, said := range d.said {
		if form := findAny(terms, said); form != "" {
			d.t.Errorf("keymat-hsm said a secret as %s: %s", form, said)
		}
	}
	files := 0
	err := filepath.WalkDir(d.dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.Name() == "tokens":
			return fs.SkipDir
		case entry.IsDir() || entry.Name() == recovered || entry.Name() == "pin" || entry.Name() == "so-pin":
			return nil
		}
		files++
		content, err := os.ReadFile(path)
		if form := findAny(terms, content); form != "" {
			d.t.Errorf("%s holds a secret as %s", path, form)
		}
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	if len(d.said) < 6 || files < 4 {
		d.t.Errorf("searched only %d outputs and %d files", len(d.said), files)
	}
}

// secrets are the numbers of recovered material that must be seen nowhere else.
func (d *tokenDesk) secrets(spec material.Spec, recovered string) [][]byte {
	d.t.Helper()
	if spec == material.ECCSECGP256K1 { // unknown to crypto/x509; the scalar follows INTEGER 1 and the header of 32 bytes
		_, rest, found := bytes.Cut(d.read(recovered), []byte{0x02, 0x01, 0x01, 0x04, 0x20})
		if !found {
			d.t.Fatal("no scalar")
		}
		return [][]byte{rest[:32]}
	}
	return secretsOf(d.t, spec, d.read(recovered))
}

// TestTrustedWrapping: a key for trusted wrapping keys only takes the security officer and the user.
func TestTrustedWrapping(t *testing.T) {
	for spec, algorithm := range map[material.Spec]string{
		material.SymmetricDefault: "RSAES_OAEP_SHA_1", material.ECCNISTP384: "RSA_AES_KEY_WRAP_SHA_1",
	} {
		t.Run(string(spec), func(t *testing.T) {
			d := newTokenDesk(t)
			if key := d.born(spec, "--wrap-with-trusted"); !key.Attributes["wrap_with_trusted"] {
				t.Errorf("got %+v", key)
			}
			arn := d.created(spec)
			d.keymat("fetch", arn, "--algorithm", algorithm, "--out", "params.json")
			wrap := []string{"--label", "app", "--params", "params.json", "--out", "wrapped.json"}
			d.refuses("may only be wrapped under a key that the security officer trusts", "wrap", wrap...)
			wrap = append(wrap, "--trusted", "--so-pin-file")
			d.refuses("the token does not take this PIN of the security officer", "wrap", append(wrap, "pin")...)
			var wrapped struct{ Trusted bool }
			d.does(&wrapped, "wrap", append(wrap, "so-pin")...)
			if !wrapped.Trusted {
				t.Errorf("got %+v", wrapped)
			}
			d.keymat("import", "--wrapped", "wrapped.json", "--never-expires")
		})
	}
}

// TestTokenRefusals: what goes wrong around a token, and what keymat-hsm says.
func TestTokenRefusals(t *testing.T) {
	d := newTokenDesk(t)
	key := d.born(material.SymmetricDefault)
	d.refuses(`the token has a key "app" already`, "generate", "--spec", "RSA_2048", "--label", "app")
	d.refuses(`the token has no key "nobody"`, "delete", "nobody", "--yes")
	d.refuses("cannot ask", "delete", "app")
	arn := d.created(material.HMAC256)
	d.keymat("fetch", arn, "--algorithm", "RSAES_OAEP_SHA_1", "--out", "params.json")
	wrap := []string{"--params", "params.json", "--out", "wrapped.json", "--label"}
	d.refuses(`"app" is an AES-256 key, expected HMAC_256 material`, "wrap", append(wrap, "app")...)

	d.run(tool(t, "pkcs11-tool", "opensc"), "--module", softHSM, "--token-label", "ceremony", "--login", "--pin", userPIN,
		"--keygen", "--key-type", "GENERIC:32", "--label", "stuck", "--sensitive")
	d.refuses(`"stuck" is not extractable`, "wrap", append(wrap, "stuck")...)
	var list struct {
		Keys []struct {
			Label, Fingerprint string
			Spec               string `json:"key_spec"`
		}
	}
	d.does(&list, "list")
	if len(list.Keys) != 2 || list.Keys[0].Fingerprint != key.Fingerprint || list.Keys[1].Spec != "HMAC_256" {
		t.Errorf("got %+v", list)
	}

	d.write("pin", []byte("00000000"))
	d.refuses("the token does not take this PIN of the user", "list")
	d.write("pin", nil)
	d.refuses("pin: there is no PIN in it", "list")
	d.write("pin", []byte(userPIN))
	d.refuses(`there is not exactly one token "other"; found "ceremony"`, "list", "--token", "other")
	d.configure("slots.mechanisms = CKM_AES_KEY_GEN,CKM_AES_CMAC")
	d.keymat("fetch", d.created(material.SymmetricDefault), "--algorithm", "RSAES_OAEP_SHA_1", "--out", "params.json", "--force")
	d.refuses("the token cannot wrap SYMMETRIC_DEFAULT material with RSAES_OAEP_SHA_1: it has not the mechanisms", "wrap", append(wrap, "app")...)
	d.configure("")
	if err := errors.Join(os.RemoveAll(d.path("tokens")), os.Mkdir(d.path("tokens"), 0o700)); err != nil {
		t.Fatal(err)
	}
	d.refuses("there is no initialized token", "list")
	if _, err := os.Stat(d.path("wrapped.json")); err == nil {
		t.Error("a refusal left a package behind")
	}
}

// TestLibraryRefusals: what is given as the library of a token, and is none.
func TestLibraryRefusals(t *testing.T) {
	d := newTokenDesk(t)
	d.write("no.so", []byte("no library"))
	for file, want := range map[string]string{
		"missing.so": "no such file or directory", "no.so": "no.so cannot be loaded as a PKCS #11 library", ".": ". cannot be loaded as a PKCS #11 library",
	} {
		o := d.try(built.hsm, "info", "--module", file)
		if o.status != 1 || !bytes.Contains(o.stderr, []byte(want)) || !bytes.Contains(o.stderr, []byte("hint: ")) {
			t.Errorf("%s: exit code %d\n%s", file, o.status, o.stderr)
		}
	}
}

// TestTokenInfo: what a list promises, and what is found when it is tried.
func TestTokenInfo(t *testing.T) {
	d := newTokenDesk(t)
	type canWrap struct {
		Spec       string   `json:"key_spec"`
		Algorithms []string `json:"wrapping_algorithms"`
	}
	var listed, tried struct {
		Token struct {
			Maker, Model string
			SoftHSM      bool
		}
		Mechanisms []struct {
			Name   string
			Listed bool
		}
		Wraps []canWrap
	}
	d.does(&listed, "info")
	d.does(&tried, "info", "--try")
	if tried.Token.Maker != "SoftHSM project" || !tried.Token.SoftHSM {
		t.Errorf("got %+v", tried.Token)
	}
	for _, m := range listed.Mechanisms {
		if absent := m.Name == "CKM_RSA_AES_KEY_WRAP" || m.Name == "CKM_AES_KEY_WRAP_KWP"; m.Listed == absent {
			t.Errorf("%s is listed: %t", m.Name, m.Listed)
		}
	}
	able := func(all []canWrap) map[string]string {
		found := map[string]string{}
		for _, c := range all {
			found[c.Spec] = strings.Join(c.Algorithms, " ")
		}
		return found
	}
	for spec, want := range map[string][2]string{
		"SYMMETRIC_DEFAULT": {"RSAES_OAEP_SHA_256 RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_1"},
		"RSA_4096":          {"RSA_AES_KEY_WRAP_SHA_256 RSA_AES_KEY_WRAP_SHA_1", ""},
		"ECC_NIST_P384":     {"RSAES_OAEP_SHA_256 RSA_AES_KEY_WRAP_SHA_256 RSAES_OAEP_SHA_1 RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_1"},
		"ECC_NIST_P256":     {"RSAES_OAEP_SHA_256 RSA_AES_KEY_WRAP_SHA_256 RSAES_OAEP_SHA_1 RSA_AES_KEY_WRAP_SHA_1", ""},
	} {
		if got := [2]string{able(listed.Wraps)[spec], able(tried.Wraps)[spec]}; got != want {
			t.Errorf("%s: got %q, want %q", spec, got, want)
		}
	}
	text := d.hsm("info", "--try").stdout
	if !bytes.Contains(text, []byte("SoftHSM, a program")) || bytes.Contains(bytes.ReplaceAll(text, []byte("SoftHSM"), nil), []byte("HSM")) {
		t.Errorf("SoftHSM is called something else:\n%s", text)
	}
	if o := d.hsm("list"); !bytes.Contains(o.stdout, []byte("no keys in ceremony")) {
		t.Errorf("throwaway keys are left:\n%s%s", o.stdout, o.stderr)
	}
}
