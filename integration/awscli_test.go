// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/keymat/keymat/wrap"
)

// What the AWS CLI prints. Blobs are base64, times RFC 3339 or, in version 1,
// epoch seconds.
type (
	keyMetadata struct {
		Arn, KeyState, Origin, ExpirationModel string
		ValidTo                                any
	}
	describedKey     struct{ KeyMetadata keyMetadata }
	importParameters struct{ PublicKey, ImportToken string }
)

// TestAWSProcedure is AWS's own procedure, from "Importing key material" in the
// KMS guide: the AWS CLI and openssl, without keymat, against the mock.
func TestAWSProcedure(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	var created describedKey
	d.awsJSON(&created, "create-key", "--origin", "EXTERNAL")
	key := created.KeyMetadata.Arn
	if got := created.KeyMetadata.KeyState; got != "PendingImport" {
		t.Errorf("a new key is in state %s, want PendingImport", got)
	}
	d.awsFetch(key, wrap.OAEPSHA256, wrap.RSA3072)
	d.openssl("rand", "-out", "PlaintextKeyMaterial.bin", "32")
	d.opensslWrap(wrap.OAEPSHA256, "PlaintextKeyMaterial.bin")
	d.awsImport(key, "--expiration-model", "KEY_MATERIAL_DOES_NOT_EXPIRE")
	encrypted := d.awsEncrypt(key, "attack at dawn")
	if got := d.awsDecrypt(encrypted); got != "attack at dawn" {
		t.Errorf("decrypted %q", got)
	}

	d.aws("delete-imported-key-material", "--key-id", key)
	d.awsRefuses("KMSInvalidStateException", "decrypt", "--ciphertext-blob", "fileb://"+encrypted)
	d.openssl("rand", "-out", "OtherKeyMaterial.bin", "32")
	d.opensslWrap(wrap.OAEPSHA256, "OtherKeyMaterial.bin")
	d.awsRefuses("IncorrectKeyMaterialException", "import-key-material", d.importFlags(key, "--expiration-model", "KEY_MATERIAL_DOES_NOT_EXPIRE")...)

	// The right bytes come back, and expire as told: while the CLI starts.
	d.opensslWrap(wrap.OAEPSHA256, "PlaintextKeyMaterial.bin")
	expires := time.Now().Add(4 * time.Second)
	d.awsImport(key, "--expiration-model", "KEY_MATERIAL_EXPIRES", "--valid-to", expires.UTC().Format(time.RFC3339))
	for state := ""; state != "PendingImport"; {
		var described describedKey
		d.awsJSON(&described, "describe-key", "--key-id", key)
		if state = described.KeyMetadata.KeyState; time.Since(expires) > time.Minute {
			t.Fatalf("the key is in state %s a minute after its material expired", state)
		}
	}
	d.awsRefuses("KMSInvalidStateException", "decrypt", "--ciphertext-blob", "fileb://"+encrypted)
}

