// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/mockkms"
)

// Known answers of AWS for HMAC keys whose material is the letter A.
func TestImportedHMACKnownAnswers(t *testing.T) {
	for _, tt := range []struct {
		spec      types.KeySpec
		length    int
		algorithm types.MacAlgorithmSpec
		want      string
	}{
		{types.KeySpecHmac224, 28, types.MacAlgorithmSpecHmacSha224, "53651bd6e9d7fc8a5d0145a458e913927fbe07739f26fc4c0f47e659"},
		{types.KeySpecHmac256, 32, types.MacAlgorithmSpecHmacSha256, "10dc6a3066094877059c3fc4f9b74eded0b146bc283106828018221d84d04cfc"},
	} {
		s := newSession(t)
		key := s.external(tt.spec)
		if id := s.imports(key, letters("A", tt.length)); id != "" {
			t.Errorf("%s: import answers material ID %q, want none", tt.spec, id)
		}
		out := must(s.GenerateMac(t.Context(), &kms.GenerateMacInput{
			KeyId: &key, Message: []byte("imported HMAC"), MacAlgorithm: tt.algorithm,
		}))
		if got := hex.EncodeToString(out.Mac); got != tt.want {
			t.Errorf("%s: got MAC %s, want %s", tt.spec, got, tt.want)
		}
	}
}

// materialFor makes material of the form that a key spec takes.
func materialFor(spec types.KeySpec) []byte {
	switch spec {
	case types.KeySpecSymmetricDefault, types.KeySpecHmac256:
		return letters("A", 32)
	case types.KeySpecHmac224:
		return letters("A", 28)
	case types.KeySpecHmac384:
		return letters("A", 48)
	case types.KeySpecHmac512:
		return letters("A", 64)
	case types.KeySpecEccSecgP256k1:
		return secp256k1PKCS8()
	}
	return must(x509.MarshalPKCS8PrivateKey(privateKey(spec)))
}

func privateKey(spec types.KeySpec) any {
	switch spec {
	case types.KeySpecRsa2048:
		return must(rsa.GenerateKey(rand.Reader, 2048))
	case types.KeySpecEccNistP256:
		return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	case types.KeySpecEccNistP384:
		return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	case types.KeySpecEccNistP521:
		return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	case types.KeySpecEccNistEdwards25519:
		_, private, err := ed25519.GenerateKey(rand.Reader)
		return must(private, err)
	}
	panic("no material for " + spec)
}

// secp256k1PKCS8 writes a private key of the curve Go does not know, without
// the optional public key.
func secp256k1PKCS8() []byte {
	inner := must(asn1.Marshal(struct {
		Version int
		Key     []byte
	}{1, letters("A", 32)}))
	return must(asn1.Marshal(struct {
		Version   int
		Algorithm struct{ Key, Curve asn1.ObjectIdentifier }
		Key       []byte
	}{0, struct{ Key, Curve asn1.ObjectIdentifier }{
		asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, asn1.ObjectIdentifier{1, 3, 132, 0, 10},
	}, inner}))
}

var importableSpecs = []types.KeySpec{
	types.KeySpecSymmetricDefault, types.KeySpecHmac224, types.KeySpecHmac256, types.KeySpecHmac384, types.KeySpecHmac512,
	types.KeySpecRsa2048, types.KeySpecEccNistP256, types.KeySpecEccNistP384, types.KeySpecEccNistP521,
	types.KeySpecEccSecgP256k1, types.KeySpecEccNistEdwards25519,
}

