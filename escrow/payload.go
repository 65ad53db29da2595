// SPDX-License-Identifier: Apache-2.0

package escrow

import (
	"bytes"
	"encoding/base64"
	"fmt"

	"github.com/keymat/keymat/material"
)

// What is sealed is one line of JSON of exactly this form, so that it opens with stock tools and needs no parser here that would
// leave copies of the material behind. The digest binds it to the header; age has nothing of its own for that.
const (
	payloadBegin = `{"kind":"keymat/escrowed","version":1,"header_sha256":"%s","key_spec":"%s","material":"`
	payloadEnd   = "\"}\n"
)

func (f *File) payloadBegin() ([]byte, error) {
	digest, err := f.HeaderSHA256()
	return fmt.Appendf(nil, payloadBegin, digest, f.KeySpec), err
}

// payload returns what to seal. The caller clears it.
func (f *File) payload(m *material.Material) ([]byte, error) {
	begin, err := f.payloadBegin()
	if err != nil {
		return nil, err
	}
	var line []byte
	err = m.Secret().Expose(func(plaintext []byte) error {
		line = make([]byte, 0, len(begin)+base64.StdEncoding.EncodedLen(len(plaintext))+len(payloadEnd))
		line = append(line, begin...)
		line = base64.StdEncoding.AppendEncode(line, plaintext)
		line = append(line, payloadEnd...)
		return nil
	})
	return line, err
}

// material returns what a payload holds, after comparing all that the header says of it.
func (f *File) material(payload []byte) (*material.Material, error) {
	begin, err := f.payloadBegin()
	if err != nil {
		return nil, err
	}
	rest, ok := bytes.CutPrefix(payload, begin)
	if !ok {
		return nil, f.whyOther(payload)
	}
	encoded, ok := bytes.CutSuffix(rest, []byte(payloadEnd))
	if !ok {
		return nil, &HeaderError{What: "the sealed line does not end as it should"}
	}
	plaintext := make([]byte, base64.StdEncoding.DecodedLen(len(encoded)))
	n, err := base64.StdEncoding.Strict().Decode(plaintext, encoded)
	if err != nil {
		clear(plaintext)
		return nil, &HeaderError{What: "the material is not in base64"} // the error would quote a byte
	}
	m, err := material.New(f.KeySpec, plaintext[:n:n])
	if err != nil {
		return nil, fmt.Errorf("opening the escrow: %w", err)
	}
	if got := m.Fingerprint().String(); got != f.Fingerprint {
		m.Destroy()
		return nil, &HeaderError{What: "the material has the fingerprint " + got}
	}
	return m, nil
}

// whyOther says why a payload does not begin as the header demands.
func (f *File) whyOther(payload []byte) error {
	fixed, _, _ := bytes.Cut([]byte(payloadBegin), []byte("%s"))
	if bytes.HasPrefix(payload, fixed) {
		return &HeaderError{What: "its digest is another"}
	}
	return &HeaderError{What: "what is sealed is not from an escrow"}
}