// TestHandOverSymmetric has each step done by one of the AWS CLI, openssl and
// keymat, and the next step by another.
func TestHandOverSymmetric(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.keymat("generate", "--spec", "SYMMETRIC_DEFAULT", "--out", "app.key")
	wrapping := []string{"--algorithm", "RSAES_OAEP_SHA_1", "--wrapping-key", "RSA_2048"}

	// create: aws; fetch: keymat; wrap: openssl; import: aws; confirm: keymat
	var created describedKey
	d.awsJSON(&created, "create-key", "--origin", "EXTERNAL", "--key-usage", "ENCRYPT_DECRYPT")
	first := created.KeyMetadata.Arn
	d.keymat(append([]string{"fetch", first, "--out", "params-1.json", "--raw-dir", "."}, wrapping...)...)
	d.opensslWrap(wrap.OAEPSHA1, "app.key")
	d.awsImport(first, "--expiration-model", "KEY_MATERIAL_DOES_NOT_EXPIRE")
	d.keymatProves(first, "app.key", "--reimport")

	// create: keymat; fetch: aws; wrap: openssl; import: keymat; use: aws
	second := strings.TrimSpace(string(d.keymat("create", "--spec", "SYMMETRIC_DEFAULT", "--alias", "alias/"+d.unique())))
	d.awsFetch(second, wrap.OAEPSHA1, wrap.RSA2048)
	d.keymat("fetch", second, "--from-dir", ".", "--algorithm", "RSAES_OAEP_SHA_1", "--out", "params-2.json")
	d.opensslWrap(wrap.OAEPSHA1, "app.key")
	d.keymat("import", "--params", "params-2.json", "--encrypted", "EncryptedKeyMaterial.bin", "--never-expires")
	encrypted := d.awsEncrypt(second, "attack at dawn")
	if got := d.awsDecrypt(encrypted); got != "attack at dawn" {
		t.Errorf("decrypted %q", got)
	}
	d.checkMaterials(second, 1)

	// again, fetch: aws; wrap: keymat; import: aws, to expire; reimport: keymat
	expires := time.Now().Add(30 * 24 * time.Hour).UTC().Truncate(time.Second)
	d.awsFetch(second, wrap.OAEPSHA256, wrap.RSA4096)
	d.keymat("fetch", second, "--from-dir", ".", "--algorithm", "RSAES_OAEP_SHA_256", "--out", "params-3.json")
	d.keymat("wrap", "--material", "app.key", "--params", "params-3.json", "--raw", "EncryptedKeyMaterial.bin", "--force")
	d.awsImport(second, "--expiration-model", "KEY_MATERIAL_EXPIRES", "--valid-to", expires.Format(time.RFC3339))
	d.keymatReimports(second, "app.key", false, "--expires", expires.Format(time.RFC3339))
	d.checkExpiry(second, expires)

	// deleted by one, brought back by the other, both ways
	d.aws("delete-imported-key-material", "--key-id", second)
	d.keymatReimports(second, "app.key", true, "--never-expires")
	if got := d.awsDecrypt(encrypted); got != "attack at dawn" {
		t.Errorf("decrypted %q after the material was brought back", got)
	}
	d.keymat("delete-material", second, "--material", "app.key", "--yes")
	d.awsRefuses("KMSInvalidStateException", "decrypt", "--ciphertext-blob", "fileb://"+encrypted)
	d.awsImport(second, "--expiration-model", "KEY_MATERIAL_DOES_NOT_EXPIRE") // with the token of params-3.json
	d.keymatReimports(second, "app.key", false, "--never-expires")
}

// TestHandOverKeyPair does the same with a key pair, whose public half shows on
// every side that it is the same one.
func TestHandOverKeyPair(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.opensslGenerate("RSA_2048", "rsa.der")
	var created describedKey
	d.awsJSON(&created, "create-key", "--origin", "EXTERNAL", "--key-spec", "RSA_2048", "--key-usage", "SIGN_VERIFY")
	key := created.KeyMetadata.Arn
	d.awsFetch(key, wrap.RSAAESSHA256, wrap.RSA3072)
	d.keymat("fetch", key, "--from-dir", ".", "--algorithm", "RSA_AES_KEY_WRAP_SHA_256", "--out", "params.json")
	d.keymat("wrap", "--material", "rsa.der", "--params", "params.json", "--out", "wrapped.json", "--raw", "EncryptedKeyMaterial.bin")
	d.awsImport(key, "--expiration-model", "KEY_MATERIAL_DOES_NOT_EXPIRE")
	d.keymatProves(key, "rsa.der")
	d.keymat("import", "--wrapped", "wrapped.json", "--expires", "90d")

	d.write("message", []byte("attack at dawn"))
	var signed struct{ Signature string }
	d.awsJSON(&signed, "sign", "--key-id", key, "--message", "fileb://message", "--message-type", "RAW", "--signing-algorithm", "RSASSA_PKCS1_V1_5_SHA_256")
	d.write("signature", d.unbase64(signed.Signature))
	d.openssl("pkey", "-inform", "DER", "-in", "rsa.der", "-pubout", "-out", "rsa.pem")
	d.openssl("dgst", "-sha256", "-verify", "rsa.pem", "-signature", "signature", "message")
}

// awsFetch downloads import parameters and decodes them with openssl, as the
// guide says.
func (d *desk) awsFetch(key string, a wrap.Algorithm, s wrap.KeySpec) {
	d.t.Helper()
	var p importParameters
	d.awsJSON(&p, "get-parameters-for-import", "--key-id", key, "--wrapping-algorithm", string(a), "--wrapping-key-spec", string(s))
	d.write("PublicKey.b64", []byte(p.PublicKey))
	d.write("ImportToken.b64", []byte(p.ImportToken))
	d.openssl("enc", "-d", "-base64", "-A", "-in", "PublicKey.b64", "-out", "WrappingPublicKey.bin")
	d.openssl("enc", "-d", "-base64", "-A", "-in", "ImportToken.b64", "-out", "ImportToken.bin")
}

