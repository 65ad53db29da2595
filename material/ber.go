// SPDX-License-Identifier: Apache-2.0

package material

// maxDepth of nesting in BER. PKCS #8 needs 4.
const maxDepth = 16

// toDER rewrites one BER value (X.690 section 8) with definite, minimal lengths, which is all that the exporters known for BER
// do differently. Strings in pieces are refused. It reports false if data is no BER value, or is followed by anything.
func toDER(data []byte) ([]byte, bool) {
	der, rest, ok := rewriteBER(data, maxDepth)
	return der, ok && len(rest) == 0
}

func rewriteBER(data []byte, depth int) (der, rest []byte, ok bool) {
	tag, length, body, ok := berHeader(data)
	if !ok || depth == 0 {
		return nil, nil, false
	}
	constructed := tag&0x20 != 0
	if length < 0 { // indefinite: ends at two zero bytes
		if !constructed {
			return nil, nil, false
		}
	} else {
		if length > len(body) {
			return nil, nil, false
		}
		body, rest = body[:length], body[length:]
	}
	if !constructed {
		return appendTLV(tag, body), rest, true
	}
	if tag&0xc0 == 0 && tag != 0x30 && tag != 0x31 {
		return nil, nil, false // a string in pieces
	}
	var content []byte
	for {
		if length < 0 && len(body) >= 2 && body[0] == 0 && body[1] == 0 {
			rest = body[2:]
			break
		}
		if length >= 0 && len(body) == 0 {
			break
		}
		var inner []byte
		if inner, body, ok = rewriteBER(body, depth-1); !ok {
			return nil, nil, false
		}
		content = append(content, inner...)
	}
	return appendTLV(tag, content), rest, true
}

// berHeader reads tag and length; an indefinite length is -1.
func berHeader(data []byte) (tag byte, length int, body []byte, ok bool) {
	if len(data) < 2 || data[0]&0x1f == 0x1f {
		return 0, 0, nil, false
	}
	tag, first, body := data[0], data[1], data[2:]
	switch n := int(first & 0x7f); {
	case first < 0x80:
		return tag, n, body, true
	case first == 0x80:
		return tag, -1, body, true
	case n > 4 || n > len(body):
		return 0, 0, nil, false
	default:
		for _, b := range body[:n] {
			length = length<<8 | int(b)
		}
		return tag, length, body[n:], length <= MaxInput
	}
}

// appendTLV writes a value with the shortest length that X.690 section 10.1 allows.
func appendTLV(tag byte, content []byte) []byte {
	n := len(content)
	var header []byte
	switch {
	case n < 0x80:
		header = []byte{tag, byte(n)}
	case n < 0x100:
		header = []byte{tag, 0x81, byte(n)}
	case n < 0x10000:
		header = []byte{tag, 0x82, byte(n >> 8), byte(n)}
	default:
		header = []byte{tag, 0x83, byte(n >> 16), byte(n >> 8), byte(n)}
	}
	return append(header, content...)
}
