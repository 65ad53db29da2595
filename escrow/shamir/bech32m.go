// SPDX-License-Identifier: Apache-2.0

package shamir

import "strings"

// Bech32m as in BIP-350 and, for all but the constant, BIP-173. It is here because the libraries take and return strings, of
// which a secret would leave copies that nothing can wipe.
const (
	charset         = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	checksumSymbols = 6
	finalConstant   = 0x2bc830a3
)

// checksum is the remainder of the code, over the human-readable part and symbols of 5 bits.
func checksum(data []byte) uint32 {
	generator := [...]uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3}
	sum := uint32(1)
	add := func(symbol byte) {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(symbol)
		for i, g := range generator {
			sum ^= -(top >> i & 1) & g
		}
	}
	for i := range len(humanPart) {
		add(humanPart[i] >> 5)
	}
	add(0)
	for i := range len(humanPart) {
		add(humanPart[i] & 31)
	}
	for _, d := range data {
		add(d)
	}
	return sum
}

// encode returns the text of data, whose last symbol is filled up with zeros.
func encode(data []byte) []byte {
	values := make([]byte, 0, symbols+checksumSymbols)
	held, bits := uint(0), 0
	for _, d := range data {
		held, bits = held<<8|uint(d), bits+8
		for ; bits >= 5; bits -= 5 {
			values = append(values, byte(held>>(bits-5)&31))
		}
	}
	if bits > 0 {
		values = append(values, byte(held<<(5-bits)&31))
	}
	defer clear(values[:cap(values)])
	sum := checksum(append(values, make([]byte, checksumSymbols)...)) ^ finalConstant
	for i := range checksumSymbols {
		values = append(values, byte(sum>>(5*(checksumSymbols-1-i))&31))
	}
	text := append(make([]byte, 0, TextLength), humanPart+"1"...)
	for _, v := range values {
		text = append(text, charset[v])
	}
	return text
}

// decode returns the data of a text of the right length and beginning.
func decode(text []byte) ([]byte, error) {
	upper := text[0] < 'a'
	values := make([]byte, 0, len(text))
	defer func() { clear(values) }()
	for i, c := range text {
		if 'A' <= c && c <= 'Z' {
			if !upper {
				return nil, &TextError{Position: i + 1, Reason: "is an upper-case letter among lower-case ones"}
			}
			c += 'a' - 'A'
		} else if upper && 'a' <= c && c <= 'z' {
			return nil, &TextError{Position: i + 1, Reason: "is a lower-case letter among upper-case ones"}
		}
		if i < prefixBytes {
			continue
		}
		v := strings.IndexByte(charset, c)
		if v < 0 {
			return nil, &TextError{Position: i + 1, Reason: "is none that a share has"}
		}
		values = append(values, byte(v))
	}
	if checksum(values) != finalConstant {
		return nil, ErrChecksum
	}
	data := make([]byte, 0, dataLength)
	held, bits := uint(0), 0
	for _, v := range values[:symbols] {
		held, bits = held<<5|uint(v), bits+5
		if bits >= 8 {
			data = append(data, byte(held>>(bits-8)))
			bits -= 8
		}
	}
	if held&(1<<bits-1) != 0 {
		return nil, &TextError{Position: prefixBytes + symbols, Reason: "has bits that a share does not use"}
	}
	return data, nil
}
