// SPDX-License-Identifier: Apache-2.0

package material

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"golang.org/x/crypto/ssh"
)

// sshHeader is the readable front of an OpenSSH private key file (openssh-portable, PROTOCOL.key).
type sshHeader struct {
	Cipher, KDF, KDFOptions string
	Keys                    uint32
	Public                  []byte
	Rest                    []byte `ssh:"rest"`
}

// recogniseOpenSSH reads the header, which holds the public key in the clear.
func recogniseOpenSSH(block *pem.Block) finding {
	const magic = "openssh-key-v1\x00"
	var header sshHeader
	if !bytes.HasPrefix(block.Bytes, []byte(magic)) || ssh.Unmarshal(block.Bytes[len(magic):], &header) != nil {
		return foreign(OpenSSH, "damaged OpenSSH private key")
	}
	if header.Keys != 1 {
		return foreign(OpenSSH, fmt.Sprintf("OpenSSH file with %d private keys", header.Keys))
	}
	public, err := ssh.ParsePublicKey(header.Public)
	if err != nil {
		return foreign(OpenSSH, "OpenSSH private key of an unknown type")
	}
	switch public.Type() {
	case ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256:
		return foreign(OpenSSH, "OpenSSH handle of a FIDO key, whose private key is in the authenticator")
	case ssh.InsecureKeyAlgoDSA: //lint:ignore SA1019 it is named only to be refused
		return unsupported(OpenSSH, "DSA private key")
	}
	armoured := pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes})
	f := finding{encoding: OpenSSH, what: "private key", public: sshPublic(public)}
	if header.Cipher == "none" {
		f.pair = func() (*keyPair, error) {
			key, err := ssh.ParseRawPrivateKey(armoured)
			if err != nil {
				return nil, &FormatError{Found: "damaged OpenSSH private key", Want: "an intact key"}
			}
			return fromGo(key)
		}
		return f
	}
	f.encoding, f.what = EncryptedOpenSSH, "encrypted private key"
	f.decrypt = func(passphrase []byte) (finding, error) { return openOpenSSH(armoured, passphrase) }
	return f
}

func openOpenSSH(armoured, passphrase []byte) (finding, error) {
	key, err := ssh.ParseRawPrivateKeyWithPassphrase(armoured, passphrase)
	if errors.Is(err, x509.IncorrectPasswordError) {
		return finding{}, &PassphraseError{Encoding: EncryptedOpenSSH, Wrong: true}
	}
	if err != nil {
		return finding{}, &FormatError{Found: "encrypted OpenSSH private key of a cipher or cost that is not read here, or damaged", Want: "aes256-ctr and at most 2048 rounds"}
	}
	return finding{encoding: EncryptedOpenSSH, what: "private key", pair: func() (*keyPair, error) { return fromGo(key) }}, nil
}

// fromGo takes a private key as the ssh package returns it.
func fromGo(key any) (*keyPair, error) {
	switch key := key.(type) {
	case *rsa.PrivateKey:
		spec, err := rsaSpecOf(key.N.BitLen())
		if err != nil {
			return nil, err
		}
		return newRSA(spec, key)
	case *ecdsa.PrivateKey:
		scalar, err := key.Bytes()
		if err != nil {
			return nil, fmt.Errorf("encoding an EC private key: %w", err)
		}
		defer clear(scalar)
		for _, c := range curves() {
			if c.nist == key.Curve {
				return newECC(c, scalar, nil)
			}
		}
		return nil, unsupportedCurve("EC private key on curve " + key.Curve.Params().Name)
	case *ed25519.PrivateKey:
		return newEd25519(key.Seed(), (*key)[ed25519.SeedSize:])
	default:
		return nil, unsupportedCurve("private key of an unknown type")
	}
}

// recogniseSSHPublic reads a line of an authorized_keys file.
func recogniseSSHPublic(line []byte) (finding, bool) {
	isSSH := false
	for _, prefix := range []string{"ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"} {
		isSSH = isSSH || bytes.HasPrefix(line, []byte(prefix))
	}
	if !isSSH {
		return finding{}, false
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey(line)
	if err != nil {
		return finding{}, false
	}
	return publicKey(OpenSSHPublic, string(OpenSSHPublic), sshPublic(public)), true
}

// sshPublic converts to SubjectPublicKeyInfo, where the standard library can.
func sshPublic(key ssh.PublicKey) func() (Spec, []byte) {
	return func() (Spec, []byte) {
		with, ok := key.(ssh.CryptoPublicKey)
		if !ok {
			return "", nil
		}
		spki, err := x509.MarshalPKIXPublicKey(with.CryptoPublicKey())
		if err != nil {
			return "", nil
		}
		spec, _ := specOfPublic(spki)
		return spec, spki
	}
}
