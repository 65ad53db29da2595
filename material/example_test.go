// SPDX-License-Identifier: Apache-2.0

package material_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/keymat/keymat/material"
)

func ExampleParse() {
	// What `openssl rand -hex 32` writes.
	file := []byte("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4\n")

	m, encoding, err := material.Parse(file, material.Options{Spec: material.SymmetricDefault})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Destroy()
	fmt.Printf("%s, read from %s: %d bytes, %s\n", m.Spec(), encoding, m.Secret().Len(), m.Fingerprint())
	fmt.Println("printing it gives", m.Secret())
	// Output:
	// SYMMETRIC_DEFAULT, read from hex: 32 bytes, cmac:1a0b2df267
	// printing it gives [secret]
}

func ExampleParse_mistakes() {
	key := strings.Repeat("\x9d", 32)
	_, _, err := material.Parse([]byte(key+"\n"), material.Options{Spec: material.SymmetricDefault})
	if e, ok := errors.AsType[*material.LengthError](err); ok && e.TrailingNewline {
		fmt.Println(err)
	}
	_, _, err = material.Parse([]byte(key), material.Options{Spec: material.ECCNISTP256})
	fmt.Println(err)
	// Output:
	// found 33 bytes that end in a newline, expected 32 bytes for SYMMETRIC_DEFAULT
	// found 32 raw bytes, expected a private key for ECC_NIST_P256 in PKCS #8, PKCS #1, SEC 1, OpenSSH or JWK
}

func ExampleGenerate() {
	m, err := material.Generate(material.ECCNISTP384)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Destroy()
	fmt.Println(m.Spec(), m.Secret().Len(), "bytes of PKCS #8,", m.Fingerprint().Kind)
	// Output: ECC_NIST_P384 185 bytes of PKCS #8, spki-sha256
}

func ExampleParseSpec() {
	spec, err := material.ParseSpec("hmac_256")
	fmt.Println(spec, spec.Kind(), spec.GenerateLength(), err)
	_, err = material.ParseSpec("SM2")
	fmt.Println(err)
	// Output:
	// HMAC_256 HMAC 32 <nil>
	// key spec "SM2" cannot be imported: KMS imports SM2 keys in the China Regions only
}

func ExampleIdentify() {
	d, err := material.Identify([]byte("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.What, d.Candidates)
	// Output: 32 bytes in base64 [ECC_SECG_P256K1 SYMMETRIC_DEFAULT HMAC_256]
}

func ExampleSecret_Expose() {
	s := material.NewSecret([]byte("not a good key"))
	err := s.Expose(func(b []byte) error {
		fmt.Println(len(b), "bytes to wrap")
		return nil
	})
	s.Destroy()
	fmt.Println(err, s.Len())
	// Output:
	// 14 bytes to wrap
	// <nil> 0
}
