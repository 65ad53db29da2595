// SPDX-License-Identifier: Apache-2.0

package material

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/fips140"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"fmt"
	"hash"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/scrypt"
)

// Limits on what a file may ask of this machine: about 5 s and 1 GiB.
const (
	maxPBKDF2Iterations = 10_000_000
	maxScryptMemory     = 1 << 30
)

// container is EncryptedPrivateKeyInfo of RFC 5958. The packages for it hand out parsed keys only, not the PKCS #8 within, and
// leave secp256k1 out; so the scheme that current tools write (PBES2 of RFC 8018) is read here.
type container struct {
	scheme     asn1.ObjectIdentifier
	parameters cryptobyte.String
	ciphertext []byte
}

// readContainer reports false for anything but EncryptedPrivateKeyInfo with a password-based scheme.
func readContainer(der []byte) (container, bool) {
	var c container
	input := cryptobyte.String(der)
	var body, algorithm, ciphertext cryptobyte.String
	if !input.ReadASN1(&body, casn1.SEQUENCE) || !input.Empty() || !body.ReadASN1(&algorithm, casn1.SEQUENCE) ||
		!algorithm.ReadASN1ObjectIdentifier(&c.scheme) || !body.ReadASN1(&ciphertext, casn1.OCTET_STRING) || !body.Empty() {
		return c, false
	}
	c.parameters, c.ciphertext = algorithm, ciphertext
	oid := c.scheme.String()
	return c, strings.HasPrefix(oid, "1.2.840.113549.1.5.") || strings.HasPrefix(oid, "1.2.840.113549.1.12.1.")
}

// open decrypts and recognises the PKCS #8 inside.
func (c container) open(passphrase []byte, e Encoding) (finding, error) {
	if c.scheme.String() != "1.2.840.113549.1.5.13" {
		return finding{}, &FormatError{Found: fmt.Sprintf("%s of an obsolete scheme (OID %s)", e, c.scheme), Want: "PBES2"}
	}
	damaged := &FormatError{Found: string(e) + " with damaged or unknown parameters", Want: "PBES2 (RFC 8018)"}
	var parameters, kdf, encryption cryptobyte.String
	if !c.parameters.ReadASN1(&parameters, casn1.SEQUENCE) || !parameters.ReadASN1(&kdf, casn1.SEQUENCE) ||
		!parameters.ReadASN1(&encryption, casn1.SEQUENCE) || !parameters.Empty() {
		return finding{}, damaged
	}
	newBlock, keySize, iv, ok := readScheme(encryption)
	if !ok {
		return finding{}, damaged
	}
	key, err := deriveKey(passphrase, kdf, keySize)
	if err != nil {
		return finding{}, err
	}
	if key == nil {
		return finding{}, damaged
	}
	defer clear(key)
	block, err := newBlock(key)
	if err != nil && fips140.Enforced() {
		return finding{}, &FIPSError{Algorithm: "triple DES"}
	}
	if err != nil {
		return finding{}, fmt.Errorf("decrypting %s: %w", e, err)
	}
	wrong := &PassphraseError{Encoding: e, Wrong: true}
	if len(iv) != block.BlockSize() || len(c.ciphertext) == 0 || len(c.ciphertext)%block.BlockSize() != 0 {
		return finding{}, damaged
	}
	plaintext := make([]byte, len(c.ciphertext))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plaintext, c.ciphertext)
	plaintext, ok = unpad(plaintext, block.BlockSize())
	if !ok {
		return finding{}, wrong
	}
	// Padding is right by accident for one wrong passphrase in 256: only a PKCS #8 within shows that this one was right.
	f, ok := findPKCS8(plaintext)
	if !ok {
		return finding{}, wrong
	}
	return f, nil
}

// readScheme reads the cipher and its parameter, an initialisation vector.
func readScheme(algorithm cryptobyte.String) (newBlock func([]byte) (cipher.Block, error), keySize int, iv []byte, ok bool) {
	var oid asn1.ObjectIdentifier
	var vector cryptobyte.String
	if !algorithm.ReadASN1ObjectIdentifier(&oid) || !algorithm.ReadASN1(&vector, casn1.OCTET_STRING) {
		return nil, 0, nil, false
	}
	switch oid.String() {
	case "2.16.840.1.101.3.4.1.2":
		return aes.NewCipher, 16, vector, true
	case "2.16.840.1.101.3.4.1.22":
		return aes.NewCipher, 24, vector, true
	case "2.16.840.1.101.3.4.1.42":
		return aes.NewCipher, 32, vector, true
	case "1.2.840.113549.3.7":
		return des.NewTripleDESCipher, 24, vector, true
	}
	return nil, 0, nil, false
}

