// SPDX-License-Identifier: Apache-2.0

package entropy_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/material/entropy"
)

func text(c entropy.Component) (s string) {
	c.Text().Expose(func(b []byte) error { s = string(b); return nil })
	return s
}

// TestComponentText writes new components and reads them again, from the paper and in the slips of those who type them.
func TestComponentText(t *testing.T) {
	for _, spec := range []material.Spec{material.SymmetricDefault, material.HMAC224, material.HMAC256, material.HMAC384, material.HMAC512} {
		c := must(entropy.NewComponent(spec))
		written := text(c)
		for line := range strings.Lines(written) {
			if len(line) > len("0123 4567 89ab cdef 0123 4567 89ab cdef\n") {
				t.Errorf("%s: a line of %d characters", spec, len(line))
			}
		}
		digits, _, _ := strings.Cut(strings.Join(strings.Fields(written), ""), "hmac:")
		if len(digits) != entropy.ComponentDigits(spec) || len(digits) != 2*spec.GenerateLength() {
			t.Errorf("%s: %d digits", spec, len(digits))
		}
		for _, form := range []string{written, strings.ToUpper(digits) + "hmac:" + c.Check[5:], digits, " " + digits[:7] + "\t" + digits[7:] + "\r\n"} {
			read, checked, err := entropy.ParseComponent(spec, []byte(form))
			if err != nil || !read.Equal(c) || read.Check != c.Check || checked != strings.Contains(form, "hmac:") {
				t.Errorf("%s: reading it gives %v, checked %v, error %v", spec, read, checked, err)
			}
		}
	}
}

func TestComponentErrors(t *testing.T) {
	zeros := strings.Repeat("00", 32)
	for _, test := range []struct {
		spec       material.Spec
		text, want string
	}{
		{material.SymmetricDefault, zeros[:63], "not a component for SYMMETRIC_DEFAULT: found 63 hexadecimal digits, expected 64"},
		{material.SymmetricDefault, zeros + "0", "not a component for SYMMETRIC_DEFAULT: found 65 hexadecimal digits, expected 64"},
		{material.HMAC512, zeros, "not a component for HMAC_512: found 64 hexadecimal digits, expected 128"},
		{material.HMAC512, "", "not a component for HMAC_512: found 0 hexadecimal digits, expected 128"},
		{material.SymmetricDefault, zeros[:20] + "O" + zeros[21:], "not a component for SYMMETRIC_DEFAULT: what follows 20 digits is none"},
		{material.SymmetricDefault, zeros + "hmac:0000000000", "the component and its check value do not belong together"},
		{material.SymmetricDefault, zeros + "hmac:", "the component and its check value do not belong together"},
		{material.SymmetricDefault, strings.Repeat(" ", entropy.MaxComponentText) + "0", "not a component for SYMMETRIC_DEFAULT: longer than 4096 bytes"},
		{material.RSA2048, zeros, fmt.Sprint(&entropy.KeyPairError{Spec: material.RSA2048})},
		{"SM2", zeros, `key spec "SM2" cannot be imported: KMS imports SM2 keys in the China Regions only`},
	} {
		c, _, err := entropy.ParseComponent(test.spec, []byte(test.text))
		if fmt.Sprint(err) != test.want || c.Check != "" {
			t.Errorf("%s %.30q: got %v and %q, want %s", test.spec, test.text, err, c.Check, test.want)
		}
	}
	if _, err := entropy.NewComponent(material.ECCNISTP384); err == nil {
		t.Error("a component of a key pair")
	}
}

func TestMatches(t *testing.T) {
	c := must(entropy.NewComponent(material.HMAC256))
	digits := strings.TrimPrefix(c.Check, "hmac:")
	for check, want := range map[string]bool{
		c.Check: true, digits: true, " " + strings.ToUpper(c.Check) + "\n": true, "": false, digits[:9]: false, digits + "0": false, "cmac:" + digits: false,
	} {
		if c.Matches(check) != want {
			t.Errorf("%q: %v", check, !want)
		}
	}
}

// TestCombine holds xor to what makes it split knowledge: any component may be the last one, and all are needed.
func TestCombine(t *testing.T) {
	const spec = material.HMAC384
	a, b, c := must(entropy.NewComponent(spec)), must(entropy.NewComponent(spec)), must(entropy.NewComponent(spec))
	all := must(entropy.Combine(a, b, c))
	if other := must(entropy.Combine(c, a, b)); !other.Secret().Equal(all.Secret()) {
		t.Error("the order matters")
	}
	if fewer := must(entropy.Combine(a, b)); fewer.Secret().Equal(all.Secret()) {
		t.Error("the third component does nothing")
	}
	all.Destroy()
	if again := must(entropy.Combine(a, b, c)); again.Secret().Len() != spec.GenerateLength() {
		t.Error("the components are gone")
	}
	inverse := func(pattern string) entropy.Component { // of a, but for the pattern
		digits, _, _ := strings.Cut(strings.Join(strings.Fields(text(a)), ""), "hmac:")
		var flipped bytes.Buffer
		for i := range digits {
			fmt.Fprintf(&flipped, "%x", hexDigit(digits[i])^hexDigit(pattern[i%2]))
		}
		component, _, err := entropy.ParseComponent(spec, flipped.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return component
	}
	for _, test := range []struct {
		name       string
		components []entropy.Component
		want       string
	}{
		{"none", nil, "found 0 components, expected at least 2"},
		{"one", []entropy.Component{a}, "found 1 components, expected at least 2"},
		{"twice", []entropy.Component{a, b, a}, "components 1 and 3 are the same"},
		{"constant", []entropy.Component{a, inverse("5a")}, "the components combine to bytes that are all equal"},
		{"zeros", []entropy.Component{a, b, must(xorOf(a, b))}, "the components combine to bytes that are all equal"},
		{"specs", []entropy.Component{a, must(entropy.NewComponent(material.HMAC512))}, "found component for HMAC_512, expected HMAC_384"},
	} {
		if _, err := entropy.Combine(test.components...); fmt.Sprint(err) != test.want {
			t.Errorf("%s: got %v, want %s", test.name, err, test.want)
		}
	}
}

// xorOf is the component that cancels out two others.
func xorOf(a, b entropy.Component) (c entropy.Component, err error) {
	sum, err := entropy.Combine(a, b)
	if err != nil {
		return c, err
	}
	err = sum.Secret().Expose(func(value []byte) error {
		c, _, err = entropy.ParseComponent(a.Spec, fmt.Appendf(nil, "%x", value))
		return err
	})
	return c, err
}

func hexDigit(c byte) byte { return byte(strings.IndexByte("0123456789abcdef", c)) }