// Every spec under every algorithm and wrapping key: a permitted cell imports
// what was wrapped, a refused one says so in KMS's words.
func TestImportMatrix(t *testing.T) {
	s := newSession(t)
	for _, spec := range importableSpecs {
		material := materialFor(spec)
		for _, algorithm := range types.AlgorithmSpec("").Values() {
			for _, wrapping := range types.WrappingKeySpec("").Values() {
				key := s.external(spec)
				p, err := s.GetParametersForImport(t.Context(), &kms.GetParametersForImportInput{
					KeyId: &key, WrappingAlgorithm: algorithm, WrappingKeySpec: wrapping,
				})
				if !permitted(spec, algorithm, wrapping) {
					refused(t, err, "ValidationException", fmt.Sprintf(
						"Wrapping algorithm %s and wrapping key spec %s cannot be used to import a %s key.", algorithm, wrapping, spec))
					continue
				}
				if err != nil {
					t.Errorf("%s under %s, %s: %v", spec, algorithm, wrapping, err)
					continue
				}
				_, err = s.ImportKeyMaterial(t.Context(), &kms.ImportKeyMaterialInput{
					KeyId: &key, ImportToken: p.ImportToken,
					EncryptedKeyMaterial: wrapper(algorithm)(p.PublicKey, material),
					ExpirationModel:      types.ExpirationModelTypeKeyMaterialDoesNotExpire,
				})
				if err != nil {
					t.Errorf("%s under %s, %s: %v", spec, algorithm, wrapping, err)
				} else if got := s.describe(key).KeyState; got != types.KeyStateEnabled {
					t.Errorf("%s under %s, %s: key is %s after the import", spec, algorithm, wrapping, got)
				}
			}
		}
	}
}

// permitted is section 2 of the recorded page, and the guide where that is silent.
func permitted(spec types.KeySpec, a types.AlgorithmSpec, w types.WrappingKeySpec) bool {
	oaep, hybrid := strings.HasPrefix(string(a), "RSAES_OAEP"), strings.HasPrefix(string(a), "RSA_AES")
	small := w == types.WrappingKeySpecRsa2048
	switch {
	case w == types.WrappingKeySpecSm2:
		return false
	case strings.HasPrefix(string(spec), "RSA"):
		return hybrid
	case spec == types.KeySpecEccNistP521, spec == types.KeySpecEccNistEdwards25519:
		return hybrid || oaep && !small
	case strings.HasPrefix(string(spec), "ECC"):
		return hybrid || oaep
	}
	return oaep
}

// What ImportKeyMaterial refuses, and how, on a key that has the material A.
func TestImportRefusals(t *testing.T) {
	s := newSession(t)
	key, other := s.external(types.KeySpecSymmetricDefault), s.external(types.KeySpecSymmetricDefault)
	a := s.imports(key, letters("A", 32))
	own := must(s.CreateKey(t.Context(), &kms.CreateKeyInput{})).KeyMetadata
	strange := strings.Repeat("0", 64)
	for _, tt := range []struct {
		name          string
		material      []byte
		alter         func(*kms.ImportKeyMaterialInput)
		code, message string
	}{
		{"neither model nor date", letters("A", 32), func(in *kms.ImportKeyMaterialInput) { in.ExpirationModel = "" },
			"ValidationException", "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"},
		{"lasting, with a date", letters("A", 32), func(in *kms.ImportKeyMaterialInput) { in.ValidTo = ptr(time.Now().Add(time.Hour)) },
			"ValidationException", "A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE"},
		{"past", letters("A", 32), expiring(-time.Minute), "ValidationException", "ValidTo must be in the future"},
		{"far", letters("A", 32), expiring(367 * 24 * time.Hour), "ValidationException", "ValidTo must be less than 365 days in the future"},
		{"short material", letters("A", 16), nil, "InvalidCiphertextException", ""},
		{"long material", letters("A", 33), nil, "InvalidCiphertextException", ""},
		{"corrupt ciphertext", letters("A", 32), func(in *kms.ImportKeyMaterialInput) { in.EncryptedKeyMaterial[9] ^= 1 },
			"InvalidCiphertextException", ""},
		{"ciphertext of another size", letters("A", 32), func(in *kms.ImportKeyMaterialInput) { in.EncryptedKeyMaterial = letters("x", 256) },
			"ValidationException", "Invalid encrypted key size."},
		{"corrupt token", letters("A", 32), func(in *kms.ImportKeyMaterialInput) { in.ImportToken[99] ^= 1 }, "InvalidImportTokenException", ""},
		{"no token at all", letters("A", 32), func(in *kms.ImportKeyMaterialInput) { in.ImportToken = letters("x", 32) },
			"InvalidImportTokenException", ""},
		{"token of another key", letters("A", 32), func(in *kms.ImportKeyMaterialInput) { in.ImportToken = s.parameters(other).ImportToken },
			"InvalidImportTokenException", ""},
		{"other material", letters("B", 32), nil, "IncorrectKeyMaterialException",
			"Imported key material does not have the expected identifier (" + a + ")."},
		{"other material, as existing", letters("B", 32), func(in *kms.ImportKeyMaterialInput) { in.ImportType = types.ImportTypeExistingKeyMaterial },
			"IncorrectKeyMaterialException", "Imported key material does not have the expected identifier (" + a + ")."},
		{"another ID", letters("A", 32), func(in *kms.ImportKeyMaterialInput) { in.KeyMaterialId = &strange },
			"IncorrectKeyMaterialException", "Imported key material does not have the expected identifier (" + strange + ")."},
		{"new, with ID", letters("B", 32), func(in *kms.ImportKeyMaterialInput) { asNew(in); in.KeyMaterialId = &a },
			"ValidationException", "Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType."},
		{"new, but known", letters("A", 32), asNew, "IncorrectKeyMaterialException",
			"Key material (id: " + a + ") being imported as NEW_KEY_MATERIAL is already associated with KMS key " + key + "."},
		{"AWS_KMS key", letters("A", 32), func(in *kms.ImportKeyMaterialInput) { in.KeyId = own.KeyId },
			"UnsupportedOperationException", *own.Arn + " origin is AWS_KMS which is not valid for this operation."},
	} {
		in := s.importing(key, tt.material)
		if tt.alter != nil {
			tt.alter(in)
		}
		_, err := s.ImportKeyMaterial(t.Context(), in)
		t.Log(tt.name)
		refused(t, err, tt.code, tt.message)
	}
	if got := s.describe(key); *got.CurrentKeyMaterialId != a || got.KeyState != types.KeyStateEnabled {
		t.Errorf("the refusals changed the key: %+v", got)
	}
}

