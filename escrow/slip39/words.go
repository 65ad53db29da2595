// SPDX-License-Identifier: Apache-2.0

package slip39

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// wordList is the list of the standard: 1,024 words in alphabetical order, a line each, that differ in their first four letters.
// It comes from github.com/trezor/python-shamir-mnemonic (MIT, see testdata/README.md).
//
//go:embed wordlist.txt
var wordList string

// listed are the words of the list, which is split when a share is first read or written, not when the program starts.
var listed = sync.OnceValue(func() []string { return strings.Fields(wordList) })

// PrefixLength is how many letters tell every word from all others.
const PrefixLength = 4

const bitsPerWord = 10

// Complete returns the word that begins with a prefix of [PrefixLength] letters or more, or the word itself, in either case. It
// reports whether there is one.
func Complete(prefix []byte) (word string, ok bool) {
	list := listed()
	i, exact := find(list, prefix)
	if exact {
		return list[i], true
	}
	if len(prefix) < PrefixLength || i == len(list) || !hasPrefix(list[i], prefix) {
		return "", false
	}
	return list[i], true
}

// find returns the place of a word among those of the list. It compares bytes, so that no string holds what was typed.
func find(list []string, word []byte) (int, bool) {
	return slices.BinarySearchFunc(list, word, func(listed string, word []byte) int {
		for i := range min(len(listed), len(word)) {
			if c := int(listed[i]) - int(lower(word[i])); c != 0 {
				return c
			}
		}
		return len(listed) - len(word)
	})
}

func hasPrefix(word string, prefix []byte) bool {
	if len(prefix) > len(word) {
		return false
	}
	for i, b := range prefix {
		if lower(b) != word[i] {
			return false
		}
	}
	return true
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b - 'A' + 'a'
	}
	return b
}
