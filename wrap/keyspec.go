// SPDX-License-Identifier: Apache-2.0

package wrap

import (
	"fmt"
	"strings"
)

// A KeySpec is the kind of wrapping key, spelt as KMS spells WrappingKeySpec. The zero value is no key spec; where a
// function says so it stands for "left open".
type KeySpec string

// The wrapping key specs KMS takes outside China Regions.
const (
	RSA2048 KeySpec = "RSA_2048"
	RSA3072 KeySpec = "RSA_3072"
	RSA4096 KeySpec = "RSA_4096"
)

// KeySpecs returns the wrapping key specs, strongest first.
func KeySpecs() []KeySpec { return []KeySpec{RSA4096, RSA3072, RSA2048} }

// ParseKeySpec reads the name of a wrapping key spec in any letter case. Any other name is an [*UnsupportedError] with
// the reason.
func ParseKeySpec(name string) (KeySpec, error) {
	k := KeySpec(strings.ToUpper(name))
	if k.Bits() == 0 {
		return "", KeySpec(name).known()
	}
	return k, nil
}

// known returns an [*UnsupportedError] unless k is one of KeySpecs, spelt as KMS does.
func (k KeySpec) known() error {
	if k.Bits() != 0 {
		return nil
	}
	reason := fmt.Sprintf("KMS takes %s, %s and %s", RSA2048, RSA3072, RSA4096)
	if strings.EqualFold(string(k), "SM2") {
		reason = "KMS offers it in China Regions only"
	}
	return &UnsupportedError{What: "wrapping key spec", Name: string(k), Reason: reason}
}

// Bits is the length of the RSA modulus in bits, or 0 for a key spec that KMS does not take.
func (k KeySpec) Bits() int {
	switch k {
	case RSA2048:
		return 2048
	case RSA3072:
		return 3072
	case RSA4096:
		return 4096
	}
	return 0
}

// String returns the name KMS uses.
func (k KeySpec) String() string { return string(k) }

// MarshalText returns the name KMS uses, so that a KeySpec serves as a flag and in JSON. A key spec that is not one of
// KeySpecs is an [*UnsupportedError].
func (k KeySpec) MarshalText() ([]byte, error) {
	if err := k.known(); err != nil {
		return nil, err
	}
	return []byte(k), nil
}

// UnmarshalText is ParseKeySpec.
func (k *KeySpec) UnmarshalText(text []byte) error {
	parsed, err := ParseKeySpec(string(text))
	if err != nil {
		return err
	}
	*k = parsed
	return nil
}
