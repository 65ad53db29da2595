// SPDX-License-Identifier: Apache-2.0

// Package spoken turns digests into words that people read to each other, and
// back. A byte at an even position has a word of two syllables, one at an odd
// position a word of three: so whoever listens notices a word that was left
// out, said twice or exchanged with its neighbour.
//
// The words are the PGP word list, which key ceremonies have used since 1995.
package spoken

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// A WordError says which word of a spoken digest cannot be right.
type WordError struct {
	Position int    // from 1, as it is counted aloud
	Word     string // as it was typed
	Listed   bool   // it is a word of the list, but for the other kind of position: one before it is missing, added or exchanged
}

func (e *WordError) Error() string {
	if !e.Listed {
		return fmt.Sprintf("word %d, %q, is not in the list", e.Position, e.Word)
	}
	syllables := "three"
	if e.Position%2 == 0 {
		syllables = "two"
	}
	return fmt.Sprintf("%q, of %s syllables, cannot be word %d: one up to here was left out, said twice or exchanged", e.Word, syllables, e.Position)
}

// A LengthError says that too much or too little was said.
type LengthError struct {
	Got, Want int // bytes, and so words
}

func (e *LengthError) Error() string {
	return fmt.Sprintf("%d bytes, want %d", e.Got, e.Want)
}

// Words gives one word for each byte.
func Words(data []byte) []string {
	even, odd := strings.Fields(evenWords), strings.Fields(oddWords)
	words := make([]string, len(data))
	for i, b := range data {
		if i%2 == 0 {
			words[i] = even[b]
		} else {
			words[i] = odd[b]
		}
	}
	return words
}

// Lines gives the words of data in lines of eight, each behind the hexadecimal
// digits of the same bytes, for a screen or a printed script from which two
// people compare.
func Lines(data []byte) []string {
	var lines []string
	words := Words(data)
	for at := 0; at < len(data); at += perLine {
		end := min(at+perLine, len(data))
		lines = append(lines, fmt.Sprintf("%-*s  %s", 2*perLine, hex.EncodeToString(data[at:end]), strings.Join(words[at:end], " ")))
	}
	return lines
}

// perLine is even, so that every line begins with a word of two syllables.
const perLine = 8

// Parse reads what was heard: as words, or as hexadecimal digits. Letter case,
// spaces, commas, hyphens, colons and line breaks do not matter. The result has
// exactly size bytes. Errors: [*WordError], which is looked for first, and
// [*LengthError].
func Parse(text string, size int) ([]byte, error) {
	fields := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n,-:", r) })
	data, err := hex.DecodeString(strings.Join(fields, ""))
	if err != nil {
		data, err = fromWords(fields)
	}
	if err != nil {
		return nil, err
	}
	if len(data) != size {
		return nil, &LengthError{Got: len(data), Want: size}
	}
	return data, nil
}

func fromWords(words []string) ([]byte, error) {
	lists := [2][]string{strings.Fields(evenWords), strings.Fields(oddWords)}
	data := make([]byte, len(words))
	for i, word := range words {
		same := func(listed string) bool { return strings.EqualFold(listed, word) }
		value := slices.IndexFunc(lists[i%2], same)
		if value < 0 {
			return nil, &WordError{Position: i + 1, Word: word, Listed: slices.ContainsFunc(lists[(i+1)%2], same)}
		}
		data[i] = byte(value)
	}
	return data, nil
}
