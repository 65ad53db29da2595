// SPDX-License-Identifier: Apache-2.0

package hsm_test

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// TestEveryWay generates material of each spec and wraps it by each method that KMS accepts for it. What comes out has to
// be the material of which the token told the fingerprint.
func TestEveryWay(t *testing.T) {
	f := newFake(t)
	token, private := f.open(), privateKey()
	for _, spec := range []material.Spec{
		material.SymmetricDefault, material.HMAC224, material.HMAC256, material.HMAC384, material.HMAC512, material.RSA2048,
		material.ECCNISTP256, material.ECCNISTP384, material.ECCNISTP521, material.ECCSECGP256K1, material.ECCNISTEdwards25519,
	} {
		key, err := token.Generate(spec, string(spec), false)
		if err != nil {
			t.Fatalf("%s: %v", spec, err)
		}
		if !token.Makes(spec) || !key.Fits(spec) || key.Spec != spec {
			t.Errorf("%s: got a %s for %s", spec, key.What, key.Spec)
		}
		for _, m := range hsm.Methods() {
			if !slices.Contains(hsm.Algorithms(spec), m.Algorithm) {
				continue
			}
			under, err := token.Bring(&private.PublicKey)
			if err != nil {
				t.Fatal(err)
			}
			encrypted, err := token.Wrap(under, m, key)
			if err != nil {
				t.Errorf("%s, %s: %v", spec, m, err)
				continue
			}
			if got := opened(t, private, m, spec, encrypted); got.Fingerprint() != key.Fingerprint {
				t.Errorf("%s, %s: the token says %s, but it is %s", spec, m, key.Fingerprint, got.Fingerprint())
			}
			if err := under.Discard(); err != nil {
				t.Error(err)
			}
		}
		if err := token.Delete(key); err != nil {
			t.Error(err)
		}
	}
	if len(f.objects) != 0 {
		t.Errorf("%d objects are left in the token", len(f.objects))
	}
}

