// SPDX-License-Identifier: Apache-2.0

package intoken_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/keymat/keymat/ceremony/intoken"
	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

const pin = "12345678"

func opened(t *testing.T, l *library) *intoken.Token {
	t.Helper()
	device := intoken.New(l)
	if said, err := device.Login("ceremony", []byte(pin)); err != nil || said.Serial != "0042" || !said.SoftHSM {
		t.Fatalf("got %+v, error %v", said, err)
	}
	return device
}

// TestToken makes a key, finds it again in another session, wraps it for KMS, and destroys it.
func TestToken(t *testing.T) {
	for _, spec := range []material.Spec{material.SymmetricDefault, material.HMAC256} {
		t.Run(string(spec), func(t *testing.T) {
			l := newLibrary()
			device := opened(t, l)
			if err := device.Able(spec, wrap.OAEPSHA256); err != nil {
				t.Fatal(err)
			}
			made, err := device.Generate(spec, "payments-2026")
			if err != nil {
				t.Fatal(err)
			}
			if len(made.ID) != 32 || made.Fingerprint == "" || !made.Fits(spec) || !slices.Contains(made.Attributes, "CKA_ALWAYS_SENSITIVE") {
				t.Errorf("got %+v", made)
			}
			if _, err := device.Generate(spec, "payments-2026"); !errors.As(err, new(*hsm.LabelTakenError)) {
				t.Errorf("a second key of the label: error %v", err)
			}
			if err := device.Logout(); err != nil {
				t.Fatal(err)
			}

			device = opened(t, l)
			if all, err := device.Labelled("payments-2026"); err != nil || len(all) != 1 || all[0].ID != made.ID {
				t.Errorf("by its label: %v, error %v", all, err)
			}
			if found, ok, err := device.Find(made.ID); err != nil || !ok || found.Fingerprint != made.Fingerprint {
				t.Errorf("by its ID: %+v, %t, error %v", found, ok, err)
			}
			unwraps(t, device, made, spec)
			if err := device.Destroy(made.ID); err != nil {
				t.Fatal(err)
			}
			if err := device.Destroy(made.ID); err != nil {
				t.Errorf("once more: %v", err)
			}
			if _, ok, err := device.Find(made.ID); ok || err != nil {
				t.Errorf("it is still there: %t, error %v", ok, err)
			}
			if _, err := device.Wrap(made.ID, parameters(t, spec, &private(t).PublicKey)); !errors.As(err, new(*offline.NoKeyError)) {
				t.Errorf("wrapping what is gone: error %v", err)
			}
			if _, err := device.MAC(made.ID, spec, nil); !errors.As(err, new(*offline.NoKeyError)) {
				t.Errorf("a MAC with what is gone: error %v", err)
			}
		})
	}
}

func private(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func parameters(t *testing.T, spec material.Spec, public *rsa.PublicKey) *token.Parameters {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return &token.Parameters{KeySpec: spec, Algorithm: wrap.OAEPSHA256, WrappingKeySpec: wrap.RSA2048, PublicKey: der}
}

// unwraps demands that KMS would have the key of the token.
func unwraps(t *testing.T, device *intoken.Token, made offline.KeyInToken, spec material.Spec) {
	t.Helper()
	kms := private(t)
	encrypted, err := device.Wrap(made.ID, parameters(t, spec, &kms.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := rsa.DecryptOAEP(sha256.New(), nil, kms, encrypted, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := material.New(spec, plain)
	if err != nil {
		t.Fatal(err)
	}
	if got.Fingerprint().String() != made.Fingerprint {
		t.Errorf("KMS has %s, and the token %s", got.Fingerprint(), made.Fingerprint)
	}
	if spec.Kind() != material.HMAC {
		return
	}
	want, err := got.MAC([]byte("message"))
	if err != nil {
		t.Fatal(err)
	}
	if mac, err := device.MAC(made.ID, spec, []byte("message")); err != nil || fmt.Sprint(mac) != fmt.Sprint(want) {
		t.Errorf("a MAC %x, error %v; want %x", mac, err, want)
	}
}

// TestRefusals: tokens that are not there, or cannot do what a ceremony takes.
func TestRefusals(t *testing.T) {
	l := newLibrary()
	device := intoken.New(l)
	if err := device.Logout(); err != nil {
		t.Errorf("leaving a token that nobody logged in to: %v", err)
	}
	if _, err := device.Login("another", []byte(pin)); !errors.As(err, new(*hsm.NoTokenError)) {
		t.Errorf("another label: error %v", err)
	}
	if _, err := device.Login("ceremony", []byte("0000")); !errors.As(err, new(*hsm.PINError)) {
		t.Errorf("a wrong PIN: error %v", err)
	}

	device = opened(t, l)
	if err := device.Able(material.SymmetricDefault, wrap.RSAAESSHA256); !errors.As(err, new(*hsm.UnableError)) {
		t.Errorf("an algorithm that it lacks: error %v", err)
	}
	if _, _, err := device.Find("no ID"); err == nil {
		t.Error("an ID that is none is found")
	}
	made, err := device.Generate(material.SymmetricDefault, "one")
	if err != nil {
		t.Fatal(err)
	}
	l.twice(made.ID)
	if _, _, err := device.Find(made.ID); !errors.As(err, new(*intoken.CountError)) {
		t.Errorf("two keys of one ID: error %v", err)
	}

	mute := newLibrary()
	delete(mute.mechanisms, pkcs11.CKM_AES_CMAC)
	device = opened(t, mute)
	if err := device.Able(material.SymmetricDefault, wrap.OAEPSHA256); !errors.As(err, new(*intoken.NoFingerprintError)) {
		t.Errorf("no check value: error %v", err)
	}
	if _, err := device.Generate(material.SymmetricDefault, "one"); !errors.As(err, new(*intoken.NoFingerprintError)) {
		t.Errorf("no check value: error %v", err)
	}
	if left, err := device.Labelled("one"); err != nil || len(left) > 0 {
		t.Errorf("a key without a check value stays: %v, error %v", left, err)
	}
	if err := device.Able(material.HMAC384, wrap.OAEPSHA256); !errors.As(err, new(*hsm.NoMACError)) {
		t.Errorf("no MACs with SHA-384: error %v", err)
	}
	mute.gone = true
	if err := device.Logout(); err != nil {
		t.Errorf("leaving a token that was taken out: %v", err)
	}
}