// expiring makes an import that ends some time from now.
func expiring(d time.Duration) func(*kms.ImportKeyMaterialInput) {
	return func(in *kms.ImportKeyMaterialInput) {
		in.ExpirationModel = types.ExpirationModelTypeKeyMaterialExpires
		in.ValidTo = ptr(time.Now().Add(d))
	}
}

func TestImportMembersOfSymmetricKeysOnly(t *testing.T) {
	s := newSession(t)
	for _, spec := range []types.KeySpec{types.KeySpecHmac224, types.KeySpecEccNistP256} {
		key := s.external(spec)
		for member, alter := range map[string]func(*kms.ImportKeyMaterialInput){
			"importType":             func(in *kms.ImportKeyMaterialInput) { in.ImportType = types.ImportTypeExistingKeyMaterial },
			"keyMaterialId":          func(in *kms.ImportKeyMaterialInput) { in.KeyMaterialId = ptr(strings.Repeat("0", 64)) },
			"keyMaterialDescription": func(in *kms.ImportKeyMaterialInput) { in.KeyMaterialDescription = ptr("first material") },
		} {
			in := s.importing(key, materialFor(spec))
			alter(in)
			_, err := s.ImportKeyMaterial(t.Context(), in)
			refused(t, err, "ValidationException", fmt.Sprintf("Input parameter %s cannot be used with %s imported keys.", member, spec))
		}
	}
}

// An HMAC key that lost its material tells the ID it expects, which no other
// operation shows.
func TestOtherMaterialAfterDeletion(t *testing.T) {
	s := newSession(t)
	key := s.external(types.KeySpecHmac256)
	s.imports(key, letters("A", 32))
	must(s.DeleteImportedKeyMaterial(t.Context(), &kms.DeleteImportedKeyMaterialInput{KeyId: &key}))
	_, err := s.ImportKeyMaterial(t.Context(), s.importing(key, letters("B", 32)))
	var e *types.IncorrectKeyMaterialException
	if !errors.As(err, &e) || !regexp.MustCompile(`^Imported key material does not have the expected identifier \([0-9a-f]{64}\)\.$`).MatchString(e.ErrorMessage()) {
		t.Errorf("got %v", err)
	}
	s.imports(key, letters("A", 32))
}

// A set of parameters serves again and again, also after failures and after
// another set was fetched.
func TestParametersServeAgain(t *testing.T) {
	s := newSession(t)
	key := s.external(types.KeySpecSymmetricDefault)
	in := s.importing(key, letters("A", 32))
	s.parameters(key)
	bad := *in
	bad.ExpirationModel = ""
	s.ImportKeyMaterial(t.Context(), &bad)
	first := must(s.ImportKeyMaterial(t.Context(), in))
	again := must(s.ImportKeyMaterial(t.Context(), in))
	if *first.KeyMaterialId != *again.KeyMaterialId || *first.KeyId != key {
		t.Errorf("got %v, then %v", first, again)
	}
}

