// SPDX-License-Identifier: Apache-2.0

package mockkms_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"hash"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
	kwp "github.com/tink-crypto/tink-go/v2/kwp/subtle"

	"github.com/keymat/keymat/mockkms"
)

const account, region = "111122223333", "us-east-1"

// newClient makes the real SDK client, at the bottom of which the mock answers.
func newClient(h http.Handler) *kms.Client {
	return newClientIn(h, account, region)
}

func newClientIn(h http.Handler, account, region string) *kms.Client {
	return kms.New(kms.Options{
		Region:     region,
		Retryer:    aws.NopRetryer{},
		HTTPClient: &http.Client{Transport: mockkms.Transport(h)},
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: account, SecretAccessKey: "none"}, nil
		}),
	})
}

// A session is a client with a test around it: what must succeed, does.
type session struct {
	*testing.T
	*kms.Client
	mock   *mockkms.KMS
	region string
}

func newSession(t *testing.T, options ...mockkms.Option) *session {
	t.Helper()
	mock := mockkms.New(append([]mockkms.Option{mockkms.WithSharedWrappingKeys()}, options...)...)
	t.Cleanup(func() { mock.Close() })
	return &session{t, newClient(mock), mock, region}
}

// must returns v, and panics on an error that no test expects.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// key creates a key and returns its ARN.
func (s *session) key(origin types.OriginType, spec types.KeySpec, usage types.KeyUsageType) string {
	s.Helper()
	in := &kms.CreateKeyInput{Origin: origin, KeySpec: spec, KeyUsage: usage}
	return *must(s.CreateKey(s.Context(), in)).KeyMetadata.Arn
}

// external creates an EXTERNAL key of the usual usage.
func (s *session) external(spec types.KeySpec) string {
	s.Helper()
	usage := types.KeyUsageTypeSignVerify
	switch {
	case spec == types.KeySpecSymmetricDefault:
		usage = types.KeyUsageTypeEncryptDecrypt
	case strings.HasPrefix(string(spec), "HMAC"):
		usage = types.KeyUsageTypeGenerateVerifyMac
	}
	return s.key(types.OriginTypeExternal, spec, usage)
}

// parameters fetches import parameters that suit most material.
func (s *session) parameters(key string) *kms.GetParametersForImportOutput {
	s.Helper()
	return s.parametersFor(key, types.AlgorithmSpecRsaesOaepSha256, types.WrappingKeySpecRsa3072)
}

func (s *session) parametersFor(key string, a types.AlgorithmSpec, w types.WrappingKeySpec) *kms.GetParametersForImportOutput {
	s.Helper()
	return must(s.GetParametersForImport(s.Context(), &kms.GetParametersForImportInput{
		KeyId: &key, WrappingAlgorithm: a, WrappingKeySpec: w,
	}))
}

// importing prepares an import that will last, for the test to alter.
func (s *session) importing(key string, material []byte) *kms.ImportKeyMaterialInput {
	s.Helper()
	p := s.parameters(key)
	return &kms.ImportKeyMaterialInput{
		KeyId: &key, ImportToken: p.ImportToken,
		EncryptedKeyMaterial: wrapOAEP(p.PublicKey, sha256.New(), material),
		ExpirationModel:      types.ExpirationModelTypeKeyMaterialDoesNotExpire,
	}
}

// imports imports material for good and returns the material ID.
func (s *session) imports(key string, material []byte, alter ...func(*kms.ImportKeyMaterialInput)) string {
	s.Helper()
	in := s.importing(key, material)
	for _, f := range alter {
		f(in)
	}
	return aws.ToString(must(s.ImportKeyMaterial(s.Context(), in)).KeyMaterialId)
}

// asNew makes an import bring NEW_KEY_MATERIAL.
func asNew(in *kms.ImportKeyMaterialInput) { in.ImportType = types.ImportTypeNewKeyMaterial }

func (s *session) describe(key string) *types.KeyMetadata {
	s.Helper()
	return must(s.DescribeKey(s.Context(), &kms.DescribeKeyInput{KeyId: &key})).KeyMetadata
}

// wrapOAEP wraps as a user would, with the standard library.
func wrapOAEP(spki []byte, h hash.Hash, material []byte) []byte {
	pub := must(x509.ParsePKIXPublicKey(spki)).(*rsa.PublicKey)
	return must(rsa.EncryptOAEP(h, rand.Reader, pub, material, nil))
}

// wrapHybrid is RSA_AES_KEY_WRAP: an AES key under OAEP, the material under it.
func wrapHybrid(spki []byte, h hash.Hash, material []byte) []byte {
	kek := make([]byte, 2*aes.BlockSize)
	rand.Read(kek)
	k := must(kwp.NewKWP(kek))
	return append(wrapOAEP(spki, h, kek), must(k.Wrap(material))...)
}

// wrapper picks the wrapping that an algorithm names.
func wrapper(a types.AlgorithmSpec) func(spki, material []byte) []byte {
	h := sha256.New
	if strings.HasSuffix(string(a), "SHA_1") {
		h = sha1.New
	}
	if strings.HasPrefix(string(a), "RSA_AES") {
		return func(spki, m []byte) []byte { return wrapHybrid(spki, h(), m) }
	}
	return func(spki, m []byte) []byte { return wrapOAEP(spki, h(), m) }
}

// letters is the material of the recordings: one letter, repeated.
func letters(letter string, n int) []byte { return bytes.Repeat([]byte(letter), n) }

// refused demands that err is KMS's refusal with this code and text; where
// KMS sends no message the SDK shows "UnknownError".
func refused(t testing.TB, err error, code, message string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	if message == "" {
		message = "UnknownError"
	}
	if e.ErrorCode() != code || e.ErrorMessage() != message && !(message == "UnknownError" && e.ErrorMessage() == "") {
		t.Errorf("got  %s: %s\nwant %s: %s", e.ErrorCode(), e.ErrorMessage(), code, message)
	}
}

func ptr[T any](v T) *T { return &v }
