// SPDX-License-Identifier: Apache-2.0

package escrow

import (
	"crypto/fips140"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"filippo.io/age"

	"github.com/keymat/keymat/material"
)

// keyWorkFactor is the logarithm of scrypt's cost where the passphrase is a key in hexadecimal. Stretching adds nothing to 256
// random bits, and with 16 MiB of memory the escrow opens on any machine. People's passphrases get age's default.
const keyWorkFactor = 14

// newFile returns the beginning of an escrow of m. created is cut to the second.
func newFile(m *material.Material, created time.Time, p Profile) (*File, error) {
	if p.Age() && fips140.Enforced() {
		return nil, &FIPSError{Profile: p}
	}
	f := &File{
		Created: created.UTC().Truncate(time.Second), Profile: p,
		KeySpec: m.Spec(), Fingerprint: m.Fingerprint().String(),
	}
	rand.Read(f.ID[:]) // never fails
	return f, nil
}

// SealTo seals m for the recipients, any of whom opens it alone. Errors: [*FIPSError], or age's, such as for a mixture of
// post-quantum and other recipients.
func SealTo(m *material.Material, created time.Time, recipients []Recipient) (*File, error) {
	f, err := newFile(m, created, Recipients)
	if err != nil {
		return nil, err
	}
	var keys []age.Recipient
	for _, r := range recipients {
		f.Recipients = append(f.Recipients, r.Text)
		keys = append(keys, r.key)
	}
	return f.sealed(f.seal(m, keys...))
}

// SealPassphrase seals m with a passphrase, stretched with scrypt. Errors: [*FIPSError], or age's.
func SealPassphrase(m *material.Material, created time.Time, passphrase material.Secret) (*File, error) {
	f, err := newFile(m, created, Passphrase)
	if err != nil {
		return nil, err
	}
	var recipient *age.ScryptRecipient
	err = passphrase.Expose(func(p []byte) (err error) {
		recipient, err = age.NewScryptRecipient(string(p)) // age takes strings
		return err
	})
	if err != nil {
		return nil, err
	}
	return f.sealed(f.seal(m, recipient))
}

// SealKey seals m under a key of 32 bytes, with AES-256-GCM.
func SealKey(m *material.Material, created time.Time, key material.Secret) (*File, error) {
	f, err := newFile(m, created, FIPSKey)
	if err != nil {
		return nil, err
	}
	return f.sealed(f.sealGCM(m, key))
}

// A Plan says among how many people the key of an escrow is shared, and how many of them it takes: 2 ≤ Threshold ≤ Count ≤ 16.
type Plan struct {
	Profile          Profile // Quorum or FIPSQuorum
	Scheme           Scheme
	Threshold, Count int
}

// SealQuorum seals m under a fresh key and shares that key. Before it returns, every subset of Threshold shares has given the key,
// and the key has opened the file and given m. Errors: [*FIPSError], or those of the scheme for numbers that it does not take.
func SealQuorum(m *material.Material, created time.Time, p Plan) (f *File, shares []Share, err error) {
	material.Erasing(func() { f, shares, err = sealQuorum(m, created, p) })
	return f, shares, err
}

func sealQuorum(m *material.Material, created time.Time, p Plan) (*File, []Share, error) {
	if !p.Profile.Shared() {
		return nil, nil, fmt.Errorf("the profile %s has no shares", p.Profile)
	}
	f, err := newFile(m, created, p.Profile)
	if err != nil {
		return nil, nil, err
	}
	random := make([]byte, keyLength)
	rand.Read(random) // never fails
	key := material.NewSecret(random)
	defer key.Destroy()
	f.Shares = &ShareSet{Scheme: p.Scheme, Threshold: p.Threshold, Count: p.Count}
	shares, err := f.Shares.split(key, f.ID)
	if err != nil {
		return nil, nil, fmt.Errorf("sharing the key: %w", err)
	}
	if p.Profile == FIPSQuorum {
		err = f.sealGCM(m, key)
	} else {
		err = f.sealHex(m, key)
	}
	if err == nil {
		err = f.rehearse(m, shares)
	}
	if err != nil {
		return nil, nil, err
	}
	return f, shares, nil
}

// rehearse opens what was sealed.
func (f *File) rehearse(m *material.Material, shares []Share) error {
	key, err := f.Combine(shares)
	if err != nil {
		return fmt.Errorf("trying the shares: %w", err)
	}
	defer key.Destroy()
	opened, err := f.OpenKey(key)
	if err != nil {
		return fmt.Errorf("trying to open the escrow: %w", err)
	}
	defer opened.Destroy()
	if !opened.Secret().Equal(m.Secret()) {
		return errors.New("the escrow opens to other material than was sealed")
	}
	return nil
}

// sealed is f, unless sealing it ended in an error.
func (f *File) sealed(err error) (*File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

// seal encrypts the payload with age.
func (f *File) seal(m *material.Material, recipients ...age.Recipient) error {
	payload, err := f.payload(m)
	if err != nil {
		return err
	}
	defer clear(payload)
	f.Ciphertext, err = encrypt(payload, recipients...)
	return err
}

// sealHex encrypts the payload with age, for the key in hexadecimal as the passphrase.
func (f *File) sealHex(m *material.Material, key material.Secret) error {
	return key.Expose(func(key []byte) error {
		recipient, err := age.NewScryptRecipient(hex.EncodeToString(key))
		if err != nil {
			return err
		}
		recipient.SetWorkFactor(keyWorkFactor)
		return f.seal(m, recipient)
	})
}

// sealGCM encrypts the payload with AES-256-GCM.
func (f *File) sealGCM(m *material.Material, key material.Secret) error {
	if key.Len() != keyLength {
		return fmt.Errorf("a key of %d bytes: it takes %d", key.Len(), keyLength)
	}
	header, err := f.headerBytes()
	if err != nil {
		return err
	}
	aead, err := f.gcm(key)
	if err != nil {
		return fmt.Errorf("encrypting with AES-256-GCM: %w", err)
	}
	payload, err := f.payload(m)
	if err != nil {
		return err
	}
	defer clear(payload)
	f.Ciphertext = aead.Seal(nil, nil, payload, header)
	return nil
}
