// SPDX-License-Identifier: Apache-2.0

// Package intoken is the token of a ceremony whose material is made in one: package
// hsm, as package offline asks for it. It builds without a C compiler; who loads the
// library of the token's maker hands that in.
package intoken

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/keymat/keymat/ceremony/offline"
	"github.com/keymat/keymat/ceremony/transcript"
	"github.com/keymat/keymat/hsm"
	"github.com/keymat/keymat/material"
	"github.com/keymat/keymat/token"
	"github.com/keymat/keymat/wrap"
)

// A Token is the one of a plan, once somebody has logged in to it. Methods other than
// Login are for then. Errors are those of package hsm, and of this one.
type Token struct {
	library hsm.Module
	token   *hsm.Token // nil while nobody is logged in
	bench   *hsm.Bench // what the token has shown since
}

var _ offline.Token = (*Token)(nil)

// New gives the tokens of a library to a ceremony.
func New(library hsm.Module) *Token { return &Token{library: library} }

// A NoFingerprintError is a token that makes no fingerprint of its keys, by which
// people could tell them apart.
type NoFingerprintError struct{ Spec material.Spec }

func (e *NoFingerprintError) Error() string {
	return fmt.Sprintf("the token makes no check value of %s keys", e.Spec)
}

// A CountError is a number of keys with one CKA_ID.
type CountError struct {
	ID    string
	Count int
}

func (e *CountError) Error() string {
	return fmt.Sprintf("the token has %d keys with the CKA_ID %s, expected 1", e.Count, e.ID)
}

// Login opens the token of a label and logs its user in.
func (t *Token) Login(label string, pin []byte) (transcript.Token, error) {
	if err := t.Logout(); err != nil {
		return transcript.Token{}, err
	}
	opened, err := hsm.Open(t.library, label)
	if err != nil {
		return transcript.Token{}, err
	}
	if err := opened.Login(hsm.OrdinaryUser, pin); err != nil {
		return transcript.Token{}, errors.Join(err, opened.Close())
	}
	t.token, t.bench = opened, opened.NewBench()
	i := opened.Info
	return transcript.Token{
		Label: i.Label, Maker: i.Manufacturer, Model: i.Model, Serial: i.Serial,
		Firmware: i.Firmware, Hardware: i.Hardware, SoftHSM: i.SoftHSM(),
	}, nil
}

// Logout leaves the token. One that was taken out is left.
func (t *Token) Logout() error {
	if t.token == nil {
		return nil
	}
	err := t.token.Close()
	t.token, t.bench = nil, nil
	if hsm.Gone(err) {
		return nil
	}
	return err
}

// Able has the token wrap a throwaway key, and opens that.
func (t *Token) Able(spec material.Spec, a wrap.Algorithm) error {
	if _, err := t.bench.Choose(spec, a); err != nil || spec.KeyPair() { // whose fingerprint is that of the public key
		return err
	}
	key, err := t.bench.Throwaway(spec)
	if err != nil {
		return err
	}
	if key.Fingerprint == (material.Fingerprint{}) {
		return &NoFingerprintError{spec}
	}
	if spec.Kind() == material.HMAC {
		_, err = t.token.MAC(key, spec, []byte("keymat throwaway message"))
	}
	return err
}

// Generate makes a key that stays in the token.
func (t *Token) Generate(spec material.Spec, label string) (offline.KeyInToken, error) {
	key, err := t.token.Generate(spec, label, false)
	if err != nil {
		return offline.KeyInToken{}, err
	}
	if key.Fingerprint == (material.Fingerprint{}) {
		return offline.KeyInToken{}, errors.Join(&NoFingerprintError{spec}, t.token.Delete(key))
	}
	return told(key), nil
}

// Labelled are the keys of a label.
func (t *Token) Labelled(label string) (all []offline.KeyInToken, err error) {
	keys, err := t.token.Labelled(label)
	for _, key := range keys {
		all = append(all, told(key))
	}
	return all, err
}

func told(key *hsm.Key) offline.KeyInToken {
	return offline.KeyInToken{
		ID: hex.EncodeToString(key.ID), Label: key.Label, Attributes: key.Attributes.Set(), Fits: key.Fits, Fingerprint: key.Fingerprint.String(),
	}
}

// Find finds a key by its CKA_ID.
func (t *Token) Find(id string) (offline.KeyInToken, bool, error) {
	key, err := t.find(id)
	if err != nil || key == nil {
		return offline.KeyInToken{}, false, err
	}
	return told(key), true, nil
}

// find is nil where there is no such key.
func (t *Token) find(id string) (*hsm.Key, error) {
	raw, err := hex.DecodeString(id)
	if err != nil {
		return nil, fmt.Errorf("reading a CKA_ID: %w", err)
	}
	keys, err := t.token.Identified(raw)
	switch {
	case err != nil || len(keys) == 0:
		return nil, err
	case len(keys) > 1:
		return nil, &CountError{id, len(keys)}
	}
	return keys[0], nil
}

// present is find, but that no key is an error.
func (t *Token) present(id string) (*hsm.Key, error) {
	key, err := t.find(id)
	if err == nil && key == nil {
		err = &offline.NoKeyError{ID: id}
	}
	return key, err
}

// Wrap wraps a key for KMS, in the way that worked with a throwaway key.
func (t *Token) Wrap(id string, p *token.Parameters) (encrypted []byte, err error) {
	public, err := wrap.ParsePublicKey(p.PublicKey)
	if err != nil {
		return nil, err
	}
	key, err := t.present(id)
	if err != nil {
		return nil, err
	}
	method, err := t.bench.Choose(p.KeySpec, p.Algorithm)
	if err != nil {
		return nil, err
	}
	under, err := t.token.Bring(public)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, under.Discard()) }()
	return t.token.Wrap(under, method, key)
}

// MAC computes a MAC in the token.
func (t *Token) MAC(id string, spec material.Spec, message []byte) ([]byte, error) {
	key, err := t.present(id)
	if err != nil {
		return nil, err
	}
	return t.token.MAC(key, spec, message)
}

// Destroy destroys a key, if it is there.
func (t *Token) Destroy(id string) error {
	key, err := t.find(id)
	if err != nil || key == nil {
		return err
	}
	return t.token.Delete(key)
}
