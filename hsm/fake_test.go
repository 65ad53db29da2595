// SPDX-License-Identifier: Apache-2.0

package hsm_test

import (
	"bytes"
	"crypto/aes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"maps"
	"math/big"
	"slices"
	"sync"
	"testing"

	"github.com/miekg/pkcs11"
	"github.com/tink-crypto/tink-go/v2/kwp/subtle"
	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/material"
)

// kwp is CKM_AES_KEY_WRAP_KWP.
const kwp = 0x210B

// A fake is a library with one token whose faults can be chosen: SoftHSM, which the integration tests use, has only its own,
// and neither CKM_RSA_AES_KEY_WRAP nor SHA-256.
type fake struct {
	t          *testing.T
	slots      []uint
	info       hsm.TokenInfo
	mechanisms map[uint]uint
	hashes     []uint                     // of OAEP
	padPKCS8   func(der []byte) []byte    // before wrapping
	padMode    func(secret []byte) []byte // of CKM_AES_KEY_WRAP_PAD, before AES key wrap with padding
	force      map[uint]bool              // attributes of new keys, whatever the template says
	fail       map[string]uint            // answers of functions, CKR_…
	user       *hsm.User                  // who is logged in
	signed     []uint                     // mechanisms of C_Sign
	objects    map[hsm.Object]*object
	last       hsm.Object
}

type object struct {
	attributes map[uint][]byte
	secret     []byte // raw, or PKCS #8
}

const pin = "1234"

func newFake(t *testing.T) *fake {
	f := &fake{
		t:        t,
		slots:    []uint{7},
		info:     hsm.TokenInfo{Label: "fake", Manufacturer: "nobody", Model: "fake", Flags: pkcs11.CKF_TOKEN_INITIALIZED},
		hashes:   []uint{pkcs11.CKM_SHA_1, pkcs11.CKM_SHA256},
		padPKCS8: func(der []byte) []byte { return der },
		padMode:  func(secret []byte) []byte { return secret },
		force:    map[uint]bool{}, fail: map[string]uint{}, objects: map[hsm.Object]*object{},
		mechanisms: map[uint]uint{
			pkcs11.CKM_AES_KEY_GEN: pkcs11.CKF_GENERATE, pkcs11.CKM_GENERIC_SECRET_KEY_GEN: pkcs11.CKF_GENERATE,
			pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN: pkcs11.CKF_GENERATE_KEY_PAIR, pkcs11.CKM_EC_KEY_PAIR_GEN: pkcs11.CKF_GENERATE_KEY_PAIR,
			0x1055:              pkcs11.CKF_GENERATE_KEY_PAIR,
			pkcs11.CKM_AES_CMAC: pkcs11.CKF_SIGN, pkcs11.CKM_SHA256_HMAC: pkcs11.CKF_SIGN,
			pkcs11.CKM_RSA_AES_KEY_WRAP: pkcs11.CKF_WRAP, pkcs11.CKM_RSA_PKCS_OAEP: pkcs11.CKF_WRAP,
			pkcs11.CKM_AES_KEY_WRAP_PAD: pkcs11.CKF_WRAP, kwp: pkcs11.CKF_WRAP,
		},
	}
	return f
}

// open opens the token with its user logged in.
func (f *fake) open() *hsm.Token {
	f.t.Helper()
	token, err := hsm.Open(f, "fake")
	if err == nil {
		err = token.Login(hsm.OrdinaryUser, []byte(pin))
	}
	if err != nil {
		f.t.Fatal(err)
	}
	return token
}

// answer is the one chosen for the function, if any.
func (f *fake) answer(function string) error {
	if code := f.fail[function]; code != 0 {
		return refuse(function, code)
	}
	return nil
}

func refuse(function string, code uint) error {
	return &hsm.CallError{Function: function, Code: code}
}

