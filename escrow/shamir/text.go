// SPDX-License-Identifier: Apache-2.0

package shamir

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/keymat/keymat/material"
)

// The text of a share is Bech32m (BIP-350) with the human-readable part "keymat": one line of 84 letters and digits without
// those that look alike, in one case. Within 90 characters its checksum finds any four that are wrong. It encodes, in bytes:
//
//	 1  version of the form, 1
//	 8  set
//	 1  index, from 1
//	 1  threshold
//	 1  count
//	32  value
const (
	humanPart   = "keymat"
	version     = 1
	valueAt     = 12
	dataLength  = valueAt + SecretLength
	symbols     = (dataLength*8 + 4) / 5
	TextLength  = len(humanPart) + 1 + symbols + checksumSymbols
	prefixBytes = len(humanPart) + 1
)

// ErrChecksum says that a character is wrong or out of place.
var ErrChecksum = errors.New("the checksum is wrong: a character is wrong or out of place")

// A TextError says that a text is not that of a share. What was read is not repeated.
type TextError struct {
	Position int // of the character, from 1; 0 for the text as a whole
	Reason   string
}

func (e *TextError) Error() string {
	if e.Position == 0 {
		return e.Reason
	}
	return fmt.Sprintf("character %d %s", e.Position, e.Reason)
}

// Text returns the text of the share, of [TextLength] characters in lower case.
func (s Share) Text() material.Secret {
	data := make([]byte, 0, dataLength)
	data = append(data, version)
	data = append(data, s.Set[:]...)
	data = append(data, byte(s.Index), byte(s.Threshold), byte(s.Count))
	s.Value.Expose(func(value []byte) error { data = append(data, value...); return nil })
	defer clear(data)
	return material.NewSecret(encode(data))
}

// IsText reports whether data, a share of one form or the other, begins as a text of this one does, in either case.
func IsText(data []byte) bool {
	return len(data) >= prefixBytes && bytes.EqualFold(data[:prefixBytes], []byte(humanPart+"1"))
}

// Parse reads the text of a share, all in lower or all in upper case, white space around it ignored. Errors: [*TextError],
// [ErrChecksum], [*ParameterError].
func Parse(text []byte) (Share, error) {
	text = bytes.TrimSpace(text)
	if !IsText(text) {
		return Share{}, &TextError{Reason: "it does not begin with " + humanPart + "1"}
	}
	if len(text) != TextLength {
		return Share{}, &TextError{Reason: fmt.Sprintf("%d characters, where a share has %d", len(text), TextLength)}
	}
	data, err := decode(text)
	if err != nil {
		return Share{}, err
	}
	if data[0] != version {
		return Share{}, &ParameterError{Reason: fmt.Sprintf("the share is of version %d, which this program does not read", data[0])}
	}
	s := Share{Set: SetID(data[1:9]), Index: int(data[9]), Threshold: int(data[10]), Count: int(data[11])}
	if err := checkNumbers(s.Threshold, s.Count); err != nil {
		return Share{}, err
	}
	if s.Index < 1 || s.Index > s.Count {
		return Share{}, &ParameterError{Reason: fmt.Sprintf("share %d of %d", s.Index, s.Count)}
	}
	s.Value = material.NewSecret(bytes.Clone(data[valueAt:]))
	clear(data)
	return s, nil
}
