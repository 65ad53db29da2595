// SPDX-License-Identifier: Apache-2.0

package hsm_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/keymat/keymat/mockkms/internal/hsm"
)

// readTestdata returns a file made by OpenSSL 3.0: genpkey, ec -conv_form and
// -param_enc, then pkcs8 -topk8 -nocrypt -outform DER; pkey -pubout for .spki.
func readTestdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t testing.TB, spec string, material []byte) *hsm.Key {
	t.Helper()
	k, err := hsm.ParseMaterial(spec, material)
	if err != nil {
		t.Fatalf("ParseMaterial(%s, %d bytes): %v", spec, len(material), err)
	}
	return k
}

// generated returns a key of the spec, the same for all tests of this process:
// making RSA keys is what takes the time here.
var generated = func() func(t testing.TB, spec string) *hsm.Key {
	var mu sync.Mutex
	keys := map[string]*hsm.Key{}
	return func(t testing.TB, spec string) *hsm.Key {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if keys[spec] == nil {
			material, err := hsm.GenerateMaterial(spec)
			if err != nil {
				t.Fatalf("GenerateMaterial(%s): %v", spec, err)
			}
			keys[spec] = parse(t, spec, material)
		}
		return keys[spec]
	}
}()

// indefinite re-encodes the outer SEQUENCE with indefinite length, as the probe
// of the recordings did.
func indefinite(t testing.TB, der []byte) []byte {
	t.Helper()
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		t.Fatal(err)
	}
	return append(append([]byte{0x30, 0x80}, outer.Bytes...), 0, 0)
}

// Object identifiers, whole.
var (
	oidECPublicKey = []byte{6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1}
	oidP256        = []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}
	oidK1          = []byte{6, 5, 0x2b, 0x81, 4, 0, 10}
)

// der encodes an element of less than 256 bytes.
func der(tag byte, parts ...[]byte) []byte {
	content := bytes.Join(parts, nil)
	if len(content) < 128 {
		return append([]byte{tag, byte(len(content))}, content...)
	}
	return append([]byte{tag, 0x81, byte(len(content))}, content...)
}

