// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"errors"
	"fmt"
)

// The refusals that KMS answers without saying why. They carry no detail on
// purpose: the reason a decryption failed is what an attacker asks for.
var (
	// ErrMaterial is matched by every [*MaterialError].
	ErrMaterial = errors.New("unacceptable key material")
	// ErrCiphertext means that a ciphertext or wrapped material does not open:
	// other key, other algorithm, other encryption context, or damaged.
	ErrCiphertext = errors.New("ciphertext does not open")
	// ErrCiphertextSize means that wrapped material has a length which the
	// wrapping key and algorithm cannot have produced. It is also ErrCiphertext.
	ErrCiphertextSize = fmt.Errorf("impossible length: %w", ErrCiphertext)
	// ErrSignature means that a signature does not fit key and message.
	ErrSignature = errors.New("signature does not verify")
	// ErrMAC means that a MAC does not fit key and message.
	ErrMAC = errors.New("mac does not verify")
	// ErrPublicKey means that the other party's public key is no
	// SubjectPublicKeyInfo of a point on the key's own curve.
	ErrPublicKey = errors.New("unacceptable public key")
	// ErrToken means that an import token was damaged, or sealed under another secret.
	ErrToken = errors.New("import token does not open")
	// ErrFIPS means that an algorithm needs SHA-1 while this process runs
	// under GODEBUG=fips140=only, where Go refuses it.
	ErrFIPS = errors.New("sha-1 is not available in fips 140-only mode")
)

// UnknownSpecError says that a name is no key spec of this package's table.
type UnknownSpecError struct {
	KeySpec string // as asked for
}

func (e *UnknownSpecError) Error() string {
	return fmt.Sprintf("unknown key spec %q", e.KeySpec)
}

// MaterialError says why bytes are not the key material of a spec.
// It matches [ErrMaterial].
type MaterialError struct {
	KeySpec string
	Reason  string // a fact about the shape; never holds bytes of the material
}

func (e *MaterialError) Error() string {
	return fmt.Sprintf("not %s key material: %s", e.KeySpec, e.Reason)
}

// Is reports whether target is [ErrMaterial].
func (e *MaterialError) Is(target error) bool { return target == ErrMaterial }

// AlgorithmError says that a key spec cannot do an algorithm. KMS words it
// "Algorithm X is incompatible with key spec Y." (recorded).
type AlgorithmError struct {
	Algorithm string
	KeySpec   string
}

func (e *AlgorithmError) Error() string {
	return fmt.Sprintf("algorithm %s does not fit key spec %s", e.Algorithm, e.KeySpec)
}

// MessageTypeError says that a message type does not fit. KMS judges it against
// the key spec first and then against the algorithm (recorded); Algorithm is
// empty in the first case and set in the second.
type MessageTypeError struct {
	MessageType string
	KeySpec     string
	Algorithm   string
}

func (e *MessageTypeError) Error() string {
	if e.Algorithm == "" {
		return fmt.Sprintf("message type %s does not fit key spec %s", e.MessageType, e.KeySpec)
	}
	return fmt.Sprintf("message type %s does not fit algorithm %s", e.MessageType, e.Algorithm)
}

// DigestError says that a message given as a digest has another length than
// the algorithm's hash. KMS words it "Digest is invalid length for algorithm X."
// (recorded).
type DigestError struct {
	Algorithm   string
	MessageType string
	Got, Want   int // bytes
}

func (e *DigestError) Error() string {
	return fmt.Sprintf("%s of %d bytes for %s, which takes %d", e.MessageType, e.Got, e.Algorithm, e.Want)
}

// PlaintextError says that a plaintext is too long for RSA encryption. KMS words
// it "Algorithm X and key spec Y cannot encrypt data larger than N bytes."
// (recorded).
type PlaintextError struct {
	Algorithm string
	KeySpec   string
	Got, Max  int // bytes
}

func (e *PlaintextError) Error() string {
	return fmt.Sprintf("plaintext of %d bytes for %s under %s, which takes %d", e.Got, e.Algorithm, e.KeySpec, e.Max)
}
