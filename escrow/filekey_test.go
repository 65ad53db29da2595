// SPDX-License-Identifier: Apache-2.0

package escrow_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/keymat/keymat/escrow"
	"github.com/keymat/keymat/material"
)

// TestAgeFileKey opens what was sealed for people who are not here, and notices a
// change of any byte, those included that only they can decrypt.
func TestAgeFileKey(t *testing.T) {
	m := generate(t, material.SymmetricDefault)
	_, first := newIdentity(t)
	second, other := newIdentity(t)
	f, key, err := escrow.SealTo(m, created, []escrow.Recipient{first, other})
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() (*material.Material, error){
		"file key":             func() (*material.Material, error) { return f.OpenFileKey(key) },
		"the second recipient": func() (*material.Material, error) { return f.Open(second) },
	} {
		if opened, err := open(); err != nil || !opened.Secret().Equal(m.Secret()) {
			t.Errorf("%s: other material, error %v", name, err)
		}
	}
	whole := f.Ciphertext
	for i := range whole {
		f.Ciphertext = bytes.Clone(whole)
		f.Ciphertext[i] ^= 1
		if opened, err := f.OpenFileKey(key); err == nil || opened != nil {
			t.Errorf("byte %d of %d is another, and it opens", i, len(whole))
		}
	}
	f.Ciphertext = whole
	if opened, err := f.OpenFileKey(material.NewSecret(make([]byte, 16))); err == nil || opened != nil {
		t.Errorf("another file key: error %v", err)
	}
	if opened, err := sealKey(t, m).OpenFileKey(key); opened != nil || !errors.As(err, new(*escrow.ProfileError)) {
		t.Errorf("an escrow that is no age file for recipients: error %v", err)
	}
	if f, key, err := escrow.SealTo(m, created, nil); err == nil || f != nil || key.Len() != 0 {
		t.Errorf("sealed for nobody: error %v", err)
	}
}
