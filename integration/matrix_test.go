// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// TestOpenSSLUnwrapsWhatKeymatWraps tries every wrapping KMS allows for every
// material.
func TestOpenSSLUnwrapsWhatKeymatWraps(t *testing.T) {
	d := newDesk(t)
	for _, size := range wrap.KeySpecs() {
		d.wrappingKey(size)
	}
	for _, spec := range material.Specs() {
		m, err := material.Generate(spec)
		if err != nil {
			t.Fatal(err)
		}
		for _, pair := range wrap.Allowed(spec) {
			t.Run(string(spec)+" with "+pair.String(), func(t *testing.T) {
				pub, err := wrap.ParsePublicKey(d.read(string(pair.KeySpec) + ".der"))
				if err != nil {
					t.Fatal(err)
				}
				encrypted, err := wrap.Wrap(pub, pair.Algorithm, m.Secret())
				if err != nil {
					t.Fatal(err)
				}
				got := d.at(t).opensslUnwrap(pair, string(pair.KeySpec)+".pem", encrypted)
				if !bytes.Equal(got, plaintext(m)) {
					t.Errorf("openssl found other bytes than were wrapped: %d, want %d", len(got), m.Secret().Len())
				}
			})
		}
	}
}

// TestOpenSSLUnwrapsWhatTheBinaryWraps goes through the command line and its
// files, offline, for a kind of material each.
func TestOpenSSLUnwrapsWhatTheBinaryWraps(t *testing.T) {
	const arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	for _, test := range []struct {
		spec material.Spec
		pair wrap.Pair
	}{
		{material.SymmetricDefault, wrap.Pair{Algorithm: wrap.OAEPSHA256, KeySpec: wrap.RSA2048}},
		{material.HMAC512, wrap.Pair{Algorithm: wrap.OAEPSHA1, KeySpec: wrap.RSA2048}},
		{material.ECCSECGP256K1, wrap.Pair{Algorithm: wrap.RSAAESSHA1, KeySpec: wrap.RSA2048}},
		{material.RSA2048, wrap.Pair{Algorithm: wrap.RSAAESSHA256, KeySpec: wrap.RSA2048}},
	} {
		t.Run(string(test.spec), func(t *testing.T) {
			d := newDesk(t)
			d.url = "http://127.0.0.1:9" // nobody there, and nobody needed
			d.wrappingKey(test.pair.KeySpec)
			d.write("WrappingPublicKey.bin", d.read(string(test.pair.KeySpec)+".der"))
			d.write("ImportToken.bin", []byte("a token that only KMS could read"))
			d.keymat("generate", "--spec", string(test.spec), "--out", "key")
			d.keymat("fetch", arn, "--from-dir", ".", "--spec", string(test.spec), "--algorithm", string(test.pair.Algorithm), "--out", "params.json")
			d.keymat("wrap", "--material", "key", "--params", "params.json", "--raw", "EncryptedKeyMaterial.bin")
			got := d.opensslUnwrap(test.pair, string(test.pair.KeySpec)+".pem", d.read("EncryptedKeyMaterial.bin"))
			if !bytes.Equal(got, d.read("key")) {
				t.Errorf("openssl found other bytes than were wrapped: %d, want %d", len(got), len(d.read("key")))
			}
		})
	}
}

