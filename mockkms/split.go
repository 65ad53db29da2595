// SPDX-License-Identifier: Apache-2.0

package mockkms

import (
	"bytes"
	"encoding/json"
)

// A splitter takes a JSON object or array apart into the values that stand
// directly in it, without a copy. The JSON has to be valid, so that it need not
// look at more than nesting and strings: in an object names and values take
// turns, and what is between them says nothing.
type splitter struct{ rest []byte }

// split begins with an object or array that no white space surrounds.
func split(raw []byte) splitter { return splitter{raw[1:]} }

// next is the next value, or nil at the end.
func (s *splitter) next() []byte {
	start := 0
	for isBetween(s.rest[start]) {
		start++
	}
	end := start + valueLength(s.rest[start:])
	if end == start {
		return nil
	}
	value := s.rest[start:end]
	s.rest = s.rest[end:]
	return value
}

// members are those of an object; of several of one name the last counts.
func (s splitter) members() map[string][]byte {
	m := make(map[string][]byte)
	for name := s.next(); name != nil; name = s.next() {
		m[string(unquote(name))] = s.next()
	}
	return m
}

// unquote is what a valid JSON string spells.
func unquote(raw []byte) []byte {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	var s string
	_ = json.Unmarshal(raw, &s) // it is valid
	return []byte(s)
}

// valueLength is the length of the value at the start of what is left; 0 where
// the object or array ends.
func valueLength(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i += stringLength(b[i:]) - 1
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			switch depth--; depth {
			case -1:
				return i // a number or word that ends with what it stands in, or nothing
			case 0:
				return i + 1
			}
		default:
			if depth == 0 && isBetween(b[i]) {
				return i
			}
		}
	}
	return len(b)
}

func stringLength(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// isBetween reports whether c stands between values.
func isBetween(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', ':':
		return true
	}
	return false
}
