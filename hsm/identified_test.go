// SPDX-License-Identifier: Apache-2.0

package hsm_test

import (
	"errors"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/material"
)

// TestIdentified finds keys by label and by CKA_ID, which a key pair has on both halves.
func TestIdentified(t *testing.T) {
	token := newFake(t).open()
	made := map[string]*hsm.Key{}
	for label, spec := range map[string]material.Spec{"secret": material.SymmetricDefault, "pair": material.ECCNISTP256} {
		key, err := token.Generate(spec, label, false)
		if err != nil {
			t.Fatal(err)
		}
		made[label] = key
	}
	for label, key := range made {
		for by, find := range map[string]func() ([]*hsm.Key, error){
			"ID":    func() ([]*hsm.Key, error) { return token.Identified(key.ID) },
			"label": func() ([]*hsm.Key, error) { return token.Labelled(label) },
		} {
			found, err := find()
			if err != nil || len(found) != 1 || found[0].Fingerprint != key.Fingerprint {
				t.Errorf("%s by its %s: got %v, error %v", label, by, found, err)
			}
		}
	}
	if found, err := token.Identified(make([]byte, 16)); err != nil || len(found) > 0 {
		t.Errorf("an ID of no key: got %v, error %v", found, err)
	}
}

// TestMAC: the mechanism is the one with the digest that KMS uses for the spec.
func TestMAC(t *testing.T) {
	f := newFake(t)
	token := f.open()
	for spec, want := range map[material.Spec]uint{
		material.HMAC224: pkcs11.CKM_SHA224_HMAC, material.HMAC256: pkcs11.CKM_SHA256_HMAC, material.HMAC384: pkcs11.CKM_SHA384_HMAC, material.HMAC512: pkcs11.CKM_SHA512_HMAC,
	} {
		key, err := token.Generate(spec, string(spec), false)
		if err != nil {
			t.Fatal(err)
		}
		f.mechanisms[want] = pkcs11.CKF_VERIFY // and not to sign
		if _, err := token.MAC(key, spec, []byte("message")); !errors.As(err, new(*hsm.NoMACError)) {
			t.Errorf("%s: error %v, want a NoMACError", spec, err)
		}
		f.mechanisms[want], f.signed = pkcs11.CKF_SIGN, nil
		if mac, err := token.MAC(key, spec, []byte("message")); err != nil || len(mac) == 0 || len(f.signed) != 1 || f.signed[0] != want {
			t.Errorf("%s: a MAC of %d bytes by %#x, error %v; want %#x", spec, len(mac), f.signed, err, want)
		}
	}
	key, err := token.Generate(material.SymmetricDefault, "AES", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := token.MAC(key, material.SymmetricDefault, []byte("message")); !errors.As(err, new(*hsm.NoMACError)) {
		t.Errorf("an AES key: error %v, want a NoMACError", err)
	}
}