func (f *fake) Slots() ([]uint, error)                     { return f.slots, f.answer("C_GetSlotList") }
func (f *fake) Token(uint) (hsm.TokenInfo, error)          { return f.info, nil }
func (f *fake) Mechanisms(uint) (map[uint]uint, error)     { return f.mechanisms, nil }
func (f *fake) OpenSession(slot uint) (hsm.Session, error) { return f, f.answer("C_OpenSession") }
func (f *fake) Close() error                               { return nil }

func (f *fake) Login(user hsm.User, given []byte) error {
	if err := f.answer("C_Login"); err != nil {
		return err
	}
	if string(given) != pin {
		return refuse("C_Login", pkcs11.CKR_PIN_INCORRECT)
	}
	f.user = &user
	return nil
}

func (f *fake) Logout() error {
	f.user = nil
	return f.answer("C_Logout")
}

func (f *fake) Find(template []hsm.Attribute) (found []hsm.Object, err error) {
	for _, o := range slices.Sorted(maps.Keys(f.objects)) {
		matches := func(a hsm.Attribute) bool { return bytes.Equal(f.objects[o].attributes[a.Type], encode(a.Value)) }
		if !slices.ContainsFunc(template, func(a hsm.Attribute) bool { return !matches(a) }) {
			found = append(found, o)
		}
	}
	return found, f.answer("C_FindObjects")
}

func (f *fake) Attribute(o hsm.Object, attribute uint) ([]byte, error) {
	value, ok := f.objects[o].attributes[attribute]
	if !ok {
		return nil, refuse("C_GetAttributeValue", pkcs11.CKR_ATTRIBUTE_TYPE_INVALID)
	}
	return value, nil
}

func (f *fake) Create(template []hsm.Attribute) (hsm.Object, error) {
	return f.add("C_CreateObject", template, nil)
}

func (f *fake) Destroy(o hsm.Object) error {
	delete(f.objects, o)
	return f.answer("C_DestroyObject")
}

// add adds an object; only the security officer says what is trusted.
func (f *fake) add(function string, template []hsm.Attribute, secret []byte) (hsm.Object, error) {
	if err := f.answer(function); err != nil {
		return 0, err
	}
	o := &object{attributes: map[uint][]byte{}, secret: secret}
	for _, a := range template {
		o.attributes[a.Type] = encode(a.Value)
	}
	if o.is(pkcs11.CKA_TRUSTED) && *f.user != hsm.SecurityOfficer {
		return 0, refuse(function, pkcs11.CKR_ATTRIBUTE_READ_ONLY)
	}
	if secret != nil {
		o.attributes[pkcs11.CKA_LOCAL] = encode(true)
		o.attributes[pkcs11.CKA_ALWAYS_SENSITIVE] = o.attributes[pkcs11.CKA_SENSITIVE]
		o.attributes[pkcs11.CKA_NEVER_EXTRACTABLE] = encode(!o.is(pkcs11.CKA_EXTRACTABLE))
		for attribute, value := range f.force {
			o.attributes[attribute] = encode(value)
		}
	}
	f.last++
	f.objects[f.last] = o
	return f.last, nil
}

func (o *object) is(attribute uint) bool { return bytes.Equal(o.attributes[attribute], encode(true)) }

// encode is how a library stores values.
func encode(value any) []byte {
	switch v := value.(type) {
	case bool:
		if v {
			return []byte{1}
		}
		return []byte{0}
	case uint:
		return binary.NativeEndian.AppendUint64(nil, uint64(v))
	case string:
		return []byte(v)
	}
	return value.([]byte)
}

func valueOf(template []hsm.Attribute, attribute uint) any {
	for _, a := range template {
		if a.Type == attribute {
			return a.Value
		}
	}
	return nil
}

func (f *fake) GenerateKey(_ hsm.Mechanism, template []hsm.Attribute) (hsm.Object, error) {
	secret := make([]byte, valueOf(template, pkcs11.CKA_VALUE_LEN).(uint))
	rand.Read(secret)
	return f.add("C_GenerateKey", template, secret)
}

