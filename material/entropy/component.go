// SPDX-License-Identifier: Apache-2.0

package entropy

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/keymat/keymat/material"
)

// Component is one person's part of key material, as long as that: all components xored are the material, and all but one say
// nothing about it. It takes every one of them, unlike shares.
type Component struct {
	Spec  material.Spec
	Check string // "hmac:" and 10 hex digits ([material.CheckValue]), which may be shown

	value material.Secret
}

// MinComponents is the least number of components: one person's would be no split knowledge.
const MinComponents = 2

// NewComponent draws a component for material of the spec from crypto/rand. Errors are those of [CheckComponents].
func NewComponent(spec material.Spec) (c Component, err error) {
	if err := CheckComponents(spec); err != nil {
		return Component{}, err
	}
	material.Erasing(func() {
		value := make([]byte, spec.GenerateLength())
		if _, err = io.ReadFull(rand.Reader, value); err == nil {
			c = newComponent(spec, value)
		}
	})
	return c, err
}

func newComponent(spec material.Spec, value []byte) Component {
	secret := material.NewSecret(value)
	return Component{Spec: spec, Check: material.CheckValue(secret).String(), value: secret}
}

// CheckComponents reports whether material of the spec can be made of components. Errors: [*KeyPairError],
// [*material.UnsupportedSpecError].
func CheckComponents(spec material.Spec) error { return checkRaw(spec) }

// ComponentDigits is the number of hexadecimal digits that a component of the spec is typed with.
func ComponentDigits(spec material.Spec) int { return hex.EncodedLen(spec.GenerateLength()) }

// MaxComponentText is the largest text in bytes that [ParseComponent] looks at.
const MaxComponentText = 4096

const checkPrefix = material.HMACCheck + ":"

// ParseComponent reads what [Component.Text] gives, or what somebody typed of it: hexadecimal digits with white space anywhere
// between them, and after them the check value, which may be missing; checked says that it was there. The caller keeps and clears
// text, of which no error repeats anything. Errors: [*ComponentError], [*CheckValueError], and those of [CheckComponents].
func ParseComponent(spec material.Spec, text []byte) (c Component, checked bool, err error) {
	if err := CheckComponents(spec); err != nil {
		return Component{}, false, err
	}
	material.Erasing(func() { c, checked, err = parseComponent(spec, text) })
	return c, checked, err
}

func parseComponent(spec material.Spec, text []byte) (Component, bool, error) {
	if len(text) > MaxComponentText {
		return Component{}, false, &ComponentError{Spec: spec, Reason: fmt.Sprintf("longer than %d bytes", MaxComponentText)}
	}
	value, check, checked := bytes.Cut(text, []byte(checkPrefix))
	digits := make([]byte, 0, len(value))
	defer func() { clear(digits) }()
	for _, c := range value {
		switch {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		case '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F':
			digits = append(digits, c)
		default:
			return Component{}, false, &ComponentError{Spec: spec, Reason: fmt.Sprintf("what follows %d digits is none", len(digits))}
		}
	}
	if want := ComponentDigits(spec); len(digits) != want {
		return Component{}, false, &ComponentError{Spec: spec, Reason: fmt.Sprintf("found %d hexadecimal digits, expected %d", len(digits), want)}
	}
	b := make([]byte, hex.DecodedLen(len(digits)))
	hex.Decode(b, digits) // cannot fail: they are digits, of an even number
	c := newComponent(spec, b)
	if checked && !c.Matches(string(check)) {
		c.Destroy()
		return Component{}, true, &CheckValueError{}
	}
	return c, checked, nil
}

// Matches reports whether a check value, as somebody typed it, with or without "hmac:", is that of the component.
func (c Component) Matches(check string) bool {
	return checkPrefix+strings.TrimPrefix(strings.ToLower(strings.TrimSpace(check)), checkPrefix) == c.Check
}

// Equal reports whether both components are the same.
func (c Component) Equal(d Component) bool { return c.value.Equal(d.value) }

// Text returns what a custodian keeps: the component in lines of 32 hexadecimal digits in groups of four, and its check value.
func (c Component) Text() material.Secret {
	text := make([]byte, 0, MaxComponentText) // never grows, which would leave copies
	c.value.Expose(func(value []byte) error {
		for i := 0; i < len(value); i += 2 {
			text = hex.AppendEncode(text, value[i:i+2])
			text = append(text, separator(i+2, len(value)))
		}
		return nil
	})
	return material.NewSecret(append(append(text, c.Check...), '\n'))
}

// separator stands behind the first n of size bytes.
func separator(n, size int) byte {
	if n%16 == 0 || n == size {
		return '\n'
	}
	return ' '
}

// Destroy overwrites the component, as far as [material.Secret.Destroy] does.
func (c Component) Destroy() { c.value.Destroy() }

// String returns the check value, which is safe to show.
func (c Component) String() string { return c.Check }

// Combine makes material of components, which stay as they are: their xor. Their order does not matter. Errors:
// [*FewComponentsError], [*DuplicateComponentError], [*WeakResultError], [*material.MismatchError] for components of several
// specs, and those of [CheckComponents].
func Combine(components ...Component) (made *material.Material, err error) {
	if len(components) < MinComponents {
		return nil, &FewComponentsError{Have: len(components)}
	}
	spec := components[0].Spec
	if err := CheckComponents(spec); err != nil {
		return nil, err
	}
	for i, c := range components {
		if c.Spec != spec {
			return nil, &material.MismatchError{Want: spec, Found: "component for " + string(c.Spec)}
		}
		for j, former := range components[:i] {
			if c.Equal(former) { // the two would cancel each other out
				return nil, &DuplicateComponentError{First: j + 1, Second: i + 1}
			}
		}
	}
	material.Erasing(func() { made, err = combine(spec, components) })
	return made, err
}

func combine(spec material.Spec, components []Component) (*material.Material, error) {
	sum := make([]byte, spec.GenerateLength())
	for _, c := range components {
		c.value.Expose(func(value []byte) error {
			subtle.XORBytes(sum, sum, value)
			return nil
		})
	}
	m, err := material.New(spec, sum)
	if err == nil && m.Secret().Constant() { // which no honest components give
		m.Destroy()
		return nil, &WeakResultError{}
	}
	return m, err
}