func TestRawLengths(t *testing.T) {
	tests := []struct {
		spec     string
		min, max int
	}{
		{"SYMMETRIC_DEFAULT", 32, 32},
		{"HMAC_224", 28, 128},
		{"HMAC_256", 32, 128},
		{"HMAC_384", 48, 128},
		{"HMAC_512", 64, 128},
	}
	for _, tt := range tests {
		for n := range 131 {
			material := bytes.Repeat([]byte{'A'}, n)
			k, err := hsm.ParseMaterial(tt.spec, material)
			if n < tt.min || n > tt.max {
				if !errors.Is(err, hsm.ErrMaterial) || k != nil {
					t.Errorf("%s, %d bytes: %v, %v, want ErrMaterial", tt.spec, n, k, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s, %d bytes: %v", tt.spec, n, err)
				continue
			}
			material[0] = 'B'
			if want := bytes.Repeat([]byte{'A'}, n); !bytes.Equal(k.Canonical(), want) {
				t.Errorf("%s, %d bytes: canonical is not the material, or shares it", tt.spec, n)
			}
			if k.PublicKeyDER() != nil {
				t.Errorf("%s has a public key", tt.spec)
			}
		}
	}
}

func TestMaterialErrorText(t *testing.T) {
	tests := []struct {
		spec     string
		material []byte
		want     string
	}{
		{"SYMMETRIC_DEFAULT", make([]byte, 33), "not SYMMETRIC_DEFAULT key material: 33 bytes, not 32"},
		{"HMAC_512", make([]byte, 63), "not HMAC_512 key material: 63 bytes, not 64 to 128"},
		{"RSA_3072", readTestdata(t, "rsa2048.der"), "not RSA_3072 key material: modulus of 2048 bits, not 3072"},
		{"RSA_2048", readTestdata(t, "rsa2048-three-primes.der"), "not RSA_2048 key material: 3 primes, not 2"},
	}
	for _, tt := range tests {
		_, err := hsm.ParseMaterial(tt.spec, tt.material)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: error %v, want %s", tt.spec, err, tt.want)
		}
	}
}

func TestUnknownSpec(t *testing.T) {
	_, err := hsm.ParseMaterial("SM2", nil)
	unknown, ok := errors.AsType[*hsm.UnknownSpecError](err)
	if !ok || unknown.KeySpec != "SM2" {
		t.Errorf("ParseMaterial: %v, want an UnknownSpecError", err)
	}
	if _, err := hsm.GenerateMaterial(""); err == nil {
		t.Error("GenerateMaterial of no spec: no error")
	}
	if _, err := hsm.GenerateWrappingKey("ECC_NIST_P256"); err == nil {
		t.Error("GenerateWrappingKey(ECC_NIST_P256): no error")
	}
}

// Every form of one key that KMS accepts is the same material, and its public
// key is the one OpenSSL computes.
func TestAcceptedForms(t *testing.T) {
	tests := []struct {
		spec, name string
		forms      []string
		ber        bool
	}{
		{"ECC_NIST_P256", "p256", []string{"p256-compressed.der", "p256-hybrid.der", "p256-no-public.der"}, true},
		{"ECC_NIST_P384", "p384", nil, true},
		{"ECC_NIST_P521", "p521", nil, true},
		{"ECC_SECG_P256K1", "k1", []string{"k1-compressed.der", "k1-no-public.der"}, true},
		{"RSA_2048", "rsa2048", nil, true},
		{"ECC_NIST_EDWARDS25519", "ed25519", nil, false},
	}
	for _, tt := range tests {
		der := readTestdata(t, tt.name+".der")
		k := parse(t, tt.spec, der)
		if got, want := k.PublicKeyDER(), readTestdata(t, tt.name+".spki"); !bytes.Equal(got, want) {
			t.Errorf("%s: public key %x, want %x", tt.name, got, want)
		}
		if !bytes.Equal(k.Canonical(), der) {
			t.Errorf("%s: canonical form is not OpenSSL's", tt.name)
		}
		if k.Spec().Name() != tt.spec {
			t.Errorf("%s: spec %s", tt.name, k.Spec().Name())
		}
		for _, form := range tt.forms {
			if got := parse(t, tt.spec, readTestdata(t, form)); !bytes.Equal(got.Canonical(), k.Canonical()) {
				t.Errorf("%s is another material than %s.der", form, tt.name)
			}
		}
		ber, err := hsm.ParseMaterial(tt.spec, indefinite(t, der))
		switch {
		case tt.ber && (err != nil || !bytes.Equal(ber.Canonical(), k.Canonical())):
			t.Errorf("%s: BER is not the same material: %v", tt.name, err)
		case !tt.ber && !errors.Is(err, hsm.ErrMaterial):
			t.Errorf("%s: BER: %v, want ErrMaterial", tt.name, err)
		}
	}
}

// A PKCS #8 whose ECPrivateKey repeats the curve is 12 bytes longer for P-256,
// as what GenerateDataKeyPair answers is (recorded: 150).
func TestRepeatedCurveParameters(t *testing.T) {
	der := readTestdata(t, "p256.der")
	curve := []byte{0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}
	at := bytes.Index(der, []byte{0xa1, 0x44})
	long := append(append(bytes.Clone(der[:at]), curve...), der[at:]...)
	long[2] += 12        // 30 81 87
	long[2+3+21+2] += 12 // 04 6d
	long[2+3+21+4] += 12 // 30 6b
	if len(long) != 150 {
		t.Fatalf("%d bytes, want 150", len(long))
	}
	if k := parse(t, "ECC_NIST_P256", long); !bytes.Equal(k.Canonical(), der) {
		t.Error("another material")
	}
	at = bytes.Index(long, curve)
	long[at+len(curve)-1] = 8
	if _, err := hsm.ParseMaterial("ECC_NIST_P256", long); !errors.Is(err, hsm.ErrMaterial) {
		t.Errorf("another curve inside: %v, want ErrMaterial", err)
	}
}

// Attributes are let through, and BER may be indefinite or long-winded at every
// level that is not inside a string.
func TestAttributesAndOtherBER(t *testing.T) {
	p256 := readTestdata(t, "p256.der")
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(p256, &outer); err != nil {
		t.Fatal(err)
	}
	attributes := der(0xa0, der(0x30, []byte{6, 1, 0x2a}, der(0x31)))
	algorithm := der(0x30, oidECPublicKey, oidP256)
	inner := append(append([]byte{0x30, 0x80}, algorithm[2:]...), 0, 0)
	long := append([]byte{0x30, 0x84, 0, 0, 0, byte(len(outer.Bytes))}, outer.Bytes...)
	for name, material := range map[string][]byte{
		"attributes":           der(0x30, outer.Bytes, attributes),
		"indefinite algorithm": der(0x30, bytes.Replace(outer.Bytes, algorithm, inner, 1)),
		"indefinite twice":     indefinite(t, der(0x30, bytes.Replace(outer.Bytes, algorithm, inner, 1))),
		"long length":          long,
	} {
		if k := parse(t, "ECC_NIST_P256", material); !bytes.Equal(k.Canonical(), p256) {
			t.Errorf("%s: another material", name)
		}
	}
	for name, material := range map[string][]byte{
		"no end":              append([]byte{0x30, 0x80}, outer.Bytes...),
		"half an end":         append(append([]byte{0x30, 0x80}, outer.Bytes...), 0),
		"more behind the end": append(indefinite(t, p256), 0),
		"not attributes":      der(0x30, outer.Bytes, der(0xa1)),
		"more attributes":     der(0x30, outer.Bytes, attributes, attributes),
	} {
		if _, err := hsm.ParseMaterial("ECC_NIST_P256", material); !errors.Is(err, hsm.ErrMaterial) {
			t.Errorf("%s: %v, want ErrMaterial", name, err)
		}
	}
}

func TestRefusedForms(t *testing.T) {
	p256, rsa2048 := readTestdata(t, "p256.der"), readTestdata(t, "rsa2048.der")
	mangle := func(b []byte, at int, with byte) []byte {
		b = bytes.Clone(b)
		b[at] = with
		return b
	}
	zeroScalar := func(b []byte) []byte { // the scalar follows 04 20
		b = bytes.Clone(b)
		at := bytes.Index(b, []byte{0x02, 0x01, 0x01, 0x04, 0x20}) + 5
		clear(b[at : at+32])
		return b
	}
	// ecc is the shortest PKCS #8 of a scalar on P-256 or secp256k1.
	ecc := func(curve []byte, scalar []byte) []byte {
		key := der(0x30, []byte{2, 1, 1}, der(4, scalar))
		return der(0x30, []byte{2, 1, 0}, der(0x30, oidECPublicKey, curve), der(4, key))
	}
	nested := []byte{0xa0, 0}
	for range 10 {
		nested = der(0xa0, nested)
	}
	outer := asn1.RawValue{}
	if _, err := asn1.Unmarshal(p256, &outer); err != nil {
		t.Fatal(err)
	}
	ed25519 := readTestdata(t, "ed25519.der")
	compressed := readTestdata(t, "p256-compressed.der")
	point := len(compressed) - 33
	hybrid := readTestdata(t, "p256-hybrid.der")
	tests := []struct {
		name, spec string
		material   []byte
		reason     string
	}{
		{"larger modulus", "RSA_2048", readVectors(t, "rsa_oaep_3072_sha256_mgf1sha256_test.json").TestGroups[0].PrivateKeyPKCS8, "modulus of 3072 bits, not 2048"},
		{"other parity", "ECC_NIST_P256", mangle(compressed, point, compressed[point]^1), "public point does not belong to the private key, or is in an unknown form"},
		{"31-byte scalar", "ECC_NIST_P256", ecc(oidP256, bytes.Repeat([]byte{1}, 31)), "private scalar of 31 bytes, not 32"},
		{"33-byte scalar", "ECC_NIST_P256", ecc(oidP256, append([]byte{0}, bytes.Repeat([]byte{1}, 32)...)), "private scalar of 33 bytes, not 32"},
		{"33-byte scalar", "ECC_SECG_P256K1", ecc(oidK1, append([]byte{0}, bytes.Repeat([]byte{1}, 32)...)), "private scalar of 33 bytes, not 32"},
		{"scalar beyond the order", "ECC_SECG_P256K1", ecc(oidK1, bytes.Repeat([]byte{255}, 32)), "private scalar out of range"},
		{"scalar beyond the order", "ECC_NIST_P256", ecc(oidP256, bytes.Repeat([]byte{255}, 32)), "private scalar out of range"},
		{"nested too deep", "ECC_NIST_P256", der(0x30, outer.Bytes, nested), "neither DER nor BER"},
		{"long length for Ed25519", "ECC_NIST_EDWARDS25519", append([]byte{0x30, 0x81, 0x2e}, ed25519[2:]...), "no unencrypted PKCS #8 of version 1 in DER"},
		{"nothing", "ECC_NIST_P256", nil, "neither DER nor BER"},
		{"text", "RSA_2048", []byte("-----BEGIN PRIVATE KEY-----\n"), "neither DER nor BER"},
		{"trailing newline", "ECC_NIST_P256", append(bytes.Clone(p256), '\n'), "neither DER nor BER"},
		{"cut short", "RSA_2048", rsa2048[:len(rsa2048)-1], "neither DER nor BER"},
		{"wrong curve", "ECC_NIST_P384", p256, "no key on the named curve inside the PKCS #8"},
		{"P-256 for secp256k1", "ECC_SECG_P256K1", p256, "no key on the named curve inside the PKCS #8"},
		{"explicit parameters", "ECC_NIST_P256", readTestdata(t, "p256-explicit.der"), "no key on the named curve inside the PKCS #8"},
		{"explicit parameters", "ECC_SECG_P256K1", readTestdata(t, "k1-explicit.der"), "no key on the named curve inside the PKCS #8"},
		{"hybrid point of other parity", "ECC_NIST_P256", mangle(hybrid, len(hybrid)-65, hybrid[len(hybrid)-65]^1), "public point does not belong to the private key, or is in an unknown form"},
		{"foreign point", "ECC_NIST_P256", mangle(p256, len(p256)-1, p256[len(p256)-1]^1), "public point does not belong to the private key, or is in an unknown form"},
		{"zero scalar", "ECC_NIST_P256", zeroScalar(p256), "private scalar out of range"},
		{"zero scalar", "ECC_SECG_P256K1", zeroScalar(readTestdata(t, "k1.der")), "private scalar out of range"},
		{"version 2", "ECC_NIST_P256", mangle(p256, 5, 1), "no unencrypted PKCS #8 of version 1"},
		{"public key", "ECC_NIST_P256", readTestdata(t, "p256.spki"), "no unencrypted PKCS #8 of version 1"},
		{"public key", "RSA_2048", readTestdata(t, "rsa2048.spki"), "no unencrypted PKCS #8 of version 1"},
		{"RSA as ECC", "ECC_NIST_P256", rsa2048, "no key on the named curve inside the PKCS #8"},
		{"ECC as RSA", "RSA_2048", p256, "no RSA key inside the PKCS #8"},
		{"inconsistent", "RSA_2048", mangle(rsa2048, len(rsa2048)-1, rsa2048[len(rsa2048)-1]^2), "inconsistent or malformed RSA key"},
		{"encrypted", "ECC_NIST_EDWARDS25519", readTestdata(t, "ed25519-encrypted.der"), "no unencrypted PKCS #8 of version 1 in DER"},
		{"raw seed", "ECC_NIST_EDWARDS25519", make([]byte, 32), "no unencrypted PKCS #8 of version 1 in DER"},
		{"P-256 as Ed25519", "ECC_NIST_EDWARDS25519", p256, "no Ed25519 key inside the PKCS #8"},
	}
	for _, tt := range tests {
		k, err := hsm.ParseMaterial(tt.spec, tt.material)
		e, ok := errors.AsType[*hsm.MaterialError](err)
		if !ok || k != nil || e.Reason != tt.reason || e.KeySpec != tt.spec {
			t.Errorf("%s for %s: %v, want %s", tt.name, tt.spec, err, tt.reason)
		}
		if !errors.Is(err, hsm.ErrMaterial) {
			t.Errorf("%s for %s: not ErrMaterial", tt.name, tt.spec)
		}
	}
}

func TestGeneratedMaterial(t *testing.T) {
	lengths := map[string]int{ // as OpenSSL encodes; RSA varies by a few bytes
		"SYMMETRIC_DEFAULT": 32, "HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64,
		"ECC_NIST_P256": 138, "ECC_NIST_P384": 185, "ECC_NIST_P521": 241, "ECC_SECG_P256K1": 135,
		"ECC_NIST_EDWARDS25519": 48, "ML_DSA_44": 54, "ML_DSA_65": 54, "ML_DSA_87": 54,
		"ML_KEM_512": 86, "ML_KEM_768": 86, "ML_KEM_1024": 86,
	}
	for _, spec := range allSpecs {
		if strings.HasPrefix(spec, "RSA_") && spec != "RSA_2048" {
			continue // the same code, seconds of work
		}
		k := generated(t, spec)
		if want, ok := lengths[spec]; ok && len(k.Canonical()) != want {
			t.Errorf("%s: %d bytes, want %d", spec, len(k.Canonical()), want)
		}
		other, err := hsm.GenerateMaterial(spec)
		if err != nil || bytes.Equal(other, k.Canonical()) {
			t.Errorf("%s: generated twice: %v, or the same", spec, err)
		}
		if again := parse(t, spec, k.Canonical()); !bytes.Equal(again.Canonical(), k.Canonical()) {
			t.Errorf("%s: canonical form is not its own", spec)
		}
	}
}

// The order of the primes, and the choice of d, do not make another material.
func TestRSAIdentity(t *testing.T) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	encode := func(d *big.Int, p, q *big.Int) []byte {
		k := &rsa.PrivateKey{PublicKey: private.PublicKey, D: d, Primes: []*big.Int{p, q}}
		k.Precompute()
		der, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	one, e := big.NewInt(1), big.NewInt(int64(private.E))
	p, q := private.Primes[0], private.Primes[1]
	phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	d := new(big.Int).ModInverse(e, phi)
	want := parse(t, "RSA_2048", encode(private.D, p, q)).Canonical()
	for name, der := range map[string][]byte{
		"swapped primes": encode(private.D, q, p),
		"d modulo phi":   encode(d, p, q),
	} {
		if got := parse(t, "RSA_2048", der).Canonical(); !bytes.Equal(got, want) {
			t.Errorf("%s: another material", name)
		}
	}
}

// The canonical private exponent is the least one.
func TestRSAPrivateExponent(t *testing.T) {
	for name, spec := range map[string]string{
		"rsa_oaep_2048_sha1_mgf1sha1_test.json":     "RSA_2048",
		"rsa_oaep_2048_sha256_mgf1sha256_test.json": "RSA_2048",
		"rsa_oaep_3072_sha256_mgf1sha256_test.json": "RSA_3072",
		"rsa_oaep_3072_sha512_mgf1sha512_test.json": "RSA_3072",
		"rsa_oaep_4096_sha256_mgf1sha256_test.json": "RSA_4096",
		"rsa_oaep_4096_sha512_mgf1sha512_test.json": "RSA_4096",
	} {
		canonical := parse(t, spec, readVectors(t, name).TestGroups[0].PrivateKeyPKCS8).Canonical()
		parsed, err := x509.ParsePKCS8PrivateKey(canonical)
		if err != nil {
			t.Fatal(err)
		}
		private, one := parsed.(*rsa.PrivateKey), big.NewInt(1)
		p1, q1 := new(big.Int).Sub(private.Primes[0], one), new(big.Int).Sub(private.Primes[1], one)
		lambda := new(big.Int).Div(new(big.Int).Mul(p1, q1), new(big.Int).GCD(nil, nil, p1, q1))
		if private.D.Cmp(lambda) >= 0 || private.Primes[0].Cmp(private.Primes[1]) < 0 {
			t.Errorf("%s: exponent of %d bits, or the smaller prime first", name, private.D.BitLen())
		}
	}
}

// Whatever ParseMaterial takes has a canonical form that it takes for the same
// key; what it refuses yields no key.
func FuzzParseMaterial(f *testing.F) {
	for _, name := range []string{
		"p256.der", "p256-compressed.der", "p256-no-public.der", "p256-explicit.der", "k1.der",
		"k1-no-public.der", "p384.der", "p521.der", "ed25519.der", "ed25519-encrypted.der", "p256.spki",
	} {
		der := readTestdata(f, name)
		for i := range allSpecs {
			f.Add(byte(i), der)
		}
		f.Add(byte(3), indefinite(f, der))
		f.Add(byte(6), indefinite(f, der))
	}
	f.Add(byte(0), readTestdata(f, "rsa2048.der"))
	f.Add(byte(7), make([]byte, 32))
	f.Fuzz(func(t *testing.T, which byte, material []byte) {
		spec := allSpecs[int(which)%len(allSpecs)]
		k, err := hsm.ParseMaterial(spec, material)
		if err != nil {
			if k != nil || !errors.Is(err, hsm.ErrMaterial) {
				t.Fatalf("%s: %v, %v", spec, k, err)
			}
			return
		}
		again, err := hsm.ParseMaterial(spec, k.Canonical())
		if err != nil || !bytes.Equal(again.Canonical(), k.Canonical()) || !bytes.Equal(again.PublicKeyDER(), k.PublicKeyDER()) {
			t.Fatalf("%s: canonical form is not the same key: %v", spec, err)
		}
		if k.Spec().KeyPair() != (k.PublicKeyDER() != nil) {
			t.Fatalf("%s: public key of %d bytes", spec, len(k.PublicKeyDER()))
		}
	})
}
