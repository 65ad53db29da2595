// SPDX-License-Identifier: Apache-2.0

package escrow

import (
	"bytes"
	"fmt"

	"github.com/keymat/keymat/escrow/shamir"
	"github.com/keymat/keymat/escrow/slip39"
	"github.com/keymat/keymat/material"
)

// A Share is one person's part of the key of an escrow.
type Share struct {
	Scheme    Scheme
	ID        *ID // of the escrow, where the text of the share says it
	Index     int // from 1
	Threshold int // how many shares it takes
	Count     int // how many there are; 0 where the share does not say

	value material.Secret
	words slip39.Share // one of the two, by the scheme
	text  shamir.Share
}

func wordShare(s slip39.Share) Share {
	return Share{Scheme: SLIP39, Index: s.Index + 1, Threshold: s.Threshold, value: s.Value, words: s}
}

func textShare(s shamir.Share) Share {
	return Share{Scheme: Shamir, Index: s.Index, Threshold: s.Threshold, Count: s.Count, value: s.Value, text: s}
}

// set is what the share says of its set in every form: 15 bits or 8 bytes.
func (s Share) set() string {
	if s.Scheme == SLIP39 {
		return fmt.Sprint(s.words.Identifier)
	}
	return fmt.Sprintf("%x", s.text.Set)
}

// Text returns what a person keeps: 33 words with spaces between for SLIP-0039, a line of 84 characters for plain Shamir.
func (s Share) Text() material.Secret {
	if s.Scheme == SLIP39 {
		return s.words.Mnemonic()
	}
	return s.text.Text()
}

// Destroy overwrites the share, as far as [material.Secret.Destroy] does.
func (s Share) Destroy() { s.value.Destroy() }

// shareLine begins the form of a share for machines: "keymat-share/1", the ID of the escrow and the text.
const shareLine = "keymat-share/1"

// Line returns the share in the form for machines: one line in upper case, as a QR code holds it best. Without an ID it is only the
// text. It is as secret as the text.
func (s Share) Line() material.Secret {
	var line []byte
	s.Text().Expose(func(text []byte) error {
		line = make([]byte, 0, len(shareLine)+len(ID{})*2+len(text)+2)
		if s.ID != nil {
			line = fmt.Appendf(line, "%s %s ", shareLine, s.ID)
		}
		line = append(line, text...)
		for i, b := range line { // in place: bytes.ToUpper would leave a copy behind
			if 'a' <= b && b <= 'z' {
				line[i] = b - 'a' + 'A'
			}
		}
		return nil
	})
	return material.NewSecret(line)
}

// MaxShareText is the longest text of a share in bytes that [ParseShare] looks at.
const MaxShareText = 1024

// ParseShare reads a share in any of its forms, in either case: words, plain Shamir's text, or the line for machines. An error is
// a [*ShareError].
func ParseShare(data []byte) (Share, error) {
	if len(data) > MaxShareText {
		return Share{}, &ShareError{Reason: fmt.Sprintf("%d bytes, more than any share has", len(data))}
	}
	text := bytes.TrimSpace(data)
	var id *ID
	if first, rest, _ := bytes.Cut(text, []byte(" ")); bytes.EqualFold(first, []byte(shareLine)) {
		digits, rest, _ := bytes.Cut(rest, []byte(" "))
		id = new(ID)
		if err := id.UnmarshalText(bytes.ToLower(digits)); err != nil {
			return Share{}, &ShareError{Reason: "the ID of its escrow is " + err.Error()}
		}
		text = rest
	}
	s, err := parseText(text)
	if err != nil {
		return Share{}, &ShareError{Err: err}
	}
	s.ID = id
	return s, nil
}

func parseText(text []byte) (Share, error) {
	joined := bytes.Join(bytes.Fields(text), nil) // cards have gaps for the eye
	defer clear(joined)
	if shamir.IsText(joined) {
		s, err := shamir.Parse(joined)
		return textShare(s), err
	}
	s, err := slip39.Parse(text)
	if err != nil {
		return Share{}, err
	}
	if s.GroupCount != 1 || s.Threshold < MinThreshold || s.Value.Len() != keyLength {
		return Share{}, &slip39.ParameterError{Reason: "a share in words, but not of a kind that an escrow has"}
	}
	return wordShare(s), nil
}
