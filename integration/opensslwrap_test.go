// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/wrap"
)

// The initial value of AES key wrap with padding (RFC 5649 section 3), as
// openssl enc wants to be told it.
const kwpIV = "A65959A6"

// oaepOptions are the options of openssl pkeyutl in AWS's guide.
func oaepOptions(a wrap.Algorithm) []string {
	options := []string{"-pkeyopt", "rsa_padding_mode:oaep"}
	if strings.HasSuffix(string(a), "SHA_1") {
		return append(options, "-pkeyopt", "rsa_oaep_md:sha1")
	}
	return append(options, "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt", "rsa_mgf1_md:sha256")
}

// opensslGenerate makes material with the command lines of AWS's guide.
func (d *desk) opensslGenerate(spec material.Spec, out string) {
	d.t.Helper()
	var algorithm string
	switch spec.Kind() {
	case material.Symmetric, material.HMAC:
		d.openssl("rand", "-out", out, fmt.Sprint(spec.GenerateLength()))
		return
	case material.RSA:
		algorithm = "rsa -pkeyopt rsa_keygen_bits:" + strings.TrimPrefix(string(spec), "RSA_")
	case material.ECC:
		algorithm = map[material.Spec]string{
			material.ECCNISTP256:         "ec -pkeyopt ec_paramgen_curve:P-256",
			material.ECCNISTP384:         "ec -pkeyopt ec_paramgen_curve:P-384",
			material.ECCNISTP521:         "ec -pkeyopt ec_paramgen_curve:P-521",
			material.ECCSECGP256K1:       "ec -pkeyopt ec_paramgen_curve:secp256k1",
			material.ECCNISTEdwards25519: "ed25519",
		}[spec]
	}
	d.sh("openssl genpkey -quiet -algorithm " + algorithm + " | openssl pkcs8 -topk8 -outform der -nocrypt > " + out)
}

// opensslWrap encrypts in under WrappingPublicKey.bin with the command lines of
// AWS's guide, and writes EncryptedKeyMaterial.bin.
func (d *desk) opensslWrap(a wrap.Algorithm, in string) {
	d.t.Helper()
	encrypt := append([]string{"pkeyutl", "-encrypt", "-inkey", "WrappingPublicKey.bin", "-keyform", "DER", "-pubin"}, oaepOptions(a)...)
	if !a.Hybrid() {
		d.openssl(append(encrypt, "-in", in, "-out", "EncryptedKeyMaterial.bin")...)
		return
	}
	d.openssl("rand", "-out", "aes-key.bin", "32")
	aesKey := hex.EncodeToString(d.read("aes-key.bin"))
	d.openssl("enc", "-id-aes256-wrap-pad", "-K", aesKey, "-iv", kwpIV, "-in", in, "-out", "key-material-wrapped.bin")
	d.openssl(append(encrypt, "-in", "aes-key.bin", "-out", "aes-key-wrapped.bin")...)
	d.write("EncryptedKeyMaterial.bin", slices.Concat(d.read("aes-key-wrapped.bin"), d.read("key-material-wrapped.bin")))
}

// opensslUnwrap does what KMS does behind its doors, with the wrapping key's
// private half in a file.
func (d *desk) opensslUnwrap(p wrap.Pair, privateKey string, encrypted []byte) []byte {
	d.t.Helper()
	modulus := p.KeySpec.Bits() / 8
	d.write("under-rsa.bin", encrypted[:min(modulus, len(encrypted))])
	plaintext := d.openssl(append([]string{"pkeyutl", "-decrypt", "-inkey", privateKey, "-in", "under-rsa.bin"}, oaepOptions(p.Algorithm)...)...)
	if !p.Algorithm.Hybrid() {
		return plaintext
	}
	d.write("under-aes.bin", encrypted[modulus:])
	return d.openssl("enc", "-d", "-id-aes256-wrap-pad", "-K", hex.EncodeToString(plaintext), "-iv", kwpIV, "-in", "under-aes.bin")
}

// wrappingKey has openssl make an RSA key pair: SPEC.pem, and the public half
// as KMS hands it out in SPEC.der.
func (d *desk) wrappingKey(spec wrap.KeySpec) {
	d.t.Helper()
	private, public := string(spec)+".pem", string(spec)+".der"
	d.openssl("genpkey", "-quiet", "-algorithm", "rsa", "-pkeyopt", fmt.Sprintf("rsa_keygen_bits:%d", spec.Bits()), "-out", private)
	d.openssl("pkey", "-in", private, "-pubout", "-outform", "DER", "-out", public)
}
