// SPDX-License-Identifier: Apache-2.0

package slip39

import (
	"bytes"

	"github.com/keymat/keymat/material"
)

// Words256 is how many words a share of a 256-bit secret has.
const Words256 = 33

// Limits of the standard.
const (
	MaxShares = 16 // members of a group, and groups

	minSecret     = 16 // bytes
	minWords      = metaWords + (minSecret*8+bitsPerWord-1)/bitsPerWord
	maxIdentifier = 1<<15 - 1
	prefixWords   = 4 // identifier to threshold
	metaWords     = prefixWords + checksumWords
)

// A Share is one mnemonic, decoded (SLIP-0039, "Format of the share mnemonic").
type Share struct {
	Identifier        int  // of the set, 15 bits, random
	Extendable        bool // the identifier plays no part in the encryption
	IterationExponent int  // 0 to 15: 10,000·2^e iterations of PBKDF2

	GroupIndex                 int // from 0
	GroupThreshold, GroupCount int

	Index     int             // of the member in its group, from 0
	Threshold int             // how many members of the group it takes
	Value     material.Secret // as long as the secret
}

// Mnemonic returns the words, in lower case with single spaces between.
func (s Share) Mnemonic() material.Secret {
	var b packer
	b.put(s.Identifier, 15)
	b.put(bit(s.Extendable), 1)
	b.put(s.IterationExponent, 4)
	for _, four := range []int{s.GroupIndex, s.GroupThreshold - 1, s.GroupCount - 1, s.Index, s.Threshold - 1} {
		b.put(four, 4)
	}
	s.Value.Expose(func(value []byte) error {
		b.put(0, padding(len(value)))
		for _, v := range value {
			b.put(int(v), 8)
		}
		return nil
	})
	list := listed()
	text := make([]byte, 0, 9*(len(b.words)+checksumWords)) // the longest word has 8 letters
	for i, w := range appendChecksum(s.Extendable, b.words) {
		if i > 0 {
			text = append(text, ' ')
		}
		text = append(text, list[w]...)
	}
	return material.NewSecret(text)
}

// Parse reads a mnemonic: whole words of the list, in either case, white space between. Errors: [*WordError], [*LengthError],
// [*ChecksumError], [*ParameterError].
func Parse(mnemonic []byte) (Share, error) {
	words, err := indices(mnemonic)
	if err != nil {
		return Share{}, err
	}
	value := bitsPerWord * (len(words) - metaWords)
	if len(words) < minWords || value%16 > 8 {
		return Share{}, &LengthError{Words: len(words)}
	}
	extendable := words[1]>>4&1 == 1
	if !checksumHolds(extendable, words) {
		return Share{}, &ChecksumError{}
	}
	b := unpacker{words: words}
	s := Share{Identifier: b.take(15), Extendable: b.take(1) == 1, IterationExponent: b.take(4)}
	s.GroupIndex, s.GroupThreshold, s.GroupCount = b.take(4), b.take(4)+1, b.take(4)+1
	s.Index, s.Threshold = b.take(4), b.take(4)+1
	if b.take(value%16) != 0 {
		return Share{}, &ParameterError{Reason: "the padding of the share is not zero"}
	}
	if s.GroupThreshold > s.GroupCount {
		return Share{}, &ParameterError{Reason: "the share asks for more groups than it says there are"}
	}
	raw := make([]byte, value/16*2)
	for i := range raw {
		raw[i] = byte(b.take(8))
	}
	s.Value = material.NewSecret(raw)
	return s, nil
}

// indices looks the words up.
func indices(mnemonic []byte) (words []uint16, err error) {
	list := listed()
	for word := range bytes.FieldsSeq(mnemonic) {
		i, ok := find(list, word)
		if !ok {
			return nil, &WordError{Position: len(words) + 1}
		}
		words = append(words, uint16(i))
	}
	return words, nil
}

// padding is how many zero bits come before a value of so many bytes.
func padding(bytes int) int { return (bitsPerWord - bytes*8%bitsPerWord) % bitsPerWord }

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// packer gathers bits into words, the most significant first.
type packer struct {
	words []uint16
	used  int // bits
}

func (p *packer) put(v, width int) {
	for i := width - 1; i >= 0; i-- {
		if p.used%bitsPerWord == 0 {
			p.words = append(p.words, 0)
		}
		last := &p.words[len(p.words)-1]
		*last = *last<<1 | uint16(v>>i&1)
		p.used++
	}
}

// unpacker is the way back.
type unpacker struct {
	words []uint16
	taken int // bits
}

func (u *unpacker) take(width int) (v int) {
	for range width {
		word := u.words[u.taken/bitsPerWord]
		v = v<<1 | int(word>>(bitsPerWord-1-u.taken%bitsPerWord)&1)
		u.taken++
	}
	return v
}