// deriveKey runs the key derivation function. The key is nil if the parameters are damaged or unknown.
func deriveKey(passphrase []byte, algorithm cryptobyte.String, size int) ([]byte, error) {
	var oid asn1.ObjectIdentifier
	var p, salt cryptobyte.String
	if !algorithm.ReadASN1ObjectIdentifier(&oid) || !algorithm.ReadASN1(&p, casn1.SEQUENCE) || !p.ReadASN1(&salt, casn1.OCTET_STRING) {
		return nil, nil
	}
	switch oid.String() {
	case "1.2.840.113549.1.5.12":
		return derivePBKDF2(passphrase, salt, p, size)
	case "1.3.6.1.4.1.11591.4.11":
		return deriveScrypt(passphrase, salt, p, size)
	}
	return nil, nil
}

// derivePBKDF2 reads what follows the salt in PBKDF2-params (RFC 8018 appendix A.2).
func derivePBKDF2(passphrase, salt []byte, p cryptobyte.String, size int) ([]byte, error) {
	var iterations, length int
	if !p.ReadASN1Integer(&iterations) || iterations < 1 || !p.ReadOptionalASN1Integer(&length, casn1.INTEGER, size) || length != size {
		return nil, nil
	}
	if iterations > maxPBKDF2Iterations {
		return nil, &FormatError{Found: fmt.Sprintf("PBKDF2 with %d iterations", iterations), Want: fmt.Sprintf("at most %d", maxPBKDF2Iterations)}
	}
	newHash := sha1.New // the default of PBKDF2-params
	if !p.Empty() {
		var prf cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !p.ReadASN1(&prf, casn1.SEQUENCE) || !prf.ReadASN1ObjectIdentifier(&oid) {
			return nil, nil
		}
		known := map[string]func() hash.Hash{
			"1.2.840.113549.2.7":  sha1.New,
			"1.2.840.113549.2.8":  sha256.New224,
			"1.2.840.113549.2.9":  sha256.New,
			"1.2.840.113549.2.10": sha512.New384,
			"1.2.840.113549.2.11": sha512.New,
		}
		if newHash = known[oid.String()]; newHash == nil {
			return nil, nil
		}
	}
	key, err := pbkdf2.Key(newHash, string(passphrase), salt, iterations, size)
	if err != nil && fips140.Enforced() {
		return nil, &FIPSError{Algorithm: "PBKDF2 with SHA-1 or a salt shorter than 16 bytes"}
	}
	if err != nil {
		return nil, fmt.Errorf("deriving a key with PBKDF2: %w", err)
	}
	return key, nil
}

// deriveScrypt reads what follows the salt in scrypt-params (RFC 7914 section 7).
func deriveScrypt(passphrase, salt []byte, p cryptobyte.String, size int) ([]byte, error) {
	var n, r, parallel, length int
	if !p.ReadASN1Integer(&n) || !p.ReadASN1Integer(&r) || !p.ReadASN1Integer(&parallel) ||
		!p.ReadOptionalASN1Integer(&length, casn1.INTEGER, size) || length != size || n < 2 || r < 1 || parallel < 1 {
		return nil, nil
	}
	if n > maxScryptMemory/128 || r > maxScryptMemory/128/n || parallel > 16 {
		return nil, &FormatError{Found: "scrypt parameters that ask for too much memory or time", Want: "at most 1 GiB and 16 lanes"}
	}
	if fips140.Enforced() { // scrypt would panic on PBKDF2 with its short salt
		return nil, &FIPSError{Algorithm: "scrypt"}
	}
	key, err := scrypt.Key(passphrase, salt, n, r, parallel, size)
	if err != nil {
		return nil, nil // n is no power of two
	}
	return key, nil
}

// unpad removes the padding of RFC 8018 section 6.1.1.
func unpad(b []byte, blockSize int) ([]byte, bool) {
	n := int(b[len(b)-1])
	if n < 1 || n > blockSize {
		return nil, false
	}
	for _, c := range b[len(b)-n:] {
		if int(c) != n {
			return nil, false
		}
	}
	return b[:len(b)-n], true
}
