// SPDX-License-Identifier: Apache-2.0

package hsm

import (
	"crypto/rand"
	"errors"

	"github.com/miekg/pkcs11"

	"github.com/keymat/keymat/material"
)

// Generate makes new material of a spec in the token, as a key that stays there under a label that no object has yet. It is
// sensitive from the beginning and extractable, or it could not be wrapped; with trustedOnly it can be wrapped only under
// keys that the security officer trusts, which the token never takes back.
//
// The attributes are read back. A key that did not get those it should is destroyed, and the error is an [*AttributeError].
// Others: [*LabelTakenError], [*material.UnsupportedSpecError], [*CallError].
func (t *Token) Generate(spec material.Spec, label string, trustedOnly bool) (*Key, error) {
	k, ok := kindOf(spec)
	if !ok {
		_, err := spec.MarshalText()
		return nil, err
	}
	if taken, err := t.session.Find([]Attribute{{pkcs11.CKA_LABEL, label}}); err != nil {
		return nil, err
	} else if len(taken) > 0 {
		return nil, &LabelTakenError{Label: label}
	}
	id := make([]byte, 16)
	rand.Read(id) // never fails: crypto/rand ends the program instead
	key, err := k.make(t.session, protection{onToken: true, trustedOnly: trustedOnly, label: label, id: id})
	if err != nil {
		return nil, err
	}
	if err := t.checkNew(key, spec, trustedOnly); err != nil {
		return nil, errors.Join(err, t.Delete(key))
	}
	return key, nil
}

// checkNew reads a new key back and holds it against what was asked for.
func (t *Token) checkNew(key *Key, spec material.Spec, trustedOnly bool) error {
	if err := key.read(t); err != nil {
		return err
	}
	if !key.Fits(spec) {
		return &SpecError{Label: key.Label, What: key.What, Want: spec}
	}
	key.Spec = spec
	want := Attributes{
		Local: true, Private: true, Sensitive: true, AlwaysSensitive: true, Extractable: true,
		WrapWithTrusted: trustedOnly, Modifiable: key.Attributes.Modifiable, // left to the token
	}
	wanted := want.table()
	for i, row := range key.Attributes.table() {
		if *row.value != *wanted[i].value {
			return &AttributeError{Name: row.name, Want: *wanted[i].value}
		}
	}
	return nil
}
