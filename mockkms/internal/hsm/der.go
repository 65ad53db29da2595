// SPDX-License-Identifier: Apache-2.0

package hsm

import "bytes"

// ASN.1 tags in use, with the constructed bit where it belongs.
const (
	tagInteger     = 0x02
	tagBitString   = 0x03
	tagOctetString = 0x04
	tagSequence    = 0x30
	tagContext0    = 0x80 // [0] IMPLICIT, primitive
	tagExplicit0   = 0xa0
	tagExplicit1   = 0xa1

	constructed = 0x20
)

// berDepth bounds the nesting of BER; a PKCS #8 needs three.
const berDepth = 8

// readElement splits the first DER element off b. It takes single-byte tags and
// definite lengths in their shortest form of up to four bytes, nothing else.
func readElement(b []byte) (tag byte, content, rest []byte, ok bool) {
	tag, n, head, ok := readHeader(b)
	if !ok || n < 0 || head != headerLen(n) || n > len(b)-head {
		return 0, nil, nil, false
	}
	return tag, b[head : head+n], b[head+n:], true
}

// readTagged is readElement for an element that has to have that tag.
func readTagged(b []byte, want byte) (content, rest []byte, ok bool) {
	tag, content, rest, ok := readElement(b)
	return content, rest, ok && tag == want
}

// readWhole is readTagged for an element with nothing behind it.
func readWhole(b []byte, want byte) (content []byte, ok bool) {
	content, rest, ok := readTagged(b, want)
	return content, ok && len(rest) == 0
}

// readHeader reads a BER tag and length; n is -1 for the indefinite form. The
// content may be longer than b.
func readHeader(b []byte) (tag byte, n, head int, ok bool) {
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return 0, 0, 0, false
	}
	tag, first := b[0], b[1]
	switch {
	case first < 0x80:
		return tag, int(first), 2, true
	case first == 0x80:
		return tag, -1, 2, tag&constructed != 0
	}
	count := int(first & 0x7f)
	if count > 4 || len(b) < 2+count {
		return 0, 0, 0, false
	}
	var long uint64
	for _, c := range b[2 : 2+count] {
		long = long<<8 | uint64(c)
	}
	if long > 1<<31-1 {
		return 0, 0, 0, false
	}
	return tag, int(long), 2 + count, true
}

// headerLen is the size of tag and shortest length in front of n bytes.
func headerLen(n int) int {
	head := 2
	if n < 0x80 {
		return head
	}
	for ; n > 0; n >>= 8 {
		head++
	}
	return head
}

// elementLen is the size of a whole element with n bytes of content.
func elementLen(n int) int { return headerLen(n) + n }

// appendHeader appends tag and shortest length.
func appendHeader(dst []byte, tag byte, n int) []byte {
	head := headerLen(n)
	if head == 2 {
		return append(dst, tag, byte(n))
	}
	dst = append(dst, tag, 0x80|byte(head-2))
	for i := head - 3; i >= 0; i-- {
		dst = append(dst, byte(n>>(8*i)))
	}
	return dst
}

// element encodes one DER element whose content is the parts in a row.
func element(tag byte, parts ...[]byte) []byte {
	content := bytes.Join(parts, nil)
	return append(appendHeader(make([]byte, 0, elementLen(len(content))), tag, len(content)), content...)
}

// berToDER re-encodes one BER element with definite, shortest lengths, at every
// level but inside primitive ones. It leaves strings in pieces (constructed
// OCTET STRING) as they are: no exporter of keys is known to write them.
func berToDER(ber []byte) ([]byte, bool) {
	der, rest, ok := appendDER(make([]byte, 0, len(ber)), ber, berDepth)
	return der, ok && len(rest) == 0
}

func appendDER(dst, ber []byte, depth int) (der, rest []byte, ok bool) {
	tag, n, head, ok := readHeader(ber)
	if !ok || depth == 0 || n > len(ber)-head {
		return nil, nil, false
	}
	body, rest := ber[head:], []byte(nil)
	if n >= 0 {
		body, rest = ber[head:head+n], ber[head+n:]
	}
	if tag&constructed == 0 {
		return append(appendHeader(dst, tag, n), body...), rest, true
	}
	var content []byte
	for {
		switch {
		case n >= 0 && len(body) == 0:
			return append(appendHeader(dst, tag, len(content)), content...), rest, true
		case n < 0 && len(body) >= 2 && body[0] == 0 && body[1] == 0:
			return append(appendHeader(dst, tag, len(content)), content...), body[2:], true
		}
		if content, body, ok = appendDER(content, body, depth-1); !ok {
			return nil, nil, false
		}
	}
}
