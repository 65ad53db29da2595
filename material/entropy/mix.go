// SPDX-License-Identifier: Apache-2.0

package entropy

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"io"

	"github.com/keymat/keymat/material"
)

// Method is how material came about.
type Method string

// The methods.
const (
	// Generator is crypto/rand alone.
	Generator Method = "generator"
	// Extract is the first n bytes of HMAC, keyed with the salt "keymat/mix/extract/v1", over 2n bytes from crypto/rand and the
	// inputs, each framed by its length; with SHA-256 for up to 32 bytes and SHA-512 for up to 64.
	Extract Method = "extract"
	// XOR is 32 bytes from crypto/rand xor SHA-256 of "keymat/mix/xor/v1" and the inputs: whatever these are, the result is as
	// uniform as crypto/rand.
	XOR Method = "xor"
	// Components is the xor of components that people brought.
	Components Method = "components"
)

// These words keep the uses of a hash apart. The salt is longer than the 14 bytes that FIPS 140-3 demands of an HMAC key.
const (
	extractSalt   = "keymat/mix/extract/v1"
	xorPrefix     = "keymat/mix/xor/v1"
	commitPrefix  = "keymat/mix/commitment/v1"
	xorSize       = sha256.Size
	drawnPerBytes = 2 // bytes drawn for each byte extracted, so that nothing worth mentioning is lost
)

// Mix holds inputs that are settled. Only a Mix can draw from the generator: so neither can the inputs be chosen to suit what
// was drawn, nor what is drawn to suit the inputs.
type Mix struct {
	inputs     []Input
	commitment [sha256.Size]byte
}

// Commit settles the inputs, in this order. None is a [*NoInputError].
func Commit(inputs ...Input) (*Mix, error) {
	if len(inputs) == 0 {
		return nil, &NoInputError{}
	}
	return &Mix{inputs: inputs, commitment: commitment(inputs)}, nil
}

func commitment(inputs []Input) (sum [sha256.Size]byte) {
	material.Erasing(func() {
		encoded := encode(inputs)
		defer clear(encoded)
		h := sha256.New()
		h.Write([]byte(commitPrefix))
		h.Write(encoded)
		h.Sum(sum[:0])
	})
	return sum
}

// Commitment returns what to make known before [Mix.Generate]: SHA-256 of "keymat/mix/commitment/v1" and the framed inputs, in
// lower-case hex. Inputs with little entropy can be found from it by trying.
func (m *Mix) Commitment() string { return hex.EncodeToString(m.commitment[:]) }

// Inputs returns the inputs.
func (m *Mix) Inputs() []Input { return m.inputs }

// Destroy overwrites the inputs, as far as [material.Secret.Destroy] does.
func (m *Mix) Destroy() {
	for _, in := range m.inputs {
		in.Destroy()
	}
}

// CheckMix reports whether material of the spec can be made by [Extract] or [XOR], before anybody throws dice for it. Errors:
// [*KeyPairError], [*XORSizeError], [*material.UnsupportedSpecError].
func CheckMix(spec material.Spec, by Method) error {
	if err := checkRaw(spec); err != nil {
		return err
	}
	if by == XOR && spec.GenerateLength() != xorSize {
		return &XORSizeError{Spec: spec}
	}
	return nil
}

// checkRaw demands a spec whose material is random bytes.
func checkRaw(spec material.Spec) error {
	if spec.KeyPair() {
		return &KeyPairError{Spec: spec}
	}
	if spec.Kind() == material.KindNone {
		_, err := material.ParseSpec(string(spec))
		return err
	}
	return nil
}

// Generate draws from crypto/rand and makes material of the spec by [Extract] or [XOR]. Errors are those of [CheckMix], or that of
// the reader.
func (m *Mix) Generate(spec material.Spec, by Method) (made *material.Material, err error) {
	if err := CheckMix(spec, by); err != nil {
		return nil, err
	}
	size := spec.GenerateLength()
	material.Erasing(func() {
		drawn := make([]byte, size)
		if by == Extract {
			drawn = make([]byte, drawnPerBytes*size)
		}
		defer clear(drawn)
		if _, err = io.ReadFull(rand.Reader, drawn); err != nil {
			return
		}
		encoded := encode(m.inputs)
		defer clear(encoded)
		if by == Extract {
			made, err = material.New(spec, extract(drawn, encoded, size))
		} else {
			made, err = material.New(spec, combineXOR(drawn, encoded))
		}
	})
	return made, err
}

func extract(drawn, encoded []byte, size int) []byte {
	newHash := func() hash.Hash { return sha256.New() }
	if size > sha256.Size {
		newHash = sha512.New
	}
	mac := hmac.New(newHash, []byte(extractSalt))
	framed := appendFrame(make([]byte, 0, frameSize+len(drawn)), drawn)
	defer clear(framed)
	mac.Write(framed)
	mac.Write(encoded)
	sum := mac.Sum(nil)
	defer clear(sum[size:])
	return sum[:size:size]
}

func combineXOR(drawn, encoded []byte) []byte {
	h := sha256.New()
	h.Write([]byte(xorPrefix))
	h.Write(encoded)
	made := h.Sum(nil)
	subtle.XORBytes(made, made, drawn)
	return made
}
