// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

// Ciphertext blobs and import tokens of KMS both end in a 4-byte length and a
// CMS EncryptedData (RFC 5652 section 8) of that length, with AES-256-GCM as in
// RFC 5084 (both decoded from recorded samples):
//
//	SEQUENCE { OID encryptedData, [0] { SEQUENCE { INTEGER 0,
//	  SEQUENCE { OID data,
//	    SEQUENCE { OID aes256-GCM, SEQUENCE { OCTET STRING nonce, INTEGER 16 } },
//	    [0] IMPLICIT ciphertext and tag } } } }
const (
	nonceLen  = 12
	tagLen    = 16
	lengthLen = 4
)

var (
	oidEncryptedData = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x06}
	oidData          = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01}

	// gcmBeforeNonce and gcmAfterNonce are the AlgorithmIdentifier around its nonce.
	gcmBeforeNonce = []byte{
		0x30, 0x1e, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e,
		0x30, 0x11, 0x04, nonceLen,
	}
	gcmAfterNonce = []byte{tagInteger, 1, tagLen}
)

// layout is the content lengths of the nested elements around n sealed bytes,
// the innermost first.
type layout struct {
	contentInfo, data, explicit, outer int
}

func layoutOf(n int) (l layout) {
	algorithm := len(gcmBeforeNonce) + nonceLen + len(gcmAfterNonce)
	l.contentInfo = len(oidData) + algorithm + elementLen(n)
	l.data = len(derZero) + elementLen(l.contentInfo)
	l.explicit = elementLen(l.data)
	l.outer = len(oidEncryptedData) + elementLen(l.explicit)
	return l
}

// newGCM returns AES-256-GCM that draws its own nonces, the only form that Go
// also grants under GODEBUG=fips140=only.
func newGCM(key *[32]byte) cipher.AEAD {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // 32 bytes are an AES key
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // the block is crypto/aes's own
	}
	return aead
}

// sealEnvelope returns the header, the length, and the EncryptedData with
// plaintext sealed in it. Header, length and extra are authenticated.
func sealEnvelope(key *[32]byte, header, plaintext, extra []byte) []byte {
	n := len(plaintext) + tagLen
	l := layoutOf(n)
	size := len(header) + lengthLen + elementLen(l.outer)

	out := make([]byte, 0, size)
	out = append(out, header...)
	out = binary.BigEndian.AppendUint32(out, uint32(elementLen(l.outer)))
	associated := append(out[:len(out):len(out)], extra...)

	out = append(appendHeader(out, tagSequence, l.outer), oidEncryptedData...)
	out = appendHeader(out, tagExplicit0, l.explicit)
	out = append(appendHeader(out, tagSequence, l.data), derZero...)
	out = append(appendHeader(out, tagSequence, l.contentInfo), oidData...)
	out = append(out, gcmBeforeNonce...)

	// Sealing writes nonce, ciphertext and tag in a row; move the latter two
	// behind what stands between them.
	afterNonce := len(out) + nonceLen
	newGCM(key).Seal(out, nil, plaintext, associated)
	out = out[:size]
	copy(out[size-n:], out[afterNonce:afterNonce+n])
	appendHeader(append(out[:afterNonce], gcmAfterNonce...), tagContext0, n)
	return out
}

// openEnvelope undoes sealEnvelope. HeaderLen is the length of the header, which
// the caller has judged.
func openEnvelope(key *[32]byte, envelope []byte, headerLen int, extra []byte) ([]byte, bool) {
	nonce, sealed, ok := splitEnvelope(envelope, headerLen)
	if !ok {
		return nil, false
	}
	start := headerLen + lengthLen
	associated := append(envelope[:start:start], extra...)
	buffer := make([]byte, 0, nonceLen+len(sealed))
	buffer = append(append(buffer, nonce...), sealed...)
	plaintext, err := newGCM(key).Open(buffer[:0], nil, buffer, associated)
	return plaintext, err == nil
}

// splitEnvelope finds nonce and sealed bytes. Nothing but the exact layout is
// accepted, down to the last byte.
func splitEnvelope(envelope []byte, headerLen int) (nonce, sealed []byte, ok bool) {
	if len(envelope) < headerLen+lengthLen {
		return nil, nil, false
	}
	body := envelope[headerLen+lengthLen:]
	if uint64(binary.BigEndian.Uint32(envelope[headerLen:])) != uint64(len(body)) {
		return nil, nil, false
	}
	for _, step := range []struct {
		tag    byte
		prefix []byte
	}{
		{tagSequence, oidEncryptedData},
		{tagExplicit0, nil},
		{tagSequence, derZero},
		{tagSequence, oidData},
	} {
		if body, ok = readWhole(body, step.tag); !ok {
			return nil, nil, false
		}
		if body, ok = bytes.CutPrefix(body, step.prefix); !ok {
			return nil, nil, false
		}
	}
	if body, ok = bytes.CutPrefix(body, gcmBeforeNonce); !ok || len(body) < nonceLen {
		return nil, nil, false
	}
	nonce = body[:nonceLen]
	if body, ok = bytes.CutPrefix(body[nonceLen:], gcmAfterNonce); !ok {
		return nil, nil, false
	}
	sealed, ok = readWhole(body, tagContext0)
	return nonce, sealed, ok && len(sealed) >= tagLen
}