func TestSingleUseTokens(t *testing.T) {
	s := newSession(t, mockkms.WithSingleUseTokens())
	key := s.external(types.KeySpecSymmetricDefault)
	in := s.importing(key, letters("A", 32))
	bad := *in
	bad.EncryptedKeyMaterial = wrapOAEP(s.parameters(key).PublicKey, sha256.New(), letters("A", 31))
	_, err := s.ImportKeyMaterial(t.Context(), &bad)
	refused(t, err, "InvalidCiphertextException", "")
	must(s.ImportKeyMaterial(t.Context(), in)) // a failure does not use it up
	_, err = s.ImportKeyMaterial(t.Context(), in)
	refused(t, err, "InvalidImportTokenException", "")
}

func TestEveryFetchHasItsOwnWrappingKey(t *testing.T) {
	mock := mockkms.New()
	s := &session{t, newClient(mock), mock, region}
	key := s.external(types.KeySpecSymmetricDefault)
	fetch := func() *kms.GetParametersForImportOutput {
		return s.parametersFor(key, types.AlgorithmSpecRsaesOaepSha256, types.WrappingKeySpecRsa2048)
	}
	if bytes.Equal(fetch().PublicKey, fetch().PublicKey) {
		t.Error("two fetches gave the same public key")
	}
}

func TestMaterialIDsBelongToTheirKey(t *testing.T) {
	s := newSession(t)
	one, two := s.external(types.KeySpecSymmetricDefault), s.external(types.KeySpecSymmetricDefault)
	if a, b := s.imports(one, letters("A", 32)), s.imports(two, letters("A", 32)); a == b || len(a) != 64 {
		t.Errorf("the same bytes have ID %s in one key and %s in another", a, b)
	}
}

func TestDeleteImportedKeyMaterial(t *testing.T) {
	s := newSession(t)
	key := s.external(types.KeySpecSymmetricDefault)
	remove := func(id *string) (string, error) {
		out, err := s.DeleteImportedKeyMaterial(t.Context(), &kms.DeleteImportedKeyMaterialInput{KeyId: &key, KeyMaterialId: id})
		if err != nil {
			return "", err
		}
		return aws.ToString(out.KeyMaterialId), nil
	}
	if got := must(remove(nil)); got != "" {
		t.Errorf("never imported: got ID %q", got)
	}
	a := s.imports(key, letters("A", 32))
	for range 2 { // twice is no error
		if got := must(remove(nil)); got != a {
			t.Errorf("got ID %q, want %q", got, a)
		}
	}
	_, err := remove(ptr(strings.Repeat("1", 64)))
	refused(t, err, "ValidationException", "Key material (id: "+strings.Repeat("1", 64)+") has never been imported into KMS key "+key+".")
	_, err = s.Encrypt(t.Context(), &kms.EncryptInput{KeyId: &key, Plaintext: []byte("x")})
	refused(t, err, "KMSInvalidStateException", key+" is pending import.")
}

// Reimporting replaces the expiry, and leaves the description unless it gives one.
func TestReimport(t *testing.T) {
	s := newSession(t)
	key := s.external(types.KeySpecSymmetricDefault)
	s.imports(key, letters("A", 32), expiring(time.Hour), func(in *kms.ImportKeyMaterialInput) { in.KeyMaterialDescription = ptr("first material") })
	if got := s.describe(key); got.ExpirationModel != types.ExpirationModelTypeKeyMaterialExpires || got.ValidTo.Nanosecond() != 0 {
		t.Errorf("expiring: got %s %v, want whole seconds", got.ExpirationModel, got.ValidTo)
	}
	must(s.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key}))
	s.imports(key, letters("A", 32))
	got := s.describe(key)
	if got.ExpirationModel != types.ExpirationModelTypeKeyMaterialDoesNotExpire || got.ValidTo != nil {
		t.Errorf("lasting: got %s %v", got.ExpirationModel, got.ValidTo)
	}
	if got.KeyState != types.KeyStateEnabled {
		t.Errorf("a disabled key is %s after a reimport, want Enabled", got.KeyState)
	}
	if d := s.rotations(key)[0].KeyMaterialDescription; aws.ToString(d) != "first material" {
		t.Errorf("the description became %v", d)
	}
}
