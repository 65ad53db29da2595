// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
)

// BlobKind is the byte of a ciphertext that says which operation made it.
type BlobKind byte

// The kinds seen in recorded ciphertexts.
const (
	BlobEncrypt BlobKind = 2 // Encrypt and ReEncrypt
	BlobDataKey BlobKind = 3 // data keys, and private keys of data key pairs
)

// The header of a ciphertext, as decoded from recorded ones:
//
//	0   2   version, 01 02
//	2   1   kind
//	3   2   00 78
//	5   32  KeyMaterialId, raw
//	37  1   01
//	38  16  different each time; here the salt of the message's own key
const (
	blobKindAt  = 2
	blobIDAt    = 5
	blobMarkAt  = blobIDAt + 32
	blobSaltAt  = blobMarkAt + 1
	blobSaltLen = 16
	blobHeader  = blobSaltAt + blobSaltLen
)

// frameLen is what KMS seals along with each plaintext; the recordings show its
// length, not its content. Here: version, kind, zeros, length of the plaintext.
const (
	frameLen     = 11
	frameVersion = 1
)

// Cipher is a symmetric key within one KMS key: it makes and opens ciphertexts
// that name their key material and nothing else. It is immutable and safe for
// concurrent use.
type Cipher struct {
	id     [32]byte
	master [32]byte
	bare   bool // every message is sealed under master itself
}

// NewCipher derives a cipher from the secret of a KMS key, which the copies of a
// multi-Region key share, and one of its materials. As with KMS the material
// alone opens nothing, nor does the same material in another KMS key. The error
// is an [*AlgorithmError] for a key that is not SYMMETRIC_DEFAULT.
func NewCipher(secret [32]byte, k *Key) (*Cipher, error) {
	if !k.spec.Symmetric() {
		return nil, &AlgorithmError{Algorithm: SymmetricDefault, KeySpec: k.spec.name}
	}
	return &Cipher{
		id:     derive(&secret, labelMaterialID, k.canonical),
		master: derive(&secret, labelCiphertext, k.canonical),
	}, nil
}

// Outright is the cipher that a careless KMS would be, for flaws: it encrypts
// under the material k itself, so that whoever has that needs no KMS.
func (c *Cipher) Outright(k *Key) *Cipher { return &Cipher{c.id, [32]byte(k.canonical), true} }

// messageKey is the key of one message, by its salt.
func (c *Cipher) messageKey(salt []byte) [32]byte {
	if c.bare {
		return c.master
	}
	return derive(&c.master, labelCiphertext, salt)
}

// MaterialID is the KeyMaterialId, as [MaterialID] computes it.
func (c *Cipher) MaterialID() string { return hex.EncodeToString(c.id[:]) }

// Seal encrypts a plaintext of at most 4096 bytes (longer: a [*PlaintextError])
// bound to an encryption context, which may be empty. The blob has the recorded
// layout and length: plaintext plus 152 bytes up to 35 bytes, a few more beyond.
func (c *Cipher) Seal(kind BlobKind, plaintext []byte, context map[string]string) ([]byte, error) {
	if len(plaintext) > symmetricLimit {
		return nil, &PlaintextError{
			Algorithm: SymmetricDefault, KeySpec: SymmetricDefault, Got: len(plaintext), Max: symmetricLimit,
		}
	}
	var header [blobHeader]byte
	header[0], header[1], header[blobKindAt], header[3], header[4] = 1, 2, byte(kind), 0, 0x78
	copy(header[blobIDAt:], c.id[:])
	header[blobMarkAt] = 1
	rand.Read(header[blobSaltAt:])

	framed := make([]byte, frameLen, frameLen+len(plaintext))
	framed[0], framed[1] = frameVersion, byte(kind)
	binary.BigEndian.PutUint32(framed[frameLen-4:], uint32(len(plaintext)))
	framed = append(framed, plaintext...)

	key := c.messageKey(header[blobSaltAt:])
	return sealEnvelope(&key, header[:], framed, encodeContext(context)), nil
}

// Open decrypts what Seal made, under the same encryption context; anything else
// is [ErrCiphertext].
func (c *Cipher) Open(blob []byte, context map[string]string) ([]byte, error) {
	if !isBlob(blob) || [32]byte(blob[blobIDAt:]) != c.id {
		return nil, ErrCiphertext
	}
	key := c.messageKey(blob[blobSaltAt:blobHeader])
	framed, ok := openEnvelope(&key, blob, blobHeader, encodeContext(context))
	if !ok || len(framed) < frameLen {
		return nil, ErrCiphertext
	}
	frame, plaintext := framed[:frameLen], framed[frameLen:]
	if frame[0] != frameVersion || frame[1] != blob[blobKindAt] ||
		uint64(binary.BigEndian.Uint32(frame[frameLen-4:])) != uint64(len(plaintext)) {
		return nil, ErrCiphertext
	}
	return plaintext, nil
}

// MaterialIDOf reads the KeyMaterialId, 64 hex digits, that a ciphertext names,
// so that Decrypt can find the key. Nothing is authenticated yet. What has not
// the exact layout of a ciphertext is [ErrCiphertext].
func MaterialIDOf(blob []byte) (string, error) {
	if !isBlob(blob) {
		return "", ErrCiphertext
	}
	if _, _, ok := splitEnvelope(blob, blobHeader); !ok {
		return "", ErrCiphertext
	}
	return hex.EncodeToString(blob[blobIDAt:blobMarkAt]), nil
}

// isBlob judges the constant bytes of the header.
func isBlob(blob []byte) bool {
	if len(blob) < blobHeader {
		return false
	}
	kind := BlobKind(blob[blobKindAt])
	return blob[0] == 1 && blob[1] == 2 && (kind == BlobEncrypt || kind == BlobDataKey) &&
		blob[3] == 0 && blob[4] == 0x78 && blob[blobMarkAt] == 1
}

// encodeContext encodes an encryption context so that no two differ in meaning
// but not in bytes: pairs by key, each string behind its 4-byte length. An empty
// context is the same as none.
func encodeContext(context map[string]string) []byte {
	if len(context) == 0 {
		return nil
	}
	var out []byte
	for _, name := range slices.Sorted(maps.Keys(context)) {
		for _, s := range [...]string{name, context[name]} {
			out = binary.BigEndian.AppendUint32(out, uint32(len(s)))
			out = append(out, s...)
		}
	}
	return out
}
