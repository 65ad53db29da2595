// SPDX-License-Identifier: Apache-2.0

package slip39

const checksumWords = 3

// The customization strings that begin the checksummed data (SLIP-0039, "Checksum").
const (
	customOriginal   = "shamir"
	customExtendable = "shamir_extendable"
)

// rs1024 is the remainder of the Reed-Solomon code over GF(1024) of SLIP-0039, "Checksum".
func rs1024(extendable bool, words []uint16) uint32 {
	generator := [...]uint32{
		0x0e0e040, 0x1c1c080, 0x3838100, 0x7070200, 0xe0e0009,
		0x1c0c2412, 0x38086c24, 0x3090fc48, 0x21b1f890, 0x03f3f120,
	}
	sum := uint32(1)
	add := func(symbol uint32) {
		top := sum >> 20
		sum = sum&0xfffff<<bitsPerWord ^ symbol
		for i, g := range generator {
			sum ^= -(top >> i & 1) & g
		}
	}
	custom := customOriginal
	if extendable {
		custom = customExtendable
	}
	for i := range len(custom) {
		add(uint32(custom[i]))
	}
	for _, w := range words {
		add(uint32(w))
	}
	return sum
}

// appendChecksum adds the three words that make the remainder 1.
func appendChecksum(extendable bool, words []uint16) []uint16 {
	sum := rs1024(extendable, append(words, 0, 0, 0)) ^ 1
	return append(words, uint16(sum>>20), uint16(sum>>10&0x3ff), uint16(sum&0x3ff))
}

func checksumHolds(extendable bool, words []uint16) bool { return rs1024(extendable, words) == 1 }