func (f *fake) GenerateKeyPair(m hsm.Mechanism, public, private []hsm.Attribute) (hsm.Object, hsm.Object, error) {
	bits, _ := valueOf(public, pkcs11.CKA_MODULUS_BITS).(uint)
	curve, _ := valueOf(public, pkcs11.CKA_EC_PARAMS).([]byte)
	spec := map[uint]material.Spec{2048: material.RSA2048, 3072: material.RSA3072, 4096: material.RSA4096}[bits]
	if bits == 0 {
		spec = map[string]material.Spec{
			"06082a8648ce3d030107": material.ECCNISTP256, "06052b81040022": material.ECCNISTP384, "06052b81040023": material.ECCNISTP521,
			"06052b8104000a": material.ECCSECGP256K1, "06032b6570": material.ECCNISTEdwards25519,
		}[hex.EncodeToString(curve)]
	}
	made, err := material.Generate(spec)
	if err != nil {
		f.t.Fatal(err)
	}
	if key, ok := made.Public().(*rsa.PublicKey); ok {
		private = append(private, hsm.Attribute{Type: pkcs11.CKA_MODULUS, Value: key.N.Bytes()},
			hsm.Attribute{Type: pkcs11.CKA_PUBLIC_EXPONENT, Value: big.NewInt(int64(key.E)).Bytes()})
	} else {
		private = append(private, hsm.Attribute{Type: pkcs11.CKA_EC_PARAMS, Value: curve})
		public = append(public, hsm.Attribute{Type: pkcs11.CKA_EC_POINT, Value: point(f.t, made.PublicKeyDER())})
	}
	var secret []byte
	if err := made.Secret().Expose(func(b []byte) error { secret = bytes.Clone(b); return nil }); err != nil {
		f.t.Fatal(err)
	}
	pub, err := f.add("C_GenerateKeyPair", public, nil)
	if err != nil {
		return 0, 0, err
	}
	priv, err := f.add("C_GenerateKeyPair", private, secret)
	return pub, priv, err
}

// point is the public point in an OCTET STRING.
func point(t *testing.T, spki []byte) []byte {
	in, body, raw := cryptobyte.String(spki), cryptobyte.String(nil), []byte(nil)
	if !in.ReadASN1(&body, casn1.SEQUENCE) || !body.SkipASN1(casn1.SEQUENCE) || !body.ReadASN1BitStringAsBytes(&raw) {
		t.Fatal("no public key")
	}
	var b cryptobyte.Builder
	b.AddASN1OctetString(raw)
	return b.BytesOrPanic()
}

func (f *fake) Sign(m hsm.Mechanism, key hsm.Object, data []byte) ([]byte, error) {
	if err := f.answer("C_Sign"); err != nil {
		return nil, err
	}
	secret := f.objects[key].secret
	f.signed = append(f.signed, m.Type)
	if slices.Contains([]uint{pkcs11.CKM_SHA224_HMAC, pkcs11.CKM_SHA384_HMAC, pkcs11.CKM_SHA512_HMAC}, m.Type) {
		return secret[:4], nil // for a test that looks at what was asked
	}
	if m.Type == pkcs11.CKM_SHA256_HMAC {
		mac := hmac.New(sha256.New, secret)
		mac.Write(data)
		return mac.Sum(nil), nil
	}
	// AES-CMAC of one whole block (SP 800-38B), with big numbers.
	block, err := aes.NewCipher(secret)
	if err != nil {
		return nil, err
	}
	var zero, l [16]byte
	block.Encrypt(l[:], zero[:])
	k1 := new(big.Int).Lsh(new(big.Int).SetBytes(l[:]), 1)
	if k1.BitLen() > 128 {
		k1.Xor(k1.SetBit(k1, 128, 0), big.NewInt(0x87))
	}
	k1.Xor(k1, new(big.Int).SetBytes(data)).FillBytes(l[:])
	block.Encrypt(l[:], l[:])
	return l[:], nil
}