// TestMockTakesWhatOpenSSLWraps is the documented procedure for every wrapping
// of every material, with KMS's part played by the mock. That it got the right
// bytes is shown twice: by what openssl computes from them, and by keymat
// importing them again, which is taken for the same bytes only.
func TestMockTakesWhatOpenSSLWraps(t *testing.T) {
	d := newDesk(t)
	client := newClient(d.url)
	for _, spec := range material.Specs() {
		d.opensslGenerate(spec, string(spec))
		m, err := material.New(spec, d.read(string(spec)))
		if err != nil {
			t.Fatalf("openssl's %s material: %v", spec, err)
		}
		for _, pair := range wrap.Allowed(spec) {
			t.Run(string(spec)+" with "+pair.String(), func(t *testing.T) {
				d := d.at(t)
				key := createKey(t, client, spec)
				params, err := client.GetParametersForImport(t.Context(), &kms.GetParametersForImportInput{
					KeyId:             &key,
					WrappingAlgorithm: types.AlgorithmSpec(pair.Algorithm),
					WrappingKeySpec:   types.WrappingKeySpec(pair.KeySpec),
				})
				if err != nil {
					t.Fatal(err)
				}
				d.write("WrappingPublicKey.bin", params.PublicKey)
				d.opensslWrap(pair.Algorithm, string(spec))
				if err := importMaterial(t.Context(), client, key, d.read("EncryptedKeyMaterial.bin"), params.ImportToken); err != nil {
					t.Fatalf("what openssl wrapped: %v", err)
				}
				d.checkByUse(client, key, spec)

				pub, err := wrap.ParsePublicKey(params.PublicKey)
				if err != nil {
					t.Fatal(err)
				}
				again, err := wrap.Wrap(pub, pair.Algorithm, m.Secret())
				if err != nil {
					t.Fatal(err)
				}
				if err := importMaterial(t.Context(), client, key, again, params.ImportToken); err != nil {
					t.Errorf("the same material wrapped by keymat: %v", err)
				}
			})
		}
	}
}

// checkByUse compares what the KMS key does with what openssl does with the
// material in the file named like the spec. Symmetric keys cannot be compared.
func (d *desk) checkByUse(client *kms.Client, key string, spec material.Spec) {
	d.t.Helper()
	var got, want []byte
	switch {
	case spec.KeyPair():
		out, err := client.GetPublicKey(d.t.Context(), &kms.GetPublicKeyInput{KeyId: &key})
		if err != nil {
			d.t.Fatal(err)
		}
		got, want = out.PublicKey, d.openssl("pkey", "-inform", "DER", "-in", string(spec), "-pubout", "-outform", "DER")
	case spec.Kind() == material.HMAC:
		digest := strings.TrimPrefix(string(spec), "HMAC_")
		out, err := client.GenerateMac(d.t.Context(), &kms.GenerateMacInput{
			KeyId:        &key,
			MacAlgorithm: types.MacAlgorithmSpec("HMAC_SHA_" + digest),
			Message:      []byte("a message"),
		})
		if err != nil {
			d.t.Fatal(err)
		}
		d.write("message", []byte("a message"))
		got, want = out.Mac, d.openssl("dgst", "-sha"+digest, "-mac", "HMAC", "-macopt", "hexkey:"+hex.EncodeToString(d.read(string(spec))), "-binary", "message")
	}
	if !bytes.Equal(got, want) {
		d.t.Errorf("KMS answers %x, openssl %x", got, want)
	}
}

func plaintext(m *material.Material) (copied []byte) {
	m.Secret().Expose(func(b []byte) error { copied = bytes.Clone(b); return nil })
	return copied
}

// newClient is the SDK as anyone would use it.
func newClient(url string) *kms.Client {
	return kms.New(kms.Options{
		Region:       "us-east-1",
		BaseEndpoint: &url,
		Credentials:  credentials.NewStaticCredentialsProvider("mock", "mock", ""),
	})
}

func createKey(t *testing.T, client *kms.Client, spec material.Spec) (arn string) {
	t.Helper()
	usage := types.KeyUsageTypeSignVerify
	switch spec.Kind() {
	case material.Symmetric:
		usage = types.KeyUsageTypeEncryptDecrypt
	case material.HMAC:
		usage = types.KeyUsageTypeGenerateVerifyMac
	}
	out, err := client.CreateKey(t.Context(), &kms.CreateKeyInput{
		KeySpec:  types.KeySpec(spec),
		KeyUsage: usage,
		Origin:   types.OriginTypeExternal,
	})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(out.KeyMetadata.Arn)
}

func importMaterial(ctx context.Context, client *kms.Client, key string, encrypted, importToken []byte) error {
	_, err := client.ImportKeyMaterial(ctx, &kms.ImportKeyMaterialInput{
		KeyId:                &key,
		EncryptedKeyMaterial: encrypted,
		ImportToken:          importToken,
		ExpirationModel:      types.ExpirationModelTypeKeyMaterialDoesNotExpire,
	})
	return err
}