// TestChoose: of what a token lists, only what it does as KMS needs it is chosen, the best first.
func TestChoose(t *testing.T) {
	const twoStep = pkcs11.CKM_AES_KEY_WRAP_PAD
	sha1Only := func(f *fake) { f.hashes = f.hashes[:1] }
	without := func(mechanisms ...uint) func(*fake) {
		return func(f *fake) {
			for _, m := range mechanisms {
				delete(f.mechanisms, m)
			}
		}
	}
	zeros := func(f *fake) {
		f.padPKCS8 = func(der []byte) []byte { return append(bytes.Clone(der), make([]byte, -len(der)&7)...) }
	}
	// RFC 3394 over PKCS #7 padding, which is what CKM_AES_KEY_WRAP_PAD means elsewhere.
	otherPad := func(f *fake) {
		f.padMode = func(b []byte) []byte {
			n := 8 - len(b)%8
			return append(bytes.Clone(b), bytes.Repeat([]byte{byte(n)}, n)...)
		}
	}
	tests := []struct {
		name      string
		spec      material.Spec
		algorithm wrap.Algorithm
		faults    []func(*fake)
		want      hsm.Method
		able      string // otherwise
		reason    string
	}{
		{name: "direct", spec: material.SymmetricDefault, algorithm: wrap.OAEPSHA256, want: hsm.Method{Algorithm: wrap.OAEPSHA256}},
		{name: "one call", spec: material.RSA3072, algorithm: wrap.RSAAESSHA256, want: hsm.Method{Algorithm: wrap.RSAAESSHA256}},
		{name: "two calls", spec: material.ECCNISTP256, algorithm: wrap.RSAAESSHA256, faults: []func(*fake){without(pkcs11.CKM_RSA_AES_KEY_WRAP)},
			want: hsm.Method{Algorithm: wrap.RSAAESSHA256, KeyWrap: kwp}},
		{name: "by the other name", spec: material.ECCNISTP256, algorithm: wrap.RSAAESSHA1, faults: []func(*fake){without(pkcs11.CKM_RSA_AES_KEY_WRAP, kwp), sha1Only},
			want: hsm.Method{Algorithm: wrap.RSAAESSHA1, KeyWrap: twoStep}},
		{name: "listed, but without the hash", spec: material.SymmetricDefault, algorithm: wrap.OAEPSHA256, faults: []func(*fake){sha1Only},
			able: "RSAES_OAEP_SHA_1", reason: "CKM_RSA_PKCS_OAEP with SHA-256: C_WrapKey: error 0x7"},
		{name: "without the mechanism", spec: material.HMAC512, algorithm: wrap.OAEPSHA256, faults: []func(*fake){without(pkcs11.CKM_RSA_PKCS_OAEP)},
			reason: "it has not the mechanisms"},
		{name: "another key wrap", spec: material.ECCNISTP256, algorithm: wrap.RSAAESSHA256, faults: []func(*fake){without(pkcs11.CKM_RSA_AES_KEY_WRAP, kwp), otherPad},
			able: "RSAES_OAEP_SHA_256 RSAES_OAEP_SHA_1", reason: "what KMS would unwrap: found 144 bytes that are not plain PKCS #8 DER"},
		{name: "zeros after P-256", spec: material.ECCNISTP256, algorithm: wrap.RSAAESSHA256, faults: []func(*fake){zeros}, able: "", reason: "fills the PKCS #8 up with zero bytes"},
		{name: "zeros after RSA", spec: material.RSA2048, algorithm: wrap.RSAAESSHA256, faults: []func(*fake){zeros}, able: "", reason: "fills the PKCS #8 up with zero bytes"},
		{name: "no need of zeros", spec: material.ECCNISTEdwards25519, algorithm: wrap.RSAAESSHA256, faults: []func(*fake){zeros}, want: hsm.Method{Algorithm: wrap.RSAAESSHA256}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFake(t)
			for _, fault := range tt.faults {
				fault(f)
			}
			bench := f.open().NewBench()
			got, err := bench.Choose(tt.spec, tt.algorithm)
			if tt.reason == "" {
				if err != nil || got != tt.want {
					t.Errorf("got %s (%v), want %s", got, err, tt.want)
				}
				return
			}
			unable, ok := errors.AsType[*hsm.UnableError](err)
			if !ok || !strings.Contains(err.Error(), tt.reason) || list(unable.Able) != tt.able {
				t.Errorf("got %v, want %q and able to do %q", err, tt.reason, tt.able)
			}
		})
	}
}

func list(algorithms []wrap.Algorithm) string {
	names := make([]string, len(algorithms))
	for i, a := range algorithms {
		names[i] = string(a)
	}
	return strings.Join(names, " ")
}

// TestChooseForCopy: zeros do no harm there.
func TestChooseForCopy(t *testing.T) {
	f := newFake(t)
	f.padPKCS8 = func(der []byte) []byte { return append(bytes.Clone(der), make([]byte, -len(der)&7)...) }
	f.hashes = f.hashes[:1]
	bench := f.open().NewBench()
	if m, err := bench.ChooseForCopy(material.ECCNISTP256); err != nil || m != (hsm.Method{Algorithm: wrap.RSAAESSHA1}) {
		t.Errorf("got %s (%v)", m, err)
	}
	f.hashes = nil
	if _, err := bench.ChooseForCopy(material.ECCNISTP256); !strings.Contains(err.Error(), "RSA_AES_KEY_WRAP_SHA_1") {
		t.Errorf("got %v", err)
	}
}

// TestRSATrialTells: the key that decides is one that a token would have to pad.
func TestRSATrialTells(t *testing.T) {
	f := newFake(t)
	if err := f.open().NewBench().Try(hsm.Method{Algorithm: wrap.RSAAESSHA256}, material.RSA4096); err != nil {
		t.Fatal(err)
	}
	if length := len(f.objects[f.last-1].secret); length%8 == 0 { // the last is the wrapping key
		t.Errorf("an RSA key of %d bytes decided", length)
	}
}