func (f *fake) Wrap(m hsm.Mechanism, wrappingKey, key hsm.Object) ([]byte, error) {
	if err := f.answer("C_WrapKey"); err != nil {
		return nil, err
	}
	under, what := f.objects[wrappingKey], f.objects[key]
	switch {
	case !what.is(pkcs11.CKA_EXTRACTABLE):
		return nil, refuse("C_WrapKey", pkcs11.CKR_KEY_UNEXTRACTABLE)
	case what.is(pkcs11.CKA_WRAP_WITH_TRUSTED) && !under.is(pkcs11.CKA_TRUSTED):
		return nil, refuse("C_WrapKey", pkcs11.CKR_KEY_NOT_WRAPPABLE)
	}
	secret := what.secret
	if what.attributes[pkcs11.CKA_EC_PARAMS] != nil || what.attributes[pkcs11.CKA_MODULUS] != nil {
		secret = f.padPKCS8(secret)
	}
	switch m.Type {
	case pkcs11.CKM_RSA_PKCS_OAEP:
		return f.oaep(m, under, secret)
	case pkcs11.CKM_AES_KEY_WRAP_PAD:
		return wrapKWP(under.secret, f.padMode(secret))
	case kwp:
		return wrapKWP(under.secret, secret)
	}
	oneTime := make([]byte, m.AESBits/8)
	rand.Read(oneTime)
	encryptedKey, err := f.oaep(m, under, oneTime)
	if err != nil {
		return nil, err
	}
	wrapped, err := wrapKWP(oneTime, secret)
	return append(encryptedKey, wrapped...), err
}

func (f *fake) oaep(m hsm.Mechanism, under *object, secret []byte) ([]byte, error) {
	mgf := map[uint]uint{pkcs11.CKM_SHA_1: pkcs11.CKG_MGF1_SHA1, pkcs11.CKM_SHA256: pkcs11.CKG_MGF1_SHA256}
	if !slices.Contains(f.hashes, m.OAEP.Hash) || mgf[m.OAEP.Hash] != m.OAEP.MGF {
		return nil, refuse("C_WrapKey", pkcs11.CKR_ARGUMENTS_BAD)
	}
	public := &rsa.PublicKey{N: new(big.Int).SetBytes(under.attributes[pkcs11.CKA_MODULUS]),
		E: int(new(big.Int).SetBytes(under.attributes[pkcs11.CKA_PUBLIC_EXPONENT]).Int64())}
	return rsa.EncryptOAEP(hashOf(m.OAEP.Hash), rand.Reader, public, secret, nil)
}

func hashOf(mechanism uint) hash.Hash {
	if mechanism == pkcs11.CKM_SHA_1 {
		return sha1.New()
	}
	return sha256.New()
}

func wrapKWP(kek, secret []byte) ([]byte, error) {
	w, err := subtle.NewKWP(kek)
	if err != nil {
		return nil, err
	}
	return w.Wrap(secret)
}

// opened is what KMS has of a key that was wrapped under private, or the test fails.
func opened(t *testing.T, private *rsa.PrivateKey, m hsm.Method, spec material.Spec, encrypted []byte) *material.Material {
	t.Helper()
	size, newHash := private.Size(), hashOf(pkcs11.CKM_SHA256)
	if bytes.HasSuffix([]byte(m.Algorithm), []byte("SHA_1")) {
		newHash = hashOf(pkcs11.CKM_SHA_1)
	}
	plain, err := rsa.DecryptOAEP(newHash, nil, private, encrypted[:size], nil)
	if err == nil && m.Algorithm.Hybrid() {
		var w *subtle.KWP
		if w, err = subtle.NewKWP(plain); err == nil {
			plain, err = w.Unwrap(encrypted[size:])
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	made, err := material.New(spec, plain)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// privateKey is that of a wrapping key of the size that fits every elliptic curve, for all tests.
var privateKey = sync.OnceValue(func() *rsa.PrivateKey {
	private, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		panic(err)
	}
	return private
})
