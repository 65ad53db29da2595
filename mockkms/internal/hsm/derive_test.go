// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"bytes"
	"testing"
)

// What is derived depends on the secret, the label and the data. From outside
// this does not show where an authenticated header tells keys apart as well.
func TestDerive(t *testing.T) {
	base := derive(&[32]byte{1}, "label", []byte("data"))
	for name, other := range map[string][32]byte{
		"secret": derive(&[32]byte{2}, "label", []byte("data")),
		"label":  derive(&[32]byte{1}, "other", []byte("data")),
		"data":   derive(&[32]byte{1}, "label", []byte("other")),
		"border": derive(&[32]byte{1}, "labeld", []byte("ata")),
	} {
		if other == base {
			t.Errorf("another %s derives the same", name)
		}
	}
}

func TestCipherMasters(t *testing.T) {
	master := func(secret, letter byte) [32]byte {
		k, err := ParseMaterial(SymmetricDefault, bytes.Repeat([]byte{letter}, 32))
		if err != nil {
			t.Fatal(err)
		}
		c, err := NewCipher([32]byte{secret}, k)
		if err != nil {
			t.Fatal(err)
		}
		if c.master == c.id {
			t.Error("the master is the visible material id")
		}
		return c.master
	}
	first, again := master(1, 'A'), master(1, 'A')
	if first != again {
		t.Error("the same key and material give two masters")
	}
	if first == master(2, 'A') || first == master(1, 'B') {
		t.Error("another key or material gives the same master")
	}
}

// Materials that rotations bring in differ by key and by place in it, and are
// the same each time.
func TestRotatedMaterial(t *testing.T) {
	one, two := [32]byte{1}, [32]byte{2}
	a := RotatedMaterial(one, 1)
	if !bytes.Equal(a, RotatedMaterial(one, 1)) {
		t.Error("not the same each time")
	}
	if bytes.Equal(a, RotatedMaterial(one, 2)) || bytes.Equal(a, RotatedMaterial(two, 1)) {
		t.Error("two materials are the same")
	}
	k, err := ParseMaterial(SymmetricDefault, a)
	if err != nil || !bytes.Equal(k.Canonical(), a) {
		t.Errorf("got %v, want material in canonical form", err)
	}
}