// TestTrialTellsOtherMaterial: a token that wraps something else than it has is found out.
func TestTrialTellsOtherMaterial(t *testing.T) {
	f := newFake(t)
	other, err := material.Generate(material.ECCNISTP256)
	if err != nil {
		t.Fatal(err)
	}
	f.padPKCS8 = func([]byte) (der []byte) {
		_ = other.Secret().Expose(func(b []byte) error { der = bytes.Clone(b); return nil })
		return der
	}
	bench := f.open().NewBench()
	err = bench.Try(hsm.Method{Algorithm: wrap.RSAAESSHA256}, material.ECCNISTP256)
	if err == nil || !strings.HasSuffix(err.Error(), "KMS would unwrap other material than the token has") {
		t.Errorf("got %v", err)
	}
}

func TestGenerateReadsBack(t *testing.T) {
	f := newFake(t)
	token := f.open()
	key, err := token.Generate(material.SymmetricDefault, "app", true)
	if err != nil {
		t.Fatal(err)
	}
	want := "CKA_LOCAL CKA_PRIVATE CKA_SENSITIVE CKA_ALWAYS_SENSITIVE CKA_EXTRACTABLE CKA_WRAP_WITH_TRUSTED"
	if got := strings.Join(key.Attributes.Set(), " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := token.Generate(material.HMAC256, "app", false); !isLabelTaken(err, "app") {
		t.Errorf("a taken label: %v", err)
	}
	before := len(f.objects)
	for attribute, name := range map[uint]string{
		pkcs11.CKA_LOCAL: "CKA_LOCAL", pkcs11.CKA_SENSITIVE: "CKA_SENSITIVE", pkcs11.CKA_ALWAYS_SENSITIVE: "CKA_ALWAYS_SENSITIVE",
		pkcs11.CKA_EXTRACTABLE: "CKA_EXTRACTABLE", pkcs11.CKA_PRIVATE: "CKA_PRIVATE",
	} {
		f.force = map[uint]bool{attribute: false}
		_, err := token.Generate(material.ECCNISTP256, "other", false)
		if e, ok := errors.AsType[*hsm.AttributeError](err); !ok || e.Name != name || !e.Want {
			t.Errorf("%s is false: %v", name, err)
		}
		if len(f.objects) != before {
			t.Fatalf("%s is false: the key is still there", name)
		}
	}
	f.force = map[uint]bool{pkcs11.CKA_WRAP_WITH_TRUSTED: true}
	if _, err := token.Generate(material.SymmetricDefault, "other", false); err == nil || err.Error() != "the token made a key whose CKA_WRAP_WITH_TRUSTED is true, expected false" {
		t.Errorf("got %v", err)
	}
	var unsupported *material.UnsupportedSpecError
	if _, err := token.Generate("SM2", "other", false); !errors.As(err, &unsupported) {
		t.Errorf("got %v", err)
	}
}

func isLabelTaken(err error, label string) bool {
	e, ok := errors.AsType[*hsm.LabelTakenError](err)
	return ok && e.Label == label
}

