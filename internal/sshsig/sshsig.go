// SPDX-License-Identifier: Apache-2.0

// Package sshsig signs and verifies as ssh-keygen -Y does (PROTOCOL.sshsig of
// OpenSSH): detached, armoured signatures by ssh keys, in a namespace that says
// what is signed. An allowed-signers file and ssh-keygen verify all of them.
package sshsig

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// MaxSignature is the longest armoured signature in bytes that [Verify] looks
// at. Those of RSA_16384 keys have 6 KiB.
const MaxSignature = 16 << 10

// A KeyError says that an ssh public key cannot be used for signatures.
type KeyError struct{ Reason string }

func (e *KeyError) Error() string { return e.Reason }

// A SignatureError says that something is no signature of a message by a key.
type SignatureError struct {
	Reason string
	Err    error // the cause, if another package found the fault
}

func (e *SignatureError) Error() string { return e.Reason }
func (e *SignatureError) Unwrap() error { return e.Err }

// A SignerError says that a signature is by another key than the one expected.
type SignerError struct {
	Want, Got string // fingerprints as ssh-keygen -l prints them
}

func (e *SignerError) Error() string {
	return fmt.Sprintf("signed with the key %s, not %s", e.Got, e.Want)
}

// minRSA is what ssh-keygen of this century takes, in bits.
const minRSA = 2048

// ParsePublicKey reads a public key as a .pub file has it: type, base64, and
// perhaps a comment. Certificates, DSA and RSA below 2048 bits are refused with a
// [*KeyError].
func ParsePublicKey(line string) (ssh.PublicKey, error) {
	key, _, options, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil || len(options) > 0 || len(bytes.TrimSpace(rest)) > 0 {
		if strings.Contains(line, "PRIVATE KEY") {
			return nil, &KeyError{"a private key; the public one is in the file whose name ends in .pub"}
		}
		return nil, &KeyError{"not an ssh public key, such as ssh-ed25519 AAAA…"}
	}
	switch key.Type() {
	case ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256,
		ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521:
		return key, nil
	case ssh.KeyAlgoRSA:
		if bits := rsaBits(key); bits < minRSA {
			return nil, &KeyError{fmt.Sprintf("an RSA key of %d bits, want at least %d", bits, minRSA)}
		}
		return key, nil
	}
	return nil, &KeyError{fmt.Sprintf("a key of type %s, which signs nothing here", key.Type())}
}

// rsaBits is the length of the modulus.
func rsaBits(key ssh.PublicKey) int {
	var wire struct {
		Name string
		E, N *big.Int
	}
	if err := ssh.Unmarshal(key.Marshal(), &wire); err != nil {
		return 0
	}
	return wire.N.BitLen()
}

// Sign signs a message in a namespace, with SHA-512. The error is the
// signer's: an agent that is gone, or a hardware key that nobody touched.
func Sign(message []byte, namespace string, signer ssh.Signer) ([]byte, error) {
	s, err := sshsig.Sign(bytes.NewReader(message), signer, sshsig.HashSHA512, namespace)
	if err != nil {
		return nil, fmt.Errorf("signing with the key %s: %w", ssh.FingerprintSHA256(signer.PublicKey()), err)
	}
	return sshsig.Armor(s), nil
}

// Verify checks that armoured is a signature of the message by the key, in the
// namespace. Errors: [*SignatureError], [*SignerError].
func Verify(message, armoured []byte, namespace string, key ssh.PublicKey) error {
	s, err := parse(armoured)
	if err != nil {
		return err
	}
	if !bytes.Equal(s.PublicKey.Marshal(), key.Marshal()) {
		return &SignerError{Want: ssh.FingerprintSHA256(key), Got: ssh.FingerprintSHA256(s.PublicKey)}
	}
	if s.Namespace != namespace {
		return &SignatureError{Reason: fmt.Sprintf("a signature for %+q, want %q", s.Namespace, namespace)}
	}
	if err := sshsig.Verify(bytes.NewReader(message), s, key, s.HashAlgorithm, namespace); err != nil {
		return &SignatureError{Reason: "not a signature of these bytes", Err: err}
	}
	return nil
}

// parse reads one armoured signature with nothing around it, in the one way in
// which it can be written but for the length of lines: no byte may be changed and
// leave a signature.
func parse(armoured []byte) (*sshsig.Signature, error) {
	const begin, end = "-----BEGIN SSH SIGNATURE-----\n", "-----END SSH SIGNATURE-----\n"
	if len(armoured) > MaxSignature {
		return nil, &SignatureError{Reason: fmt.Sprintf("larger than %d bytes", MaxSignature)}
	}
	encoded, begins := strings.CutPrefix(string(armoured), begin)
	encoded, ends := strings.CutSuffix(encoded, end)
	if !begins || !ends || strings.Contains(encoded, "-") {
		return nil, &SignatureError{Reason: "not one armoured ssh signature"}
	}
	blank := strings.HasPrefix(encoded, "\n") || strings.Contains(encoded, "\n\n")
	if _, err := base64.StdEncoding.Strict().DecodeString(encoded); err != nil || blank || strings.Contains(encoded, "\r") || !strings.HasSuffix(encoded, "\n") {
		return nil, &SignatureError{Reason: "a damaged ssh signature", Err: err}
	}
	s, err := sshsig.Unarmor(armoured)
	if err != nil {
		return nil, &SignatureError{Reason: "a damaged ssh signature", Err: err}
	}
	if s.HashAlgorithm != sshsig.HashSHA512 && s.HashAlgorithm != sshsig.HashSHA256 {
		return nil, &SignatureError{Reason: "a signature over an unknown digest", Err: errors.ErrUnsupported}
	}
	return s, nil
}
