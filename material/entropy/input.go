// SPDX-License-Identifier: Apache-2.0

package entropy

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/keymat/keymat/material"
)

// Kind says where an [Input] comes from.
type Kind string

// The kinds of input.
const (
	Dice  Kind = "dice"  // throws of a die with six faces
	Coins Kind = "coins" // throws of a coin
	File  Kind = "file"  // bytes of which nothing is known
)

// MaxInput is the largest input: throws, or bytes of a file.
const MaxInput = 1 << 20

// Input is what is mixed with the output of the generator. It is as secret as the material: where the generator is weak, it is
// all there is.
type Input struct {
	Kind  Kind
	Count int // throws, or bytes of a file

	content material.Secret // one byte for each throw: '1' to '6', 'H' or 'T'
}

// NewDice takes the throws of a die: digits from 1 to 6, with white space and commas anywhere between them. The caller keeps and
// clears text. Errors: [*ThrowError], [*InputSizeError].
func NewDice(text []byte) (Input, error) { return newThrows(Dice, text) }

// NewCoins takes the throws of a coin: the letters h (heads) and t (tails), in either case, with white space and commas anywhere
// between them. The caller keeps and clears text. Errors: [*ThrowError], [*InputSizeError].
func NewCoins(text []byte) (Input, error) { return newThrows(Coins, text) }

func newThrows(kind Kind, text []byte) (Input, error) {
	if len(text) > MaxInput {
		return Input{}, &InputSizeError{Kind: kind, Count: len(text)}
	}
	throws := make([]byte, 0, len(text))
	for i, c := range text {
		if bytes.IndexByte([]byte(" \t\r\n,"), c) >= 0 {
			continue
		}
		if kind == Coins && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if bytes.IndexByte(faces(kind), c) < 0 {
			clear(throws)
			return Input{}, &ThrowError{Kind: kind, Position: i + 1}
		}
		throws = append(throws, c)
	}
	return newInput(kind, throws)
}

// NewFile takes bytes from elsewhere, such as the output of an HSM's generator, and takes ownership of them. An error is an
// [*InputSizeError].
func NewFile(content []byte) (Input, error) { return newInput(File, content) }

func newInput(kind Kind, content []byte) (Input, error) {
	if len(content) == 0 || len(content) > MaxInput {
		return Input{}, &InputSizeError{Kind: kind, Count: len(content)}
	}
	return Input{Kind: kind, Count: len(content), content: material.NewSecret(content)}, nil
}

// faces are what one throw can show; nil for a file.
func faces(kind Kind) []byte {
	switch kind {
	case Dice:
		return []byte("123456")
	case Coins:
		return []byte("HT")
	}
	return nil
}

// BitsIfFair is the entropy that so many throws have if each face comes up equally likely and independently, rounded down: 129
// bits for 50 dice. It is 0 for a file, of which nothing is known.
func (in Input) BitsIfFair() int { return bitsIfFair(in.Kind, in.Count) }

func bitsIfFair(kind Kind, count int) int {
	if kind == File {
		return 0
	}
	return int(float64(count) * math.Log2(float64(len(faces(kind)))))
}

// Destroy overwrites the input, as far as [material.Secret.Destroy] does.
func (in Input) Destroy() { in.content.Destroy() }

// encode writes the inputs so that different ones never give the same bytes: kind and content of each, both framed.
func encode(inputs []Input) []byte {
	size := 0
	for _, in := range inputs {
		size += 2*frameSize + len(in.Kind) + in.Count
	}
	encoded := make([]byte, 0, size) // never grows, which would leave copies
	for _, in := range inputs {
		encoded = appendFrame(encoded, []byte(in.Kind))
		in.content.Expose(func(content []byte) error {
			encoded = appendFrame(encoded, content)
			return nil
		})
	}
	return encoded
}

// frameSize is the length of a length, in bytes.
const frameSize = 8

// appendFrame appends the length of b, big-endian, and b.
func appendFrame(to, b []byte) []byte {
	return append(binary.BigEndian.AppendUint64(to, uint64(len(b))), b...)
}