// TestTrust: a key that is for trusted wrapping keys only takes both roles.
func TestTrust(t *testing.T) {
	for _, spec := range []material.Spec{material.SymmetricDefault, material.ECCNISTP384} {
		f := newFake(t)
		delete(f.mechanisms, pkcs11.CKM_RSA_AES_KEY_WRAP)
		token, private := f.open(), privateKey()
		method := hsm.Method{Algorithm: wrap.OAEPSHA256}
		if spec.KeyPair() {
			method = hsm.Method{Algorithm: wrap.RSAAESSHA256, KeyWrap: kwp}
		}
		key, err := token.Generate(spec, "app", true)
		if err != nil {
			t.Fatal(err)
		}
		under, err := token.Bring(&private.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		_, err = token.Wrap(under, method, key)
		if e, ok := errors.AsType[*hsm.UntrustedError](err); !ok || e.Label != "app" {
			t.Errorf("under a key that nobody trusts: %v", err)
		}
		if _, err := token.Trust(&private.PublicKey, method.Algorithm); err == nil {
			t.Error("the user may say what is trusted")
		}
		under = trust(t, token, private, method.Algorithm)
		encrypted, err := token.Wrap(under, method, key)
		if err != nil {
			t.Fatal(err)
		}
		if got := opened(t, private, method, spec, encrypted); got.Fingerprint() != key.Fingerprint {
			t.Errorf("the token says %s, but it is %s", key.Fingerprint, got.Fingerprint())
		}
		_, err = token.Wrap(under, method, key)
		if again := err == nil; again == spec.KeyPair() { // the officer's one-time key serves once
			t.Errorf("wrapped %s again: %v", spec, err)
		}
		if err := under.Discard(); err != nil {
			t.Error(err)
		}
	}
}

// trust has the security officer vouch for a wrapping key, and logs the user in again.
func trust(t *testing.T, token *hsm.Token, private *rsa.PrivateKey, a wrap.Algorithm) *hsm.WrappingKey {
	t.Helper()
	if err := errors.Join(token.Logout(), token.Login(hsm.SecurityOfficer, []byte(pin))); err != nil {
		t.Fatal(err)
	}
	under, err := token.Trust(&private.PublicKey, a)
	if err := errors.Join(err, token.Logout(), token.Login(hsm.OrdinaryUser, []byte(pin))); err != nil {
		t.Fatal(err)
	}
	return under
}

func TestUnextractable(t *testing.T) {
	f := newFake(t)
	token, private := f.open(), privateKey()
	key, err := token.Generate(material.SymmetricDefault, "app", false)
	if err != nil {
		t.Fatal(err)
	}
	f.fail["C_WrapKey"] = pkcs11.CKR_KEY_UNEXTRACTABLE
	under, err := token.Bring(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	_, err = token.Wrap(under, hsm.Method{Algorithm: wrap.OAEPSHA256}, key)
	if e, ok := errors.AsType[*hsm.UnextractableError](err); !ok || e.Label != "app" {
		t.Errorf("got %v", err)
	}
}

// TestGone: a token that is pulled out is no token that is unable.
func TestGone(t *testing.T) {
	f := newFake(t)
	token := f.open()
	bench := token.NewBench()
	f.fail["C_WrapKey"] = pkcs11.CKR_DEVICE_REMOVED
	_, err := bench.Choose(material.SymmetricDefault, wrap.OAEPSHA256)
	var unable *hsm.UnableError
	if !hsm.Gone(err) || errors.As(err, &unable) {
		t.Errorf("got %v", err)
	}
	f.fail["C_Logout"] = pkcs11.CKR_DEVICE_REMOVED
	if err := token.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
}

func TestOpen(t *testing.T) {
	f := newFake(t)
	if _, err := hsm.Open(f, ""); err != nil {
		t.Errorf("the only token: %v", err)
	}
	_, err := hsm.Open(f, "other")
	if want := `there is not exactly one token "other"; found "fake"`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	f.slots = []uint{7, 8}
	for label, want := range map[string]string{
		"": `there are 2 tokens: "fake", "fake"`, "fake": `there is not exactly one token "fake"; found "fake", "fake"`,
	} {
		if _, err := hsm.Open(f, label); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	f.info.Flags = 0
	if _, err := hsm.Open(f, ""); err == nil || err.Error() != "there is no initialized token" {
		t.Errorf("got %v", err)
	}
	f.fail["C_GetSlotList"] = pkcs11.CKR_GENERAL_ERROR
	if _, err := hsm.Open(f, ""); err == nil || err.Error() != "C_GetSlotList: error 0x5" {
		t.Errorf("got %v", err)
	}
}

func TestPIN(t *testing.T) {
	f := newFake(t)
	token, err := hsm.Open(f, "")
	if err != nil {
		t.Fatal(err)
	}
	err = token.Login(hsm.OrdinaryUser, []byte("4321"))
	if e, ok := errors.AsType[*hsm.PINError](err); !ok || e.Locked || err.Error() != "the token does not take this PIN of the user" {
		t.Errorf("a wrong PIN: %v", err)
	}
	f.fail["C_Login"] = pkcs11.CKR_PIN_LOCKED
	err = token.Login(hsm.SecurityOfficer, []byte(pin))
	if e, ok := errors.AsType[*hsm.PINError](err); !ok || !e.Locked || err.Error() != "the PIN of the security officer is locked" {
		t.Errorf("a locked PIN: %v", err)
	}
	token.Info.Flags |= pkcs11.CKF_USER_PIN_FINAL_TRY
	if !token.LastTry(hsm.OrdinaryUser) || token.LastTry(hsm.SecurityOfficer) {
		t.Error("the last try is not told")
	}
}

// TestKeys finds keys of other makes too, and says what they are.
func TestKeys(t *testing.T) {
	f := newFake(t)
	token := f.open()
	for label, length := range map[string]uint{"a": 16, "b": 32} {
		f.secret(label, pkcs11.CKK_AES, length)
	}
	for label, length := range map[string]uint{"c": 27, "d": 40, "e": 128} {
		f.secret(label, pkcs11.CKK_GENERIC_SECRET, length)
	}
	f.secret("f", pkcs11.CKK_DES3, 24)
	f.secret("g", pkcs11.CKK_AES, 32)
	f.secret("g", pkcs11.CKK_AES, 32)
	keys, err := token.Keys()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range keys {
		got = append(got, k.Label+" "+k.What+" "+string(k.Spec))
	}
	want := []string{"a AES-128 key ", "b AES-256 key SYMMETRIC_DEFAULT", "c secret of 27 bytes ", "d secret of 40 bytes HMAC_256",
		"e secret of 128 bytes HMAC_512", "f secret key of type 0x15 ", "g AES-256 key SYMMETRIC_DEFAULT", "g AES-256 key SYMMETRIC_DEFAULT"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for label, count := range map[string]int{"g": 2, "nobody": 0} {
		_, err := token.Key(label)
		if e, ok := errors.AsType[*hsm.NoKeyError](err); !ok || e.Count != count {
			t.Errorf("%s: %v", label, err)
		}
	}
	d, err := token.Key("d")
	if err != nil {
		t.Fatal(err)
	}
	for spec, fits := range map[material.Spec]bool{material.HMAC224: true, material.HMAC256: true, material.HMAC384: false, material.SymmetricDefault: false} {
		if d.Fits(spec) != fits {
			t.Errorf("a secret of 40 bytes fits %s: %t", spec, !fits)
		}
	}
}

// secret puts a secret of some other maker into the token.
func (f *fake) secret(label string, keyType, length uint) {
	f.t.Helper()
	_, err := f.GenerateKey(hsm.Mechanism{}, []hsm.Attribute{
		{Type: pkcs11.CKA_CLASS, Value: uint(pkcs11.CKO_SECRET_KEY)}, {Type: pkcs11.CKA_KEY_TYPE, Value: keyType},
		{Type: pkcs11.CKA_TOKEN, Value: true}, {Type: pkcs11.CKA_LABEL, Value: label}, {Type: pkcs11.CKA_VALUE_LEN, Value: length},
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

// TestNoCheckValue: a token that makes none, for want of the mechanism or by its rules, still makes keys.
func TestNoCheckValue(t *testing.T) {
	f := newFake(t)
	f.fail["C_Sign"] = pkcs11.CKR_KEY_SIZE_RANGE
	key, err := f.open().Generate(material.HMAC224, "short", false)
	if err != nil || key.Fingerprint != (material.Fingerprint{}) {
		t.Errorf("got %v (%v)", key, err)
	}
	delete(f.mechanisms, pkcs11.CKM_AES_CMAC)
	f.fail["C_Sign"] = pkcs11.CKR_GENERAL_ERROR
	key, err = f.open().Generate(material.SymmetricDefault, "no CMAC", false)
	if err != nil || key.Fingerprint != (material.Fingerprint{}) {
		t.Errorf("got %v (%v)", key, err)
	}
	var call *hsm.CallError
	if _, err := f.open().Generate(material.HMAC256, "broken", false); !errors.As(err, &call) || call.Function != "C_Sign" {
		t.Errorf("got %v", err)
	}
}

// TestBareECPoint: some tokens leave the OCTET STRING out.
func TestBareECPoint(t *testing.T) {
	f := newFake(t)
	token := f.open()
	key, err := token.Generate(material.ECCNISTP256, "app", false)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range f.objects {
		if point := o.attributes[pkcs11.CKA_EC_POINT]; point != nil {
			o.attributes[pkcs11.CKA_EC_POINT] = point[2:]
		}
	}
	bare, err := token.Key("app")
	if err != nil || bare.Fingerprint != key.Fingerprint {
		t.Errorf("got %v (%v), want %v", bare, err, key.Fingerprint)
	}
}
