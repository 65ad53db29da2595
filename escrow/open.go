// SPDX-License-Identifier: Apache-2.0

package escrow

import (
	"crypto/fips140"
	"encoding/hex"

	"filippo.io/age"

	"github.com/keymat/keymat/material"
)

// Open opens an escrow for recipients with any of the identities. All of the header is checked against what was sealed. Errors:
// [*ProfileError], [*LockedError], [*HeaderError], [*FIPSError], and those of [material.New].
func (f *File) Open(identities ...age.Identity) (*material.Material, error) {
	if f.Profile != Recipients {
		return nil, &ProfileError{Profile: f.Profile}
	}
	return f.open(identities...)
}

// OpenPassphrase is [File.Open] for an escrow with a passphrase.
func (f *File) OpenPassphrase(passphrase material.Secret) (*material.Material, error) {
	if f.Profile != Passphrase {
		return nil, &ProfileError{Profile: f.Profile}
	}
	var m *material.Material
	err := passphrase.Expose(func(p []byte) (err error) {
		m, err = f.openScrypt(string(p)) // age takes strings
		return err
	})
	return m, err
}

// OpenKey is [File.Open] for an escrow under a key of 32 bytes: the one that shares give, or that it was sealed under.
func (f *File) OpenKey(key material.Secret) (*material.Material, error) {
	var m *material.Material
	var err error
	switch f.Profile {
	case Quorum:
		err = key.Expose(func(key []byte) (err error) {
			m, err = f.openScrypt(hex.EncodeToString(key))
			return err
		})
	case FIPSQuorum, FIPSKey:
		m, err = f.openGCM(key)
	default:
		err = &ProfileError{Profile: f.Profile}
	}
	return m, err
}

func (f *File) openScrypt(passphrase string) (*material.Material, error) {
	identity, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, &LockedError{Profile: f.Profile, Err: err}
	}
	return f.open(identity)
}

func (f *File) open(identities ...age.Identity) (m *material.Material, err error) {
	if fips140.Enforced() {
		return nil, &FIPSError{Profile: f.Profile}
	}
	material.Erasing(func() {
		var payload []byte
		if payload, err = decrypt(f.Ciphertext, identities...); err != nil {
			err = &LockedError{Profile: f.Profile, Err: err}
			return
		}
		defer clear(payload)
		m, err = f.material(payload)
	})
	return m, err
}

func (f *File) openGCM(key material.Secret) (m *material.Material, err error) {
	header, err := f.headerBytes()
	if err != nil {
		return nil, err
	}
	material.Erasing(func() {
		aead, e := f.gcm(key)
		if e != nil {
			err = &LockedError{Profile: f.Profile, Err: e}
			return
		}
		payload, e := aead.Open(nil, nil, f.Ciphertext, header)
		if e != nil {
			err = &LockedError{Profile: f.Profile, Err: e}
			return
		}
		defer clear(payload)
		m, err = f.material(payload)
	})
	return m, err
}