func (d *desk) importFlags(key string, expiry ...string) []string {
	return append([]string{"--key-id", key, "--encrypted-key-material", "fileb://EncryptedKeyMaterial.bin", "--import-token", "fileb://ImportToken.bin"}, expiry...)
}

func (d *desk) awsImport(key string, expiry ...string) {
	d.t.Helper()
	d.aws("import-key-material", d.importFlags(key, expiry...)...)
}

// awsEncrypt returns the name of the file that holds the ciphertext.
func (d *desk) awsEncrypt(key, message string) (file string) {
	d.t.Helper()
	d.write("message", []byte(message))
	var out struct{ CiphertextBlob string }
	d.awsJSON(&out, "encrypt", "--key-id", key, "--plaintext", "fileb://message")
	d.write("message.encrypted", d.unbase64(out.CiphertextBlob))
	return "message.encrypted"
}

func (d *desk) awsDecrypt(file string) string {
	d.t.Helper()
	var out struct{ Plaintext string }
	d.awsJSON(&out, "decrypt", "--ciphertext-blob", "fileb://"+file)
	return string(d.unbase64(out.Plaintext))
}

// awsRefuses demands that KMS answers the AWS CLI with this error.
func (d *desk) awsRefuses(code, operation string, args ...string) {
	d.t.Helper()
	o := d.try(tool(d.t, "aws", "awscli"), d.awsArgs(operation, args)...)
	if o.status == 0 || !strings.Contains(string(o.stderr), "("+code+")") {
		d.t.Errorf("aws kms %s: exit code %d, %s; want %s", operation, o.status, bytes.TrimSpace(o.stderr), code)
	}
}

// checkMaterials counts the key's materials with the AWS CLI, or with the SDK
// where the CLI is older than list-key-rotations, as in Debian 12.
func (d *desk) checkMaterials(key string, want int) {
	d.t.Helper()
	var listed struct{ Rotations []any }
	o := d.try(tool(d.t, "aws", "awscli"), d.awsArgs("list-key-rotations", []string{"--key-id", key, "--include-key-material", "ALL_KEY_MATERIAL"})...)
	switch {
	case o.status == 0:
		d.decode(o.stdout, &listed)
	case strings.Contains(string(o.stderr), "nvalid choice"):
		out, err := newClient(d.url).ListKeyRotations(d.t.Context(), &kms.ListKeyRotationsInput{KeyId: &key, IncludeKeyMaterial: types.IncludeKeyMaterialAllKeyMaterial})
		if err != nil {
			d.t.Fatal(err)
		}
		for _, r := range out.Rotations {
			listed.Rotations = append(listed.Rotations, r)
		}
	default:
		d.t.Fatalf("aws kms list-key-rotations: exit code %d, %s", o.status, o.stderr)
	}
	if len(listed.Rotations) != want {
		d.t.Errorf("KMS lists %d materials, want %d: %+v", len(listed.Rotations), want, listed.Rotations)
	}
}

func (d *desk) checkExpiry(key string, want time.Time) {
	d.t.Helper()
	var described describedKey
	d.awsJSON(&described, "describe-key", "--key-id", key)
	var got time.Time
	switch v := described.KeyMetadata.ValidTo.(type) {
	case string: // version 2
		got, _ = time.Parse(time.RFC3339, v)
	case float64: // version 1
		got = time.Unix(int64(v), 0)
	}
	if described.KeyMetadata.ExpirationModel != "KEY_MATERIAL_EXPIRES" || !got.Equal(want) {
		d.t.Errorf("aws describes %+v, want material that expires at %s", described.KeyMetadata, want)
	}
}

func (d *desk) keymatProves(key, file string, flags ...string) {
	d.t.Helper()
	var proof struct{ Proven bool }
	d.keymatJSON(&proof, append([]string{"confirm", key, "--material", file}, flags...)...)
	if !proof.Proven {
		d.t.Errorf("keymat confirm %s does not find %s there", key, file)
	}
}

func (d *desk) keymatReimports(key, file string, wantChange bool, expiry ...string) {
	d.t.Helper()
	var done struct{ Changed bool }
	d.keymatJSON(&done, append([]string{"reimport", key, "--material", file}, expiry...)...)
	if done.Changed != wantChange {
		d.t.Errorf("keymat reimport %v: changed %t, want %t", expiry, done.Changed, wantChange)
	}
}

func (d *desk) unbase64(s string) []byte {
	d.t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

// unique names something in the mock that the tests share.
func (d *desk) unique() string {
	return fmt.Sprintf("%s-%d", strings.ReplaceAll(d.t.Name(), "/", "-"), time.Now().UnixNano())
}
