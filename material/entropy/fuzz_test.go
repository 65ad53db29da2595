// SPDX-License-Identifier: Apache-2.0

package entropy_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/material/entropy"
)

// FuzzParseComponent holds what is read to what is written: a component that
// was taken is written in the one form that gives it again, and no error
// repeats what was read.
func FuzzParseComponent(f *testing.F) {
	f.Add([]byte(strings.Repeat("5a", 28)))
	f.Add([]byte(strings.Repeat("5A ", 28) + "\nhmac:0123456789"))
	f.Add([]byte("hmac:hmac:"))
	f.Fuzz(func(t *testing.T, typed []byte) {
		c, checked, err := entropy.ParseComponent(material.HMAC224, typed)
		if err != nil {
			if c.Check != "" {
				t.Errorf("an error, and a component %s", c.Check)
			}
			if trimmed := bytes.TrimSpace(typed); len(trimmed) > 8 && strings.Contains(err.Error(), string(trimmed)) {
				t.Errorf("the error repeats what was read: %v", err)
			}
			return
		}
		if checked != bytes.Contains(typed, []byte("hmac:")) {
			t.Errorf("checked: %v", checked)
		}
		again, checked, err := entropy.ParseComponent(material.HMAC224, []byte(text(c)))
		if err != nil || !checked || !again.Equal(c) {
			t.Errorf("its text reads as %v, error %v", again, err)
		}
	})
}

// FuzzReadRecord demands that a record that is taken is written as it was read,
// so that nothing in it goes unnoticed.
func FuzzReadRecord(f *testing.F) {
	for _, r := range records() {
		var b bytes.Buffer
		if err := r.Encode(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := entropy.ReadRecord(bytes.NewReader(data))
		if err != nil {
			return
		}
		again, err := entropy.ReadRecord(strings.NewReader(encoded(t, r)))
		if err != nil || encoded(t, again) != encoded(t, r) {
			t.Errorf("read as %+v, and again as %+v, error %v", r, again, err)
		}
	})
}
